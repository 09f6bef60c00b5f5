import Envelope
import StandIns
import Testing

@Suite("The Gemini Live stand-in's function calls")
struct GeminiCallTests {
  private typealias Gemini = Dialogue<GeminiLiveStandIn>
  private static let invalid = StandInFrame.close(code: 1007, reason: "Request contains an invalid argument.")
  private static let notFound = StandInFrame.close(code: 1008, reason: "Requested entity was not found.")
  private static let v25 = "models/gemini-2.5-flash-native-audio-latest"
  private static let v31 = "models/gemini-3.1-flash-live-preview"
  private static let v38 = "models/gemini-3.8-live"
  private static let thinking = "models/gemini-3.8-live-extended-thinking"
  private static let vertex25 = "publishers/google/models/gemini-live-2.5-flash"

  private func connect(
    _ model: String, behavior: String? = nil, _ options: GeminiLiveStandIn.Options = .init(), more: String = ""
  ) -> Gemini {
    var options = options
    if model.hasPrefix("publishers") { options.platform = .vertex }
    let behavior = behavior.map { #","behavior":"\#($0)""# } ?? ""
    let level = model == Self.thinking ? #","thinkingConfig":{"thinkingLevel":"LOW"}"# : ""
    return Gemini.gemini(
      options, model: model,
      setUp: #"""
        "outputAudioTranscription":{},"generationConfig":{"responseModalities":["AUDIO"]\#(level)},
        "tools":[{"functionDeclarations":[{"name":"get_weather"\#(behavior)},{"name":"get_time"\#(behavior)}]}]\#(more)
        """#)
  }

  /// A function response; `nil` for one without an id.
  private func result(
    _ ids: [String?], names: [String] = ["get_weather", "get_time"], output: String = "7 C", more: String = ""
  ) -> String {
    let list = zip(ids, names).map { id, name in
      let id = id.map { #""id":"\#($0)","# } ?? ""
      return #"{\#(id)"name":"\#(name)","response":{"output":"\#(output)"}\#(more)}"#
    }
    return #"{"toolResponse":{"functionResponses":[\#(list.joined(separator: ","))]}}"#
  }

  private func calls(_ sent: Sent) throws -> [JSONValue] {
    try sent.messages.flatMap { $0["toolCall"]?["functionCalls"]?.array ?? [] }
  }

  private func ids(_ sent: Sent) throws -> [String] {
    try calls(sent).compactMap { $0["id"]?.string }
  }

  @Test("gemini 3.3: a call by name, with arguments, and two in one frame", arguments: [v25, v31, v38])
  func call(_ model: String) throws {
    var dialogue = connect(model, behavior: model == Self.v31 ? nil : "BLOCKING")
    let sent = dialogue.say(text: #"Call get_weather {"city":"Oslo"} and get_time"#)
    let calls = try calls(sent)
    #expect(try sent.messages.count { $0["toolCall"] != nil } == 1)
    #expect(calls.compactMap { $0["name"]?.string } == ["get_weather", "get_time"])
    #expect(calls[0]["args"] == ["city": "Oslo"])
    #expect(calls[1]["args"] == nil)
    let ids = try ids(sent)
    #expect(Set(ids).count == 2)
    #expect(dialogue.say(result([ids[1]], names: ["get_time"])).frames.isEmpty, "the batch is not whole")
    let answer = dialogue.say(result([ids[0]]))
    #expect(try answer.words == "The result of get_weather is 7 C. The result of get_time is 7 C.")
    #expect(try answer.messages.last?["usageMetadata"]?["toolUsePromptTokenCount"]?.int == 14)
  }

  @Test("a name that is not declared is no call")
  func undeclared() throws {
    var dialogue = connect(Self.v38)
    #expect(try dialogue.say(text: "call mother").words == "You said: call mother.")
    #expect(try dialogue.say(text: "call nothing").messages.first == ["toolCall": [:]])
  }

  @Test("gemini 4.1: what follows a blocking call, by family")
  func bareEnds() throws {
    var v25 = connect(Self.v25)
    #expect(try v25.say(text: "call get_time").members == ["toolCall"])
    var v31 = connect(Self.v31)
    #expect(try v31.say(text: "call get_time").members == ["toolCall", "generationComplete", "turnComplete"])
    var v38 = connect(Self.v38, behavior: "BLOCKING")
    let sent = v38.say(text: "call get_time")
    #expect(try sent.members.suffix(2) == ["toolCall", "generationComplete"])
    #expect(try sent.words == "One moment.")
    #expect(try sent.messages.first { $0["toolCall"] != nil }?["usageMetadata"] != nil)
    var options = GeminiLiveStandIn.Options()
    options.sendsBareEnds = true
    var forced = connect(Self.v25, options)
    #expect(try forced.say(text: "call get_time").members == ["toolCall", "generationComplete", "turnComplete"])
  }

  @Test("gemini 3.9: results for calls that do not exist, twice, under another name, without an id")
  func badResults() throws {
    for (response, close): ((String) -> String, StandInFrame) in [
      ({ _ in result(["fc_0"]) }, Self.notFound),
      ({ id in result([id], names: ["get_time"]) }, Self.invalid),
      ({ id in result([id, id], names: ["get_weather", "get_weather"]) }, Self.invalid),
      ({ _ in result([nil]) }, Self.invalid),
    ] {
      var dialogue = connect(Self.v38, behavior: "BLOCKING")
      let id = try ids(dialogue.say(text: "call get_weather"))[0]
      #expect(dialogue.say(response(id)).close == close)
    }
    var dialogue = connect(Self.v38, behavior: "BLOCKING")
    let id = try ids(dialogue.say(text: "call get_weather"))[0]
    #expect(dialogue.say(result([id])).close == nil)
    #expect(dialogue.say(result([id])).close == Self.notFound, "answered already")
  }

  @Test("gemini 2.7: Vertex makes calls without ids, and has a bare turn before its answer")
  func vertex() throws {
    var dialogue = connect(Self.vertex25, behavior: "BLOCKING")
    let sent = dialogue.say(text: "call get_weather and get_weather")
    #expect(try ids(sent).isEmpty)
    let answer = dialogue.say(result([nil, nil], names: ["get_weather", "get_weather"]))
    #expect(try answer.words == "The result of get_weather is 7 C. The result of get_weather is 7 C.")
    #expect(
      try answer.members.prefix(4) == [
        "outputTranscription", "generationComplete", "turnComplete", "groundingMetadata",
      ])
    dialogue.say(text: "call get_weather")
    #expect(dialogue.say(result(["made-up"])).close == Self.invalid)
  }

  @Test("gemini 2.7: with ids on Vertex 3.8 loses a result without one")
  func vertexIDs() throws {
    var options = GeminiLiveStandIn.Options()
    options.givesCallIDs = true
    var dialogue = connect("publishers/google/models/gemini-3.8-live", behavior: "BLOCKING", options)
    let id = try ids(dialogue.say(text: "call get_weather"))[0]
    #expect(dialogue.say(result([nil])).frames.isEmpty)
    #expect(try dialogue.say(result([id])).words == "The result of get_weather is 7 C.")
  }

  @Test(
    "gemini 1.6: who takes scheduling, and willContinue",
    arguments: [(v25, nil, true), (v31, nil, false), (v38, "NON_BLOCKING", true), (thinking, nil, false)]
      as [(String, String?, Bool)])
  func scheduling(_ model: String, _ behavior: String?, _ isTaken: Bool) throws {
    var dialogue = connect(model, behavior: behavior)
    let id = try ids(dialogue.say(text: "call get_weather"))[0]
    let sent = dialogue.say(result([id], more: #","scheduling":"SILENT""#))
    #expect(sent.close == (isTaken ? nil : Self.invalid))
  }

  @Test("gemini 1.7: scheduling and willContinue on Vertex")
  func vertexScheduling() throws {
    var first = connect(Self.vertex25)
    first.say(text: "call get_weather")
    #expect(first.say(result([nil], more: #","scheduling":"SILENT""#)).close == Self.invalid)
    var second = connect(Self.vertex25)
    second.say(text: "call get_weather")
    #expect(second.say(result([nil], more: #","willContinue":false"#)).close != nil)
  }

  @Test("gemini 2.7: non-blocking calls let the conversation go on; results as they are scheduled")
  func nonBlocking() throws {
    var options = GeminiLiveStandIn.Options()
    options.answerInterval = .milliseconds(20)
    // Nothing stated: 3.8 does not block.
    var dialogue = connect(Self.v38, options)
    let sent = dialogue.say(text: "call get_weather")
    #expect(try sent.members.suffix(2) == ["generationComplete", "turnComplete"])
    let id = try ids(sent)[0]
    #expect(try dialogue.say(text: "hello").words == "You said: hello.")
    #expect(dialogue.say(result([id], more: #","scheduling":"SILENT","willContinue":true"#)).frames.isEmpty)
    _ = dialogue.begin(Gemini.textTurn("hello again"))
    let interrupted = dialogue.say(result([id], more: #","scheduling":"INTERRUPT","willContinue":true"#))
    #expect(try interrupted.members.prefix(2) == ["interrupted", "turnComplete"])
    #expect(try interrupted.words == "The result of get_weather is 7 C.")
    _ = dialogue.begin(Gemini.textTurn("and again"))
    let last = dialogue.say(result([id]))
    #expect(try last.words == "You said: and again.The result of get_weather is 7 C.")
    #expect(dialogue.say(result([id])).close == Self.notFound)
  }

  @Test("gemini 8.18: extended thinking says something, calls, and is idle at the end")
  func extendedThinking() throws {
    var dialogue = connect(Self.thinking)
    let sent = dialogue.say(text: "call get_weather")
    let status = { (sent: Sent) in
      try sent.messages.compactMap { $0["serverContent"]?["interactionStatus"]?.string }
    }
    #expect(try status(sent) == ["IN_PROGRESS"])
    #expect(try sent.members.last == "toolCall")
    let id = try ids(sent)[0]
    let answer = dialogue.say(result([id]))
    #expect(try status(answer) == ["IDLE"])
    #expect(try !answer.members.contains("generationComplete"))
    #expect(try status(dialogue.say(text: "think hard")) == ["IN_PROGRESS", "IDLE"])
  }

  @Test("gemini 3.4: an interruption cancels the call; older models say so", arguments: [v25, v38])
  func cancellation(_ model: String) throws {
    var dialogue = connect(model, behavior: "BLOCKING")
    let id = try ids(dialogue.say(text: "call get_weather"))[0]
    let content = #"{"clientContent":{"turns":[{"role":"user","parts":[{"text":"never mind"}]}],"turnComplete":true}}"#
    let sent = dialogue.say(content)
    let cancelled = try sent.messages.compactMap { $0["toolCallCancellation"]?["ids"] }
    #expect(cancelled == (model == Self.v25 ? [[.string(id)]] : []))
    #expect(try sent.words == "You said: never mind.")
    #expect(dialogue.say(result([id])).frames.isEmpty, "a late result is ignored")
  }

  @Test("gemini 3.4: an interrupted call comes again under a new id")
  func again() throws {
    var options = GeminiLiveStandIn.Options()
    options.repeatsInterruptedCalls = true
    var dialogue = connect(Self.v38, behavior: "BLOCKING", options)
    let id = try ids(dialogue.say(text: "call get_weather"))[0]
    dialogue.say(text: "wait")
    let alarm = try #require(dialogue.script.takeAlarms().last)
    #expect(alarm.after == .milliseconds(2_600))
    _ = dialogue.script.ring(alarm)
    let again = try ids(dialogue.advance(1))
    #expect(again.count == 1 && again != [id])
  }

  @Test("2.5 answers text after the call; with NO_INTERRUPTION speech waits, too")
  func queued() throws {
    var dialogue = connect(Self.v25)
    let id = try ids(dialogue.say(text: "call get_weather"))[0]
    #expect(dialogue.say(text: "hello").frames.isEmpty)
    #expect(try dialogue.say(result([id])).words == "The result of get_weather is 7 C.You said: hello.")
  }

  @Test("gemini 1.7: an empty answer after a result")
  func emptyAnswer() throws {
    var options = GeminiLiveStandIn.Options()
    options.isSilentAfterResults = true
    var dialogue = connect(Self.v38, behavior: "BLOCKING", options)
    let id = try ids(dialogue.say(text: "call get_weather"))[0]
    #expect(try dialogue.say(result([id])).members == ["turnComplete"])
  }

  @Test("errors and whole objects as results")
  func results() throws {
    for (response, words) in [
      (#"{"error":"no network"}"#, "get_time failed: no network."),
      (#"{"temp_c":7}"#, #"The result of get_time is {"temp_c":7}."#),
    ] {
      var dialogue = connect(Self.v38, behavior: "BLOCKING")
      let id = try ids(dialogue.say(text: "call get_time"))[0]
      let list = #"[{"id":"\#(id)","name":"get_time","response":\#(response)}]"#
      #expect(try dialogue.say(#"{"toolResponse":{"functionResponses":\#(list)}}"#).words == words)
    }
  }
}
