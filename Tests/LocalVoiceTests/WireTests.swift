import Envelope
import LocalVoiceProvider
import NIOCore
import ParleyTesting
import Testing
import Translation

/// The messages between the translator and the engine.
@Suite struct LocalVoiceWire {
  static let requests: [EngineRequest] = {
    var settings = HearingSettings(
      format: .pcma, detection: .manual, threshold: 0.25, prefixPaddingMs: 0, silenceMs: 1_200)
    settings.language = "en"
    settings.prompt = "Ada, \"Byron\"\n"
    var call = AnswerRequest.Message(.assistant, "")
    call.calls = [.init(id: "c1", name: "now", arguments: #"{"city":"Tromsø"}"#)]
    var output = AnswerRequest.Message(.tool, "10:00")
    output.callID = "c1"
    var heard = AnswerRequest.Message(.user, "")
    heard.turn = "vad_1"
    let answer = AnswerRequest(
      id: "resp_1", instructions: "Be brief. \u{1F600}", messages: [.init(.system, "s"), call, output, heard],
      tools: [], toolChoice: .function(name: "now"), maximumTokens: 9, modality: .text, voice: "en-us", speed: 1.25,
      format: .pcm(rate: 24_000))
    return [
      .hear(settings), .audio("AAABAAIA"), .audio(""), .commit(turn: "commit_1", absorbing: nil),
      .commit(turn: "commit_2", absorbing: "vad_1"), .clear,
      .recording(turn: "item_1", base64: "AA==", format: .pcmu), .transcribe(turn: "vad_1"), .forget(turn: "vad_1"),
      .answer(answer), .cancel(response: "resp_1"),
    ]
  }()

  static let events: [EngineEvent] = [
    .ready, .speechStarted(turn: "vad_1", atMs: 0),
    .speechStopped(turn: "vad_1", atMs: 90_000, isSpeech: false, wasCut: true),
    .speechStopped(turn: "vad_1", atMs: 1, isSpeech: true, wasCut: false),
    .transcribed(turn: "vad_1", text: "\"Hi\",\n\u{1F600}"), .transcribed(turn: "vad_1", text: ""),
    .notTranscribed(turn: "vad_1", code: "stt_failed", message: "No."),
    .text(response: "resp_1", delta: "a \\ b"), .audio(response: "resp_1", base64: "AAABAAIA"),
    .call(response: "resp_1", .init(id: "c", name: "f", arguments: #"{"a":"\u0000"}"#)),
    .finished(
      AnswerEnd(response: "resp_1", reason: .contentFilter, inputTokens: 1, outputTokens: 2, audioMs: 3)),
    .failed(response: "resp_1", code: "llm_failed", message: "No."),
  ]

  @Test("every request comes out as it went in", arguments: requests)
  func requestRoundTrip(_ request: EngineRequest) throws {
    #expect(try EngineRequest(try JSONValue(parsing: request.encoded().text)) == request)
  }

  @Test("every event comes out as it went in", arguments: events)
  func eventRoundTrip(_ event: EngineEvent) throws {
    #expect(try EngineEvent(try JSONValue(parsing: event.encoded().text)) == event)
  }

  @Test("the client's audio is found without a tree, and means the same with one")
  func audioFastPath() throws {
    var call = EngineCall()
    let sent = call.client(#"{"audio":"AAABAAIA","type":"input_audio_buffer.append"}"#)
    #expect(sent.requests == [.audio("AAABAAIA")])
    let message = ByteBuffer(string: sent.upstream.first?.text ?? "")
    #expect(EngineRequest.audio(in: message).map { String(buffer: $0) } == "AAABAAIA")
  }

  @Test(
    "what is no audio message is none to the fast path either",
    arguments: [
      "", "{", #"{"type":"audio","audio":""#, #"{"type":"audio","audio":"AAAA"}"# + " ", #"{"type":"clear"}"#,
      #"{"audio":"AAAA","type":"audio"}"#, #"{"type":"audio","response":"r","audio":"AAAA"}"#,
    ])
  func noAudio(_ text: String) {
    #expect(EngineRequest.audio(in: ByteBuffer(string: text)) == nil)
  }

  @Test("an empty audio message is one")
  func emptyAudio() {
    #expect(EngineRequest.audio(in: ByteBuffer(string: #"{"type":"audio","audio":""}"#))?.readableBytes == 0)
  }

  @Test("the engine's audio, written fast, is the same message as its tree")
  func audioEvent() throws {
    var message = ByteBuffer(string: "before")
    message.moveReaderIndex(forwardBy: 6)
    EngineEvent.writeAudio(ByteBuffer(string: "AAABAAIA"), response: "resp_1", into: &message)
    let event = try EngineEvent(try JSONValue(parsing: message.readableBytesView))
    #expect(event == .audio(response: "resp_1", base64: "AAABAAIA"))
  }

  @Test(
    "speech reaches the client whichever way its message is written",
    arguments: [
      #"{"type":"audio","response":"ID","audio":"AAABAAIA"}"#,
      #"{"audio":"AAABAAIA","response":"ID","type":"audio"}"#,
      #"{ "type":"audio", "response":"ID", "audio":"AAABAAIA" }"#,
    ])
  func speech(_ form: String) {
    var call = EngineCall()
    let id = call.create().answer?.id ?? ""
    let step = call.raw(form.split(separator: "ID", omittingEmptySubsequences: false).joined(separator: id))
    #expect(step.event("response.output_audio.delta")?["delta"] == "AAABAAIA")
  }

  @Test("speech of a response that nobody knows is dropped")
  func unknownResponse() {
    var call = EngineCall()
    for event in Self.events.suffix(5) { #expect(call.says(event).events.isEmpty) }
  }

  @Test(
    "fault row 65: a message that is none of the engine's ends the session with an error id, and not the process",
    arguments: [
      "", "null", "[]", "{", "\u{0}", #"{"type":5}"#, #"{"type":"nope"}"#, #"{"type":"speech_started"}"#,
      #"{"type":"speech_started","turn":"v","at_ms":-1}"#, #"{"type":"speech_started","turn":"v","at_ms":1e18}"#,
      #"{"type":"speech_stopped","turn":"v","at_ms":9223372036854775807}"#,
      #"{"type":"transcribed","turn":"v"}"#, #"{"type":"transcribed","turn":1,"text":"x"}"#,
      #"{"type":"not_transcribed","turn":"v"}"#, #"{"type":"text","response":"r"}"#, #"{"type":"audio","audio":"A"}"#,
      #"{"type":"audio","response":"r","audio":""#, #"{"type":"audio","response":"r}"#,
      #"{"type":"call","response":"r","call":{}}"#, #"{"type":"finished"}"#,
      #"{"type":"finished","end":{"response":"r","reason":"tired","input_tokens":0,"output_tokens":0,"audio_ms":0}}"#,
      #"{"type":"failed","response":"r"}"#,
    ])
  func malformed(_ text: String) {
    var call = EngineCall()
    _ = call.create()
    let step = call.raw(text)
    #expect(step.clientCloseCode == 1011 && step.error?["code"] == "internal_error")
    #expect(step.done?["status"] == "failed")
    var id: String?
    for case .note(let note) in step.actions where note.severity == .error { id = note.fields["error_id"] }
    #expect(id.map { step.error?["message"]?.string?.contains($0) == true } == true)
    #expect(call.raw(EngineEvent.ready.encoded().text).events.isEmpty, "and nothing follows")
  }
}
