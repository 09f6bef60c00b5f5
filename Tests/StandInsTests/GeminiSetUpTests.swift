import Envelope
import StandIns
import Testing

@Suite("Set-ups that the Gemini Live stand-in takes and refuses, by family and platform")
struct GeminiSetUpTests {
  private typealias Gemini = Dialogue<GeminiLiveStandIn>
  private static let invalid = "Request contains an invalid argument."
  private static let v25 = "models/gemini-2.5-flash-native-audio-latest"
  private static let v31 = "models/gemini-3.1-flash-live-preview"
  private static let v38 = "models/gemini-3.8-live"
  private static let deep = "models/gemini-3.8-live-extended-thinking"
  private static let low = #""generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW"}}"#

  private func opening(_ model: String, _ members: String, vertex: Bool = false, version: String = "v1beta") -> Sent {
    var options = GeminiLiveStandIn.Options()
    options.platform = vertex ? .vertex : .aiStudio
    var dialogue = Gemini.gemini(options, setUp: nil, version: version)
    return dialogue.say(#"{"setup":{"model":"\#(model)"\#(members.isEmpty ? "" : ",")\#(members)}}"#)
  }

  private func reason(_ sent: Sent) -> String? {
    guard case .close(1007, let reason)? = sent.close else { return nil }
    return reason
  }

  private func unknown(_ name: String, _ place: String) -> String {
    "Invalid JSON payload received. Unknown name \"\(name)\" at '\(place)': Cannot find field."
  }

  @Test(
    "gemini 1.6: thinking by family",
    arguments: [
      (v25, #""thinkingBudget":0"#, true), (v25, #""thinkingBudget":-1"#, true), (v25, #""thinkingBudget":-2"#, false),
      (v25, #""thinkingLevel":"LOW""#, false), (v31, #""thinkingLevel":"MINIMAL""#, true),
      (v31, #""thinkingBudget":0"#, false), (v38, #""includeThoughts":true"#, false),
      (deep, #""thinkingLevel":"HIGH""#, true), (deep, #""thinkingLevel":"MINIMAL""#, false),
      (deep, #""includeThoughts":true"#, false), (deep, #""thinkingLevel":"LOW","thinkingBudget":1"#, false),
    ])
  func thinking(_ model: String, _ config: String, _ isTaken: Bool) {
    let sent = opening(model, #""generationConfig":{"thinkingConfig":{\#(config)}}"#)
    #expect(reason(sent) == (isTaken ? nil : Self.invalid))
  }

  @Test("extended thinking must be told how much")
  func requiredLevel() {
    #expect(reason(opening(Self.deep, "")) == Self.invalid)
    #expect(reason(opening(Self.deep, Self.low)) == nil)
  }

  @Test(
    "gemini 1.6: proactive audio by family, on the version that knows it",
    arguments: [(v25, "true", true), (v31, "true", false), (v38, "true", true), (v38, "false", false)])
  func proactivity(_ model: String, _ value: String, _ isTaken: Bool) {
    let sent = opening(model, #""proactivity":{"proactiveAudio":\#(value)}"#, version: "v1alpha")
    #expect(reason(sent) == (isTaken ? nil : Self.invalid))
  }

  @Test("affective dialogue is for 2.5, transcription has no settings, labels and history are not for Vertex")
  func unknownFields() {
    let affective = #""generationConfig":{"enableAffectiveDialog":true}"#
    #expect(reason(opening(Self.v25, affective, version: "v1alpha")) == nil)
    #expect(
      reason(opening(Self.v38, affective, version: "v1alpha"))
        == unknown("enableAffectiveDialog", "setup.generation_config"))
    #expect(
      reason(opening(Self.v38, #""inputAudioTranscription":{"languageCodes":["de"]}"#))
        == unknown("languageCodes", "setup.input_audio_transcription"))
    let vertex = "publishers/google/models/gemini-live-2.5-flash"
    let audio = #""generationConfig":{"responseModalities":["AUDIO"]}"#
    #expect(
      reason(opening(vertex, #"\#(audio),"historyConfig":{}"#, vertex: true)) == unknown("historyConfig", "setup"))
    #expect(
      reason(opening(vertex, #"\#(audio),"labels":{"safety_identifier":"a"}"#, vertex: true))
        == unknown("labels", "setup"))
  }

  @Test("gemini 1.7: Vertex needs a modality and refuses the coverage with all video")
  func vertex() {
    let model = "projects/p/locations/us-central1/publishers/google/models/gemini-live-2.5-flash-native-audio"
    let audio = #""generationConfig":{"responseModalities":["AUDIO"]}"#
    #expect(reason(opening(model, "", vertex: true)) == Self.invalid)
    #expect(reason(opening(model, audio, vertex: true)) == nil)
    let coverage = #""realtimeInputConfig":{"turnCoverage":"TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"}"#
    #expect(reason(opening(model, "\(audio),\(coverage)", vertex: true)) == Self.invalid)
    #expect(reason(opening(Self.v38, coverage)) == nil)
  }

  @Test(
    "gemini 2.4: nothing beside disabled",
    arguments: [
      "prefixPaddingMs\":20", "silenceDurationMs\":500", "startOfSpeechSensitivity\":\"START_SENSITIVITY_LOW\"",
    ])
  func disabled(_ member: String) {
    let config = { (members: String) in #""realtimeInputConfig":{"automaticActivityDetection":{\#(members)}}"# }
    #expect(reason(opening(Self.v38, config(#""disabled":true,"\#(member)"#))) == Self.invalid)
    #expect(reason(opening(Self.v38, config(#""disabled":false,"\#(member)"#))) == nil)
    #expect(reason(opening(Self.v38, config(#""disabled":true"#))) == nil)
  }

  @Test(
    "gemini 2.3: tools by family",
    arguments: [
      (v25, #"{"functionDeclarations":[{"name":"f"}]},{"googleSearch":{}}"#, false),
      (v38, #"{"functionDeclarations":[{"name":"f"}]},{"googleSearch":{}}"#, true),
      (v31, #"{"functionDeclarations":[{"name":"f","behavior":"BLOCKING"}]}"#, false),
      (v31, #"{"functionDeclarations":[{"name":"f"}]}"#, true),
      (v38, #"{"functionDeclarations":[{"name":"f","behavior":"BLOCKING"}]}"#, true),
      (v38, #"{"functionDeclarations":[{"name":"f"},{"name":"f"}]}"#, false),
      (v38, #"{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT"}}]}"#, false),
      (v38, #"{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{}}}]}"#, false),
      (v38, #"{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object","properties":{}}}]}"#, true),
    ])
  func tools(_ model: String, _ tools: String, _ isTaken: Bool) {
    #expect(reason(opening(model, #""tools":[\#(tools)]"#)) == (isTaken ? nil : Self.invalid))
  }

  @Test("extended thinking takes no blocking functions; nobody takes more than 512")
  func functions() {
    let blocking = #""tools":[{"functionDeclarations":[{"name":"f","behavior":"BLOCKING"}]}]"#
    #expect(reason(opening(Self.deep, "\(Self.low),\(blocking)")) == Self.invalid)
    for count in [512, 513] {
      let list = (0..<count).map { #"{"name":"f\#($0)"}"# }.joined(separator: ",")
      #expect(
        reason(opening(Self.v38, #""tools":[{"functionDeclarations":[\#(list)]}]"#))
          == (count == 512 ? nil : Self.invalid))
    }
  }

  @Test("an instruction is text")
  func instruction() {
    let picture = #"{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}"#
    #expect(reason(opening(Self.v38, #""systemInstruction":{"parts":[\#(picture)]}"#)) == Self.invalid)
  }

  @Test("text output of the models that write")
  func writing() throws {
    let text = #""generationConfig":{"responseModalities":["TEXT"]}"#
    let model = "publishers/google/models/gemini-live-2.5-flash"
    #expect(reason(opening(model, text, vertex: true)) == nil)
    #expect(reason(opening("publishers/google/models/gemini-3.8-live", text, vertex: true)) != nil)
  }

  @Test(
    "gemini 1.3, 1.4: models exist on their platform, under its form of the name",
    arguments: [
      ("models/gemini-3.8-live", false, nil),
      ("models/gemini-live-2.5-flash", false, 1008),
      ("models/gemini-2.0-flash-live-001", false, 1008),
      ("models/gemini-2.5-flash-native-audio-preview-09-2025", false, 1008),
      ("tunedModels/mine", false, nil),
      ("publishers/google/models/gemini-3.8-live", false, 1007),
      ("models/", false, 1007),
      ("models/gemini-3.8-live", true, 1007),
      ("publishers/google/models/gemini-3.8-live", true, nil),
      ("projects/p/locations/global/publishers/google/models/gemini-live-2.5-flash", true, nil),
      ("projects/p/locations/global/publishers/google/models/gemini-live-2.5-flash-native-audio", true, 1008),
      ("projects/p/locations/europe-west4/publishers/google/models/gemini-live-2.5-flash-native-audio", true, nil),
      ("publishers/google/models/gemini-3.1-flash-live-preview", true, 1008),
      ("projects/p/publishers/google/models/gemini-3.8-live", true, 1007),
      ("projects//locations/global/publishers/google/models/gemini-3.8-live", true, 1007),
    ] as [(String, Bool, UInt16?)])
  func models(_ model: String, _ isVertex: Bool, _ code: UInt16?) {
    let audio = #""generationConfig":{"responseModalities":["AUDIO"]}"#
    let close = opening(model, audio, vertex: isVertex).close
    switch code {
    case nil: #expect(close == nil)
    case 1007: #expect(close == .close(code: 1007, reason: Self.invalid))
    default:
      let studio = "\(model) is not found for API version v1beta, or is not supported for bidiGenerateContent."
      #expect(close == .close(code: 1008, reason: isVertex ? "Publisher model was not found." : studio))
    }
  }

  @Test("gemini 1.2: bearer tokens and express keys on Vertex")
  func vertexCredentials() {
    var options = GeminiLiveStandIn.Options()
    options.platform = .vertex
    options.bearers = ["t1", "t2"]
    options.key = "k"
    for (headers, isTaken) in [
      ([], false), ([("authorization", "Bearer t2")], true), ([("Authorization", "Bearer t3")], false),
      ([("x-goog-api-key", "k")], true), ([("x-goog-api-key", "t1")], false), ([("Authorization", "t1")], false),
    ] as [([(String, String)], Bool)] {
      let request = StandInRequest(path: Gemini.vertexPath, headers: headers.map { .init($0.0, $0.1) })
      var script = GeminiLiveStandIn(options: options)
      #expect(
        script.judge(request)
          == (isTaken ? .upgrade(subprotocol: nil) : .refuse(status: 401, reason: "Unauthorized")))
    }
  }

  @Test("gemini 1.2: ephemeral tokens have their own method, and as many uses as they have")
  func tokens() {
    let path = Gemini.path.replacing("v1beta", with: "v1alpha") + "Constrained"
    let memory = GeminiMemory()
    var options = GeminiLiveStandIn.Options()
    options.key = "k"
    options.tokenUses = 1
    let connect = { (request: StandInRequest, handle: String?) -> (StandInVerdict, Sent) in
      var dialogue = Dialogue(GeminiLiveStandIn(options: options, memory: memory), request)
      let resumption = handle.map { #"{"handle":"\#($0)"}"# } ?? "{}"
      let sent = dialogue.say(#"{"setup":{"model":"\#(Self.v38)","sessionResumption":\#(resumption)}}"#)
      dialogue.script.connectionEnded()
      return (dialogue.verdict, sent)
    }
    let query = StandInRequest(path: path, query: [.init("access_token", "auth_tokens/a")])
    #expect(connect(query, nil).1.close == nil)
    #expect(connect(query, nil).1.close == .close(code: 1011, reason: "Token has been used too many times"))
    #expect(connect(query, "5f0c1c5e-0001").1.close == nil, "resumption is no use")
    let header = StandInRequest(path: path, headers: [.init("Authorization", "Token auth_tokens/b")])
    #expect(connect(header, nil).1.close == nil)
    for request in [
      StandInRequest(path: path), StandInRequest(path: path, query: [.init("access_token", "b")]),
      StandInRequest(path: path, query: [.init("key", "k")]),
    ] {
      #expect(connect(request, nil).0 == .refuse(status: 401, reason: "Unauthorized"))
    }
    var script = GeminiLiveStandIn()
    #expect(script.judge(.init(path: Gemini.path + "Constrained")) == .refuse(status: 404, reason: "Not Found"))
  }

  @Test(
    "gemini 2.5, 2.6: content out of order",
    arguments: [
      (v31, #""historyConfig":{"initialHistoryInClientContent":true}"#, #"{"realtimeInput":{"text":"early"}}"#),
      (v25, "", #"{"clientContent":{"turns":[{"role":"model","parts":[{"text":"a"}]}],"turnComplete":true}}"#),
      (v38, "", #"{"clientContent":{"turns":[{"role":"user","parts":[]}]}}"#),
      (
        v38, "",
        #"{"clientContent":{"turns":[{"role":"user","parts":[{"inlineData":{"mimeType":"audio/pcm","data":"AAA="}}]}]}}"#
      ),
      (v38, "", #"{"realtimeInput":{"video":{"mimeType":"image/png","data":""}}}"#),
      (v38, "", #"{"realtimeInput":{"video":{"mimeType":"image/webp","data":"AAAA"}}}"#),
    ])
  func content(_ model: String, _ members: String, _ message: String) {
    var dialogue = Gemini.gemini(model: model, setUp: members)
    #expect(dialogue.say(message).close == .close(code: 1007, reason: Self.invalid))
  }

  @Test("a text turn completed while the user speaks")
  func textDuringSpeech() {
    let speech = TestSound.speech(milliseconds: 200, rate: 16_000)
    let text = #"{"clientContent":{"turns":[{"role":"user","parts":[{"text":"a"}]}],"turnComplete":true}}"#
    for refuses in [true, false] {
      var options = GeminiLiveStandIn.Options()
      options.refusesTextDuringSpeech = refuses
      var dialogue = Gemini.gemini(options)
      dialogue.say(#"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=16000","data":"\#(speech)"}}}"#)
      #expect(dialogue.say(text).close == (refuses ? .close(code: 1007, reason: Self.invalid) : nil))
    }
  }
}
