import AsyncHTTPClient
import Logging
import Testing

@testable import VoiceEngine

@Suite struct EngineReuseTests {
  private func engine(_ yaml: String, reusing previous: VoiceEngine? = nil) async throws -> VoiceEngine {
    await VoiceEngine.start(
      try configuration([:], yaml: yaml), reusing: previous, folder: RecognitionParts.folder,
      client: { _ in HTTPClient.shared }, dialer: ScriptedDialer(),
      logger: Logger(label: "reuse") { _ in SwiftLogNoOpLogHandler() })
  }

  private static let embedded = "stt: {provider: whisper}\ntts: {provider: espeak}\n"

  @Test(
    "R112: a configuration with another model of one stage takes over what the other stages have loaded",
    .enabled(if: RecognitionParts.haveWhisper && RecognitionParts.haveSilero))
  func takenOver() async throws {
    let first = try await engine(Self.embedded + "llm: {provider: rules}")
    let whisper = try #require(first.loaded.whisper?.value)
    #expect(first.loaded.silero != nil)
    let second = try await engine(
      Self.embedded + "llm: {provider: groq, apiKey: k, model: other}", reusing: first)
    #expect(second.loaded.whisper?.value === whisper)
    #expect(second.parts.transcriber as? WhisperTranscriber === whisper)
    #expect(second.selection?.llm.implementation == "groq")
    #expect(first.selection?.llm.implementation == "rules", "R112: running sessions keep theirs")
    let third = try await engine("stt: {provider: whisper, threads: 2}\ntts: {provider: none}", reusing: second)
    #expect(third.loaded.whisper?.value !== whisper, "another recipe is another part")
  }

  @Test(
    "R112: of engines that nobody has any more nothing stays",
    .enabled(if: RecognitionParts.haveWhisper))
  func freed() async throws {
    weak var old: WhisperTranscriber?
    var current = try await engine(Self.embedded)
    old = current.loaded.whisper?.value
    #expect(old != nil)
    current = try await engine("stt: {provider: none}\ntts: {provider: none}", reusing: current)
    // The last job of the part's own executor may be ending just now.
    let end = ContinuousClock.now + .seconds(10)
    while old != nil, ContinuousClock.now < end { await Task.yield() }
    #expect(old == nil)
  }
}
