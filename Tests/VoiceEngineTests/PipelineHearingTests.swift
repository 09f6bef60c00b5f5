import Audio
import Envelope
import LocalVoiceProvider
import NIOCore
import Testing

@testable import VoiceEngine

/// Turns that the engine finds. A frame has 32 ms.
@Suite("Pipeline: hearing", .timeLimit(.minutes(2)))
struct PipelineHearingTests {
  private let ear = ScriptedTranscriber()
  private static let frame = 512

  private func call(_ detection: HearingSettings.Detection = .automatic) async throws -> PipelineCall {
    try await PipelineCall.hearing(.scripted(transcriber: ear), detection)
  }

  @Test("R252: a turn is told in milliseconds since the beginning, and its audio reaches back before its first sound")
  func turn() async throws {
    let call = try await call()
    let all = Sound.quiet(32 * Self.frame) + Sound.loud(20 * Self.frame) + Sound.quiet(12 * Self.frame)
    for start in stride(from: 0, to: all.count, by: 333) { call.say(Array(all[start..<min(start + 333, all.count)])) }
    let events = try await call.settled()
    #expect(
      events == [
        .speechStarted(turn: "vad_1", atMs: 1_024 - 100),
        .speechStopped(turn: "vad_1", atMs: 1_024 + 640 + 320, isSpeech: true, wasCut: false),
      ])
    call.send(.transcribe(turn: "vad_1"))
    let heard = Array(all[((1_024 - 300) * 16)..<((1_024 + 640 + 320) * 16)])
    #expect(try await call.next() == .transcribed(turn: "vad_1", text: "heard \(heard.count)"))
    #expect(ear.begun.entries.map(\.samples) == [heard])
  }

  @Test("a blip is no speech and is not transcribed")
  func blip() async throws {
    let call = try await call()
    call.say(Sound.quiet(10 * Self.frame) + Sound.loud(5 * Self.frame) + Sound.quiet(12 * Self.frame))
    call.send(.transcribe(turn: "vad_1"))
    let events = try await call.settled()
    #expect(
      events == [
        .speechStarted(turn: "vad_1", atMs: 220),
        .speechStopped(turn: "vad_1", atMs: 800, isSpeech: false, wasCut: false),
        .transcribed(turn: "vad_1", text: ""),
      ])
    let turn = try #require(ear.begun.entries.first)
    #expect(turn.finishes.entries.isEmpty)
    #expect(turn.cancels.entries.count == 1)
  }

  @Test("silence is no turn, and nothing is begun")
  func silence() async throws {
    let call = try await call()
    call.say(Sound.quiet(100 * Self.frame) + Sound.loud(2 * Self.frame) + Sound.quiet(100 * Self.frame))
    #expect(try await call.settled() == [])
    #expect(ear.begun.entries.isEmpty)
  }

  @Test("a turn is cut at 25 s, and the next one begins where it ended")
  func longTurn() async throws {
    let call = try await call()
    let all = Sound.loud(800 * Self.frame) + Sound.quiet(10 * Self.frame)
    for start in stride(from: 0, to: all.count, by: 16_000) {
      call.say(Array(all[start..<min(start + 16_000, all.count)]))
    }
    let cut = 782 * 32
    #expect(
      try await call.settled() == [
        .speechStarted(turn: "vad_1", atMs: 0),
        .speechStopped(turn: "vad_1", atMs: cut, isSpeech: true, wasCut: true),
        .speechStarted(turn: "vad_2", atMs: cut),
        .speechStopped(turn: "vad_2", atMs: 810 * 32, isSpeech: true, wasCut: false),
      ])
    #expect(ear.begun.entries.map(\.samples.count) == [cut * 16, (810 * 32 - cut) * 16])
    #expect(ear.begun.entries.flatMap(\.samples) == all)
  }

  @Test("R251: new settings hold from the next audio on, for the turn that is going on as well")
  func settings() async throws {
    let call = try await call()
    call.say(Sound.loud(20 * Self.frame))
    var settings = HearingSettings.plain()
    settings.silenceMs = 640
    settings.language = "de"
    settings.prompt = "Grüße"
    settings.prefixPaddingMs = 0
    call.send(.hear(settings))
    call.say(Sound.quiet(30 * Self.frame) + Sound.loud(10 * Self.frame))
    #expect(
      try await call.settled() == [
        .speechStarted(turn: "vad_1", atMs: 0),
        .speechStopped(turn: "vad_1", atMs: 640 + 640, isSpeech: true, wasCut: false),
        .speechStarted(turn: "vad_2", atMs: 1_600),
      ])
    #expect(
      ear.begun.entries.map(\.options) == [
        TranscriptionOptions(), TranscriptionOptions(language: "de", prompt: "Grüße"),
      ])
  }

  @Test("the threshold decides what is speech")
  func threshold() async throws {
    let call = try await call()
    // Half as loud as the detector's full measure: 0.7.
    let soft = (0..<20 * Self.frame).map { Int16($0.isMultiple(of: 2) ? 5_734 : -5_734) }
    var settings = HearingSettings.plain()
    settings.threshold = 0.9
    call.send(.hear(settings))
    call.say(soft)
    #expect(try await call.settled() == [])
    settings.threshold = 0.6
    call.send(.hear(settings))
    call.say(soft)
    #expect(try await call.settled() == [.speechStarted(turn: "vad_1", atMs: 640 - 100)])
  }

  @Test("the format may change in the midst: the positions go on in milliseconds")
  func formats() async throws {
    let call = PipelineCall(.scripted(transcriber: ear))
    func say(_ samples: [Int16], _ format: AudioFormat) {
      call.send(.hear(.plain(.automatic, format)), .audio(PipelineCall.base64(samples, format)))
    }
    say([Int16](repeating: 0, count: 24_000), .pcm(rate: 24_000))
    for (format, rate) in [(AudioFormat.pcmu, 8_000), (.pcma, 8_000), (.pcm(rate: 8_000), 8_000)] {
      say([Int16](repeating: 0, count: rate / 2) + Sound.tone(ms: 500, rate: rate), format)
      say([Int16](repeating: 0, count: rate / 2), format)
    }
    let events = try await call.settled()
    #expect(events.first == .ready)
    // A frame and the samples that the resampler waits for are the uncertainty.
    var position = 1_000
    for (index, pair) in stride(from: 1, to: events.count, by: 2).enumerated() {
      let turn = "vad_\(index + 1)"
      guard case .speechStarted(turn, let startMs) = events[pair],
        case .speechStopped(turn, let endMs, true, false) = events[pair + 1]
      else {
        Issue.record("\(events[pair...])")
        return
      }
      #expect(abs(startMs - (position + 500 - 100)) <= 40)
      #expect(abs(endMs - (position + 1_000 + 320)) <= 40)
      position += 1_500
    }
    #expect(events.count == 1 + 2 * 3)
    for turn in ear.begun.entries {
      // 300 ms before, 500 ms of tone, 320 ms of silence; as loud as it was sent.
      #expect(abs(turn.samples.count - 1_120 * 16) <= 40 * 16)
      let loud = turn.samples.filter { abs(Int($0)) > 10_000 }.count
      #expect(abs(loud - 500 * 16) <= 40 * 16)
    }
  }

  @Test("a sample may be cut between two messages")
  func halfSamples() async throws {
    let call = try await call(.manual)
    let all = Sound.loud(4 * Self.frame)
    let bytes = all.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    for start in stride(from: 0, to: bytes.count, by: 333) {
      call.send(.audio(PipelineCall.base64(Array(bytes[start..<min(start + 333, bytes.count)]))))
    }
    call.send(.commit(turn: "commit_1", absorbing: nil))
    _ = try await call.settled()
    #expect(ear.begun.entries.map(\.samples) == [all])
  }

  @Test("what was cut is not made whole by the audio after a clear")
  func halfSampleBeforeClear() async throws {
    let call = try await call(.manual)
    call.send(.audio(PipelineCall.base64([1, 2, 3])), .clear)
    let all = Sound.loud(4 * Self.frame)
    call.say(all)
    call.send(.commit(turn: "commit_1", absorbing: nil))
    _ = try await call.settled()
    #expect(ear.begun.entries.last?.samples == all)
  }

  @Test("who turns detection off in a turn commits what was detected of it")
  func automaticToManual() async throws {
    let call = try await call()
    let all = Sound.loud(20 * Self.frame) + Sound.quiet(20 * Self.frame)
    call.say(Array(all[..<(20 * Self.frame)]))
    call.send(.hear(.plain(.manual)))
    call.say(Array(all[(20 * Self.frame)...]))
    call.send(.commit(turn: "commit_1", absorbing: "vad_1"), .transcribe(turn: "commit_1"))
    #expect(
      try await call.until { $0 == .transcribed(turn: "commit_1", text: "heard \(all.count)") }.map(\.self).first
        == .speechStarted(turn: "vad_1", atMs: 0))
    #expect(ear.begun.entries.map(\.samples) == [all])
  }

  @Test("who turns detection on begins anew")
  func manualToAutomatic() async throws {
    let call = try await call(.manual)
    call.say(Sound.loud(20 * Self.frame))
    call.send(.hear(.plain(.automatic)))
    let rest = Sound.loud(20 * Self.frame)
    call.say(rest)
    #expect(try await call.settled() == [.speechStarted(turn: "vad_2", atMs: 640)])
    #expect(ear.begun.entries.map(\.cancels.entries.count) == [1, 0])
    #expect(ear.begun.entries.last?.samples == rest)
  }

  @Test("a request that is none changes nothing")
  func nonsense() async throws {
    let call = try await call()
    for text in ["", "nonsense", "{}", #"{"type":"hear"}"#, #"{"type":"audio","audio":"***"}"#, #"{"type":"commit"}"#] {
      call.line?.send(.init(string: text))
    }
    call.say(Sound.loud(4 * Self.frame))
    #expect(try await call.settled() == [.speechStarted(turn: "vad_1", atMs: 0)])
  }
}
