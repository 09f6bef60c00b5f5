import Envelope
import LocalVoiceProvider
import ParleyTesting
import Testing
import Translation

/// The user's turns: who ends them, what they become, and who answers them.
@Suite struct LocalVoiceTurns {
  static let committed = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
  static let transcribed = [
    "conversation.item.input_audio_transcription.delta", "conversation.item.input_audio_transcription.completed",
  ]

  // MARK: Detected

  @Test("R241 R252: speech started, stopped, committed, item, transcript, answer")
  func lifecycle() {
    var call = EngineCall()
    let (step, turn) = call.speech()
    #expect(step.types == ["input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"] + Self.committed)
    #expect(step.requests == [.transcribe(turn: turn)])
    #expect(step.events[0]["audio_start_ms"] == 0 && step.events[1]["audio_end_ms"] == 1_000)
    #expect(Set(step.events.prefix(3).compactMap { $0["item_id"]?.string }).count == 1, "one item id runs through")
    let heard = call.says(.transcribed(turn: turn, text: "What time is it?"))
    #expect(heard.types == Self.transcribed + ["response.created"])
    #expect(heard.events[1]["usage"] == ["type": "duration", "seconds": 1])
    #expect(heard.requests.first == .forget(turn: turn), "a model that reads needs no audio")
    #expect(heard.answer?.messages == [.init(.user, "What time is it?")])
    #expect(call.violations == [])
  }

  @Test("a turn without words gets a transcript without words, and no answer", arguments: [true, false])
  func blank(_ isSpeech: Bool) {
    var call = EngineCall()
    var (step, turn) = call.speech(isSpeech: isSpeech)
    if isSpeech { step = step + call.says(.transcribed(turn: turn, text: "")) }
    #expect(step.types.last == "conversation.item.input_audio_transcription.completed")
    #expect(step.events.last?["transcript"] == "")
    #expect(step.requests.last == .forget(turn: turn) && step.answer == nil)
    #expect(step.requests.contains(.transcribe(turn: turn)) == isSpeech, "noise comes back as words")
    #expect(call.create().answer?.messages == [], "and the model is told of no words")
  }

  @Test("R241: create_response false: words, and an answer only when it is asked for")
  func noAutomaticAnswer() {
    var call = EngineCall(input: #""turn_detection":{"type":"server_vad","create_response":false}"#)
    let step = call.turn("Hello?")
    #expect(step.types == Self.transcribed)
    #expect(call.create().answer?.messages == [.init(.user, "Hello?")])
  }

  @Test("transcription null: no events of it, and the item has the words all the same")
  func silentTranscription() {
    var call = EngineCall(input: #""transcription":null"#)
    let (step, turn) = call.speech()
    let item = step.event("input_audio_buffer.committed")?["item_id"]?.string ?? ""
    #expect(call.says(.transcribed(turn: turn, text: "Hi")).types == ["response.created"])
    #expect(call.retrieve(item)?["content"]?[0]?["transcript"] == "Hi")
  }

  @Test("the user goes on speaking while the words are recognised: one answer, to both turns")
  func owed() {
    var call = EngineCall()
    let (_, first) = call.speech()
    _ = call.says(.speechStarted(turn: "vad_2", atMs: 1_100))
    #expect(call.says(.transcribed(turn: first, text: "My name is Ada.")).types == Self.transcribed)
    let stopped = call.says(.speechStopped(turn: "vad_2", atMs: 1_900, isSpeech: true, wasCut: false))
    #expect(stopped.answer == nil, "the second is not recognised yet")
    let answer = call.says(.transcribed(turn: "vad_2", text: "What is it?"))
    #expect(answer.answer?.messages == [.init(.user, "My name is Ada."), .init(.user, "What is it?")])
    #expect(answer.types.count { $0 == "response.created" } == 1)
    #expect(call.finishes(answer.answer?.id ?? "").types.last == "response.done", "and only one")
  }

  @Test("the user coughs after the turn: the answer that is owed comes")
  func owedBehindNoise() {
    var call = EngineCall()
    let (_, first) = call.speech()
    _ = call.says(.speechStarted(turn: "vad_2", atMs: 1_100))
    _ = call.says(.transcribed(turn: first, text: "Hello."))
    let step = call.says(.speechStopped(turn: "vad_2", atMs: 1_300, isSpeech: false, wasCut: false))
    #expect(step.answer?.messages == [.init(.user, "Hello.")])
  }

  @Test("two turns whose words come in the other order: one answer, in the order of speaking")
  func crossedTranscripts() {
    var call = EngineCall()
    let (_, first) = call.speech()
    let (_, second) = call.speech()
    #expect(call.says(.transcribed(turn: second, text: "two")).answer == nil)
    #expect(call.says(.transcribed(turn: first, text: "one")).answer?.messages.map(\.text) == ["one", "two"])
  }

  @Test("a response that the client asks for waits for the words; the turn gets no second answer")
  func explicitBeforeWords() {
    var call = EngineCall()
    let (_, turn) = call.speech()
    let created = call.create()
    #expect(created.types == ["response.created"] && created.upstream.isEmpty)
    let answer = call.says(.transcribed(turn: turn, text: "Hello.")).answer
    #expect(answer?.messages == [.init(.user, "Hello.")])
    let end = call.finishes(answer?.id ?? "")
    #expect(end.types == ["response.done"] && end.answer == nil)
  }

  @Test("the longest turn ends with a word about it, and what follows is a new one")
  func cut() {
    var call = EngineCall()
    _ = call.append(ms: 2_000)
    _ = call.says(.speechStarted(turn: "vad_1", atMs: 500))
    let step = call.says(.speechStopped(turn: "vad_1", atMs: 2_000, isSpeech: true, wasCut: true))
    #expect(
      step.error?["code"] == "input_audio_too_long" && step.error?["message"]?.string?.contains("1500 ms") == true)
    #expect(step.types.count { $0 == "error" } == 1 && step.types.suffix(3) == Self.committed)
  }

  // MARK: The client's

  @Test("a manual turn: commit, item, words; no speech events and no answer of its own")
  func manual() {
    var call = EngineCall(input: #""turn_detection":null"#)
    _ = call.append(ms: 500)
    let step = call.commit()
    #expect(step.types == Self.committed)
    #expect(step.requests == [.commit(turn: "commit_1", absorbing: nil), .transcribe(turn: "commit_1")])
    let heard = call.says(.transcribed(turn: "commit_1", text: "Hello."))
    #expect(heard.types == Self.transcribed && heard.events[1]["usage"]?["seconds"] == 0.5)
    #expect(call.create().answer?.messages == [.init(.user, "Hello.")])
  }

  @Test("less than 100 ms cannot be committed, nor what was committed, nor what was cleared")
  func tooShort() {
    var call = EngineCall(input: #""turn_detection":null"#)
    _ = call.append(ms: 99)
    let step = call.commit()
    #expect(step.error?["code"] == "input_audio_buffer_commit_empty" && step.error?["event_id"] == "commit")
    #expect(step.upstream.isEmpty)
    _ = call.append(ms: 1)
    #expect(call.commit().error == nil)
    #expect(call.commit().error?["message"]?.string?.contains("0.00ms") == true)
    _ = call.append(ms: 500)
    let cleared = call.clear()
    #expect(cleared.types == ["input_audio_buffer.cleared"] && cleared.requests == [.clear])
    #expect(call.commit().error != nil)
  }

  @Test("three minutes can be appended to a manual turn and not more")
  func longestBuffer() {
    var call = EngineCall(input: #""turn_detection":null"#)
    for _ in 0..<4 { _ = call.append(ms: 46_000) }
    let refused = call.append(ms: 20)
    #expect(refused.error?["code"] == "too_much_held" && refused.upstream.isEmpty)
    _ = call.clear()
    #expect(call.append(ms: 20).error == nil)
  }

  @Test("R031: a commit while speech goes on ends the turn; the engine's own end of it is forgotten")
  func commitDuringSpeech() {
    var call = EngineCall()
    _ = call.append(ms: 800)
    _ = call.says(.speechStarted(turn: "vad_1", atMs: 100))
    let step = call.commit()
    #expect(step.types == ["input_audio_buffer.speech_stopped"] + Self.committed)
    #expect(step.events[0]["audio_end_ms"] == 800)
    #expect(step.requests == [.commit(turn: "commit_1", absorbing: "vad_1"), .transcribe(turn: "commit_1")])
    let late = call.says(.speechStopped(turn: "vad_1", atMs: 700, isSpeech: true, wasCut: false))
    #expect(late.events.isEmpty && late.requests == [.forget(turn: "vad_1")])
    #expect(call.says(.transcribed(turn: "commit_1", text: "Hi.")).answer != nil)
  }

  @Test("a clear while speech goes on: the engine's end of the turn is forgotten, and what was owed is answered")
  func clearDuringSpeech() {
    var call = EngineCall()
    let (_, first) = call.speech()
    _ = call.says(.speechStarted(turn: "vad_2", atMs: 1_100))
    _ = call.says(.transcribed(turn: first, text: "Hello."))
    #expect(call.clear().answer?.messages == [.init(.user, "Hello.")])
    let late = call.says(.speechStopped(turn: "vad_2", atMs: 1_500, isSpeech: true, wasCut: false))
    #expect(late.events.isEmpty && late.requests == [.forget(turn: "vad_2")])
  }

  @Test("back from manual turns the engine detects afresh: no turn of before stays open")
  func manualAndBack() {
    var call = EngineCall()
    let (_, first) = call.speech()
    _ = call.says(.speechStarted(turn: "vad_2", atMs: 1_100))
    _ = call.update(#""turn_detection":null"#)
    _ = call.update(#""turn_detection":{"type":"server_vad"}"#)
    #expect(call.says(.transcribed(turn: first, text: "Hello.")).answer != nil)
    let late = call.says(.speechStopped(turn: "vad_2", atMs: 1_500, isSpeech: true, wasCut: false))
    #expect(late.events.isEmpty)
  }

  @Test("output_audio_buffer.clear is refused by its name")
  func webRTCOnly() {
    var call = EngineCall()
    #expect(call.client(#"{"type":"output_audio_buffer.clear"}"#).error?["param"] == "type")
  }

  // MARK: What cannot be recognised

  @Test(
    "a turn that cannot be recognised: failed transcript, failed answer with the reason, and the next turn works",
    arguments: ["stt_unavailable", "stt_failed", "rate_limit_exceeded"])
  func failure(_ code: String) {
    var call = EngineCall()
    let (_, turn) = call.speech()
    let step = call.says(.notTranscribed(turn: turn, code: code, message: "Not now."))
    #expect(step.events.first?["error"]?["code"]?.string == code)
    #expect(step.types.first == "conversation.item.input_audio_transcription.failed")
    #expect((step.error?["type"] == "rate_limit_error") == (code == "rate_limit_exceeded"))
    #expect(step.types.suffix(2) == ["response.created", "response.done"])
    #expect(step.done?["status"] == "failed" && step.done?["status_details"]?["error"]?["code"]?.string == code)
    #expect(step.requests == [.forget(turn: turn)])
    #expect(call.turn("Again.").answer?.messages == [.init(.user, "Again.")])
    #expect(call.violations == [])
  }

  @Test("the same without automatic answers: no response", arguments: [true, false])
  func failureWithoutAnswer(_ isManual: Bool) {
    let detection = isManual ? "null" : #"{"type":"server_vad","create_response":false}"#
    var call = EngineCall(input: #""turn_detection":\#(detection)"#)
    var turn = "commit_1"
    if isManual {
      _ = call.append(ms: 200)
      _ = call.commit()
    } else {
      turn = call.speech().turn
    }
    let step = call.says(.notTranscribed(turn: turn, code: "stt_unavailable", message: "None."))
    #expect(step.types == ["conversation.item.input_audio_transcription.failed"])
  }

  @Test("a response that waits for words which never come fails with the reason, and is not made up")
  func failureOfWaited() {
    var call = EngineCall(input: #""turn_detection":null"#)
    _ = call.append(ms: 200)
    _ = call.commit()
    _ = call.create()
    let step = call.says(.notTranscribed(turn: "commit_1", code: "stt_unavailable", message: "None."))
    #expect(step.answer == nil && step.done?["status"] == "failed")
    #expect(step.done?["status_details"]?["error"]?["code"] == "stt_unavailable")
    #expect(call.create().answer != nil)
  }

  @Test("a failure while the assistant speaks leaves the answer alone")
  func failureBesideAnswer() {
    var call = EngineCall(input: #""turn_detection":{"type":"server_vad","interrupt_response":false}"#)
    let response = call.turn("Hello.").answer?.id ?? ""
    _ = call.answers(response)
    let (_, turn) = call.speech()
    let step = call.says(.notTranscribed(turn: turn, code: "stt_failed", message: "No."))
    #expect(step.types == ["conversation.item.input_audio_transcription.failed"])
    #expect(call.finishes(response).done?["status"] == "completed")
  }

  @Test("a model that hears is asked with the turn itself, words or none, and the audio goes when it has been asked")
  func speechModel() {
    var engine = SessionDialogue.engine
    engine.answersSpeech = true
    var call = EngineCall(engine)
    let (_, turn) = call.speech()
    let step = call.says(.notTranscribed(turn: turn, code: "stt_unavailable", message: "None."))
    #expect(step.types == ["conversation.item.input_audio_transcription.failed", "response.created"])
    #expect(step.answer?.messages.map(\.turn) == [turn])
    #expect(step.requests.last == .forget(turn: turn))
    _ = call.cancel()
    let (_, next) = call.speech()
    let heard = call.says(.transcribed(turn: next, text: "Hello."))
    #expect(heard.answer?.messages.map(\.turn) == [next] && heard.answer?.messages.last?.text == "Hello.")
  }

  @Test("a transcript of nothing that is awaited changes nothing")
  func unknownTurn() {
    var call = EngineCall()
    #expect(call.says(.transcribed(turn: "vad_9", text: "x")).events.isEmpty)
    #expect(call.says(.notTranscribed(turn: "vad_9", code: "c", message: "m")).events.isEmpty)
    let (_, turn) = call.speech()
    _ = call.says(.transcribed(turn: turn, text: "x"))
    #expect(call.says(.transcribed(turn: turn, text: "x")).events.isEmpty)
  }
}
