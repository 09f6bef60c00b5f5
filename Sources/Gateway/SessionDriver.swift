import Envelope
import Logging
import NIOCore
import SessionCore
import Translation
import VoiceEngine
import WebSocketWire

/// The only thing of a session that touches channels and the clock: feeds the pure ``Session`` with what both sides say
/// and with the time, and does what it asks for. Confined to one event loop, which both legs share.
///
/// Nothing refers to it weakly, as to a ``FrameLeg``: `finish` lets go of all that refers to it.
final class SessionDriver: FrameLegOwner {
  var session: Session
  let downstream: FrameLeg
  private(set) var upstream: FrameLeg?
  private var connector: UpstreamConnector?
  private let succession: Succession
  private var sides: SideConnections?
  /// In place of `upstream` in a session with the voice engine of this process.
  private var engineLine: EngineLine?
  private let engine: VoiceEngine
  let loop: any EventLoop
  /// Given back at the end; nil in a session that nobody's limits hold for.
  let seat: Seat?
  /// Nil where nobody keeps what sessions cost.
  let usage: SessionUsage?
  /// Nil where nobody measures.
  let telemetry: SessionTelemetry?
  /// Nil where the account's messages are not limited.
  let pacer: FramePacer?
  private let limits: EdgeLimits
  private let outgoing: Outgoing
  private(set) var record: SessionRecord
  /// Nil where nobody lists sessions.
  private let listing: SessionListing?
  let begunAt: Instant
  /// All messages so far.
  var traffic = SessionTraffic()
  /// The time of the last step.
  private(set) var steppedAt: Instant
  var deadlineTask: Scheduled<Void>?
  var deadlineTaskTime: Instant?
  private var isOver = false

  /// Whether the client is gone and everything of the session with it.
  var hasEnded: Bool { isOver }

  init(
    parameters: SessionParameters, downstream: FrameLeg, loop: any EventLoop, limits: EdgeLimits,
    outgoing: Outgoing, engine: VoiceEngine, quota: ProviderQuota? = nil, seat: Seat? = nil, usage: SessionUsage? = nil,
    listing: SessionListing? = nil, telemetry: SessionTelemetry? = nil, client: String? = nil,
    counters: FieldCounters = FieldCounters(), logger: Logger
  ) {
    let now = Instant(loop.now)
    session = Session(parameters, at: now)
    self.downstream = downstream
    downstream.keepQueue()
    self.loop = loop
    self.limits = limits
    self.outgoing = outgoing
    self.engine = engine
    self.seat = seat
    self.usage = usage
    self.listing = listing
    self.telemetry = telemetry
    begunAt = now
    steppedAt = now
    pacer = FramePacer(quota, loop: loop)
    succession = Succession(loop: loop, limit: limits.succession)
    record = SessionRecord(
      id: session.id, provider: parameters.provider.name, client: client, begunAt: now, counters: counters,
      logger: logger)
  }

  /// Says hello. The 101 is queued by now, and the greeting leaves with it (R185).
  func begin() {
    pacer?.setOwner(self)
    record.begin()
    telemetry?.begin(at: begunAt)
    usage?.begin { (self.session.session.model, self.session.meter) }
    step { $0.begin(at: $1) }
    // A client may be gone with its own greeting.
    guard !hasEnded else { return }
    takeSeat()
    listing?.begin(self, loop: loop)
  }

  // MARK: FrameLegOwner

  func leg(_ leg: FrameLeg, receivedText message: ByteBuffer) {
    if leg === downstream {
      traffic.clientIn.count(message.readableBytes)
      step { $0.downstreamText(message, at: $1) }
    } else if leg === upstream {
      traffic.upstreamIn.count(message.readableBytes)
      step { $0.upstreamMessage(message, at: $1) }
    } else if let line = sides?.line(of: leg) {
      traffic.upstreamIn.count(message.readableBytes)
      step { $0.sideMessage(message, on: line, at: $1) }
    }
  }

  func leg(_ leg: FrameLeg, receivedBinary message: ByteBuffer) {
    if leg === downstream {
      traffic.clientIn.count(message.readableBytes)
      step { $0.downstreamBinary(at: $1) }
    } else if leg === upstream {
      traffic.upstreamIn.count(message.readableBytes)
      step { $0.upstreamMessage(message, at: $1) }
    } else if let line = sides?.line(of: leg) {
      traffic.upstreamIn.count(message.readableBytes)
      step { $0.sideMessage(message, on: line, at: $1) }
    }
  }

  func legFinishedBurst(_ leg: FrameLeg) {
    flush()
    flushTelemetryIfDue()
  }

  /// A side that takes nothing stops the reading of the other (fault rows 49 and 50).
  func leg(_ leg: FrameLeg, becameWritable isWritable: Bool) {
    if leg === downstream {
      record.client(takes: isWritable, at: Instant(loop.now))
      session.upstreamIsHeldBack(!isWritable, at: Instant(loop.now))
      armDeadline(session.deadline)
      if isWritable { telemetry?.clientCaughtUp(at: Instant(loop.now)) }
    } else if leg === upstream {
      record.provider(takes: isWritable, at: Instant(loop.now))
    }
    if leg === downstream, let engineLine { isWritable ? engineLine.resume() : engineLine.pause() }
    if leg === downstream, let sides { isWritable ? sides.resumeReading() : sides.pauseReading() }
    guard let other = leg === downstream ? upstream : leg === upstream ? downstream : nil else { return }
    if isWritable {
      other.resumeReading(.otherSideIsBusy)
    } else {
      other.pauseReading(.otherSideIsBusy)
    }
  }

  func leg(_ leg: FrameLeg, ended end: LegEnd) {
    if leg === downstream {
      record.downstreamEnded(end)
      step { $0.downstreamClosed(at: $1) }
      finish()
    } else if leg === upstream {
      upstream = nil
      stopPacing()
      nobodyHoldsTheClientBack()
      if case .silent = end { record.note(SessionNote(.warning, "peer_silent", ["source": "upstream"])) }
      upstreamEnded(UpstreamEnd(end))
    } else if succession.isRetiring(leg) {
      succession.predecessorEnded()
    } else if let line = sides?.remove(leg) {
      step { $0.sideEnded(line, UpstreamEnd(end), at: $1) }
      flush()
    }
  }

  func legShouldStop(_ leg: FrameLeg) {
    guard leg === downstream else { return }
    record.stopped()
    step { $0.drainEnded(at: $1) }
    flush()
  }

  func leg(_ leg: FrameLeg, shouldStopIfIdleFor idle: Duration) {
    guard leg === downstream else { return }
    hearUnread()
    step { $0.shed(ifIdleFor: idle, at: $1) }
    flush()
  }
}

extension SessionDriver {
  // MARK: Steps

  /// One input of the session, and what follows from it.
  @inline(__always)
  func step(_ input: (inout Session, Instant) -> Void) {
    let now = Instant(loop.now)
    steppedAt = now
    input(&session, now)
    if session.hasActions { dropWhatIsOvertaken() }
    let next = Self.handOut(&session, &traffic, downstream, pacer == nil ? upstream : nil, engineLine)
    if let pacer { send(by: pacer, at: now) }
    if next.hasActions {
      performActions(ofStepAt: now)
      armDeadline(session.deadline)
    } else {
      armDeadline(next.deadline)
    }
  }

  /// Before what the step says goes out: the beginning of the next answer may be in it. Dropping makes room, so that more of
  /// the client's may be heard in here.
  private func dropWhatIsOvertaken() {
    for case .dropQueuedAudio(let responseID) in session.outbox.actions {
      let bytes = downstream.dropQueuedAudio(ofResponse: responseID)
      if bytes > 0 { session.tookBack(bytes: bytes) }
    }
  }

  /// One access to the session for all that a step says: it is looked at, not copied, on the way of a frame. Nothing in
  /// here comes back to the driver; `send` only queues.
  @inline(__always)
  private static func handOut(
    _ session: inout Session, _ traffic: inout SessionTraffic, _ downstream: FrameLeg, _ upstream: FrameLeg?,
    _ engineLine: EngineLine?
  ) -> (hasActions: Bool, deadline: Instant?) {
    while session.outbox.downstream.consume({ message, lane in
      traffic.clientOut.count(message.count)
      downstream.queue(message, lane)
    }) {}
    if let upstream {
      while session.outbox.upstream.consume({ message, _ in
        traffic.upstreamOut.count(message.count)
        upstream.send(.text, message)
      }) {}
    } else if let engineLine {
      while session.outbox.upstream.consume({ message, _ in
        traffic.upstreamOut.count(message.count)
        engineLine.send(ByteBuffer(message))
      }) {}
    }
    return (session.hasActions, session.deadline)
  }

  private func performActions(ofStepAt began: Instant) {
    let actions = session.outbox.actions
    session.outbox.actions.removeAll()
    for action in actions {
      switch action {
      case .dial(.socket(let target)): dial(target)
      case .dial(.voiceEngine): openEngine()
      case .closeUpstream(let code): closeUpstream(CloseCode(rawValue: code))
      case .dialSide(let line, let upstream): dialSide(line, upstream)
      case .sendSide(let line, let message):
        pacer?.countUnpaced()
        traffic.upstreamOut.count(message.readableBytes)
        sides?.send(message, on: line)
      case .closeSide(let line): sides?.close(line)
      case .closeDownstream(let code, let reason):
        record.closed(code: code, reason: reason)
        downstream.close(CloseCode(rawValue: code), reason: reason)
      case .dropQueuedAudio: break  // Done before the rest.
      case .pauseDownstreamReading: downstream.pauseReading(.sessionIsFull)
      case .resumeDownstreamReading: downstream.resumeReading(.sessionIsFull)
      case .note(let note): record.note(note)
      case .turn(let measure): tell(measure, ofStepAt: began)
      }
    }
  }

  func flush() {
    downstream.flush()
    upstream?.flush()
    sides?.flush()
  }

  private func dial(_ target: UpstreamTarget) {
    guard upstream == nil, connector == nil else { return fail("a second connection to the provider") }
    record.phase = .dialling
    telemetry?.lost(session.errors)
    succession.whenPredecessorHasEnded { self.connect(target) }
  }

  private func connect(_ target: UpstreamTarget) {
    telemetry?.connects(at: Instant(loop.now))
    let connector = UpstreamConnector(target: traced(target), limits: limits, outgoing: outgoing, loop: loop) {
      self.dialled($0)
    }
    self.connector = connector
    connector.start()
  }

  private func dialSide(_ line: SideLine, _ upstream: Upstream) {
    guard case .socket(let target) = upstream else { return }
    sideConnections().dial(line, traced(target))
  }

  /// Made when the first is needed: most sessions have none.
  func sideConnections() -> SideConnections {
    if let sides { return sides }
    let sides = SideConnections(limits: limits, outgoing: outgoing, loop: loop) { self.sideDialled($0, $1) }
    self.sides = sides
    return sides
  }

  private func sideDialled(_ line: SideLine, _ outcome: UpstreamConnector.Outcome) {
    switch outcome {
    case .opened(let leg):
      leg.setOwner(self)
      if downstream.isBusy { leg.pauseReading(.otherSideIsBusy) }
      step { $0.sideOpened(line, at: $1) }
    case .failed(let end):
      step { $0.sideEnded(line, end, at: $1) }
    }
    flush()
  }

  func dialled(_ outcome: UpstreamConnector.Outcome) {
    connector = nil
    switch outcome {
    case .opened(let leg):
      record.phase = .open
      record.upstreamReplaced()
      upstream = leg
      leg.setOwner(self)
      if downstream.isBusy { leg.pauseReading(.otherSideIsBusy) }
      let opened = Instant(loop.now)
      step { $0.upstreamOpened(at: $1) }
      telemetry?.connected(at: opened, session.errors)
      flush()
    case .failed(let end):
      telemetry?.notConnected(at: Instant(loop.now))
      upstreamEnded(end)
    }
  }

  private func openEngine() {
    record.phase = .open
    let driver = NIOLoopBound(self, eventLoop: loop)
    let loop = self.loop
    engineLine = OutgoingTrace.$headers.withValue(traceHeaders) {
      engine.open(
        session: session.id,
        deliver: { message in loop.execute { driver.value.engineSaid(message) } },
        pressure: { isHigh in loop.execute { driver.value.engineIsBusy(isHigh) } })
    }
    if downstream.isBusy { engineLine?.pause() }
    step { $0.upstreamOpened(at: $1) }
  }

  private func engineSaid(_ message: ByteBuffer) {
    guard engineLine != nil else { return }
    traffic.upstreamIn.count(message.readableBytes)
    step { $0.upstreamMessage(message, at: $1) }
    flush()
    flushTelemetryIfDue()
  }

  /// What the engine has not taken is bounded like what a socket has not taken.
  private func engineIsBusy(_ isBusy: Bool) {
    if isBusy, engineLine != nil {
      downstream.pauseReading(.otherSideIsBusy)
    } else {
      downstream.resumeReading(.otherSideIsBusy)
    }
  }

  private func upstreamEnded(_ end: UpstreamEnd) {
    record.upstreamEnded(end)
    telemetry?.lost(session.errors)
    step { $0.upstreamEnded(end, at: $1) }
    flush()
  }

  /// The leg finishes its close handshake by itself; nothing that it still says is heard.
  /// What is queued for it has nobody left who would hear the answer, so it is given little time (fault row 33).
  private func closeUpstream(_ code: CloseCode) {
    connector?.abandon()
    connector = nil
    stopPacing()
    succession.cancel()
    engineLine?.close()
    engineLine = nil
    guard let leg = upstream else { return }
    upstream = nil
    succession.retire(leg)
    // What it had not taken yet is nobody's any more.
    nobodyHoldsTheClientBack()
    leg.close(code, reason: "", within: limits.lingerTimeout)
  }

  private func nobodyHoldsTheClientBack() {
    record.provider(takes: true, at: Instant(loop.now))
    downstream.resumeReading(.otherSideIsBusy)
  }

  private func finish() {
    guard !isOver else { return }
    isOver = true
    listing?.end()
    closeUpstream(.normal)
    sides?.closeAll()
    sides = nil
    deadlineTask?.cancel()
    deadlineTask = nil
    seat?.giveBack(at: Instant(loop.now))
    usage?.end(record.outcome, model: session.session.model, meter: session.meter)
    record.messagesSkipped = session.skippedMessages
    record.end(traffic, at: Instant(loop.now))
    telemetry?.end(record.endSource, fault: record.outcome, reading, at: Instant(loop.now))
  }
}
