import Envelope

/// Finds the function that the words name, so that function calling can be tried without a model. It compares names and
/// understands nothing.
struct ToolMatching {
  let utterance: Utterance

  /// A function and where its name stood; nil for a function that was forced.
  struct Match {
    var tool: ChatTool
    var position: Range<Int>?
  }

  /// - Parameter isImplied: also takes a name that merely occurs ("what is the weather in Paris").
  func match(_ tools: [ChatTool], isImplied: Bool) -> Match? {
    for tool in tools {
      let name = Self.words(tool.name)
      if let position = called(name) { return Match(tool: tool, position: position) }
    }
    guard isImplied else { return nil }
    for tool in tools {
      let name = Self.words(tool.name).filter { !["get", "set", "fetch"].contains($0) }
      guard !name.isEmpty, name.allSatisfy(utterance.texts.contains) else { continue }
      let last = name.compactMap { utterance.texts.lastIndex(of: $0) }.max() ?? 0
      return Match(tool: tool, position: last..<(last + 1))
    }
    return nil
  }

  /// "call get weather", "use the get weather tool".
  private func called(_ name: [String]) -> Range<Int>? {
    let verbs: Set<String> = ["call", "use", "run", "invoke", "execute", "trigger"]
    guard let position = utterance.range(of: name) else { return nil }
    let before = utterance.texts[..<position.lowerBound]
    var rest = before
    while let last = rest.last, ["the", "tool", "function", "my", "a"].contains(last) { rest.removeLast() }
    return rest.last.map(verbs.contains) == true ? position : nil
  }

  /// `getWeather`, `get_weather` and `get-weather` are `get weather`.
  static func words(_ name: String) -> [String] {
    var spaced = ""
    var previousIsLower = false
    for character in name {
      if character.isUppercase, previousIsLower { spaced += " " }
      spaced.append(character.isLetter || character.isNumber ? character : " ")
      previousIsLower = character.isLowercase
    }
    return Utterance(spaced).texts
  }

  // MARK: Arguments

  /// JSON text: the one string that the schema requires takes the words after the name, numbers go to numbers.
  func arguments(_ match: Match) -> String {
    var arguments = JSONObject()
    guard let text = match.tool.parameters, let schema = try? JSONValue(parsing: text),
      let properties = schema["properties"]?.object
    else { return "{}" }
    let required = schema["required"]?.array?.compactMap(\.string) ?? []
    let start = match.position?.upperBound ?? 0
    var numbers = SpokenNumber.all(in: Array(utterance.texts[min(start, utterance.texts.count)...]))
    let strings = properties.filter { $0.value["type"]?.string == "string" }.map(\.key)
    var taken: [Int] = []
    let wanted = strings.filter(required.contains)
    let filled = wanted.count == 1 ? wanted.first : required.isEmpty && strings.count == 1 ? strings.first : nil
    for (key, property) in properties {
      switch property["type"]?.string {
      case "string":
        if let choices = property["enum"]?.array?.compactMap(\.string) {
          if let choice = choices.first(where: { utterance.range(of: Self.words($0)) != nil }) {
            arguments[key] = .string(choice)
            if let place = utterance.range(of: Self.words(choice)) { taken.append(place.lowerBound) }
          }
        }
      case "integer", "number":
        let isWhole = property["type"]?.string == "integer"
        guard let number = numbers.first else { continue }
        numbers.removeFirst()
        if !isWhole || number == number.rounded() { arguments[key] = .number(JSONNumber(number)) }
      default:
        continue
      }
    }
    // The words of a choice are not also words of the text before it.
    if let filled, arguments[filled] == nil, properties[filled]?["enum"] == nil,
      let value = phrase(after: start, before: taken.filter { $0 > start }.min() ?? utterance.texts.count)
    {
      arguments[filled] = .string(value)
    }
    var ordered = JSONObject()
    for key in properties.keys { ordered[key] = arguments[key] }
    return JSONValue.object(ordered).text
  }

  /// The words after a preposition that follows the name, else after the name.
  private func phrase(after start: Int, before end: Int) -> String? {
    let texts = utterance.texts[..<end]
    let prepositions: Set<String> = ["in", "for", "to", "with", "about", "of", "at"]
    var first = start
    if let index = texts.indices.first(where: { $0 >= start && prepositions.contains(texts[$0]) }) {
      first = index + 1
    }
    while first < texts.count, ["tool", "function", "the", "city"].contains(texts[first]) { first += 1 }
    return trimmed(first..<max(first, texts.count))
  }

  private func trimmed(_ range: Range<Int>) -> String? {
    var end = range.upperBound
    let tail: Set<String> = ["please", "now", "right", "today", "thanks", "in", "for", "to", "with", "and"]
    while end > range.lowerBound, tail.contains(utterance.texts[end - 1]) { end -= 1 }
    let text = utterance.text(range.lowerBound..<end)
    return text.isEmpty ? nil : text
  }

  // MARK: Results

  /// JSON as words: `temperature 21, sky clear`. Anything else as it is.
  static func spoken(_ result: String) -> String {
    let text = (try? JSONValue(parsing: result)).map { spoken($0) } ?? result
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return words.count <= 600 ? words : words.prefix(600) + "…"
  }

  private static func spoken(_ value: JSONValue) -> String {
    switch value {
    case .null: "nothing"
    case .bool(let flag): flag ? "yes" : "no"
    case .number(let number): number.text
    case .string(let text): text
    case .array(let values): values.isEmpty ? "nothing" : values.map { spoken($0) }.joined(separator: ", ")
    case .object(let object):
      object.isEmpty
        ? "nothing"
        : object.map { words($0.key).joined(separator: " ") + " " + spoken($0.value) }.joined(separator: ", ")
    }
  }
}
