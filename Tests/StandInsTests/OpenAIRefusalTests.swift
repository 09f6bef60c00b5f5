import Envelope
import NIOCore
import StandIns
import Testing

@Suite("What the OpenAI Realtime stand-in refuses")
struct OpenAIRefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var message: String
    var code: String
    var param: String?

    var testDescription: String { message }
  }

  private static func update(_ members: String, _ code: String, _ param: String?) -> Case {
    Case(
      message: #"{"type":"session.update","event_id":"c1","session":{"type":"realtime",\#(members)}}"#, code: code,
      param: param)
  }

  private static func event(_ members: String, _ code: String, _ param: String?) -> Case {
    Case(message: #"{"event_id":"c1",\#(members)}"#, code: code, param: param)
  }

  static let cases: [Case] = [
    update(#""bogus_field":1"#, "unknown_parameter", "session.bogus_field"),
    update(#""temperature":0.8"#, "unknown_parameter", "session.temperature"),
    update(#""audio":{"input":{"format":"pcm16"}}"#, "invalid_type", "session.audio.input.format"),
    update(
      #""audio":{"input":{"format":{"type":"audio/pcm","rate":16000}}}"#, "integer_below_min_value",
      "session.audio.input.format.rate"),
    update(
      #""audio":{"input":{"turn_detection":{"type":"server_vad","threshold":1.5}}}"#, "decimal_above_max_value",
      "session.audio.input.turn_detection.threshold"),
    update(
      #""audio":{"input":{"turn_detection":{"type":"psychic"}}}"#, "invalid_value",
      "session.audio.input.turn_detection.type"),
    update(
      #""audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":100}}}"#, "integer_below_min_value",
      "session.audio.input.turn_detection.idle_timeout_ms"),
    update(#""audio":{"output":{"speed":2}}"#, "decimal_above_max_value", "session.audio.output.speed"),
    update(#""output_modalities":["audio","text"]"#, "invalid_value", "session.output_modalities"),
    update(#""max_output_tokens":5000"#, "integer_above_max_value", "session.max_output_tokens"),
    update(#""tools":[{"type":"function"}]"#, "missing_required_parameter", "session.tools[0].name"),
    update(
      #""tool_choice":{"type":"function","function":{"name":"f"}}"#, "unknown_parameter",
      "session.tool_choice.function"),
    event(#""type":"session.update","session":{}"#, "missing_required_parameter", "session.type"),
    event(#""type":"session.update","session":{"type":"transcription"}"#, "invalid_parameter", "session.type"),
    event(#""type":"session.update""#, "missing_required_parameter", "session"),
    event(#""type":"output_audio_buffer.clear""#, "invalid_value", "type"),
    event(#""type":"input_audio_buffer.append""#, "missing_required_parameter", "audio"),
    event(#""type":"input_audio_buffer.append","audio":5"#, "invalid_type", "audio"),
    event(#""type":"input_audio_buffer.append","audio":"AA=="  "#, "invalid_value", "audio"),
    event(#""type":"input_audio_buffer.append","audio":"AAA_"  "#, "invalid_value", "audio"),
    event(#""type":"input_audio_buffer.commit""#, "input_audio_buffer_commit_empty", nil),
    event(#""type":"input_audio_buffer.commit","now":true"#, "unknown_parameter", "now"),
    event(
      #""type":"conversation.item.create","item":{"type":"message","role":"system","content":[{"type":"input_image","image_url":"x"}]}"#,
      "invalid_value", "item.content[0].type"),
    event(#""type":"conversation.item.create","item":{"type":"memo"}"#, "invalid_value", "item.type"),
    event(
      #""type":"conversation.item.truncate","item_id":"a","content_index":0,"audio_end_ms":-1"#,
      "integer_below_min_value", "audio_end_ms"),
    event(
      #""type":"conversation.item.truncate","item_id":"a","content_index":0,"audio_end_ms":1"#,
      "item_truncate_invalid_item_id", "item_id"),
    event(#""type":"response.create","response":{"modalities":["text"]}"#, "unknown_parameter", "response.modalities"),
  ]

  @Test("each bad event gets its one error and changes nothing", arguments: cases)
  func refusals(_ wrong: Case) throws {
    var dialogue = Dialogue.openAI()
    let before = try dialogue.opening.event("session.created")["session"]
    let sent = dialogue.say(wrong.message)
    #expect(try sent.types == ["error"])
    let error = try sent.event("error")["error"]
    #expect(error?["type"]?.string == "invalid_request_error")
    #expect(error?["code"]?.string == wrong.code)
    #expect(error?["param"]?.string == wrong.param)
    #expect(error?["event_id"]?.string == "c1")
    let after = try dialogue.say(#"{"type":"session.update","session":{"type":"realtime"}}"#)
      .event("session.updated")["session"]
    #expect(after == before)
  }

  @Test("what is not an event at all leaves the session usable")
  func notEvents() throws {
    var dialogue = Dialogue.openAI()
    #expect(try dialogue.say("{").event("error")["error"]?["code"]?.string == "invalid_json")
    #expect(try dialogue.say("[]").event("error")["error"]?["code"]?.string == "invalid_json")
    #expect(try dialogue.say("{}").event("error")["error"]?["code"]?.string == "invalid_event")
    let binary = Sent(frames: dialogue.script.receive(.binary(ByteBuffer(string: "{}"))))
    #expect(try binary.event("error")["error"]?["code"]?.string == "invalid_event")
    #expect(try dialogue.say(#"{"type":"input_audio_buffer.clear"}"#).types == ["input_audio_buffer.cleared"])
  }

  @Test("the unknown type's message lists the accepted ones; the short buffer's its length")
  func wording() throws {
    var dialogue = Dialogue.openAI()
    let unknown = try dialogue.say(#"{"type":"nonsense"}"#).event("error")["error"]?["message"]?.string ?? ""
    #expect(unknown.hasPrefix("Invalid value: 'nonsense'. Supported values are: 'session.update', "))
    dialogue.say(
      #"{"type":"input_audio_buffer.append","audio":"\#(TestSound.silence(milliseconds: 99, rate: 24_000))"}"#)
    let short = try dialogue.say(#"{"type":"input_audio_buffer.commit"}"#).event("error")["error"]
    #expect(
      short?["message"]?.string
        == "Error committing input audio buffer: buffer too small. "
        + "Expected at least 100ms of audio, but buffer only has 99.00ms of audio.")
  }

  @Test("the voice is locked after the first sound")
  func voice() throws {
    var dialogue = Dialogue.openAI()
    dialogue.say(#"{"type":"response.create"}"#)
    let update = #"{"type":"session.update","session":{"type":"realtime","audio":{"output":{"voice":"marin"}}}}"#
    #expect(try dialogue.say(update).event("error")["error"]?["code"]?.string == "cannot_update_voice")
  }

  @Test("fatal refusals: 101, the error, the close, and nothing else")
  func fatal() throws {
    var options = RealtimeStandIn.Options()
    options.key = "k1"
    options.models = ["gpt-realtime"]
    let model = StandInRequest.Item("model", "gpt-realtime")
    let right = StandInRequest.Item("Authorization", "Bearer k1")
    let refusals: [(StandInRequest, String?, UInt16, String)] = [
      (.init(path: "/v1/realtime", query: [model]), nil, 3_000, "invalid_request_error"),
      (
        .init(path: "/v1/realtime", query: [model], headers: [.init("authorization", "Bearer k2")]),
        "invalid_api_key", 3_000, "invalid_request_error.invalid_api_key"
      ),
      (
        .init(path: "/v1/realtime", headers: [right]), "missing_model", 4_000, "invalid_request_error.missing_model"
      ),
      (
        .init(path: "/v1/realtime", query: [.init("model", "gpt-2")], headers: [right]), "invalid_model", 4_000,
        "invalid_request_error.invalid_model"
      ),
      (
        .init(path: "/v1/realtime", query: [model], headers: [right, .init("OpenAI-Beta", "realtime=v1")]),
        "beta_api_shape_disabled", 4_000, "invalid_request_error.beta_api_shape_disabled"
      ),
    ]
    for (request, code, close, reason) in refusals {
      var dialogue = Dialogue(RealtimeStandIn(options: options), request)
      #expect(dialogue.verdict == .upgrade(subprotocol: nil))
      #expect(try dialogue.opening.types == ["error"])
      #expect(try dialogue.opening.event("error")["error"]?["code"]?.string == code)
      #expect(dialogue.opening.close == .close(code: close, reason: reason))
      #expect(dialogue.say(#"{"type":"response.create"}"#).frames.isEmpty)
    }
  }

  @Test("paths and subprotocols")
  func upgrade() throws {
    var options = RealtimeStandIn.Options()
    options.key = "k1"
    var script = RealtimeStandIn(options: options)
    #expect(script.judge(.init(path: "/realtime")) == .refuse(status: 404, reason: "Not Found"))
    let browser = Dialogue(
      RealtimeStandIn(options: options),
      StandInRequest(
        path: "/v1/realtime", query: [.init("model", "m")],
        headers: [.init("Sec-WebSocket-Protocol", "realtime, openai-insecure-api-key.k1")]))
    #expect(browser.verdict == .upgrade(subprotocol: "realtime"))
    #expect(try browser.opening.types == ["session.created"])
  }
}
