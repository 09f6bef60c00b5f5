import Envelope
import SessionCore
import Translation

/// One situation as a file of JSON lines, replayed through a session.
///
/// The first line is `{"provider":…,"model":…,"requestedModel":…}`; for Gemini also `"platform":"vertex"`, `"cells":{…}`
/// (of the table of models) and `"detector":true`, which installs a ``LevelTurnDetector``; for Azure also `"api"`, as in the
/// configuration; `"proves"` is for the reader.
/// Then come inputs, and under each what is expected of it:
///
/// | inputs | |
/// |---|---|
/// | `{"from":"client","text":{…}}` | a message of the client; `{"from":"client","closes":1000}`: it is gone |
/// | `{"from":"upstream","text":{…}}` | a message of the provider |
/// | `{"from":"upstream","opens":true}` | the connection that was dialled is open |
/// | `{"from":"upstream","closes":1007,"reason":…}`, `…"lost":true`, `…"refused":503` | it ended, or was not made |
/// | `{"from":"side","line":1,…}` | the same on a connection beside the session's own |
/// | `{"from":"timer","ms":…}` | time passes |
///
/// | expectations | |
/// |---|---|
/// | `{"to":"client","text":{…}}`, `{"to":"client","closes":1014}` | |
/// | `{"to":"upstream","text":{…}}`, `{"to":"upstream","dials":"/path"}`, `{"to":"upstream","closes":1000}` | |
/// | `{"to":"side","line":1,…}` | the same on a connection beside the session's own |
///
/// Messages to one side come in their order, and nothing but them; so do dials and closes. Every field of `text` must be
/// there and equal, and to a provider no other. Ids are variables that must be used consistently, an input may use one that
/// was bound before; `"…"` stands for any value, `"20 ms of a"` for sound (``GoldenSound``).
public struct GoldenTranscript: Sendable {
  enum Input: Sendable {
    case begin
    case client(JSONValue)
    case clientCloses
    case upstream(JSONValue)
    case opens
    case ends(UpstreamEnd)
    case side(SideLine, JSONValue)
    case sideOpens(SideLine)
    case sideEnds(SideLine, UpstreamEnd)
    case timer(Int)
  }

  struct Turn: Sendable {
    var input: Input
    var toClient: [JSONValue] = []
    var toUpstream: [JSONValue] = []
    var toSides: [Int: [JSONValue]] = [:]
    var closes: UInt16?
    /// Dials and closes, in the words of `SessionDialogue.Step.connections`.
    var connections: [String] = []
  }

  /// A line that is not of the form above.
  public struct FormFault: Error, CustomStringConvertible {
    public var description: String
  }

  private let head: GoldenHead
  private(set) var turns: [Turn] = [Turn(input: .begin)]

  public init(lines text: String) throws {
    var lines = text.split(separator: "\n").map(String.init).filter { !$0.isEmpty }
    guard !lines.isEmpty else { throw FormFault(description: "empty") }
    head = try GoldenHead(try JSONValue(parsing: lines.removeFirst()))
    for line in lines {
      guard add(GoldenSound.spelledOut(try JSONValue(parsing: line))) else { throw FormFault(description: line) }
    }
  }

  private mutating func add(_ value: JSONValue) -> Bool {
    if value["from"] != nil {
      guard let input = Self.input(value) else { return false }
      turns.append(Turn(input: input))
      return true
    }
    let last = turns.count - 1
    let text = value["text"]
    let line = value["line"]?.int ?? 0
    let place = value["to"]?.string == "side" ? "side \(line)" : "upstream"
    switch value["to"]?.string {
    case "client":
      if let code = value["closes"]?.int {
        turns[last].closes = UInt16(clamping: code)
      } else if let text {
        turns[last].toClient.append(text)
      } else {
        return false
      }
    case "upstream", "side":
      if let path = value["dials"]?.string {
        turns[last].connections.append("\(place) dials \(path)")
      } else if let code = value["closes"]?.int {
        turns[last].connections.append("\(place) closes \(code)")
      } else if let text, line > 0 {
        turns[last].toSides[line, default: []].append(text)
      } else if let text {
        turns[last].toUpstream.append(text)
      } else {
        return false
      }
    default: return false
    }
    return true
  }

  private static func input(_ value: JSONValue) -> Input? {
    let line = SideLine(number: value["line"]?.int ?? 0)
    switch value["from"]?.string {
    case "client":
      return value["closes"] != nil ? .clientCloses : value["text"].map { .client($0) }
    case "timer":
      return value["ms"]?.int.map { .timer($0) }
    case "upstream":
      if value["opens"] != nil { return .opens }
      return end(value).map { .ends($0) } ?? value["text"].map { .upstream($0) }
    case "side":
      if value["opens"] != nil { return .sideOpens(line) }
      return end(value).map { .sideEnds(line, $0) } ?? value["text"].map { .side(line, $0) }
    default: return nil
    }
  }

  private static func end(_ value: JSONValue) -> UpstreamEnd? {
    if value["lost"] != nil { return .lost }
    if let status = value["refused"]?.int { return .refused(status: status, retryAfterSeconds: nil) }
    return value["closes"]?.int.map {
      .closed(code: UInt16(clamping: $0), reason: value["reason"]?.string ?? "")
    }
  }

  func dialogue() -> SessionDialogue { head.dialogue() }

  /// Replays the transcript.
  ///
  /// - Returns: what differed, in words; empty if nothing did.
  public func differences() -> [String] {
    var dialogue = dialogue()
    var ids = IDBinding()
    var differences: [String] = []
    for (number, turn) in turns.enumerated() {
      let step = Self.perform(turn.input, &ids, on: &dialogue)
      let place = "turn \(number)"
      differences += ids.compare(turn.toClient, step.events, "\(place), to client")
      differences += Self.strictly(turn.toUpstream, step.upstream, &ids, "\(place), to upstream")
      for line in 1...4 {
        differences += Self.strictly(
          turn.toSides[line] ?? [], step.sent(on: SideLine(number: line)), &ids, "\(place), to side \(line)")
      }
      if turn.closes != step.clientCloseCode {
        differences.append("\(place): closes \(step.clientCloseCode ?? 0), not \(turn.closes ?? 0)")
      }
      if turn.connections != step.connections {
        differences.append("\(place): connections \(step.connections), not \(turn.connections)")
      }
    }
    return differences + EventInvariants.violations(in: dialogue.history, isComplete: false) + dialogue.turnViolations
  }

  /// The call after its last line.
  ///
  /// - Parameter pause: passes before each input, without a timer that fires.
  public func played(pausing pause: Duration) -> SessionDialogue {
    var dialogue = dialogue()
    var ids = IDBinding()
    for turn in turns {
      dialogue.lag(pause)
      _ = ids.compare(turn.toClient, Self.perform(turn.input, &ids, on: &dialogue).events, "")
    }
    return dialogue
  }

  /// A field too many is fatal at a provider: here nothing may be left unsaid, but an `event_id` of the gateway's own.
  private static func strictly(
    _ wanted: [JSONValue], _ found: [JSONValue], _ ids: inout IDBinding, _ place: String
  ) -> [String] {
    ids.compare(wanted, found, place)
      + zip(wanted, found).filter { ids.resolved($0) != named($1, as: $0) }.map { "\(place): \($1.text.prefix(300))" }
  }

  private static func named(_ found: JSONValue, as wanted: JSONValue) -> JSONValue {
    guard wanted["event_id"] == nil, var object = found.object else { return found }
    object.removeValue(forKey: "event_id")
    return .object(object)
  }

  static func perform(
    _ input: Input, _ ids: inout IDBinding, on dialogue: inout SessionDialogue
  ) -> SessionDialogue.Step {
    switch input {
    case .begin: return dialogue.begin()
    case .client(let text):
      ids.bindGiven(text)
      return dialogue.client(ids.resolved(text).text)
    case .clientCloses: return dialogue.clientCloses()
    case .upstream(let text):
      ids.bindGiven(text)
      return dialogue.upstream(ids.resolved(text).text)
    case .opens: return dialogue.upstreamOpens()
    case .ends(let end): return dialogue.upstreamEnds(end)
    case .side(let line, let text):
      ids.bindGiven(text)
      return dialogue.side(line, ids.resolved(text).text)
    case .sideOpens(let line): return dialogue.sideOpens(line)
    case .sideEnds(let line, let end): return dialogue.sideEnds(line, end)
    case .timer(let milliseconds): return dialogue.wait(.milliseconds(milliseconds))
    }
  }
}

/// The first line of a transcript: whom the session talks to.
struct GoldenHead: Sendable {
  private let kind: ProviderKind
  private let model: String
  private let requestedModel: String?
  private let hasDetector: Bool
  private let passesVendorEvents: Bool

  init(_ value: JSONValue) throws {
    guard let name = value["provider"]?.string, let model = value["model"]?.string else {
      throw GoldenTranscript.FormFault(description: "the first line names no provider and model")
    }
    switch name {
    case "openai": kind = .openAI
    case "local": kind = .local
    case "gemini-live": kind = .geminiLive(try Self.settings(value, model: model))
    case "xai": kind = .xai
    case "azure": kind = .azure(AzureSettings(api: value["api"]?.string.flatMap { .init(rawValue: $0) } ?? .realtime))
    case "inworld": kind = .inworld()
    case "vowel": kind = .vowel()
    default: throw GoldenTranscript.FormFault(description: "there is no provider \(name)")
    }
    self.model = model
    requestedModel = value["requestedModel"]?.string
    hasDetector = value["detector"] != nil
    passesVendorEvents = value["vendorEvents"]?.bool ?? false
  }

  private static func settings(_ value: JSONValue, model: String) throws -> GeminiLiveSettings {
    var settings = GeminiLiveSettings()
    if value["platform"]?.string == "vertex" {
      settings = GeminiLiveSettings(place: .vertex(project: "p", location: "us-central1"), keyType: .accessToken)
    }
    for (name, cell) in value["cells"]?.object ?? JSONObject() {
      let fault: String?
      switch cell {
      case .bool(let flag): fault = settings.setCell(name, of: model, to: flag)
      default: fault = settings.setCell(name, of: model, to: cell.string ?? "")
      }
      if let fault { throw GoldenTranscript.FormFault(description: "\(name) takes \(fault)") }
    }
    return settings
  }

  func dialogue() -> SessionDialogue {
    let detector: @Sendable () -> any TurnDetector = { LevelTurnDetector() }
    return SessionDialogue(
      kind, model: model, requestedModel: requestedModel, passesVendorEvents: passesVendorEvents,
      makeDetector: hasDetector ? detector : nil)
  }
}
