import NIOCore
import StandIns
import Testing

@Suite("What the Gemini Live stand-in refuses")
struct GeminiRefusalTests {
  private static let invalid = "Request contains an invalid argument."

  private func unknown(_ name: String, _ place: String? = nil) -> StandInFrame {
    let at = place.map { " at '\($0)'" } ?? ""
    return .close(
      code: 1007, reason: "Invalid JSON payload received. Unknown name \"\(name)\"\(at): Cannot find field.")
  }

  private func refusal(
    of message: String, _ options: GeminiLiveStandIn.Options = .init(), model: String = "models/gemini-3.8-live",
    setUp: String? = "", version: String = "v1beta"
  ) -> StandInFrame? {
    var dialogue = Dialogue.gemini(options, model: model, setUp: setUp, version: version)
    let sent = dialogue.say(message)
    #expect(dialogue.say(#"{"realtimeInput":{"text":"hi"}}"#).frames.isEmpty, "nothing follows a close")
    return sent.close
  }

  @Test("unknown fields close 1007 in the service's words, with the path in snake_case")
  func unknownFields() {
    #expect(refusal(of: #"{"bogus":{}}"#) == unknown("bogus"))
    #expect(
      refusal(of: #"{"setup":{"model":"models/gemini-3.8-live","speechConfig":{}}}"#, setUp: nil)
        == unknown("speechConfig", "setup"))
    let schema = #"""
      {"setup":{"model":"models/gemini-3.8-live","tools":[{"functionDeclarations":[
      {"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING","$ref":"x"}}}}]}]}}
      """#
    #expect(
      refusal(of: schema, setUp: nil)
        == unknown("$ref", "setup.tools[0].function_declarations[0].parameters.properties.a"))
    #expect(
      refusal(of: #"{"clientContent":{"turns":[{"role":"user","parts":[{"txt":"a"}]}]}}"#)
        == unknown("txt", "client_content.turns[0].parts[0]"))
    #expect(refusal(of: #"{"clientContent":{"turn__complete":true}}"#) == unknown("turn__complete", "client_content"))
  }

  @Test("fields of the alpha API and of Vertex are unknown elsewhere")
  func versions() {
    let proactive = #"{"setup":{"model":"models/gemini-2.5-flash-native-audio-latest","proactivity":{}}}"#
    #expect(refusal(of: proactive, setUp: nil) == unknown("proactivity", "setup"))
    #expect(refusal(of: proactive, setUp: nil, version: "v1") == unknown("proactivity", "setup"))
    var alpha = Dialogue.gemini(setUp: nil, version: "v1alpha")
    #expect(alpha.say(proactive).close == nil)
    #expect(
      refusal(of: #"{"setup":{"model":"models/gemini-3.8-live","explicitVadSignal":true}}"#, setUp: nil)
        == unknown("explicitVadSignal", "setup"))
    #expect(
      refusal(of: #"{"contextUpdate":{}}"#, model: "models/gemini-3.1-flash-live-preview") == unknown("contextUpdate"))
  }

  @Test(
    "set-ups that the service refuses",
    arguments: [
      #""generationConfig":{"responseModalities":["AUDIO","TEXT"]}"#,
      #""generationConfig":{"speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":{"voiceName":"nobody"}}}}"#,
      #""generationConfig":{"thinkingConfig":{"thinkingBudget":0}}"#,
      #""realtimeInputConfig":{"automaticActivityDetection":{"disabled":true,"silenceDurationMs":500}}"#,
      #""tools":[{"functionDeclarations":[{"name":"1st"}]}]"#,
      #""tools":[{"functionDeclarations":[{"name":"f","parameters":{},"parametersJsonSchema":{}}]}]"#,
    ])
  func setUps(_ members: String) {
    let message = #"{"setup":{"model":"models/gemini-3.8-live",\#(members)}}"#
    #expect(refusal(of: message, setUp: nil) == .close(code: 1007, reason: Self.invalid))
  }

  @Test("a value outside of its enumeration closes 1007")
  func enumerations() {
    let message = #"{"setup":{"model":"models/gemini-3.8-live","generationConfig":{"responseModalities":["T"]}}}"#
    #expect(
      refusal(of: message, setUp: nil)
        == .close(
          code: 1007, reason: #"Invalid value at 'setup.generation_config.response_modalities[0]', "T""#))
  }

  @Test("text output is refused in the service's words")
  func modality() {
    let message = #"{"setup":{"model":"models/gemini-3.8-live","generationConfig":{"responseModalities":["TEXT"]}}}"#
    #expect(
      refusal(of: message, setUp: nil)
        == .close(
          code: 1007,
          reason: "The requested combination of response modalities (TEXT) is not supported by the model."))
    var options = GeminiLiveStandIn.Options()
    options.speaksText = true
    var dialogue = Dialogue.gemini(options, setUp: nil)
    #expect(dialogue.say(message).close == nil)
  }

  @Test("a model without its prefix is invalid, one that does not exist is not found")
  func models() {
    #expect(
      refusal(of: #"{"setup":{"model":"gemini-3.8-live"}}"#, setUp: nil) == .close(code: 1007, reason: Self.invalid))
    var options = GeminiLiveStandIn.Options()
    options.models = ["gemini-3.8-live"]
    let reason = "models/nothing is not found for API version v1beta, or is not supported for bidiGenerateContent."
    #expect(
      refusal(of: #"{"setup":{"model":"models/nothing"}}"#, options, setUp: nil) == .close(code: 1008, reason: reason))
  }

  @Test(
    "messages out of order or out of shape",
    arguments: [
      (#"{"realtimeInput":{"text":"first"}}"#, false),
      (#"{"setup":{"model":"models/gemini-3.8-live"}}"#, true),
      ("{}", true),
      (#"{"clientContent":{"turns":[{"parts":[{"text":"a"}]}],"turnComplete":true}}"#, true),
      (#"{"clientContent":{"turns":[{"role":"system","parts":[{"text":"a"}]}]}}"#, true),
      (#"{"clientContent":{"turns":[{"role":"user","parts":[{"functionResponse":{"name":"f"}}]}]}}"#, true),
      (#"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=16000","data":"AAA="},"text":"both"}}"#, true),
      (#"{"realtimeInput":{"audio":{"mimeType":"audio/pcm","data":"AAA="}}}"#, true),
      (#"{"realtimeInput":{"audio":{"mimeType":"audio/pcmu;rate=8000","data":"AAA="}}}"#, true),
      (#"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=16000","data":"AA=="}}}"#, true),
      (#"{"realtimeInput":{"activityStart":{}}}"#, true),
      (#"{"realtimeInput":{"mediaChunks":[]}}"#, true),
      (#"{"toolResponse":{"functionResponses":[]}}"#, true),
    ])
  func outOfOrder(_ message: String, isSetUp: Bool) {
    #expect(
      refusal(of: message, setUp: isSetUp ? "" : nil) == .close(code: 1007, reason: Self.invalid), "\(message)")
  }

  @Test("two members of the message in one frame")
  func twoMembers() {
    let close = refusal(of: #"{"realtimeInput":{"text":"a"},"clientContent":{}}"#)
    #expect(
      close
        == .close(
          code: 1007,
          reason: "Invalid value (oneof), oneof field 'message_type' is already set. Cannot set 'clientContent'"))
  }

  @Test("what is not JSON, and what is not base64")
  func notJSON() {
    #expect(refusal(of: "{") == .close(code: 1007, reason: "Invalid JSON payload received."))
    #expect(refusal(of: #"{"setup":1,"setup":2}"#) == .close(code: 1007, reason: "Invalid JSON payload received."))
    let audio = #"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=16000","data":"A*=="}}}"#
    #expect(
      refusal(of: audio)
        == .close(
          code: 1007, reason: "Invalid value at 'realtime_input.audio.data' (TYPE_BYTES), Base64 decoding failed."))
    var dialogue = Dialogue.gemini()
    #expect(
      dialogue.script.receive(.binary(ByteBuffer())) == [.close(code: 1007, reason: "Invalid JSON payload received.")])
  }

  @Test("nothing may be sent before setupComplete")
  func early() {
    var options = GeminiLiveStandIn.Options()
    options.setUpDelay = .milliseconds(50)
    var dialogue = Dialogue.gemini(options, setUp: nil)
    #expect(dialogue.begin(#"{"setup":{"model":"models/gemini-3.8-live"}}"#).frames.isEmpty)
    #expect(dialogue.script.pause == .milliseconds(50))
    #expect(
      dialogue.begin(#"{"realtimeInput":{"text":"a"}}"#).frames == [.close(code: 1007, reason: Self.invalid)])
  }

  @Test("clientContent on 3.1 is history or nothing")
  func history31() {
    let content = #"{"clientContent":{"turns":[{"role":"user","parts":[{"text":"a"}]}],"turnComplete":true}}"#
    #expect(
      refusal(of: content, model: "models/gemini-3.1-flash-live-preview") == .close(code: 1007, reason: Self.invalid))
  }

  @Test("a turn with nothing in it on 2.5")
  func nothingToComplete() {
    #expect(
      refusal(
        of: #"{"clientContent":{"turns":[],"turnComplete":true}}"#, model: "models/gemini-2.5-flash-native-audio-latest"
      ) == .close(code: 1007, reason: "No turn to complete"))
  }

  @Test("a stale handle")
  func staleHandle() {
    var options = GeminiLiveStandIn.Options()
    options.refusesHandles = true
    #expect(
      refusal(
        of: #"{"setup":{"model":"models/gemini-3.8-live","sessionResumption":{"handle":"old"}}}"#, options, setUp: nil)
        == .close(code: 1008, reason: "Requested entity was not found."))
  }

  @Test("paths and keys")
  func upgrade() {
    var options = GeminiLiveStandIn.Options()
    options.key = "k1"
    var script = GeminiLiveStandIn(options: options)
    let path = Dialogue<GeminiLiveStandIn>.path
    #expect(script.judge(.init(path: path + "/")) == .refuse(status: 404, reason: "Not Found"))
    #expect(script.judge(.init(path: path)) == .refuse(status: 403, reason: "Forbidden"))
    let wrong = Dialogue(GeminiLiveStandIn(options: options), .init(path: path, query: [.init("key", "k2")]))
    #expect(
      wrong.opening.frames == [.close(code: 1007, reason: "API key not valid. Please pass a valid API key.")])
    for request in [
      StandInRequest(path: path, query: [.init("key", "k1")]),
      StandInRequest(path: path, headers: [.init("X-Goog-Api-Key", "k1")]),
    ] {
      let right = Dialogue(GeminiLiveStandIn(options: options), request)
      #expect(right.verdict == .upgrade(subprotocol: nil))
      #expect(right.opening.frames.isEmpty)
    }
  }
}
