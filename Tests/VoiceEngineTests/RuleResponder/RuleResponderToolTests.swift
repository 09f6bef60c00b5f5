import Testing

@testable import VoiceEngine

@Suite struct RuleResponderToolTests {
  static let weather = ChatTool(
    name: "get_weather", summary: "Weather",
    parameters: """
      {"type":"object","required":["city"],"properties":{
        "city":{"type":"string"},"unit":{"type":"string","enum":["celsius","fahrenheit"]}}}
      """
  )
  static let timer = ChatTool(
    name: "setTimer",
    parameters: #"{"type":"object","properties":{"minutes":{"type":"integer"}},"required":["minutes"]}"#)
  static let ping = ChatTool(name: "ping")

  func call(_ text: String?, _ choice: ChatToolChoice = .auto) throws -> ChatMessage.Call? {
    var request = ResponderRequest()
    request.messages = text.map { [ChatMessage(role: .user, text: $0)] } ?? []
    request.tools = [Self.weather, Self.timer, Self.ping]
    request.toolChoice = choice
    for case .call(let call) in try ruleResponder().events(for: request) { return call }
    return nil
  }

  @Test(
    "a function is called by its name, with the words that its schema has a place for",
    arguments: [
      ("call get weather", "get_weather", "{}"), ("Use get_weather.", "get_weather", "{}"),
      ("Run the get weather tool for New York, please.", "get_weather", #"{"city":"New York"}"#),
      ("What is the weather in Paris?", "get_weather", #"{"city":"Paris"}"#),
      ("What's the weather in Paris in celsius?", "get_weather", #"{"city":"Paris","unit":"celsius"}"#),
      ("Set a timer for five minutes.", "setTimer", #"{"minutes":5}"#),
      ("invoke the ping function", "ping", "{}"),
    ])
  func called(_ text: String, _ name: String, _ arguments: String) throws {
    let call = try #require(try call(text))
    #expect(call.name == name)
    #expect(call.arguments == arguments)
    #expect(call.id.hasPrefix("call_") && call.id.count == 29)
  }

  @Test("a name that does not occur, or words to repeat, call nothing")
  func notCalled() throws {
    #expect(try call("What is the climate in Paris?") == nil)
    #expect(try call("Repeat after me: the weather in Paris") == nil)
    #expect(try call("call get weather", ChatToolChoice.none) == nil)
  }

  @Test("a required or a named function is called whatever was said")
  func forced() throws {
    #expect(try call("I like trains", .required)?.name == "get_weather")
    #expect(try call("Set a timer for 3 minutes", .required)?.arguments == #"{"minutes":3}"#)
    #expect(try call("I like trains", .function("ping"))?.name == "ping")
    #expect(try call(nil, .function("ping"))?.arguments == "{}")
    #expect(try call("I like trains", .function("absent")) == nil)
  }

  @Test(
    "the result of a function is said in words",
    arguments: [
      (#"{"temperature_c":21,"sky":"clear","windy":false}"#, "temperature c 21, sky clear, windy no."),
      ("It is sunny!", "It is sunny!"), ("[1,2]", "1, 2."), ("{\"broken\":", "{\"broken\":."), ("{}", "nothing."),
    ])
  func result(_ output: String, _ spoken: String) throws {
    var request = ResponderRequest()
    var asked = ChatMessage(role: .assistant, text: "")
    asked.calls = [ChatMessage.Call(id: "call_1", name: "get_weather", arguments: "{}")]
    var answer = ChatMessage(role: .tool, text: output)
    answer.callID = "call_1"
    request.messages = [ChatMessage(role: .user, text: "call get weather"), asked, answer]
    request.tools = [Self.weather]
    #expect(try said(request) == "The tool get_weather says: " + spoken)
    // A forced choice must not call again and again.
    request.toolChoice = .required
    #expect(try said(request) == "The tool get_weather says: " + spoken)
  }

  @Test("a schema that is none, a name of odd characters and a limit of tokens do no harm")
  func odd() throws {
    var request = ResponderRequest()
    request.messages = [ChatMessage(role: .user, text: "call the thing")]
    request.tools = [ChatTool(name: "…", parameters: "not JSON"), ChatTool(name: "thing", parameters: "[]")]
    #expect(
      try ruleResponder().events(for: request).contains {
        if case .call(let call) = $0 { call.name == "thing" && call.arguments == "{}" } else { false }
      })
    request.maximumTokens = 1
    #expect(
      try ruleResponder().events(for: request) == [.usage(inputTokens: 8, outputTokens: 0), .finished(.maximumTokens)])
  }
}
