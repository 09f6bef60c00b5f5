public import Envelope
import Metering
public import NIOCore
public import SessionCore
public import Translation

/// A call whose session is driven as the gateway drives it, while everything that it does is checked: the invariants of
/// the events, what the service takes, what is asked of the gateway, and that time always moves on.
public struct WatchedCall<Law: UpstreamLaw>: Sendable {
  private enum Line { case none, dialled, open }

  /// What may be expected of a session beside what holds for all.
  public struct Expectations: Sendable {
    /// What the client sees is legal whatever the provider says; otherwise it is the provider's word.
    public var judgesProvider = true
    /// Every client event is answered in the step that brings it.
    public var answersAtOnce = true
    /// Within 400 s everything ends that was begun.
    public var endsEverything = true

    public init() {}
  }

  public private(set) var session: Session
  public private(set) var now = Instant(nanoseconds: 1_000_000_000)
  private let expectations: Expectations
  private var line = Line.none
  private var law = Law()
  private var sides: [Int: (isOpen: Bool, law: Law)] = [:]
  private var invariants = EventInvariants()
  private var turnInvariants = TurnInvariants()
  private var violations: [String] = []
  /// The close code that the client got.
  public private(set) var closeCode: UInt16?
  public private(set) var hasClientLeft = false
  private var isEnding = false
  /// It is to end with its turn.
  private var isDraining = false
  private var teardowns = 0
  /// What was sent to the provider since it was last asked for.
  private var sent: [JSONValue] = []
  public private(set) var dials = 0

  /// What a client knows.
  public private(set) var itemIDs: [String] = []
  public private(set) var callIDs: [String] = []
  public private(set) var responseIDs: [String] = []
  private var unfinishedItems: Set<String> = []
  /// What items say, by their ids; and what the deleted ones said, which the service must never be told again.
  private var texts: [String: String] = [:]
  private var deletedTexts: [String] = []
  private var liveResponses: Set<String> = []
  /// The speech that the client has had, in bytes, and the tokens that it was told of.
  private var spokenBytes = 0
  private var toldTokens = 0
  /// How many responses there had been when a request was taken.
  private var takenRequests: [Int] = []
  public private(set) var eventCount = 0
  /// A word of the service's that no client may see.
  public var hiddenWord: String?
  /// Somebody has said anything at all: texts have no meaning any more.
  private var isImprovised = false
  /// Whether the last step did nothing.
  private var wasIdle = false
  /// Is told all that is said, to find out what led to a violation.
  public var log: (@Sendable (String) -> Void)?

  public init(_ parameters: SessionParameters, _ expectations: Expectations = Expectations()) {
    self.expectations = expectations
    session = Session(parameters, at: now)
    session.begin(at: now)
    _ = drain()
  }

  public var isOver: Bool { closeCode != nil || hasClientLeft }
  public var isDialled: Bool { line == .dialled }
  public var isOpen: Bool { line == .open }
  public var isSettingUp: Bool { isOpen && law.hasBegun && !law.isSetUp }
  public var isReady: Bool { isOpen && law.isSetUp }
  public var openCalls: [String] { law.openCalls.sorted() }
  public var dialledSides: [Int] { sides.filter { !$0.value.isOpen }.keys.sorted() }
  public var openSides: [(number: Int, law: Law)] {
    sides.filter { $0.value.isOpen }.map { ($0.key, $0.value.law) }.sorted { $0.0 < $1.0 }
  }

  // MARK: The client

  /// `fields` without `event_id`, which is given here.
  public mutating func client(_ type: String, _ fields: String) {
    log?("client \(type) \(fields.prefix(160))")
    eventCount += 1
    let id = "event_\(eventCount)"
    session.downstreamText(
      ByteBuffer(string: #"{"type":"\#(type)","event_id":"\#(id)"\#(fields.isEmpty ? "" : ",")\#(fields)}"#), at: now)
    let events = drain()
    let errors = events.filter { $0["type"] == "error" && $0["error"]?["event_id"]?.string == id }
    check(errors.count <= 1, "\(errors.count) errors for one \(type)")
    guard expectations.answersAtOnce else { return }
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
      takenRequests.append(responseIDs.count)
    }
  }

  public mutating func garbage() {
    session.downstreamText(ByteBuffer(string: "garbage"), at: now)
    let events = drain()
    check(events.count { $0["type"] == "error" } == 1, "garbage is one error")
  }

  /// Any text at all.
  public mutating func client(text: String) {
    log?("client \(text.prefix(200))")
    isImprovised = true
    session.downstreamText(ByteBuffer(string: text), at: now)
    _ = drain()
  }

  public mutating func clientBinary() {
    session.downstreamBinary(at: now)
    check(drain().count { $0["type"] == "error" } == 1, "a binary message is one error")
  }

  public mutating func clientLeaves() {
    session.downstreamClosed(at: now)
    hasClientLeft = true
    _ = drain()
  }

  // MARK: The service

  /// The frames to the provider since this was last called, of this connection; the last 100 of them at most.
  public mutating func takeSent() -> [JSONValue] {
    defer { sent = [] }
    return sent
  }

  public mutating func opens() {
    log?("opens")
    line = .open
    session.upstreamOpened(at: now)
    _ = drain()
  }

  public mutating func serves(_ frame: JSONValue) {
    log?("service \(frame.text.prefix(200))")
    if isOpen { law.hear(frame) }
    session.upstreamMessage(ByteBuffer(string: frame.text), at: now)
    _ = drain()
  }

  /// Any bytes at all.
  public mutating func serves(bytes: ByteBuffer) {
    log?("service \(String(buffer: bytes).prefix(200))")
    isImprovised = true
    invariants.comparesEventIDs = false
    if isOpen, let frame = try? JSONValue(parsing: bytes) { law.hear(frame) }
    session.upstreamMessage(bytes, at: now)
    _ = drain()
  }

  public mutating func ends(_ end: UpstreamEnd) {
    log?("ends \(end)")
    line = .none
    closeLaw()
    session.upstreamEnded(end, at: now)
    _ = drain()
  }

  public mutating func sideOpens(_ number: Int) {
    sides[number]?.isOpen = true
    session.sideOpened(SideLine(number: number), at: now)
    _ = drain()
  }

  public mutating func sideServes(_ number: Int, _ frame: JSONValue) {
    sides[number]?.law.hear(frame)
    session.sideMessage(ByteBuffer(string: frame.text), on: SideLine(number: number), at: now)
    _ = drain()
  }

  public mutating func sideEnds(_ number: Int) {
    sides[number] = nil
    session.sideEnded(SideLine(number: number), .lost, at: now)
    _ = drain()
  }

  // MARK: Time

  /// Lets time pass, and every deadline in it.
  public mutating func wait(_ duration: Duration) {
    log?("wait \(duration)")
    let end = now + duration
    var steps = 0
    var stays = 0
    while let deadline = session.deadline, deadline <= end {
      now = max(now, deadline)
      session.timeReached(at: now)
      _ = drain()
      // Several things may be due at the same time, one a step; then each step does something.
      stays = session.deadline.map { $0 <= now } == true && wasIdle ? stays + 1 : 0
      check(stays < 3, "a deadline that has passed stays")
      steps += 1
      guard steps < 10_000 else { return check(false, "a timer that never rests") }
    }
    now = end
  }

  /// Time passes, and no timer has fired yet: what comes next overtakes it.
  public mutating func lag(_ duration: Duration) { now = now + duration }

  // MARK: The end

  /// The session is to end with its turn.
  public mutating func drains() {
    log?("drains")
    isDraining = true
    session.drain(at: now)
    _ = drain()
  }

  public mutating func shutsDown() {
    session.shutDown(at: now)
    _ = drain()
  }

  /// Everything that was asked for has come to an end by now, or never will.
  public mutating func finish() -> [String] {
    if !isOver {
      wait(.seconds(400))
      if !isOver, expectations.endsEverything {
        check(liveResponses.isEmpty, "\(liveResponses.count) responses are live for ever")
        check(takenRequests.allSatisfy { $0 < responseIDs.count }, "a request was never answered")
        check(unfinishedItems.isEmpty, "\(unfinishedItems.count) items are never done")
      }
    }
    if closeCode != nil, expectations.judgesProvider { check(liveResponses.isEmpty, "a response outlives the call") }
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
    closeLaw()
    let meter = session.meter
    check(meter.spoken.bytes == spokenBytes, "\(meter.spoken.bytes) bytes of speech metered, \(spokenBytes) told")
    check(meter.responses == responseIDs.count, "\(meter.responses) responses metered, \(responseIDs.count) begun")
    check(meter.tokens.total >= toldTokens, "\(meter.tokens.total) tokens metered, \(toldTokens) told")
    return violations + (expectations.judgesProvider ? invariants.violations + turnInvariants.violations : [])
  }

  // MARK: What the session does

  private mutating func drain() -> [JSONValue] {
    let events = session.outbox.downstream.texts.map { (try? JSONValue(parsing: $0)) ?? .string($0) }
    let frames = session.outbox.upstream.texts.map { (try? JSONValue(parsing: $0)) ?? .string($0) }
    let actions = session.outbox.actions
    wasIdle = events.isEmpty && frames.isEmpty && actions.isEmpty
    session.outbox.downstream.removeAll()
    session.outbox.upstream.removeAll()
    session.outbox.actions.removeAll()
    if let log {
      for event in events { log("  to client \(event.text.prefix(220))") }
      for frame in frames { log("  to service \(frame.text.prefix(160))") }
      for action in actions { log("  \(String(describing: action).prefix(100))") }
    }
    if expectations.judgesProvider { turnInvariants.take(events, actions) }
    for event in events { observe(event) }
    for frame in frames {
      if !isOpen { violations.append("a frame without a connection: \(frame.text.prefix(60))") }
      law.take(frame)
      sent = sent.suffix(99) + [frame]
      remember(frame)
    }
    law.stepEnded()
    // A session that ends closes whatever there may be.
    isEnding = isEnding || actions.contains { if case .closeDownstream = $0 { true } else { false } }
    for action in actions { perform(action) }
    if !isOver {
      check(
        liveResponses.isEmpty || session.isInTurn || !expectations.judgesProvider, "a response is live in no turn")
      check(!isDraining || session.isInTurn, "a session outlives the turn that it was to end with")
    }
    return events
  }

  /// R145: what was deleted is not told again, whatever becomes of the connection.
  private mutating func remember(_ frame: JSONValue) {
    guard !isImprovised, !deletedTexts.isEmpty, !law.mustBeTold(frame) else { return }
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
      check(line != .none || hasClientLeft || isEnding, "a connection closed that there is not")
      line = .none
    case .dialSide(let line, _): sides[line.number] = (false, Law())
    case .sendSide(let line, let message):
      check(sides[line.number]?.isOpen == true, "a frame on a connection that is not open")
      if let frame = try? JSONValue(parsing: message.readableBytesView) { sides[line.number]?.law.take(frame) }
    case .closeSide(let line):
      if !isImprovised { violations += (sides[line.number]?.law.violations ?? []).map { "beside: \($0)" } }
      sides[line.number] = nil
    case .closeDownstream(let code, _):
      teardowns += 1
      closeCode = code
    default: break  // What else is asked for needs no connection.
    }
  }

  /// What a service takes is no measure for what answers anything at all.
  private mutating func closeLaw() {
    if !isImprovised { violations += law.violations }
    law = Law()
    sent = []
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
      responseIDs.append(response)
      liveResponses.insert(response)
    case "response.done":
      liveResponses.remove(response)
      toldTokens += max(0, event["response"]?["usage"]?["total_tokens"]?.int ?? 0)
    case "response.output_audio.delta", "response.audio.delta":
      let payload = event["delta"]?.string.flatMap { try? AudioPayload.standard(from: $0, bytesPerSample: 1) }
      spokenBytes += payload?.decodedBytes ?? 0
    case "response.function_call_arguments.done": event["call_id"]?.string.map { callIDs.append($0) }
    default: break
    }
    if let hiddenWord, !isImprovised { check(!event.text.contains(hiddenWord), "what is hidden was shown") }
  }

  private mutating func check(_ holds: Bool, _ violation: String) {
    if !holds { violations.append(violation) }
  }
}
