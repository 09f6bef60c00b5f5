import Dispatch
import LocalVoiceProvider
import NIOCore
import Synchronization
import Testing

@testable import VoiceEngine

/// Many sessions, long sessions, and sessions that are heard too slowly.
@Suite("Pipeline: load", .timeLimit(.minutes(2)))
struct PipelineLoadTests {
  @Test("the client is held back above 1 MiB of what waits to be heard, and let go on below 256 KiB")
  func pressure() async throws {
    let semaphore = DispatchSemaphore(value: 0)
    let call = PipelineCall(
      .scripted(makeDetector: {
        semaphore.wait()
        return LoudnessDetector()
      }))
    call.send(.hear(.plain()))
    // 64 KiB of base64 each, and a few bytes around it.
    let audio = PipelineCall.base64([UInt8](repeating: 0, count: 49_152))
    for _ in 0..<15 { call.send(.audio(audio)) }
    #expect(call.pressures.entries == [])
    call.send(.audio(audio))
    #expect(call.pressures.entries == [true])
    for _ in 0..<16 { call.send(.audio(audio)) }
    #expect(call.pressures.entries == [true])
    semaphore.signal()
    #expect(try await call.pressures.first(2) == [true, false])
    #expect(try await call.settled() == [.ready])
    #expect(call.pressures.entries == [true, false])
  }

  @Test("200 sessions that are opened, spoken to and closed at once all end, and leave nothing behind")
  func manySessions() async throws {
    let alive = Census()
    let never = Latch()
    let ear = ScriptedTranscriber { _ in
      await never.pass()
      throw CancellationError()
    }
    let mind = ScriptedResponder(.text("Good morning. And"), .wait(never))
    let mouth = ToneSynthesizer { _ in [.tone(2_400), .wait(never)] }
    let parts = EngineParts.scripted(
      transcriber: ear, responder: mind, synthesizer: mouth, makeDetector: { CountedDetector(alive) })
    let second = PipelineCall.base64(Sound.quiet(8_000) + Sound.loud(8_000))
    let sessions = (0..<200).map { _ in PipelineCall(parts) }
    for call in sessions {
      call.send(.hear(.plain()), .audio(second), .commit(turn: "commit_1", absorbing: "vad_1"))
      call.send(.transcribe(turn: "commit_1"), .answer(.spoken()))
    }
    // Some are closed before they were heard at all, some in the midst of it.
    for (index, call) in sessions.enumerated() {
      if index == 100 { try await mind.requests.first(50) }
      call.close()
    }
    for call in sessions { _ = try await call.remainder() }
    #expect(alive.born >= 50)
    #expect(alive.count == 0)
    try await mind.endings.first(mind.requests.entries.count)
    try await mouth.endings.first(mouth.spoken.entries.count)
    #expect(!mind.endings.entries.contains(false))
  }

  @Test(
    "five minutes of silence leave no more than a moment behind",
    arguments: [HearingSettings.Detection.manual, .automatic])
  func silence(detection: HearingSettings.Detection) throws {
    let ear = ScriptedTranscriber()
    var hearing = Hearing(.plain(detection), parts: .scripted(transcriber: ear))
    let second = ByteBuffer(string: PipelineCall.base64([Int16](repeating: 0, count: 16_000)))
    var most = 0
    for _ in 0..<300 {
      hearing.take(second)
      while let events = hearing.hear(whileSpeaking: false) { #expect(events.isEmpty) }
      most = max(most, try recentCount(hearing))
    }
    #expect(ear.begun.entries.isEmpty)
    // What a turn may reach back for is there, and not much more.
    #expect(most >= 300 * 16)
    #expect(most <= 3 * 16_000)
    #expect(hearing.commit(as: "commit_1").transcription == nil)
  }

  /// Samples that the ear keeps.
  private func recentCount(_ hearing: Hearing) throws -> Int {
    try #require(Mirror(reflecting: hearing).descendant("recent") as? [Int16]).count
  }

  @Test("a minute of audio in one message is heard as if it had come piece by piece")
  func oneMessage() async throws {
    let ear = ScriptedTranscriber()
    let call = try await PipelineCall.hearing(.scripted(transcriber: ear))
    let turn = Sound.quiet(900 * 512) + Sound.loud(100 * 512) + Sound.quiet(10 * 512)
    call.say(turn + turn)
    let length = 1_010 * 32
    #expect(
      try await call.settled()
        == [0, 1].flatMap { index -> [EngineEvent] in
          let start = index * length + 900 * 32
          return [
            .speechStarted(turn: "vad_\(index + 1)", atMs: start - 100),
            .speechStopped(turn: "vad_\(index + 1)", atMs: start + 3_200 + 320, isSpeech: true, wasCut: false),
          ]
        })
    #expect(ear.begun.entries.map(\.samples) == [turn, turn].map { Array($0[((900 * 32 - 300) * 16)...]) })
  }

  @Test("a long turn is not kept twice", arguments: [HearingSettings.Detection.manual, .automatic])
  func longTurn(detection: HearingSettings.Detection) throws {
    let ear = ScriptedTranscriber()
    var hearing = Hearing(.plain(detection), parts: .scripted(transcriber: ear, longestTurnMs: 600_000))
    let second = ByteBuffer(string: PipelineCall.base64(Sound.loud(16_000)))
    var most = 0
    for _ in 0..<60 {
      hearing.take(second)
      while hearing.hear(whileSpeaking: false) != nil {}
      most = max(most, try recentCount(hearing))
    }
    // Every frame but the one that is not complete has gone to the transcriber.
    #expect(ear.begun.entries.map(\.samples.count) == [60 * 16_000])
    #expect(most > 0)
    #expect(most <= 3 * 16_000)
  }
}

/// How many there are of something.
final class Census: Sendable {
  private let counts = Mutex((count: 0, born: 0))

  var count: Int { counts.withLock { $0.count } }
  var born: Int { counts.withLock { $0.born } }

  func enter() { counts.withLock { $0 = ($0.count + 1, $0.born + 1) } }

  func leave() { counts.withLock { $0.count -= 1 } }
}

/// A detector that is counted as long as it lives.
final class CountedDetector: VoiceActivityDetector {
  private let census: Census
  private let ear = LoudnessDetector()

  init(_ census: Census) {
    self.census = census
    census.enter()
  }

  var frameSampleCount: Int { ear.frameSampleCount }

  func probability(of frame: UnsafeBufferPointer<Float>) -> Float { ear.probability(of: frame) }

  func reset() {}

  deinit { census.leave() }
}
