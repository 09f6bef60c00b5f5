import NIOCore
import Translation
import WebSocketWire

/// One side of a session on its channel: bytes to messages and messages to bytes, pings, backpressure and the end.
///
/// One `writeAndFlush` of one contiguous buffer per burst. The buffer's storage is kept after the write and cleared when
/// the next burst begins: if the socket took everything it is unique again by then, and steady audio allocates nothing.
///
/// Nothing refers to it weakly: one such reference would make each count of it dearer for good. Its tasks end with the
/// connection.
///
/// A slow peer is served from a queue of whole messages: the channel, which gives nothing back, has little ahead of the
/// peer, and audio that waits can be dropped when an interruption makes it worthless (fault row 51).
final class FrameLeg: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum Phase {
    case open
    /// Our close frame is out or on its way; the peer's is awaited.
    case closing
    /// Both sides have said their last; bytes are read and discarded.
    case lingering
    case ended
  }

  /// Bursts whose storage is not kept: the greeting and the set-up must leave nothing behind in a session that stays idle.
  private static let releasesAtFirst = 4
  /// Pings answered while the peer takes nothing; at most 128 KiB of pongs.
  private static let mostPingsWhileBusy = 1_024

  let role: Role
  let limits: EdgeLimits
  var connection: WebSocketConnection
  var phase = Phase.open
  var owner: (any FrameLegOwner)?
  var context: ChannelHandlerContext?
  private var outboundIsWritten = false
  private var releases = 0
  /// Messages that the channel has no room for yet.
  var waiting = MessageQueue()
  var keepsQueue = false
  var isSendingWaiting = false
  /// Bytes that a burst may have before the rest of it waits.
  let room: Int
  /// The channel's own word, kept so that a frame need not ask.
  var hasRoom = true
  /// Above the high water mark, and not below the low one since: the channel's, or the queue's where there is one.
  var isBusy = false
  var pauses: ReadingPause = []
  private var readIsHeldBack = false
  /// What is queued meanwhile answers the peer itself.
  private var isDelivering = false
  private var pingsWhileBusy = 0
  private var inputIsClosed = false
  private var outputIsClosed = false
  var pulse: PeerPulse
  var pulseTask: Scheduled<Void>?
  var endTask: Scheduled<Void>?
  var stallWatch: StallWatch
  var stallTask: Scheduled<Void>?

  init(role: Role, limits: EdgeLimits) {
    self.role = role
    room = ChannelRoom(limits).high
    self.limits = limits
    connection = WebSocketConnection(role: role, limits: limits.wire)
    pulse = PeerPulse(
      timeout: role == .server ? limits.pongTimeout : limits.upstreamPongTimeout)
    stallWatch = StallWatch(timeout: limits.peerStall)
  }

  /// Who hears of everything from now on. Set before the first byte arrives.
  func setOwner(_ owner: any FrameLegOwner) {
    self.owner = owner
  }

  /// The owner uses `queue` from now on: the channel's own marks no longer say when too much waits.
  func keepQueue() {
    keepsQueue = true
  }

  // MARK: What the owner asks for

  /// Queues one text message behind what waits for the peer; it leaves with the next `flush`, or when the peer has room.
  @inline(__always)
  func queue(_ message: ByteBufferView, _ lane: MessageQueue.Lane) {
    reuseOutbound()
    if hasRoom, waiting.isEmpty, connection.outbound.readableBytes <= room {
      connection.send(.text, message)
    } else if phase == .open {
      waiting.append(isDelivering && lane == .control ? .answer : lane) { $0.writeBytes(message) }
    }
  }

  /// Sends one message past every queue, for an owner that has only one kind of message; it leaves with the next `flush`.
  @inline(__always)
  func send(_ opcode: Opcode, _ payload: ByteBufferView) {
    reuseOutbound()
    connection.send(opcode, payload)
  }

  /// Writes what is queued, as far as the peer has room.
  func flush() {
    writeOutbound()
    if !waiting.isEmpty {
      sendWaiting()
    } else if !hasRoom {
      updateBusy()
    }
  }

  @inline(__always)
  func writeOutbound() {
    guard let context, !outboundIsWritten, connection.outbound.readableBytes > 0 else { return }
    stallWatch.queued(connection.outbound.readableBytes)
    let bytes = connection.outbound
    if releases < Self.releasesAtFirst {
      releases += 1
      connection.outbound = ByteBuffer()
    } else {
      outboundIsWritten = true
    }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }

  /// Begins the close handshake behind everything queued, and flushes.
  ///
  /// - Parameter timeout: how long what is queued may take to leave; nil for the limit of the configuration.
  func close(_ code: CloseCode, reason: String, within timeout: Duration? = nil) {
    guard phase == .open, let context else { return }
    reuseOutbound()
    while waiting.consume({ message, _ in connection.send(.text, message) }) {}
    phase = .closing
    connection.close(code, reason: reason)
    if inputIsHeldBack {
      // The peer's own close may be in there.
      context.eventLoop.assumeIsolated().execute { self.deliverEvents() }
    }
    resumeReadingForGood()
    outboundIsWritten = true
    stallWatch.queued(connection.outbound.readableBytes)
    scheduleEnd(context, after: timeout ?? limits.closeFlushTimeout) { leg in
      leg.end(.closeUnanswered)
      leg.drop()
    }
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { _ in self.awaitPeerClose(timeout) }
    context.writeAndFlush(wrapOutboundOut(connection.outbound), promise: written)
  }

  /// Ends the connection now, whatever is still queued.
  func drop() {
    context?.close(promise: nil)
  }

  func pauseReading(_ reason: ReadingPause) {
    guard phase == .open else { return }
    pauses.insert(reason)
  }

  func resumeReading(_ reason: ReadingPause) {
    guard pauses.contains(reason) else { return }
    pauses.remove(reason)
    continueReading()
  }

  // MARK: Channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    schedulePulse(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    cancelTasks()
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    pulse.heard()
    guard phase == .open || phase == .closing else { return }
    reuseOutbound()
    connection.receive(unwrapInboundIn(data))
    if !inputIsHeldBack { deliverEvents() }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    flush()
    owner?.legFinishedBurst(self)
  }

  func read(context: ChannelHandlerContext) {
    if pauses.isEmpty {
      context.read()
    } else {
      readIsHeldBack = true
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    hasRoom = context.channel.isWritable
    if hasRoom { sendWaiting() } else { updateBusy() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case ChannelEvent.inputClosed:
      inputIsClosed = true
      peerSentEOF()
      // A server that still writes its closing frame closes when that is out.
      if phase != .lingering || role == .client || outputIsClosed { context.close(promise: nil) }
    case is ChannelShouldQuiesceEvent:
      if phase == .open { owner?.legShouldStop(self) }
    case let event as ShedIdleEvent:
      if phase == .open { owner?.leg(self, shouldStopIfIdleFor: event.idle) }
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A reset, or TLS that broke: the connection is of no use, and `channelInactive` tells the owner.
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    // What was held back has nobody left to be answered.
    if !inputIsHeldBack { peerSentEOF() }
    end(.lost)
    cancelTasks()
    owner = nil
    context.fireChannelInactive()
  }
}

extension FrameLeg {
  // MARK: Events

  private func deliverEvents() {
    isDelivering = true
    defer { isDelivering = false }
    while phase == .open || phase == .closing, let event = connection.nextEvent() {
      switch event {
      case .text(let message): owner?.leg(self, receivedText: message)
      case .binary(let message): owner?.leg(self, receivedBinary: message)
      case .ping: countPing()
      case .pong: break
      case .closed(let event):
        peerClosed(event)
        return
      }
      // The answers to one read may be many times its size: the rest of it waits until they have gone.
      guard max(connection.outbound.readableBytes, waiting.answerByteCount) > limits.writeHighWaterBytes else {
        continue
      }
      flush()
      if answersAreStuck, phase == .open {
        pauses.insert(.inputIsHeldBack)
        return
      }
    }
  }

  private var inputIsHeldBack: Bool { pauses.contains(.inputIsHeldBack) }

  /// Goes on where `deliverEvents` stopped.
  func deliverHeldEvents() {
    guard inputIsHeldBack, !answersAreStuck else { return }
    pauses.remove(.inputIsHeldBack)
    deliverEvents()
    continueReading()
    flush()
    owner?.legFinishedBurst(self)
  }

  /// Pongs are queued however full the queue is, so their number is bounded (fault row 30).
  private func countPing() {
    if !isBusy {
      pingsWhileBusy = 0
      return
    }
    pingsWhileBusy += 1
    guard pingsWhileBusy > Self.mostPingsWhileBusy else { return }
    end(.flooding)
    drop()
  }

  /// The last event: tells the owner, lets the answering close frame out, and lingers.
  private func peerClosed(_ event: CloseEvent) {
    guard phase != .lingering, phase != .ended else { return }
    end(.closed(event))
    guard let context, phase == .ended, context.channel.isActive else { return }
    phase = .lingering
    resumeReadingForGood()
    flush()
    // RFC 6455 section 7.1.1: the server closes the TCP connection first, the client waits for that.
    if role == .server { closeOutput(context) }
    scheduleEnd(context, after: limits.lingerTimeout) { $0.drop() }
  }

  private func closeOutput(_ context: ChannelHandlerContext) {
    let closed = context.eventLoop.makePromise(of: Void.self)
    closed.futureResult.assumeIsolated().whenComplete { _ in
      self.outputIsClosed = true
      if self.inputIsClosed { self.drop() }
    }
    context.close(mode: .output, promise: closed)
  }

  private func peerSentEOF() {
    guard phase == .open || phase == .closing else { return }
    reuseOutbound()
    connection.receiveEOF()
    deliverEvents()
  }

  /// Tells the owner once.
  func end(_ end: LegEnd) {
    guard phase == .open || phase == .closing else { return }
    phase = .ended
    pulseTask?.cancel()
    owner?.leg(self, ended: end)
  }

  private func awaitPeerClose(_ timeout: Duration?) {
    guard phase == .closing, let context else { return }
    scheduleEnd(context, after: min(timeout ?? limits.closeTimeout, limits.closeTimeout)) { leg in
      leg.end(.closeUnanswered)
      leg.drop()
    }
  }

  private func scheduleEnd(
    _ context: ChannelHandlerContext, after delay: Duration, _ action: @escaping (FrameLeg) -> Void
  ) {
    endTask?.cancel()
    endTask = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { action(self) }
  }

  // MARK: Buffers and reading

  /// Empties the buffer whose bytes have gone to the channel, at the beginning of the next burst.
  @inline(__always)
  func reuseOutbound() {
    guard outboundIsWritten else { return }
    outboundIsWritten = false
    connection.emptyOutbound()
  }

  private func continueReading() {
    guard pauses.isEmpty, readIsHeldBack else { return }
    readIsHeldBack = false
    context?.read()
  }

  private func resumeReadingForGood() {
    pauses = []
    continueReading()
  }
}
