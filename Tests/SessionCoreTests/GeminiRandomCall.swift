import Envelope
import GeminiLiveProvider
import NIOCore
import ParleyTesting
import SessionCore
import Translation

/// A call whose session is driven as the gateway drives it, while everything that it does is checked.
struct GeminiRandomCall {
  private enum Line { case none, dialled, open }

  private var session: Session
  private(set) var now = Instant(nanoseconds: 1_000_000_000)
  private var line = Line.none
  private var law = GeminiFrameLaw()
  private var sides: [Int: (isOpen: Bool, law: GeminiFrameLaw)] = [:]
  private var invariants = EventInvariants()
  private(set) var violations: [String] = []
  /// The close code that the client got.
  private(set) var closeCode: UInt16?
  private(set) var hasClientLeft = false
  private var teardowns = 0
  private(set) var dials = 0

  /// What a client knows.
  private(set) var itemIDs: [String] = []
  private(set) var callIDs: [String] = []
  private var unfinishedItems: Set<String> = []
  /// What items say, by their ids; and what the deleted ones said, which the service must never be told again.
  private var texts: [String: String] = [:]
  private var deletedTexts: [String] = []
  private var liveResponses: Set<String> = []
  private var responseCount = 0
  /// How many responses there had been when a request was taken.
  private var takenRequests: [Int] = []
  private(set) var eventCount = 0
  /// Is told all that is said, to find out about a seed.
  var log: ((String) -> Void)?

  init(model: String, makeDetector: (@Sendable () -> any TurnDetector)?) {
    var configuration = GeminiLiveConfiguration(
      endpoint: UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: 9), key: Redacted("k"), model: model)
    configuration.makeDetector = makeDetector
    session = Session(
      SessionParameters(
        provider: ProviderConfiguration(name: "gemini", service: .geminiLive(configuration)), requestedModel: model,
        unixTime: 1_767_229_435, seed: 12),
      at: now)
    session.begin(at: now)
    _ = drain()
  }

  var isOver: Bool { closeCode != nil || hasClientLeft }
  var isDialled: Bool { line == .dialled }
  var isOpen: Bool { line == .open }
  var isSettingUp: Bool { isOpen && law.setUp != nil && !law.isSetUp }
  var isReady: Bool { isOpen && law.isSetUp }
  var openCalls: [String] { law.openCalls.sorted() }
  var dialledSides: [Int] { sides.filter { !$0.value.isOpen }.keys.sorted() }
  var openSides: [(number: Int, law: GeminiFrameLaw)] {
    sides.filter { $0.value.isOpen }.map { ($0.key, $0.value.law) }.sorted { $0.0 < $1.0 }
  }

  // MARK: The client

  /// `fields` without `event_id`, which is given here.
  mutating func client(_ type: String, _ fields: String) {
    log?("client \(type) \(fields.prefix(160))")
    eventCount += 1
    let id = "event_\(eventCount)"
    session.downstreamText(
      ByteBuffer(string: #"{"type":"\#(type)","event_id":"\#(id)"\#(fields.isEmpty ? "" : ",")\#(fields)}"#), at: now)
    let events = drain()
    let errors = events.filter { $0["type"] == "error" && $0["error"]?["event_id"]?.string == id }
    check(errors.count <= 1, "\(errors.count) errors for one \(type)")
    let acknowledgement: String? =
      switch type {
      case "session.update": "session.updated"
      case "input_audio_buffer.commit": "input_audio_buffer.committed"
      case "input_audio_buffer.clear": "input_audio_buffer.cleared"
      case "output_audio_buffer.clear": "output_audio_buffer.cleared"
      case "conversation.item.create": "conversation.item.done"
      case "conversation.item.retrieve": "conversation.item.retrieved"
      case "conversation.item.delete": "conversation.item.deleted"
      case "conversation.item.truncate": "conversation.item.truncated"
      case "response.cancel": "response.done"
      case "input_audio_buffer.append", "response.create": nil
      default: "error"
      }
    if let acknowledgement, errors.isEmpty, !events.contains(where: { $0["type"]?.string == acknowledgement }) {
      violations.append("\(type) \(fields.prefix(60)) had no effect")
    }
    if type == "response.create", errors.isEmpty, !events.contains(where: { $0["type"] == "response.created" }) {
      takenRequests.append(responseCount)
    }
  }

  mutating func garbage() {
    session.downstreamText(ByteBuffer(string: "garbage"), at: now)
    let events = drain()
    check(events.count { $0["type"] == "error" } == 1, "garbage is one error")
  }

  mutating func clientLeaves() {
    session.downstreamClosed(at: now)
    hasClientLeft = true
    _ = drain()
  }

  // MARK: The service

  mutating func opens() {
    log?("opens")
    line = .open
    session.upstreamOpened(at: now)
    _ = drain()
  }

  mutating func serves(_ frame: JSONValue) {
    log?("service \(frame.text.prefix(200))")
    if isOpen {
      if frame["setupComplete"] != nil { law.completeSetUp() }
      law.calls((frame["toolCall"]?["functionCalls"]?.array ?? []).compactMap { $0["id"]?.string })
    }
    session.upstreamMessage(ByteBuffer(string: frame.text), at: now)
    _ = drain()
  }

  mutating func ends(_ end: UpstreamEnd) {
    log?("ends \(end)")
    line = .none
    closeLaw()
    session.upstreamEnded(end, at: now)
    _ = drain()
  }

  mutating func sideOpens(_ number: Int) {
    sides[number]?.isOpen = true
    session.sideOpened(SideLine(number: number), at: now)
    _ = drain()
  }

  mutating func sideServes(_ number: Int, _ frame: JSONValue) {
    if frame["setupComplete"] != nil { sides[number]?.law.completeSetUp() }
    session.sideMessage(ByteBuffer(string: frame.text), on: SideLine(number: number), at: now)
    _ = drain()
  }

  mutating func sideEnds(_ number: Int) {
    sides[number] = nil
    session.sideEnded(SideLine(number: number), .lost, at: now)
    _ = drain()
  }

  // MARK: Time

  /// Lets time pass, and every deadline in it.
  mutating func wait(_ duration: Duration) {
    log?("wait \(duration)")
    let end = now + duration
    var steps = 0
    var stays = 0
    while let deadline = session.deadline, deadline <= end {
      now = max(now, deadline)
      session.timeReached(at: now)
      _ = drain()
      // Of two deadlines at the same time one may be left for the next step, but no more.
      stays = session.deadline.map { $0 <= now } == true ? stays + 1 : 0
      check(stays < 3, "a deadline that has passed stays")
      steps += 1
      guard steps < 10_000 else { return check(false, "a timer that never rests") }
    }
    now = end
  }

  /// Time passes, and no timer has fired yet: what comes next overtakes it.
  mutating func lag(_ duration: Duration) { now = now + duration }

  // MARK: The end

  /// Everything that was asked for has come to an end by now, or never will.
  mutating func finish() -> [String] {
    if !isOver {
      wait(.seconds(400))
      check(liveResponses.isEmpty || isOver, "\(liveResponses.count) responses are live for ever")
      if !isOver {
        check(takenRequests.allSatisfy { $0 < responseCount }, "a request was never answered")
        check(unfinishedItems.isEmpty, "\(unfinishedItems.count) items are never done")
      }
    }
    if closeCode != nil { check(liveResponses.isEmpty, "a response outlives the call") }
    if !isOver { clientLeaves() }
    check(sides.isEmpty || hasClientLeft, "connections beside the session's outlive it")
    // Nothing follows the end.
    session.downstreamText(ByteBuffer(string: #"{"type":"response.create"}"#), at: now)
    session.upstreamMessage(ByteBuffer(string: "{}"), at: now)
    session.upstreamEnded(.lost, at: now)
    session.upstreamOpened(at: now)
    let late = drain()
    check(late.isEmpty && session.deadline == nil, "something follows the end")
    check(teardowns <= 1, "\(teardowns) teardowns")
    return violations + invariants.violations + law.violations
  }

  // MARK: What the session does

  private mutating func drain() -> [JSONValue] {
    let events = session.outbox.downstream.texts.map { (try? JSONValue(parsing: $0)) ?? .string($0) }
    let frames = session.outbox.upstream.texts.map { (try? JSONValue(parsing: $0)) ?? .string($0) }
    let actions = session.outbox.actions
    session.outbox.downstream.removeAll()
    session.outbox.upstream.removeAll()
    session.outbox.actions.removeAll()
    if let log {
      for event in events { log("  to client \(event.text.prefix(220))") }
      for frame in frames { log("  to service \(frame.text.prefix(160))") }
      for action in actions { log("  \(String(describing: action).prefix(100))") }
    }
    for event in events { observe(event) }
    for frame in frames {
      if !isOpen { violations.append("a frame without a connection: \(frame.text.prefix(60))") }
      law.take(frame)
      remember(frame)
    }
    law.stepEnded()
    for action in actions { perform(action) }
    return events
  }

  /// R145: what was deleted is not told again, whatever becomes of the connection.
  private mutating func remember(_ frame: JSONValue) {
    guard !deletedTexts.isEmpty, frame["realtimeInput"]?["audio"] == nil else { return }
    // History that was announced must come; the connection that heard too much is replaced before it answers.
    if law.setUp?["historyConfig"] != nil, frame["clientContent"] != nil { return }
    let text = frame.text
    for deleted in deletedTexts where text.contains(deleted) {
      violations.append("a deleted item is told to the service: \(deleted)")
    }
  }

  private mutating func perform(_ action: Action) {
    switch action {
    case .dial:
      check(line == .none, "a second connection")
      closeLaw()
      line = .dialled
      dials += 1
    case .closeUpstream:
      check(line != .none || hasClientLeft || closeCode != nil, "a connection closed that there is not")
      line = .none
    case .dialSide(let line, _): sides[line.number] = (false, GeminiFrameLaw())
    case .sendSide(let line, let message):
      check(sides[line.number]?.isOpen == true, "a frame on a connection that is not open")
      if let frame = try? JSONValue(parsing: message.readableBytesView) { sides[line.number]?.law.take(frame) }
    case .closeSide(let line):
      violations += (sides[line.number]?.law.violations ?? []).map { "beside: \($0)" }
      sides[line.number] = nil
    case .closeDownstream(let code, _):
      teardowns += 1
      closeCode = code
    case .pauseDownstreamReading, .resumeDownstreamReading, .note: break
    }
  }

  private mutating func closeLaw() {
    violations += law.violations
    law = GeminiFrameLaw()
  }

  private mutating func observe(_ event: JSONValue) {
    check(closeCode == nil && !hasClientLeft, "an event after the end")
    invariants.observe(event)
    let response = event["response"]?["id"]?.string ?? ""
    switch event["type"]?.string ?? "" {
    case "conversation.item.added":
      event["item"]?["id"]?.string.map {
        itemIDs.append($0)
        _ = unfinishedItems.insert($0)
      }
      if let id = event["item"]?["id"]?.string, let text = event["item"]?["content"]?[0]?["text"]?.string {
        texts[id] = text
      }
    case "conversation.item.done": event["item"]?["id"]?.string.map { _ = unfinishedItems.remove($0) }
    case "conversation.item.deleted":
      if let id = event["item_id"]?.string, let text = texts[id] { deletedTexts.append(text) }
    case "response.created":
      responseCount += 1
      liveResponses.insert(response)
    case "response.done": liveResponses.remove(response)
    case "response.function_call_arguments.done": event["call_id"]?.string.map { callIDs.append($0) }
    default: break
    }
    check(!event.text.contains("hidden"), "a thought was shown")
  }

  private mutating func check(_ holds: Bool, _ violation: String) {
    if !holds { violations.append(violation) }
  }
}
