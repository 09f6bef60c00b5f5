public import Envelope

/// The texts of a user turn that make a stand-in do something else than say "You said: …"; the same ones for all
/// services, as far as a service knows the thing.
///
/// The whole text counts, or else its last line; case, surrounding space and a final full stop or question mark do not.
public enum StandInTrigger: Sendable, Equatable {
  /// The texts, for the help of the command line.
  public static let help = """
    "call NAME", "call NAME {JSON} and NAME" (declared functions), "call nothing", "tell me a long story", \
    "say nothing", "stall", "think hard", "end with REASON", "speak and end with REASON", "fail with CODE", \
    "interrupt yourself", "what did I say", "what was said", "what are your instructions", "what are your tools", \
    "what is your voice", "what have you seen", "hear PHRASE" (spoken turns are heard as that), \
    "close CODE [REASON]" (in Gemini's instructions: refuses the set-up), "close CODE while you speak", "drop the line", \
    "drop the line N times", "drop the line while you speak", "go away", "forget my handles", \
    "fail my next resumption", "show your extras", "run out of sessions". Anything else is answered with \
    "You said: …".
    """

  public struct Call: Sendable, Equatable {
    public var name: String
    public var arguments: JSONValue
  }

  /// `call NAME`, `call NAME {"city":"Oslo"}`, `call A and B`: calls of declared functions, in one `toolCall`.
  case call([Call])
  /// `call nothing`: a `toolCall` without calls, then an ordinary answer.
  case callNothing
  /// `tell me a long story`: an answer that is long enough to be interrupted.
  case story
  /// `say nothing`, or a lone full stop as 3.x models take it: an empty turn.
  case nothing
  /// `stall`: no answer at all.
  case stall
  /// `end with REASON`: an empty turn with that `turnCompleteReason`.
  case end(String)
  /// `speak and end with REASON`: the reason comes after words and sound.
  case speakAndEnd(String)
  /// `think hard`: something to say first, then the answer; on extended thinking in two turns.
  case thinkHard
  /// `interrupt yourself`: `interrupted` in the middle of an answer though nobody spoke.
  case phantom
  /// `what did i say`: the user's texts that the session has in context.
  case recall
  /// `what was said`: the texts of both sides.
  case recallAll
  /// `what are your instructions`, `what are your tools`, `what is your voice`, `what have you seen`.
  case instructions
  case tools
  case voice
  case images
  /// `hear PHRASE`: spoken turns are heard as that from now on.
  case hear(String)
  /// `close CODE` or `close CODE REASON`: the connection ends so. As the instruction of a set-up it refuses that.
  case close(UInt16, String)
  /// `close CODE while you speak`: the same in the middle of an answer.
  case closeMidway(UInt16)
  /// `drop the line`: the connection ends without a close frame.
  case abort
  /// `drop the line while you speak`: the same in the middle of an answer.
  case abortMidway
  /// `go away`: the answer, then `goAway`, then the end of the connection when the time is over.
  case goAway
  /// `drop the line N times`: this connection and the next N - 1 end without a close frame.
  case abortTimes(Int)
  /// `fail with CODE`: a response that failed for that reason.
  case fail(String)
  /// `show your extras`: every event of the service's own that its vocabulary has beside the common ones.
  case extras
  /// `run out of sessions`: what the service says when it has no capacity left.
  case exhaust
  /// `forget my handles`: every handle of the session becomes stale.
  case forgetHandles
  /// `fail my next resumption`: the next attempt to resume the session closes with 1011.
  case failResumption

  /// - Parameter declared: the names of the functions that can be called.
  init?(_ text: String, declared: Set<String>) {
    let whole = text.trimmingWhitespace
    guard
      let trigger = Self.read(whole, declared)
        ?? whole.split(separator: "\n").last.flatMap({ line in
          Self.read(String(line).trimmingWhitespace, declared)
        })
    else { return nil }
    self = trigger
  }

  private static let plain: [String: Self] = [
    "call nothing": .callNothing, "tell me a long story": .story, "say nothing": .nothing, "stall": .stall,
    "think hard": .thinkHard, "interrupt yourself": .phantom, "what did i say": .recall, "what was said": .recallAll,
    "what are your instructions": .instructions, "what are your tools": .tools, "what is your voice": .voice,
    "what have you seen": .images, "drop the line": .abort, "drop the line while you speak": .abortMidway,
    "go away": .goAway, "forget my handles": .forgetHandles, "fail my next resumption": .failResumption,
    "show your extras": .extras, "run out of sessions": .exhaust,
  ]

  private static func read(_ text: String, _ declared: Set<String>) -> Self? {
    var bare = text.lowercased()
    while let last = bare.last, ".!?".contains(last) { bare.removeLast() }
    if let trigger = plain[bare] { return trigger }
    let rest = { (prefix: String) -> String? in
      bare.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)).trimmingWhitespace : nil
    }
    if let names = rest("call ") { return calls(in: names, declared).map { .call($0) } }
    if let reason = rest("end with ") { return .end(reason) }
    if let reason = rest("speak and end with ") { return .speakAndEnd(reason) }
    if let code = rest("fail with ") { return .fail(code) }
    if let count = rest("drop the line ")?.split(separator: " ").first.flatMap({ Int($0) }),
      count > 0
    {
      return .abortTimes(count)
    }
    if let phrase = rest("hear ") { return .hear(phrase) }
    if let words = rest("close ")?.split(separator: " ", maxSplits: 1), let code = words.first.flatMap({ UInt16($0) }),
      (1_000..<5_000).contains(code)
    {
      if words.count > 1, words[1].lowercased().hasPrefix("while you speak") { return .closeMidway(code) }
      return .close(code, words.count > 1 ? String(words[1]) : reason(for: code))
    }
    return nil
  }

  static func reason(for code: UInt16) -> String {
    switch code {
    case 1007: "Request contains an invalid argument."
    case 1008: "Operation is not implemented, or supported, or enabled."
    case 1011: "Internal error occurred."
    default: ""
    }
  }

  /// `NAME`, each with or without a JSON object, with `and` in between; nil if a name is not declared.
  private static func calls(in text: String, _ declared: Set<String>) -> [Call]? {
    var rest = Substring(text)
    var calls: [Call] = []
    while true {
      var name = String(rest.prefix { $0 != " " && $0 != "{" })
      rest = rest.dropFirst(name.count).drop { $0 == " " }
      if !declared.contains(name), let last = name.last, ".!?".contains(last) { name.removeLast() }
      guard declared.contains(name) else { return nil }
      var arguments: JSONValue = [:]
      if rest.first == "{" {
        guard let (value, length) = object(at: rest) else { return nil }
        arguments = value
        rest = rest.dropFirst(length).drop { $0 == " " }
      }
      calls.append(Call(name: name, arguments: arguments))
      guard rest.hasPrefix("and ") else { return calls }
      rest = rest.dropFirst(4).drop { $0 == " " }
    }
  }

  /// The object that the text begins with, and its length: the shortest prefix that is JSON.
  private static func object(at text: Substring) -> (JSONValue, Int)? {
    for (offset, character) in text.enumerated() where character == "}" {
      if let value = try? JSONValue(parsing: String(text.prefix(offset + 1))) { return (value, offset + 1) }
    }
    return nil
  }
}
