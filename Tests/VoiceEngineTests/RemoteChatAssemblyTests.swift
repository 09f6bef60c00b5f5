import Envelope
import Testing

@testable import VoiceEngine

@Suite("Chunks of a chat completion") struct RemoteChatAssemblyTests {
  /// The events of `chunks` and of the end behind them.
  static func events(_ chunks: [String], isAnnounced: Bool = true) throws -> [ResponderEvent] {
    var assembly = ChatAssembly()
    var events: [ResponderEvent] = []
    for chunk in chunks { events += try assembly.take(try JSONValue(parsing: chunk)) }
    return events + (try assembly.finish(isAnnounced: isAnnounced))
  }

  static func delta(_ delta: String, _ reason: String = "null") -> String {
    #"{"choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(reason)}]}"#
  }

  static func calls(_ chunks: [String]) throws -> [ChatMessage.Call] {
    try events(chunks).compactMap { event in
      guard case .call(let call) = event else { return nil }
      return call
    }
  }

  @Test("words, ending and usage, whose chunk has no choices")
  func words() throws {
    let events = try Self.events([
      Self.delta(#"{"role":"assistant","content":""}"#), Self.delta(#"{"content":"Hel"}"#),
      Self.delta(#"{"content":"lo"}"#), Self.delta("{}", #""stop""#),
      #"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}}"#,
    ])
    #expect(
      events == [.text("Hel"), .text("lo"), .usage(inputTokens: 9, outputTokens: 5), .finished(.complete)])
  }

  @Test("thoughts are never spoken, neither as fields nor as tags")
  func thoughts() throws {
    let events = try Self.events([
      Self.delta(#"{"reasoning":"hm","content":null}"#), Self.delta(#"{"reasoning_content":"hm"}"#),
      Self.delta(#"{"content":"<thi"}"#), Self.delta(#"{"content":"nk>let me</think>Yes"}"#),
      Self.delta("{}", #""stop""#),
    ])
    #expect(events == [.text("Yes"), .finished(.complete)])
  }

  @Test("a call in pieces")
  func callInPieces() throws {
    let calls = try Self.calls([
      Self.delta(
        #"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}}]}"#),
      Self.delta(#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"ci"}}]}"#),
      Self.delta(#"{"tool_calls":[{"index":0,"function":{"arguments":"ty\":1}"}}]}"#),
      Self.delta("{}", #""tool_calls""#),
    ])
    #expect(calls == [.init(id: "call_1", name: "f", arguments: #"{"city":1}"#)])
  }

  @Test("interleaved calls are told apart by their index")
  func interleaved() throws {
    let calls = try Self.calls([
      Self.delta(#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]}"#),
      Self.delta(#"{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}]}"#),
      Self.delta(
        #"{"tool_calls":[{"index":0,"function":{"arguments":"}"}},{"index":1,"function":{"arguments":"}"}}]}"#),
      Self.delta("{}", #""tool_calls""#),
    ])
    #expect(calls == [.init(id: "a", name: "f", arguments: "{}"), .init(id: "b", name: "g", arguments: "{}")])
  }

  @Test("whole calls in one chunk, all with index 0 and new ids, finished with stop")
  func sameIndex() throws {
    let calls = try Self.calls([
      Self.delta(
        #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}},"#
          + #"{"index":0,"id":"b","function":{"name":"f","arguments":"{\"x\":2}"}}]}"#),
      Self.delta("{}", #""stop""#),
    ])
    #expect(
      calls == [
        .init(id: "a", name: "f", arguments: #"{"x":1}"#), .init(id: "b", name: "f", arguments: #"{"x":2}"#),
      ])
  }

  @Test("calls without ids get some; a name behind complete arguments begins the next; objects as arguments")
  func withoutIDs() throws {
    let calls = try Self.calls([
      Self.delta(#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":{"x":1}}}]}"#),
      Self.delta(#"{"tool_calls":[{"index":0,"function":{"name":"g","arguments":""}}]}"#, #""stop""#),
    ])
    #expect(calls.map(\.name) == ["f", "g"])
    #expect(calls.map(\.arguments) == [#"{"x":1}"#, "{}"])
    #expect(calls.allSatisfy { $0.id.hasPrefix("call_") } && calls[0].id != calls[1].id)
  }

  @Test("a repeated id and name do not begin a new call")
  func repeatedHead() throws {
    let head = #""index":0,"id":"a","function":{"name":"f","arguments":"#
    let calls = try Self.calls([
      Self.delta(#"{"tool_calls":[{\#(head)"{\"x\":"}}]}"#), Self.delta(#"{"tool_calls":[{\#(head)"1}"}}]}"#),
      Self.delta("{}", #""tool_calls""#),
    ])
    #expect(calls == [.init(id: "a", name: "f", arguments: #"{"x":1}"#)])
  }

  @Test("an answer makes so many calls and no more", arguments: [64, 65])
  func manyCalls(_ count: Int) throws {
    let chunks = (0..<count).map { index in
      Self.delta(#"{"tool_calls":[{"index":\#(index),"id":"c\#(index)","function":{"name":"f","arguments":"{}"}}]}"#)
    }
    if count <= ChatAssembly.maximumCalls {
      #expect(try Self.calls(chunks + [Self.delta("{}", #""tool_calls""#)]).count == count)
    } else {
      #expect(throws: ChatAssembly.Fault.self) { try Self.calls(chunks) }
    }
  }

  @Test("a call that the token limit cut is not made")
  func cutCall() throws {
    let events = try Self.events([
      Self.delta(#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x"}}]}"#),
      Self.delta("{}", #""length""#),
    ])
    #expect(events == [.finished(.maximumTokens)])
  }

  @Test(
    "endings",
    arguments: [("length", ResponderEnding.maximumTokens), ("content_filter", .contentFilter), ("eos", .complete)])
  func endings(_ reason: String, _ ending: ResponderEnding) throws {
    #expect(try Self.events([Self.delta("{}", "\"\(reason)\"")], isAnnounced: false) == [.finished(ending)])
  }

  @Test("a whole completion, content as parts, usage of Groq")
  func whole() throws {
    let events = try Self.events([
      #"{"choices":[{"index":0,"message":{"content":[{"type":"text","text":"Hi"}]},"finish_reason":"stop"}],"#
        + #""x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":2}}}"#
    ])
    #expect(events == [.text("Hi"), .usage(inputTokens: 1, outputTokens: 2), .finished(.complete)])
  }

  @Test("the end without [DONE] and without a reason is a fault")
  func earlyEnd() {
    #expect(throws: ChatAssembly.Fault.self) {
      try Self.events([Self.delta(#"{"content":"Hel"}"#)], isAnnounced: false)
    }
  }

  @Test(
    "errors in the middle",
    arguments: [
      #"{"error":{"message":"broken","code":502}}"#, #"{"error":"broken"}"#,
      #"{"object":"error","message":"broken","code":40303}"#,
      #"{"choices":[{"delta":{"content":""},"finish_reason":"error"}],"error":{"message":"broken"}}"#,
      #"{"choices":[{"index":0,"error":{"message":"broken"},"finish_reason":"error"}]}"#,
    ])
  func errors(_ chunk: String) throws {
    var assembly = ChatAssembly()
    _ = try assembly.take(try JSONValue(parsing: Self.delta(#"{"content":"Hel"}"#)))
    do {
      let events = try assembly.take(try JSONValue(parsing: chunk))
      Issue.record("\(events)")
    } catch {
      guard case .refused(let refusal) = error as? ChatAssembly.Fault else {
        Issue.record("\(error)")
        return
      }
      #expect(refusal.message == "broken")
    }
  }
}
