public import Envelope
public import LocalVoiceProvider
import NIOCore
public import SessionCore
public import Translation

/// A session driven by hand: call and answer, with time as an argument and no event loop.
public struct SessionDialogue: Sendable {
  /// What one input produced.
  public struct Step: Sendable {
    /// Events to the client, in order.
    public var events: [JSONValue] = []
    /// Messages to the provider, in order.
    public var upstream: [JSONValue] = []
    public var actions: [Action] = []

    /// Messages on a connection beside the session's own, in order.
    public func sent(on line: SideLine) -> [JSONValue] {
      actions.compactMap { action in
        guard case .sendSide(line, let message) = action else { return nil }
        return SessionDialogue.parse(String(buffer: message))
      }
    }

    /// The connection that was asked for beside the session's own, if one was.
    public var dialledSide: SideLine? {
      for case .dialSide(let line, _) in actions { return line }
      return nil
    }

    /// The types of the events.
    public var types: [String] { events.map { $0["type"]?.string ?? "?" } }

    /// The first event of a type.
    public func event(_ type: String) -> JSONValue? {
      events.first { $0["type"]?.string == type }
    }

    /// The address that was dialled, if one was.
    public var dialled: UpstreamTarget? {
      for case .dial(.socket(let target)) in actions { return target }
      return nil
    }

    /// What happens to the connections, in order: `"upstream closes 1000"`, `"upstream dials /path"`, `"side 1 dials /path"`.
    public var connections: [String] {
      actions.compactMap { action in
        switch action {
        case .dial(.socket(let target)): "upstream dials \(target.pathAndQuery)"
        case .closeUpstream(let code): "upstream closes \(code)"
        case .dialSide(let line, .socket(let target)): "side \(line.number) dials \(target.pathAndQuery)"
        case .closeSide(let line): "side \(line.number) closes 1000"
        case .dial(.voiceEngine), .dialSide(_, .voiceEngine), .sendSide, .closeDownstream, .pauseDownstreamReading,
          .resumeDownstreamReading, .dropQueuedAudio, .note, .turn:
          nil
        }
      }
    }

    /// The fields that the operator reads were asked for in vain.
    public var ignoredFields: [String] {
      actions.flatMap { action in
        if case .note(let note) = action { note.fieldsWithoutCounterpart.map(String.init) } else { [String]() }
      }
    }

    /// What was measured of the turns.
    public var measures: [TurnMeasure] {
      actions.compactMap { if case .turn(let measure) = $0 { measure } else { nil } }
    }

    /// The close code that the client gets, if it gets one.
    public var clientCloseCode: UInt16? {
      for case .closeDownstream(let code, _) in actions { return code }
      return nil
    }

    /// Two inputs seen as one.
    public static func + (left: Step, right: Step) -> Step {
      Step(
        events: left.events + right.events, upstream: left.upstream + right.upstream,
        actions: left.actions + right.actions)
    }
  }

  public private(set) var session: Session
  /// Whether the provider greets and confirms as services of the OpenAI wire do.
  public private(set) var speaksOpenAIWire = false
  public private(set) var now = Instant(nanoseconds: 1_000_000_000)
  /// Every event that the client has had.
  public private(set) var history: [JSONValue] = []
  /// Everything that was measured of its turns.
  public private(set) var measures: [TurnMeasure] = []
  private var turnInvariants = TurnInvariants()
  /// What is wrong with the measures.
  public var turnViolations: [String] { turnInvariants.violations }

  public init(
    _ kind: ProviderKind, model: String, requestedModel: String? = nil, key: String? = "upstream-key",
    dialect: DialectChoice = .auto, passesVendorEvents: Bool = false, limits: SessionLimits = SessionLimits(),
    makeDetector: (@Sendable () -> any TurnDetector)? = nil
  ) {
    let service = kind.service(
      at: UpstreamEndpoint(
        isSecure: false, host: "127.0.0.1", port: 9, basePath: kind == .openAI ? "/v1/realtime" : ""),
      key: key.map { Redacted($0) }, model: model)
    var provider = ProviderConfiguration(name: kind.name, service: service ?? .local(Self.engine))
    if let makeDetector { provider = provider.detectingTurns(by: makeDetector) }
    if case .wire = provider.service { speaksOpenAIWire = true }
    session = Session(
      SessionParameters(
        provider: provider, requestedModel: requestedModel, dialect: dialect,
        passesVendorEvents: passesVendorEvents, limits: limits, unixTime: 1_767_229_435, seed: 12),
      at: now)
  }

  /// A voice engine that has everything.
  public static let engine = LocalVoiceConfiguration(
    model: "parley-rules", stages: [.init(name: "llm", label: "rules")], voices: ["en-us", "en-gb"],
    transcriptionModel: "tiny.en", turnDetection: .serverVAD(ServerVAD(silenceDurationMs: 550)))

  /// A session with a voice engine of certain parts.
  public init(_ engine: LocalVoiceConfiguration) {
    session = Session(
      SessionParameters(
        provider: ProviderConfiguration(name: "local", service: .local(engine)), requestedModel: nil,
        unixTime: 1_767_229_435, seed: 12),
      at: now)
  }

  /// A session with a provider that is configured by hand.
  public init(_ provider: ProviderConfiguration, requestedModel: String? = nil) {
    self.init(
      SessionParameters(provider: provider, requestedModel: requestedModel, unixTime: 1_767_229_435, seed: 12))
  }

  /// A session of any kind.
  public init(_ parameters: SessionParameters) {
    if case .wire = parameters.provider.service { speaksOpenAIWire = true }
    session = Session(parameters, at: now)
  }

  public mutating func begin() -> Step {
    session.begin(at: now)
    return drain()
  }

  /// A text message of the client.
  public mutating func client(_ text: String) -> Step {
    session.downstreamText(ByteBuffer(string: text), at: now)
    return drain()
  }

  public mutating func clientBinary() -> Step {
    session.downstreamBinary(at: now)
    return drain()
  }

  public mutating func clientCloses() -> Step {
    session.downstreamClosed(at: now)
    return drain()
  }

  public mutating func upstreamOpens() -> Step {
    session.upstreamOpened(at: now)
    return drain()
  }

  /// Whatever else happens to the session.
  public mutating func step(_ change: (inout Session, Instant) -> Void) -> Step {
    change(&session, now)
    return drain()
  }

  /// A message of the provider.
  public mutating func upstream(_ text: String) -> Step {
    session.upstreamMessage(ByteBuffer(string: text), at: now)
    return drain()
  }

  public mutating func upstreamEnds(_ end: UpstreamEnd) -> Step {
    session.upstreamEnded(end, at: now)
    return drain()
  }

  /// The provider is not read, or is read again.
  public mutating func holdsBack(_ isHeld: Bool) -> Step {
    session.upstreamIsHeldBack(isHeld, at: now)
    return drain()
  }

  public mutating func sideOpens(_ line: SideLine) -> Step {
    session.sideOpened(line, at: now)
    return drain()
  }

  /// A message of the provider on a connection beside the session's own.
  public mutating func side(_ line: SideLine, _ text: String) -> Step {
    session.sideMessage(ByteBuffer(string: text), on: line, at: now)
    return drain()
  }

  public mutating func sideEnds(_ line: SideLine, _ end: UpstreamEnd) -> Step {
    session.sideEnded(line, end, at: now)
    return drain()
  }

  public mutating func shutsDown() -> Step {
    session.shutDown(at: now)
    return drain()
  }

  public mutating func sheds(ifIdleFor idle: Duration) -> Step {
    session.shed(ifIdleFor: idle, at: now)
    return drain()
  }

  /// Lets time pass, and every deadline in it.
  public mutating func wait(_ duration: Duration) -> Step {
    let end = now + duration
    var step = Step()
    while let deadline = session.deadline, deadline <= end {
      now = max(now, deadline)
      session.timeReached(at: now)
      let part = drain()
      step = step + part
      if session.deadline == deadline { break }  // A deadline that stays would never let time pass.
    }
    now = end
    return step
  }

  /// Time passes, and no timer has fired yet: what comes next overtakes it.
  public mutating func lag(_ duration: Duration) {
    now = now + duration
  }

  private mutating func drain() -> Step {
    var step = Step()
    step.events = session.outbox.downstream.texts.map(Self.parse)
    step.upstream = session.outbox.upstream.texts.map(Self.parse)
    step.actions = session.outbox.actions
    session.outbox.downstream.removeAll()
    session.outbox.upstream.removeAll()
    session.outbox.actions.removeAll()
    history += step.events
    measures += step.measures
    turnInvariants.take(step.events, step.actions)
    return step
  }

  /// The message as JSON; a message that is none shows as a string that says so, and equals nothing expected.
  private static func parse(_ text: String) -> JSONValue {
    (try? JSONValue(parsing: text)) ?? .string("not JSON: " + text)
  }
}
