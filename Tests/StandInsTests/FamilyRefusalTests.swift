import Envelope
import StandIns
import Testing

@Suite("What the stand-ins of the family refuse")
struct FamilyRefusalTests {
  typealias Talk = Dialogue<RealtimeStandIn>

  struct Case: Sendable, CustomTestStringConvertible {
    var form: Talk.Form
    var session: String
    var code: String
    var param: String

    var testDescription: String { "\(form): \(session)" }

    init(_ form: Talk.Form, _ session: String, _ code: String, _ param: String) {
      self.form = form
      self.session = session
      self.code = code
      self.param = "session." + param
    }
  }

  static let cases: [Case] = [
    .init(.openAI, #"{"type":"realtime","modelId":"m"}"#, "unknown_parameter", "modelId"),
    .init(
      .openAI, #"{"type":"realtime","audio":{"output":{"model":"inworld-tts-1.5-mini"}}}"#,
      "unknown_parameter",
      "audio.output.model"),
    .init(
      .openAI,
      #"{"type":"realtime","audio":{"input":{"transcription":{"model":"inworld/inworld-stt-1"}}}}"#,
      "invalid_value", "audio.input.transcription.model"),
    .init(
      .openAI, #"{"type":"realtime","audio":{"output":{"voice":"Dennis"}}}"#, "invalid_value",
      "audio.output.voice"),
    .init(
      .openAI, #"{"type":"realtime","modalities":["text"]}"#, "unknown_parameter", "modalities"),
    .init(.openAI, #"{"type":"realtime","providerData":{}}"#, "unknown_parameter", "providerData"),
    .init(.azure, #"{"type":"realtime","temperature":0.8}"#, "unknown_parameter", "temperature"),
    .init(
      .azure, #"{"type":"realtime","output_modalities":["audio","text"]}"#, "invalid_value",
      "output_modalities"),
    .init(.azure, #"{"instructions":"x"}"#, "missing_required_parameter", "type"),
    .init(.azurePreview, #"{"type":"realtime"}"#, "unknown_parameter", "type"),
    .init(
      .azurePreview, #"{"output_modalities":["text"]}"#, "unknown_parameter", "output_modalities"),
    .init(.azurePreview, #"{"modalities":["audio"]}"#, "invalid_value", "modalities"),
    .init(.azurePreview, #"{"audio":{}}"#, "unknown_parameter", "audio"),
    .init(
      .azurePreview, #"{"input_audio_format":{"type":"audio/pcm"}}"#, "invalid_type",
      "input_audio_format"),
    .init(.voiceLive, #"{"type":"realtime"}"#, "unknown_parameter", "type"),
    .init(
      .voiceLive, #"{"turn_detection":{"type":"psychic"}}"#, "invalid_value", "turn_detection.type"),
    .init(.voiceLive, #"{"audio":{}}"#, "unknown_parameter", "audio"),
    .init(
      .xAI, #"{"turn_detection":{"type":"semantic_vad"}}"#, "invalid_value", "turn_detection.type"),
    .init(
      .xAI, #"{"turn_detection":{"type":"server_vad","threshold":0.95}}"#,
      "decimal_above_max_value",
      "turn_detection.threshold"),
    .init(
      .xAI, #"{"audio":{"input":{"turn_detection":null}}}"#, "unknown_parameter",
      "audio.input.turn_detection"),
    .init(
      .xAI, #"{"audio":{"input":{"transcription":{"model":"whisper-1"}}}}"#, "invalid_value",
      "audio.input.transcription.model"),
    .init(.xAI, #"{"temperature":1}"#, "unknown_parameter", "temperature"),
    .init(.inworld, #"{"modelId":"m"}"#, "unknown_parameter", "modelId"),
    .init(.inworld, #"{"prompt":null}"#, "unknown_parameter", "prompt"),
    .init(
      .inworld,
      #"{"audio":{"input":{"turn_detection":{"type":"semantic_vad","eagerness":"urgent"}}}}"#,
      "invalid_value", "audio.input.turn_detection.eagerness"),
    .init(
      .inworld, #"{"providerData":{"tts":{"deliveryMode":"STABLE"}}}"#, "unknown_parameter",
      "providerData.tts.deliveryMode"),
    .init(.vowel, #"{"type":"realtime"}"#, "unknown_parameter", "type"),
    .init(.vowel, #"{"input_audio_format":"g711_ulaw"}"#, "invalid_value", "input_audio_format"),
    .init(.vowel, #"{"output_modalities":["text"]}"#, "unknown_parameter", "output_modalities"),
  ]

  @Test("each bad session gets its one error and is noted as a violation", arguments: cases)
  func sessions(_ wrong: Case) throws {
    var dialogue = Talk.family(wrong.form)
    let sent = dialogue.say(
      #"{"type":"session.update","event_id":"c1","session":\#(wrong.session)}"#)
    #expect(try sent.types == ["error"])
    let error = try sent.event("error")["error"]
    #expect(error?["code"]?.string == wrong.code)
    #expect(error?["param"]?.string == wrong.param)
    #expect(sent.violations.count == 1)
    #expect(sent.violations.first?["param"]?.string == wrong.param)
    #expect(sent.violations.first?["type"]?.string == "session.update")
  }

  @Test("a conflict with the session's state is an error and no violation")
  func conflicts() throws {
    var dialogue = Talk.family(.openAI)
    for event in [
      #"{"type":"response.cancel"}"#, #"{"type":"input_audio_buffer.commit"}"#,
      #"{"type":"conversation.item.delete","item_id":"x"}"#,
    ] {
      let sent = dialogue.say(event)
      #expect(try sent.types == ["error"])
      #expect(sent.violations.isEmpty)
    }
  }

  @Test(
    "what a service does not know is refused, or passed over in silence; either way it is noted",
    arguments: [
      (Talk.Form.xAI, #"{"type":"conversation.item.retrieve","item_id":"a"}"#, true),
      (.openAI, #"{"type":"output_audio_buffer.clear"}"#, true),
      (.vowel, #"{"type":"conversation.item.delete","item_id":"a"}"#, false),
      (.vowel, #"{"type":"nonsense"}"#, false),
    ])
  func unknownTypes(_ form: Talk.Form, _ event: String, _ isAnswered: Bool) throws {
    var dialogue = Talk.family(form)
    let sent = dialogue.say(event)
    #expect(try sent.types == (isAnswered ? ["error"] : []))
    #expect(sent.violations.count == 1)
  }

  @Test("what comes out of order is borne, and noted")
  func order() throws {
    var early = Talk.family(.inworld)
    #expect(
      early.turn("hello").violations.map { $0["code"]?.string } == ["out_of_order", "out_of_order"])
    early.say(#"{"type":"session.update","session":{}}"#)
    #expect(early.turn("hello").violations.isEmpty)
    var dialogue = Talk.family(.openAI)
    let output = #""item":{"type":"function_call_output","call_id":"c","output":"7"}"#
    let call = #""item":{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#
    let lost = dialogue.say(#"{"type":"conversation.item.create",\#(output)}"#)
    #expect(lost.violations.map { $0["param"]?.string } == ["item.call_id"])
    #expect(try lost.types.first == "conversation.item.added")
    dialogue.say(#"{"type":"conversation.item.create",\#(call)}"#)
    #expect(dialogue.say(#"{"type":"conversation.item.create",\#(output)}"#).violations.isEmpty)
  }

  @Test("addresses and credentials that are refused before the upgrade")
  func refusals() {
    let item = StandInRequest.Item.init
    let cases: [(RealtimeService, String, [StandInRequest.Item], [StandInRequest.Item], Int)] = [
      (.azure, "/openai/v1/realtime", [], [], 400),
      (.azure, "/openai/v1/realtime", [item("model", "m"), item("api-version", "1")], [], 400),
      (.azure, "/openai/v1/realtime", [item("model", "m")], [item("api-key", "no")], 401),
      (
        .azure, "/openai/v1/realtime", [item("model", "m")],
        [item("api-key", "k"), item("OpenAI-Beta", "realtime=v1")],
        400
      ),
      (.azure, "/openai/v1/realtime", [item("model", "other")], [item("api-key", "k")], 400),
      (.azure, "/openai/realtime", [item("deployment", "m")], [item("api-key", "k")], 400),
      (.azure, "/voice-live/realtime", [item("api-version", "1")], [item("api-key", "k")], 400),
      (.azure, "/v1/realtime", [], [], 404),
      (.xAI, "/v1/realtime", [], [item("Authorization", "Bearer no")], 401),
      (.xAI, "/v1/realtime", [item("model", "other")], [item("Authorization", "Bearer k")], 404),
      (
        .inworld, "/api/v1/realtime/session", [item("key", "s")],
        [item("Authorization", "Basic k")], 400
      ),
      (
        .inworld, "/api/v1/realtime/session",
        [item("key", "s"), item("protocol", "realtime"), item("model", "m")],
        [item("Authorization", "Basic k")], 400
      ),
      (
        .inworld, "/api/v1/realtime/session", [item("key", "s"), item("protocol", "realtime")],
        [item("Authorization", "Bearer k")], 401
      ),
      (.vowel, "/v1/realtime", [], [], 401),
      (
        .vowel, "/v1/realtime", [item("token", "ek_1")], [item("Authorization", "Bearer ek_1")], 401
      ),
      (.vowel, "/realtime", [], [], 404),
    ]
    for (service, path, query, headers, status) in cases {
      var options = RealtimeStandIn.Options()
      options.service = service
      options.key = "k"
      options.models = ["m"]
      var script = RealtimeStandIn(options: options)
      let verdict = script.judge(StandInRequest(path: path, query: query, headers: headers))
      guard case .refuse(status, _) = verdict else {
        Issue.record("\(service) \(path) \(query): \(verdict)")
        continue
      }
    }
  }
}
