import Envelope
import LocalVoiceProvider
import ParleyTesting
import SessionCore
import Testing
import Translation

/// Fields that the engine has no counterpart for: replaced and noted, or refused.
@Suite struct LocalCounterparts {
  static let strict: LocalVoiceConfiguration = {
    var engine = SessionDialogue.engine
    engine.isLenient = false
    return engine
  }()

  static let fields = [
    (#""model":"gpt-realtime""#, "session.model"), (#""tracing":"auto""#, "session.tracing"),
    (#""parallel_tool_calls":true"#, "session.parallel_tool_calls"),
    (#""reasoning":{"effort":"low"}"#, "session.reasoning.effort"),
    (#""truncation":"disabled""#, "session.truncation"), (#""prompt":{"id":"p"}"#, "session.prompt"),
    (#""include":["item.input_audio_transcription.logprobs"]"#, "session.include"),
    (#""temperature":0.8"#, "session.temperature"), (#""providerData":{"user_id":"u"}"#, "session.providerData"),
    (#""unheard_of":1"#, "session.unheard_of"),
    (#""audio":{"output":{"model":"inworld-tts-1.5-max"}}"#, "session.audio.output.model"),
    (#""audio":{"output":{"voice":"nobody"}}"#, "session.audio.output.voice"),
    (#""audio":{"input":{"noise_reduction":{"type":"near_field"}}}"#, "session.audio.input.noise_reduction"),
    (#""audio":{"input":{"transcription":{"model":"whisper-1"}}}"#, "session.audio.input.transcription.model"),
    (#""audio":{"input":{"transcription":{"keywords":["Ada"]}}}"#, "session.audio.input.transcription.keywords"),
    (
      #""audio":{"input":{"turn_detection":{"type":"server_vad","prefix_padding_ms":9000}}}"#,
      "session.audio.input.turn_detection.prefix_padding_ms"
    ),
  ]

  @Test("Q16 Q23: leniently, what really happens shows, and the operator is told of the field", arguments: fields)
  func lenient(_ field: String, _ param: String) {
    var call = EngineCall()
    let before = call.session
    let step = call.update(field)
    #expect(step.types == ["session.updated"] && step.ignoredFields == [param])
    var after = call.session
    // It is cut to what the engine keeps.
    after.audio.input.turnDetection = before.audio.input.turnDetection
    #expect(after == before, "the session shows nothing of it")
  }

  @Test("Q16 Q23: strictly, the field is refused by its name, and nothing changes", arguments: fields)
  func strict(_ field: String, _ param: String) {
    var call = EngineCall(Self.strict)
    let before = call.session
    let step = call.client(#"{"type":"session.update","event_id":"update","session":{\#(field)}}"#)
    #expect(step.types == ["error"] && step.error?["type"] == "invalid_request_error")
    #expect(step.error?["param"]?.string == param && step.error?["event_id"] == "update")
    #expect(call.session == before)
  }

  @Test("Q23: strictly, what the engine does have is taken; R197: so are the names of OpenAI's voices")
  func taken() {
    var call = EngineCall(Self.strict)
    for fields in [
      #""instructions":"Be brief.","audio":{"output":{"voice":"en-gb","speed":1.2}}"#,
      #""audio":{"input":{"transcription":{"language":"en","prompt":"Ada"},"turn_detection":null}}"#,
      #""audio":{"output":{"voice":"alloy"}}"#, #""model":"parley-rules""#,
    ] {
      #expect(call.update(fields).types == ["session.updated"], "\(fields)")
    }
    #expect(call.session.audio.output.voice == "en-us")
  }

  @Test(
    "Q23: an option of a response likewise",
    arguments: [
      (#""parallel_tool_calls":true"#, "response.parallel_tool_calls"), (#""prompt":{"id":"p"}"#, "response.prompt"),
      (#""reasoning":{"effort":"low"}"#, "response.reasoning.effort"), (#""unheard_of":1"#, "response.unheard_of"),
      (#""audio":{"output":{"voice":"nobody"}}"#, "response.audio.output.voice"),
    ])
  func options(_ option: String, _ param: String) {
    var call = EngineCall(Self.strict)
    let refused = call.create(option)
    #expect(refused.types == ["error"] && refused.error?["param"]?.string == param)
    #expect(refused.error?["event_id"] == "create" && refused.upstream.isEmpty)
    var lenient = EngineCall()
    let step = lenient.create(option)
    #expect(step.error == nil && step.ignoredFields == [param] && step.answer != nil)
  }

  @Test("R235 R236: a transcriber that nobody has is refused in any case, and the rest of its update has no effect")
  func unknownTranscriber() {
    for engine in [SessionDialogue.engine, Self.strict] {
      var call = EngineCall(engine)
      let before = call.session
      let step = call.update(#""audio":{"input":{"transcription":{"model":"nonsense"}},"output":{"voice":"en-gb"}}"#)
      #expect(step.types == ["error"] && step.error?["code"] == "invalid_value")
      #expect(step.error?["param"] == "session.audio.input.transcription.model")
      #expect(call.session == before)
    }
  }

  @Test("a client that sends back what it was shown asks for nothing")
  func echo() {
    var call = EngineCall(Self.strict)
    let shown = JSONCoding.encode(call.session).text
    let step = call.client(#"{"type":"session.update","session":\#(shown)}"#)
    #expect(step.types == ["session.updated"])
    #expect(call.update(#""engine":{"llm":"a model"}"#).types == ["session.updated"])
    #expect(call.session.unknown.fields["engine"] == ["llm": "rules"], "it is not for a client to say")
  }

  @Test("Q23: the switch of a provider's configuration makes its table strict too")
  func table() {
    let local = ProviderConfiguration(name: "local", service: .local(SessionDialogue.engine))
    func support(_ provider: ProviderConfiguration, _ subject: String) -> CoverageRow.Support? {
      provider.coverage.first { $0.subject == subject }?.support
    }
    #expect(support(local, "session.tracing") == .ignored && support(local.strict(), "session.tracing") == .refused)
    #expect(support(local.strict(), "response.*") == .refused)
  }

  @Test("R291: the engine sees nothing: an image is refused by its name, and nothing of the item stays")
  func image() {
    var call = EngineCall()
    let step = call.item(
      #""type":"message","role":"user","content":[{"type":"input_text","text":"What is this?"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]"#
    )
    #expect(step.types == ["error"] && step.error?["param"] == "item.content[1].type")
    #expect(step.error?["event_id"] == "item")
  }
}
