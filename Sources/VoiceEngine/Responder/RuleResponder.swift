public import Foundation

/// Answers without a language model: a few skills with true answers, functions by their names, and otherwise what it
/// heard. It says what it is. English.
public struct RuleResponder: Responder {
  public static let model = "parley-rules"

  private let now: @Sendable () -> Date
  private let timeZone: TimeZone
  private let random: @Sendable (ClosedRange<Int>) -> Int

  /// - Parameters:
  ///   - now: the clock.
  ///   - timeZone: where the time and the date are told.
  ///   - random: a number of the range; for coins, dice and the ids of calls.
  public init(
    now: @escaping @Sendable () -> Date = { Date() }, timeZone: TimeZone = .current,
    random: @escaping @Sendable (ClosedRange<Int>) -> Int = { Int.random(in: $0) }
  ) {
    self.now = now
    self.timeZone = timeZone
    self.random = random
  }

  public var description: StageDescription { StageDescription(.llm, "rules", model: Self.model) }

  public func respond(to request: ResponderRequest) -> AsyncThrowingStream<ResponderEvent, any Error> {
    let events = events(for: request)
    return AsyncThrowingStream { continuation in
      for event in events { continuation.yield(event) }
      continuation.finish()
    }
  }

  // MARK: The answer

  enum Answer: Equatable {
    case text(String)
    case call(ChatMessage.Call)
  }

  func events(for request: ResponderRequest) -> [ResponderEvent] {
    let limit = request.maximumTokens.map { max(0, $0) } ?? .max
    var events: [ResponderEvent] = []
    var ending = ResponderEnding.complete
    var outputTokens = 0
    switch answer(request) {
    case .call(let call):
      outputTokens = Self.tokens(call.name.count + call.arguments.count)
      if outputTokens <= limit {
        events.append(.call(call))
      } else {
        // Half a call is of no use.
        (outputTokens, ending) = (0, .maximumTokens)
      }
    case .text(let text):
      outputTokens = Self.tokens(text.count)
      var said = text[...]
      if outputTokens > limit {
        said = text.prefix(limit * 4)
        (outputTokens, ending) = (limit, .maximumTokens)
      }
      events += Self.pieces(said).map { .text($0) }
    }
    events.append(.usage(inputTokens: Self.inputTokens(request), outputTokens: outputTokens))
    events.append(.finished(ending))
    return events
  }

  private func answer(_ request: ResponderRequest) -> Answer {
    let results = request.messages.suffix(while: { $0.role == .tool })
    if !results.isEmpty {
      return .text(results.map { Self.report($0, request.messages) }.joined(separator: " "))
    }
    let userTurns = request.messages.filter { $0.role == .user }
    let utterance = Utterance(userTurns.last?.text ?? "")
    if let call = call(utterance, request) { return .call(call) }
    guard userTurns.last != nil else { return .text(Self.opening(request.instructions)) }
    guard utterance.source.contains(where: { !$0.isWhitespace }) else { return .text("I did not hear anything.") }
    return .text(skill(utterance, request, userTurns) ?? Self.reflection(utterance, request.messages))
  }

  private func skill(
    _ utterance: Utterance, _ request: ResponderRequest, _ userTurns: [ChatMessage]
  ) -> String? {
    let clock = ClockSkill(now: now(), timeZone: timeZone)
    let chance = ChanceSkills(random: random)
    // A command to repeat is not answered: "repeat after me: what time is it".
    let previous = request.messages.last { $0.role == .assistant && !$0.text.isEmpty }?.text
    let skills: [() -> String?] = [
      { LanguageSkills.echo(utterance, previousAnswer: previous) },
      { clock.time(utterance) }, { clock.date(utterance) },
      { ArithmeticSkill.answer(utterance) },
      { LanguageSkills.spell(utterance) }, { LanguageSkills.count(utterance) },
      { chance.coin(utterance) }, { chance.dice(utterance) }, { chance.number(utterance) },
      { TalkSkills.help(utterance) }, { TalkSkills.identity(utterance) },
      { TalkSkills.heard(utterance, userTurns: userTurns) },
      { TalkSkills.farewell(utterance) }, { TalkSkills.courtesy(utterance) },
    ]
    for skill in skills {
      if let answer = skill() { return answer }
    }
    return nil
  }

  private static let confession =
    "I have no language model. Point LLM_BASE_URL at an OpenAI-compatible server to get real answers."

  /// What was heard, and once per session why there is no better answer.
  private static func reflection(_ utterance: Utterance, _ messages: [ChatMessage]) -> String {
    let heard = Utterance.bare(utterance.source[...])
    let said = heard.count <= 400 ? heard : heard.prefix(400) + "…"
    let hasConfessed = messages.contains { $0.role == .assistant && $0.text.contains("I have no language model.") }
    let reflection = "You said: " + LanguageSkills.ended(String(said))
    return hasConfessed ? reflection : reflection + " " + confession
  }

  /// Without a message of the user: what the instructions want said word for word, else a greeting.
  private static func opening(_ instructions: String) -> String {
    guard let marker = instructions.range(of: "say exactly", options: .caseInsensitive) else {
      return TalkSkills.greeting
    }
    let line = instructions[marker.upperBound...].prefix { !$0.isNewline }
    let text = Utterance.bare(line)
    return text.isEmpty ? TalkSkills.greeting : String(text.prefix(1_000))
  }

  private static func report(_ result: ChatMessage, _ messages: [ChatMessage]) -> String {
    let name = messages.lazy.flatMap(\.calls).last { $0.id == result.callID }?.name
    let subject = name.map { "The tool \($0)" } ?? "The tool"
    let text = ToolMatching.spoken(result.text)
    return text.isEmpty ? "\(subject) says nothing." : LanguageSkills.ended("\(subject) says: \(text)")
  }

  // MARK: Functions

  private func call(_ utterance: Utterance, _ request: ResponderRequest) -> ChatMessage.Call? {
    let matching = ToolMatching(utterance: utterance)
    let match: ToolMatching.Match?
    switch request.toolChoice {
    case .none: return nil
    case .auto:
      let isImplied = LanguageSkills.echo(utterance, previousAnswer: nil) == nil
      match = matching.match(request.tools, isImplied: isImplied)
    case .required:
      match =
        matching.match(request.tools, isImplied: true)
        ?? request.tools.first.map { ToolMatching.Match(tool: $0, position: nil) }
    case .function(let name):
      let tools = request.tools.filter { $0.name == name }
      match =
        matching.match(tools, isImplied: true) ?? tools.first.map { ToolMatching.Match(tool: $0, position: nil) }
    }
    guard let match else { return nil }
    return ChatMessage.Call(id: callID(), name: match.tool.name, arguments: matching.arguments(match))
  }

  private func callID() -> String {
    let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyz")
    return "call_" + String((0..<24).map { _ in alphabet[random(0...alphabet.count - 1) % alphabet.count] })
  }

  // MARK: Pieces and tokens

  /// Groups of at most four words; a sentence ends its group. Together they are the text.
  private static func pieces(_ text: Substring) -> [String] {
    var pieces: [String] = []
    var piece = ""
    var wordCount = 0
    var previous: Character = " "
    for character in text {
      if previous == " ", character != " ", wordCount == 4 || (wordCount > 0 && endsSentence(piece)) {
        pieces.append(piece)
        (piece, wordCount) = ("", 0)
      }
      if previous == " ", character != " " { wordCount += 1 }
      piece.append(character)
      previous = character
    }
    return piece.isEmpty ? pieces : pieces + [piece]
  }

  private static func endsSentence(_ piece: String) -> Bool {
    piece.last { $0 != " " }.map { ".!?".contains($0) } == true
  }

  /// About four characters make a token of English.
  private static func tokens(_ characters: Int) -> Int { (characters + 3) / 4 }

  private static func inputTokens(_ request: ResponderRequest) -> Int {
    var characters = request.instructions.utf8.count
    for message in request.messages {
      characters += message.text.utf8.count
      for call in message.calls { characters += call.name.utf8.count + call.arguments.utf8.count }
    }
    for tool in request.tools {
      characters += tool.name.utf8.count + tool.summary.utf8.count + (tool.parameters?.utf8.count ?? 0)
    }
    return tokens(characters)
  }
}

extension Array {
  /// The elements at the end that all satisfy `condition`, in order.
  fileprivate func suffix(while condition: (Element) -> Bool) -> ArraySlice<Element> {
    let start = lastIndex { !condition($0) }.map { $0 + 1 } ?? startIndex
    return self[start...]
  }
}
