/// How much of a conversation a chat model is given.
public struct HistoryBudget: Sendable, Hashable {
  /// Tokens of instructions and messages together.
  public var tokens: Int

  public init(tokens: Int) {
    self.tokens = tokens
  }

  /// About what a message costs: four characters a token, and four tokens for its frame.
  public static func estimate(_ message: ChatMessage) -> Int {
    let calls = message.calls.reduce(0) { $0 + $1.name.count + $1.arguments.count }
    return 4 + (message.text.count + calls + 3) / 4
  }

  /// The messages that fit. Whole turns go, oldest first; a turn begins with a message of the user. System messages and
  /// the last turn always stay. Calls and results are paired (see `paired`), so that they go together.
  public func trimmed(_ messages: [ChatMessage], instructions: String = "") -> [ChatMessage] {
    let messages = Self.paired(messages)
    var total = (instructions.count + 3) / 4 + messages.reduce(0) { $0 + Self.estimate($1) }
    guard total > tokens else { return messages }
    let starts = messages.indices.filter { messages[$0].role == .user }
    // What precedes the first turn of the user is a turn of its own.
    let bounds = (starts.first == 0 ? starts : [0] + starts) + [messages.count]
    var kept = [Bool](repeating: true, count: messages.count)
    for turn in 0..<max(0, bounds.count - 2) where total > tokens {
      for index in bounds[turn]..<bounds[turn + 1] where messages[index].role != .system {
        kept[index] = false
        total -= Self.estimate(messages[index])
      }
    }
    return zip(messages, kept).filter(\.1).map(\.0)
  }

  /// Puts each result right behind the message with its call, and drops results without a call and calls without a
  /// result: chat servers refuse a history in which they are apart.
  public static func paired(_ messages: [ChatMessage]) -> [ChatMessage] {
    var results: [String: ChatMessage] = [:]
    for message in messages where message.role == .tool {
      if let id = message.callID, results[id] == nil { results[id] = message }
    }
    var paired: [ChatMessage] = []
    for message in messages where message.role != .tool {
      var message = message
      let answers = message.calls.compactMap { results.removeValue(forKey: $0.id) }
      let answered = Set(answers.compactMap(\.callID))
      let hadCalls = !message.calls.isEmpty
      message.calls.removeAll { !answered.contains($0.id) }
      if hadCalls, message.calls.isEmpty, message.text.isEmpty { continue }
      paired.append(message)
      paired += answers
    }
    return paired
  }
}
