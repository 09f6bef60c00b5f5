import Envelope
import SessionCore
import Translation

/// One situation as a file of JSON lines, replayed through a session.
///
/// A line is `{"provider":…,"model":…,"requestedModel":…}` (first), an input (`{"from":"client"|"upstream","text":{…}}`,
/// `{"from":"upstream","opens":true}`, `{"from":"upstream","closes":1007,"reason":…}`, `{"from":"timer","ms":…}`), or what
/// is expected of the input above it: `{"to":"client"|"upstream","text":{…}}`, `{"to":"client","closes":1014}`,
/// `{"to":"upstream","dials":"/path"}`. Every field of `text` must be there and equal; ids are variables that must be used
/// consistently, an input may use one that was bound before; `"…"` stands for any value.
public struct GoldenTranscript: Sendable {
  private enum Input: Sendable {
    case begin
    case client(String)
    case upstream(String)
    case opens
    case closes(UInt16, String)
    case timer(Int)
  }

  private struct Turn: Sendable {
    var input: Input
    var toClient: [JSONValue] = []
    var toUpstream: [JSONValue] = []
    var closes: UInt16?
    var dials: String?
  }

  /// A line that is not of the form above.
  public struct FormFault: Error, CustomStringConvertible {
    public var description: String
  }

  private let kind: ProviderKind
  private let model: String
  private let requestedModel: String?
  private var turns: [Turn] = [Turn(input: .begin)]

  public init(lines text: String) throws {
    var lines = text.split(separator: "\n").map(String.init).filter { !$0.isEmpty }
    guard !lines.isEmpty else { throw FormFault(description: "empty") }
    let head = try JSONValue(parsing: lines.removeFirst())
    guard let kind = head["provider"]?.string.flatMap(Self.kind), let model = head["model"]?.string else {
      throw FormFault(description: "the first line names no provider and model")
    }
    self.kind = kind
    self.model = model
    requestedModel = head["requestedModel"]?.string
    for line in lines { try add(try JSONValue(parsing: line), line) }
  }

  private static func kind(_ name: String) -> ProviderKind? {
    [ProviderKind.openAI, .geminiLive(), .local].first { $0.name == name }
  }

  private mutating func add(_ value: JSONValue, _ line: String) throws {
    let last = turns.count - 1
    switch (value["from"]?.string, value["to"]?.string) {
    case ("client", nil): turns.append(Turn(input: .client(value["text"]?.text ?? "")))
    case ("upstream", nil):
      if value["opens"] != nil {
        turns.append(Turn(input: .opens))
      } else if let code = value["closes"]?.int {
        turns.append(Turn(input: .closes(UInt16(clamping: code), value["reason"]?.string ?? "")))
      } else {
        turns.append(Turn(input: .upstream(value["text"]?.text ?? "")))
      }
    case ("timer", nil): turns.append(Turn(input: .timer(value["ms"]?.int ?? 0)))
    case (nil, "client"):
      if let code = value["closes"]?.int {
        turns[last].closes = UInt16(clamping: code)
      } else if let text = value["text"] {
        turns[last].toClient.append(text)
      }
    case (nil, "upstream"):
      if let path = value["dials"]?.string {
        turns[last].dials = path
      } else if let text = value["text"] {
        turns[last].toUpstream.append(text)
      }
    default: throw FormFault(description: line)
    }
  }

  /// Replays the transcript.
  ///
  /// - Returns: what differed, in words; empty if nothing did.
  public func differences() -> [String] {
    var dialogue = SessionDialogue(kind, model: model, requestedModel: requestedModel)
    var ids = IDBinding()
    var differences: [String] = []
    for (number, turn) in turns.enumerated() {
      let step = Self.perform(turn.input, ids, on: &dialogue)
      let place = "turn \(number)"
      differences += ids.compare(turn.toClient, step.events, "\(place), to client")
      differences += ids.compare(turn.toUpstream, step.upstream, "\(place), to upstream")
      // A field too many is fatal at a provider: here nothing may be left unsaid.
      for (wanted, found) in zip(turn.toUpstream, step.upstream) where ids.resolved(wanted) != found {
        differences.append("\(place), to upstream: \(found.text)")
      }
      if turn.closes != step.clientCloseCode {
        differences.append("\(place): closes \(step.clientCloseCode ?? 0), not \(turn.closes ?? 0)")
      }
      if let path = turn.dials, step.dialled?.pathAndQuery != path {
        differences.append("\(place): dials \(step.dialled?.pathAndQuery ?? "nothing")")
      }
    }
    return differences + EventInvariants.violations(in: dialogue.history, isComplete: false)
  }

  /// Replays the transcript with one thing going wrong after each of its steps in turn.
  ///
  /// - Returns: what no fault may lead to, in words.
  public func violationsUnderFaults() -> [String] {
    var violations: [String] = []
    let faults: [UpstreamEnd] = [
      .lost, .closed(code: 1011, reason: ""), .closed(code: 1000, reason: ""), .framingBroken,
    ]
    for cut in 1...turns.count {
      for fault in faults {
        var dialogue = SessionDialogue(kind, model: model, requestedModel: requestedModel)
        var ids = IDBinding()
        for turn in turns.prefix(cut) {
          let step = Self.perform(turn.input, ids, on: &dialogue)
          _ = ids.compare(turn.toClient, step.events, "")
        }
        let last = dialogue.upstreamEnds(fault)
        for turn in turns.dropFirst(cut) {
          let late = Self.perform(turn.input, ids, on: &dialogue)
          if !(late.events.isEmpty && late.upstream.isEmpty) { violations.append("cut \(cut): speaks after its end") }
        }
        violations += EventInvariants.violations(in: dialogue.history, isComplete: true)
          .map { "cut \(cut), \(fault): \($0)" }
        if !turns.prefix(cut).contains(where: { $0.closes != nil }), last.clientCloseCode == nil {
          violations.append("cut \(cut), \(fault): the client is not told")
        }
      }
    }
    return violations
  }

  private static func perform(
    _ input: Input, _ ids: IDBinding, on dialogue: inout SessionDialogue
  ) -> SessionDialogue.Step {
    switch input {
    case .begin: dialogue.begin()
    case .client(let text): dialogue.client(ids.resolved(text))
    case .upstream(let text): dialogue.upstream(ids.resolved(text))
    case .opens: dialogue.upstreamOpens()
    case .closes(let code, let reason): dialogue.upstreamEnds(.closed(code: code, reason: reason))
    case .timer(let milliseconds): dialogue.wait(.milliseconds(milliseconds))
    }
  }
}

/// Ids as variables: each name in a transcript stands for one id of the run, and the reverse.
private struct IDBinding {
  private static let keys: Set<String> = [
    "id", "item_id", "response_id", "previous_item_id", "conversation_id", "response",
  ]
  private var actual: [String: String] = [:]
  private var expected: [String: String] = [:]

  mutating func compare(_ expected: [JSONValue], _ actual: [JSONValue], _ place: String) -> [String] {
    var differences: [String] = []
    for (number, pair) in zip(expected, actual).enumerated() {
      if let difference = difference(pair.0, pair.1, path: "", key: nil) {
        differences.append("\(place) #\(number) \(pair.1["type"]?.string ?? ""): \(difference)")
      }
    }
    if expected.count != actual.count {
      let names = actual.map { $0["type"]?.string ?? $0.text }
      differences.append("\(place): \(actual.count) messages, not \(expected.count): \(names)")
    }
    return differences
  }

  /// A message with the run's ids in place of the names that are bound by now; the same text if it has none.
  func resolved(_ text: String) -> String {
    guard let value = try? JSONValue(parsing: text) else { return text }
    let resolved = resolved(value)
    return resolved == value ? text : resolved.text
  }

  func resolved(_ value: JSONValue, key: String? = nil) -> JSONValue {
    switch value {
    case .string(let name) where key.map(Self.keys.contains) == true: .string(actual[name] ?? name)
    case .array(let elements): .array(elements.map { resolved($0) })
    case .object(let object):
      .object(object.reduce(into: JSONObject()) { $0[$1.key] = resolved($1.value, key: $1.key) })
    default: value
    }
  }

  private mutating func difference(
    _ expected: JSONValue, _ actual: JSONValue?, path: String, key: String?
  ) -> String? {
    guard let actual else { return "\(path) is missing" }
    if expected.string == "…" || key == "event_id" { return nil }
    switch (expected, actual) {
    case (.object(let wanted), .object(let found)):
      for (name, value) in wanted {
        if let difference = difference(value, found[name], path: "\(path).\(name)", key: name) { return difference }
      }
      return nil
    case (.array(let wanted), .array(let found)):
      guard wanted.count == found.count else { return "\(path) has \(found.count) elements" }
      for (index, pair) in zip(wanted, found).enumerated() {
        if let difference = difference(pair.0, pair.1, path: "\(path)[\(index)]", key: nil) { return difference }
      }
      return nil
    case (.string(let wanted), .string(let found)) where key.map(Self.keys.contains) == true:
      let isNew = self.actual[wanted] == nil && self.expected[found] == nil
      if isNew {
        self.actual[wanted] = found
        self.expected[found] = wanted
      }
      return self.actual[wanted] == found ? nil : "\(path) is \(found), not the \(wanted) of before"
    default:
      return expected == actual ? nil : "\(path) is \(actual.text), not \(expected.text)"
    }
  }
}
