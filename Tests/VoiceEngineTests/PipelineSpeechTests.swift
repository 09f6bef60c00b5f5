import Audio
import Envelope
import LocalVoiceProvider
import NIOCore
import Testing

@testable import VoiceEngine

/// The sound of answers: pieces, formats, voices.
@Suite("Pipeline: speech", .timeLimit(.minutes(2)))
struct PipelineSpeechTests {
  private func sayYes(speakers: [String] = [], _ more: ScriptedResponder.Step...) -> ScriptedResponder {
    ScriptedResponder(speakers: speakers) { _ in [.text("Yes, of course.")] + more }
  }

  @Test("speech comes in pieces of 100 ms, the last one shorter, and nothing of it is lost")
  func pieces() async throws {
    let mouth = ToneSynthesizer { _ in [.tone(6_000), .tone(7), .tone(3_113)] }
    let call = PipelineCall(.scripted(responder: sayYes(), synthesizer: mouth))
    let events = try await call.answer(.spoken())
    #expect(events.audioByteCounts == [4_800, 4_800, 4_800, 3_840])
    #expect(events.last?.end?.audioMs == 380)
    let samples = Sound.loud(6_000) + Sound.loud(7) + Sound.loud(3_113)
    #expect(events.compactMap(\.audio).flatMap(\.self) == samples.flatMap { $0.littleEndianBytes })
  }

  @Test("several clauses are one sound: only the last piece is short")
  func clauses() async throws {
    let mouth = ToneSynthesizer { _ in [.tone(1_000)] }
    let mind = ScriptedResponder(.text("Good morning. This is the second sentence. And this is the third sentence."))
    let call = PipelineCall(.scripted(responder: mind, synthesizer: mouth))
    let events = try await call.answer(.spoken())
    #expect(mouth.spoken.entries.count == 3)
    #expect(events.audioByteCounts == [4_800, 1_200])
    #expect(events.last?.end?.audioMs == 125)
  }

  @Test(
    "speech of any rate comes in the client's format",
    arguments: [
      (AudioFormat.pcm(rate: 24_000), 4_800), (.pcm(rate: 16_000), 3_200), (.pcm(rate: 8_000), 1_600),
      (.pcm(rate: 48_000), 9_600), (.pcmu, 800), (.pcma, 800),
    ])
  func formats(format: AudioFormat, bytesPerPiece: Int) async throws {
    for rate in [22_050, 16_000] {
      // A second and a half, not in step with anything.
      let mouth = ToneSynthesizer(rate: rate) { _ in (0..<15).map { _ in .tone(rate / 10) } }
      let call = PipelineCall(.scripted(responder: sayYes(), synthesizer: mouth))
      let events = try await call.answer(.spoken(format: format))
      #expect(events.audioByteCounts == [Int](repeating: bytesPerPiece, count: 15))
      #expect(events.last?.end?.audioMs == 1_500)
    }
  }

  @Test("G.711 is of the law that was asked for", arguments: [(AudioFormat.pcmu, G711.Law.muLaw), (.pcma, .aLaw)])
  func laws(format: AudioFormat, law: G711.Law) async throws {
    let mouth = ToneSynthesizer(rate: 8_000) { _ in [.tone(800)] }
    let call = PipelineCall(.scripted(responder: sayYes(), synthesizer: mouth))
    let audio = try #require(try await call.answer(.spoken(format: format)).compactMap(\.audio).first)
    var samples: [Int16] = []
    audio.withUnsafeBytes { G711.decode($0, law, into: &samples) }
    let sent = Sound.loud(800)
    #expect(samples.count == sent.count)
    // The steps of G.711 are 512 at this loudness.
    #expect(zip(samples, sent).allSatisfy { abs(Int($0) - Int($1)) <= 512 })
  }

  @Test("the voice and the speed are the request's")
  func voice() async throws {
    let mouth = ToneSynthesizer()
    let call = PipelineCall(.scripted(responder: sayYes(), synthesizer: mouth))
    var request = AnswerRequest.spoken()
    request.voice = "high"
    request.speed = 1.25
    _ = try await call.answer(request)
    #expect(mouth.spoken.entries == [.init(text: "Yes, of course.", voice: "high", speed: 1.25)])
  }

  @Test("what is not fit to be spoken is told all the same")
  func unspoken() async throws {
    let mouth = ToneSynthesizer()
    let text = "**Yes.** \u{1F600} ```"
    let call = PipelineCall(.scripted(responder: ScriptedResponder(.text(text)), synthesizer: mouth))
    #expect(try await call.answer(.spoken()).words == text)
    #expect(mouth.spoken.entries.map(\.text) == ["Yes."])
  }

  // MARK: Models that speak themselves

  @Test("a model that speaks itself is heard with its own voice, and its words are told")
  func omni() async throws {
    let mouth = ToneSynthesizer()
    let own = Sound.quiet(4_000)
    let mind = sayYes(
      speakers: ["Ethan"], .event(.audio(own, rate: 24_000)), .text(" Here you are."),
      .event(.audio(own, rate: 24_000)), .event(.finished(.complete)))
    let call = PipelineCall(.scripted(responder: mind, synthesizer: mouth))
    var request = AnswerRequest.spoken()
    request.voice = "Ethan"
    let events = try await call.answer(request)
    #expect(events.words == "Yes, of course. Here you are.")
    #expect(events.compactMap(\.audio).flatMap(\.self) == (own + own).flatMap { $0.littleEndianBytes })
    #expect(events.last?.end?.audioMs == 333)
    #expect(mouth.spoken.entries.isEmpty)
    #expect(events.first?.text != nil)
  }

  @Test("a model that should speak and does not is lent the voice of the house")
  func silentOmni() async throws {
    let mouth = ToneSynthesizer()
    let call = PipelineCall(
      .scripted(responder: sayYes(speakers: ["Ethan"], .text(" Here you are.")), synthesizer: mouth))
    var request = AnswerRequest.spoken()
    request.voice = "Ethan"
    let events = try await call.answer(request)
    #expect(events.words == "Yes, of course. Here you are.")
    #expect(mouth.spoken.entries == [.init(text: "Yes, of course. Here you are.", voice: "low", speed: 1)])
    #expect(events.last?.end?.audioMs == 100)
  }

  @Test("speech whose rate changes in the midst goes on without a gap")
  func rates() async throws {
    let mind = sayYes(
      speakers: ["Ethan"], .event(.audio(Sound.tone(ms: 150, rate: 16_000), rate: 16_000)),
      .event(.audio(Sound.tone(ms: 150, rate: 24_000), rate: 24_000)))
    let call = PipelineCall(.scripted(responder: mind))
    #expect(try await call.answer(.spoken()).audioByteCounts == [4_800, 4_800, 4_800])
  }

  // MARK: What the ear knows of it

  @Test("while the assistant is heard, only longer speech interrupts it")
  func interruption() {
    func starts(whileSpeaking isSpeaking: Bool, frames: Int) -> Int {
      var hearing = Hearing(.plain(), parts: .scripted())
      hearing.take(ByteBuffer(string: PipelineCall.base64(Sound.loud(512 * frames))))
      var count = 0
      while let events = hearing.hear(whileSpeaking: isSpeaking) { count += events.count }
      return count
    }
    #expect(starts(whileSpeaking: false, frames: 3) == 1)
    #expect(starts(whileSpeaking: true, frames: 9) == 0)
    #expect(starts(whileSpeaking: true, frames: 10) == 1)
  }

  @Test("the assistant is presumed to be heard as long as what was sent lasts, or until it is interrupted")
  func playback() {
    let playback = Playback()
    #expect(!playback.isRunning)
    #expect(playback.extend(byMs: 3_600_000) > .seconds(3_500))
    #expect(playback.extend(byMs: 3_600_000) > .seconds(7_100))
    #expect(playback.isRunning)
    playback.stop()
    #expect(!playback.isRunning)
    #expect(playback.extend(byMs: 100) <= .milliseconds(100))
  }
}

extension Int16 {
  fileprivate var littleEndianBytes: [UInt8] {
    [UInt8(truncatingIfNeeded: self), UInt8(truncatingIfNeeded: self >> 8)]
  }
}
