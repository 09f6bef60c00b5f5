import Audio
import Envelope
import LocalVoiceProvider
import Testing

@testable import VoiceEngine

/// Turns that the client makes, and what becomes of turns.
@Suite("Pipeline: turns", .timeLimit(.minutes(2)))
struct PipelineTurnTests {
  private let ear = ScriptedTranscriber()
  private static let frame = 512

  private func call(_ detection: HearingSettings.Detection) async throws -> PipelineCall {
    try await PipelineCall.hearing(.scripted(transcriber: ear), detection)
  }

  @Test("a committed turn is all that was heard since a moment before the first sound")
  func commit() async throws {
    let call = try await call(.manual)
    // Not a whole number of frames.
    let first = Sound.quiet(20 * Self.frame) + Sound.loud(10 * Self.frame + 100)
    let second = Sound.loud(5 * Self.frame + 7)
    call.say(first)
    call.send(.commit(turn: "commit_1", absorbing: nil))
    call.say(second)
    call.send(.commit(turn: "commit_2", absorbing: nil))
    #expect(try await call.settled() == [])
    let heard = Array(first[(20 * Self.frame - 300 * 16)...])
    #expect(ear.begun.entries.map(\.samples) == [heard, second])
    call.send(.transcribe(turn: "commit_2"))
    #expect(try await call.next() == .transcribed(turn: "commit_2", text: "heard \(second.count)"))
    call.send(.transcribe(turn: "commit_1"))
    #expect(try await call.next() == .transcribed(turn: "commit_1", text: "heard \(heard.count)"))
  }

  @Test("committed silence has no words, and nobody is asked for them", arguments: [true, false])
  func silence(isManual: Bool) async throws {
    let call = try await call(isManual ? .manual : .automatic)
    call.say(Sound.quiet(100 * Self.frame))
    call.send(.commit(turn: "commit_1", absorbing: nil), .transcribe(turn: "commit_1"))
    #expect(try await call.settled() == [.transcribed(turn: "commit_1", text: "")])
    #expect(ear.begun.entries.isEmpty)
  }

  @Test("committed noise that is hardly speech has no words either")
  func noise() async throws {
    let call = try await call(.manual)
    // 0.5: more than nothing, less than speech.
    call.say((0..<30 * Self.frame).map { Int16($0.isMultiple(of: 2) ? 4_096 : -4_096) })
    call.send(.commit(turn: "commit_1", absorbing: nil), .transcribe(turn: "commit_1"))
    #expect(try await call.settled() == [.transcribed(turn: "commit_1", text: "")])
    #expect(ear.begun.entries.map(\.finishes.entries.count) == [0])
    #expect(ear.begun.entries.map(\.cancels.entries.count) == [1])
  }

  @Test(
    "a turn whose announcement crosses the commit or clear that takes its audio is withdrawn", arguments: [true, false])
  func crossing(isCommit: Bool) async throws {
    let call = try await call(.automatic)
    let all = Sound.loud(20 * Self.frame)
    call.say(all)
    call.send(isCommit ? .commit(turn: "commit_1", absorbing: nil) : .clear)
    #expect(
      try await call.settled() == [
        .speechStarted(turn: "vad_1", atMs: 0),
        .speechStopped(turn: "vad_1", atMs: 640, isSpeech: false, wasCut: false),
      ])
    call.send(.transcribe(turn: "commit_1"))
    let event = try await call.next()
    if isCommit {
      #expect(event == .transcribed(turn: "commit_1", text: "heard \(all.count)"))
    } else {
      #expect(event != .transcribed(turn: "commit_1", text: "heard \(all.count)"))
      #expect(ear.begun.entries.map(\.cancels.entries.count) == [1])
    }
  }

  @Test("a commit absorbs the turn that is going on")
  func absorbingOpen() async throws {
    let call = try await call(.automatic)
    let all = Sound.loud(20 * Self.frame) + Sound.quiet(5 * Self.frame + 50)
    call.say(all)
    call.send(.commit(turn: "commit_1", absorbing: "vad_1"))
    call.say(Sound.quiet(50 * Self.frame))
    call.send(.transcribe(turn: "commit_1"))
    #expect(
      try await call.until { $0 == .transcribed(turn: "commit_1", text: "heard \(all.count)") } == [
        .speechStarted(turn: "vad_1", atMs: 0), .transcribed(turn: "commit_1", text: "heard \(all.count)"),
      ])
    #expect(try await call.settled() == [])
    #expect(ear.begun.entries.map(\.samples) == [all])
  }

  @Test("a commit absorbs the turn that ended while it was on its way, even if there was little speech in it")
  func absorbingEnded() async throws {
    let call = try await call(.automatic)
    let turn = Sound.loud(5 * Self.frame) + Sound.quiet(10 * Self.frame)
    call.say(turn)
    call.say(Sound.quiet(3 * Self.frame))
    #expect(
      try await call.settled().last == .speechStopped(turn: "vad_1", atMs: 480, isSpeech: false, wasCut: false))
    call.send(.commit(turn: "commit_1", absorbing: "vad_1"), .transcribe(turn: "commit_1"))
    #expect(try await call.next() == .transcribed(turn: "commit_1", text: "heard \(turn.count)"))
    // The silence behind it belongs to nobody: the next commit does not have it.
    let next = Sound.loud(8 * Self.frame)
    call.say(next)
    call.send(.commit(turn: "commit_2", absorbing: "vad_2"), .transcribe(turn: "commit_2"))
    let last = try await call.until { if case .transcribed("commit_2", _) = $0 { true } else { false } }
    #expect(last.last == .transcribed(turn: "commit_2", text: "heard \(next.count)"))
    call.send(.transcribe(turn: "vad_1"))
    guard case .notTranscribed("vad_1", "stt_failed", _) = try await call.next() else {
      Issue.record("vad_1 is still there")
      return
    }
  }

  @Test("what is cleared is in no turn", arguments: [true, false])
  func clear(isManual: Bool) async throws {
    let call = try await call(isManual ? .manual : .automatic)
    call.say(Sound.loud(20 * Self.frame))
    call.send(.clear)
    call.say(Sound.quiet(Self.frame) + Sound.loud(10 * Self.frame))
    call.send(.commit(turn: "commit_1", absorbing: isManual ? nil : "vad_2"), .transcribe(turn: "commit_1"))
    let count = 11 * Self.frame
    let events = try await call.until { $0 == .transcribed(turn: "commit_1", text: "heard \(count)") }
    let stops = events.filter { if case .speechStopped = $0 { true } else { false } }
    #expect(stops == (isManual ? [] : [.speechStopped(turn: "vad_1", atMs: 640, isSpeech: false, wasCut: false)]))
    #expect(ear.begun.entries.map(\.cancels.entries.count) == [1, 0])
    #expect(ear.begun.entries.last?.samples == Sound.quiet(Self.frame) + Sound.loud(10 * Self.frame))
  }

  @Test("a turn that is forgotten is transcribed no further")
  func forget() async throws {
    let ear = ScriptedTranscriber { _ in
      await Latch().pass()
      throw CancellationError()
    }
    let call = try await PipelineCall.hearing(.scripted(transcriber: ear), .manual)
    call.say(Sound.loud(10 * Self.frame))
    call.send(.commit(turn: "commit_1", absorbing: nil), .transcribe(turn: "commit_1"))
    let turn = try #require(try await ear.begun.first(1).first)
    try await turn.finishes.first(1)
    call.send(.forget(turn: "commit_1"))
    try await turn.cancels.first(1)
    // Every request for words is answered.
    guard case .notTranscribed("commit_1", "stt_failed", _) = try await call.next() else {
      Issue.record("something else than a failure")
      return
    }
  }

  @Test("a turn that nobody asked for is let go of when it is forgotten")
  func forgetUnasked() async throws {
    let call = try await call(.manual)
    call.say(Sound.loud(10 * Self.frame))
    call.send(.commit(turn: "commit_1", absorbing: nil), .forget(turn: "commit_1"), .transcribe(turn: "commit_1"))
    guard case .notTranscribed("commit_1", "stt_failed", _) = try await call.next() else {
      Issue.record("the turn is still there")
      return
    }
    #expect(ear.begun.entries.map(\.cancels.entries.count) == [1])
    #expect(ear.begun.entries.map(\.finishes.entries.count) == [0])
  }

  @Test("why there are no words is passed on; the next turn is transcribed")
  func faults() async throws {
    struct Odd: Error {}
    let ear = ScriptedTranscriber { turn in
      switch turn.samples.count {
      case 1: throw StageFault(.stt, code: "rate_limit_exceeded", message: "4 turns wait already.")
      case 2: throw StageFault(.stt, code: "stt_timeout", message: "No answer for 10 s.")
      case 3: throw Odd()
      default: return "words"
      }
    }
    let call = PipelineCall(.scripted(transcriber: ear))
    for count in 1...4 {
      let turn = "item_\(count)"
      call.send(
        .recording(
          turn: turn, base64: PipelineCall.base64(Sound.loud(count)), format: .pcm(rate: 16_000)),
        .transcribe(turn: turn))
      let expected: EngineEvent =
        switch count {
        case 1: .notTranscribed(turn: turn, code: "rate_limit_exceeded", message: "4 turns wait already.")
        case 2: .notTranscribed(turn: turn, code: "stt_timeout", message: "No answer for 10 s.")
        case 3: .notTranscribed(turn: turn, code: "stt_failed", message: "The turn could not be recognised.")
        default: .transcribed(turn: turn, text: "words")
        }
      #expect(try await call.next() == expected)
    }
  }

  @Test("where nothing transcribes, every turn says so, and why")
  func deaf() async throws {
    let reasons: [(StageDescription?, String)] = [
      (nil, "Nothing transcribes speech here."),
      (
        StageDescription(.stt, "none", degradation: "the model is not installed"),
        "Nothing transcribes speech here: the model is not installed"
      ),
    ]
    for (absent, message) in reasons {
      let parts = EngineParts.scripted(transcriber: nil, absent: absent.map { [.stt: $0] } ?? [:])
      let call = try await PipelineCall.hearing(parts)
      call.say(Sound.loud(20 * Self.frame) + Sound.quiet(12 * Self.frame))
      call.send(.transcribe(turn: "vad_1"))
      #expect(
        try await call.settled().last == .notTranscribed(turn: "vad_1", code: "stt_unavailable", message: message))
    }
  }

  // MARK: Recordings

  @Test("a recording is transcribed at 16 kHz, whatever it is judged to be")
  func recordings() async throws {
    let quiet = Sound.quiet(8_000)
    let wav = WAV.file(Sound.tone(ms: 500, rate: 44_100), rate: 44_100)
    let recordings: [(String, AudioFormat, Int)] = [
      (PipelineCall.base64(quiet), .pcm(rate: 16_000), 8_000),
      (PipelineCall.base64(quiet, .pcm(rate: 24_000)), .pcm(rate: 24_000), 5_333),
      (PipelineCall.base64(quiet, .pcmu), .pcmu, 16_000),
      (PipelineCall.base64(quiet, .pcma), .pcma, 16_000),
      // A file says itself what it is.
      (PipelineCall.base64(wav), .pcmu, 8_000),
      ("", .pcm(rate: 24_000), 0),
    ]
    let call = PipelineCall(.scripted(transcriber: ear))
    for (index, (base64, format, count)) in recordings.enumerated() {
      let turn = "item_\(index)"
      call.send(.recording(turn: turn, base64: base64, format: format), .transcribe(turn: turn))
      #expect(try await call.next() == .transcribed(turn: turn, text: "heard \(count)"))
    }
    #expect(ear.begun.entries.first?.samples == quiet)
    let heard = try #require(ear.begun.entries.dropLast().last?.samples)
    #expect(heard.filter { abs(Int($0)) > 10_000 }.count > 7_000)
  }

  @Test("a recording that cannot be read is a fault of its own")
  func unreadable() async throws {
    let call = PipelineCall(.scripted(transcriber: ear))
    let files = [
      "this is no base64", PipelineCall.base64(Array("RIFF....WAVEfmt".utf8)),
      PipelineCall.base64(Array("OggS and nothing of it".utf8)),
    ]
    for (index, base64) in files.enumerated() {
      let turn = "item_\(index)"
      call.send(.recording(turn: turn, base64: base64, format: .standard), .transcribe(turn: turn))
      guard case .notTranscribed(turn, "audio_format_unsupported", let message) = try await call.next() else {
        Issue.record("\(base64) was read")
        continue
      }
      #expect(!message.isEmpty)
    }
    #expect(ear.begun.entries.isEmpty)
  }

  // MARK: Models that hear

  @Test("a model that hears gets the turn's audio as long as it is kept")
  func speechForTheModel() async throws {
    let mind = ScriptedResponder(takesSpeech: true) { _ in [.text("Yes."), .event(.finished(.complete))] }
    let call = try await PipelineCall.hearing(.scripted(transcriber: ear, responder: mind), .manual)
    let (heard, brought) = (Sound.loud(4 * Self.frame), Sound.quiet(300))
    call.say(heard)
    call.send(
      .commit(turn: "commit_1", absorbing: nil), .transcribe(turn: "commit_1"),
      .recording(turn: "item_1", base64: PipelineCall.base64(brought), format: .pcm(rate: 16_000)))
    #expect(try await call.next() == .transcribed(turn: "commit_1", text: "heard \(heard.count)"))
    var request = AnswerRequest.written()
    request.messages = ["commit_1", "item_1", "nothing"].map {
      var message = AnswerRequest.Message(.user, $0)
      message.turn = $0
      return message
    }
    #expect(try await call.answer(request).words == "Yes.")
    call.send(.forget(turn: "commit_1"))
    request.id = "r2"
    _ = try await call.answer(request)
    #expect(mind.requests.entries.map { $0.messages.map(\.speech) } == [[heard, brought, nil], [nil, brought, nil]])
  }
}
