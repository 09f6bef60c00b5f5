import Testing

@testable import VoiceEngine

@Suite("History of a chat") struct RemoteHistoryTests {
  static func message(_ role: ChatMessage.Role, _ text: String) -> ChatMessage { ChatMessage(role: role, text: text) }

  static func call(_ ids: String...) -> ChatMessage {
    var message = ChatMessage(role: .assistant, text: "")
    message.calls = ids.map { .init(id: $0, name: "f", arguments: "{}") }
    return message
  }

  static func result(_ id: String) -> ChatMessage {
    var message = ChatMessage(role: .tool, text: "result of \(id)")
    message.callID = id
    return message
  }

  /// 40 characters are ten tokens, and four for the frame.
  static func turn(_ number: Int) -> [ChatMessage] {
    [message(.user, "question \(number)".padded), message(.assistant, "answer \(number)".padded)]
  }

  @Test("what fits stays as it is")
  func fits() {
    let history = Self.turn(1) + Self.turn(2)
    #expect(HistoryBudget(tokens: 56).trimmed(history) == history)
  }

  @Test("whole turns go, oldest first, and only as many as needed")
  func oldest() {
    let history = Self.turn(1) + Self.turn(2) + Self.turn(3)
    #expect(HistoryBudget(tokens: 83).trimmed(history) == Self.turn(2) + Self.turn(3))
    #expect(HistoryBudget(tokens: 56).trimmed(history) == Self.turn(2) + Self.turn(3))
    #expect(HistoryBudget(tokens: 55).trimmed(history) == Self.turn(3))
  }

  @Test("the instructions count, the last turn and system messages stay whatever they cost")
  func alwaysStays() {
    let system = Self.message(.system, "be brief".padded)
    let history = [Self.message(.assistant, "hello".padded), system] + Self.turn(1) + Self.turn(2)
    #expect(HistoryBudget(tokens: 0).trimmed(history) == [system] + Self.turn(2))
    let kept = HistoryBudget(tokens: 56).trimmed(Self.turn(1) + Self.turn(2), instructions: "Be kind.")
    #expect(kept == Self.turn(2))
  }

  @Test("a call and its result go together")
  func callsGoWithResults() {
    let first = [Self.message(.user, "one".padded), Self.call("a"), Self.result("a"), Self.message(.assistant, "done")]
    let history = first + Self.turn(2)
    for budget in 0..<80 {
      let kept = HistoryBudget(tokens: budget).trimmed(history)
      #expect(kept == history || kept == Self.turn(2), "budget \(budget)")
    }
  }

  @Test("results move behind their calls; calls and results that are alone are dropped")
  func pairing() {
    let question = Self.message(.user, "question")
    let history = [
      Self.result("x"), Self.call("a"), Self.call("b", "c"), question, Self.result("c"), Self.result("a"),
      Self.call("d"),
    ]
    let expected = [Self.call("a"), Self.result("a"), Self.call("c"), Self.result("c"), question]
    #expect(HistoryBudget.paired(history) == expected)
  }

  @Test("words of a message whose call is dropped stay")
  func wordsStay() {
    var message = Self.call("a")
    message.text = "Let me see."
    #expect(HistoryBudget.paired([message]) == [Self.message(.assistant, "Let me see.")])
  }
}

extension String {
  /// Forty characters.
  fileprivate var padded: String { self + String(repeating: ".", count: 40 - count) }
}
