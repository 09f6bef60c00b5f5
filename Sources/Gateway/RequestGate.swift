import HTTPWire
import Logging
import NIOCore
import Routing
import WebSocketWire

/// The first handler of every connection: it alone reads request heads, so that nothing behind it meets one that is
/// malformed, too long or too slow (fault rows 1 to 13).
///
/// A request for a WebSocket path is judged here and answered with 101 or a refusal; after a 101 the gate leaves the
/// pipeline to a ``FrameLeg``. Every other request is written anew, without upgrade fields, for the HTTP surface, one at
/// a time: the next head is looked at when the response to the one before is out.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Phase {
    case head
    case body
    case responding
    /// Somebody else is asked whether the upgrade may be.
    case judging
    /// Our last word is said; bytes are read and discarded.
    case lingering
    case upgraded
  }

  /// Bytes of later requests that may wait while one is answered; a peer that closes is drained at once.
  private static let heldBytes = 1024 * 1024

  /// Those that the surface tells from one another; any other it would answer in a way of its own.
  private static let methods: Set<String> = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "QUERY",
  ]

  private let limits: EdgeLimits
  private let admission: any UpgradeAdmission
  private let surface: HTTPSurface?
  private let logger: Logger
  private var phase = Phase.head
  private var parser: RequestHeadParser
  private var extent = BodyExtent(.none)
  private var held = ByteBuffer()
  private var servesHTTP = false
  private var responseIsOut = false
  private var readIsHeldBack = false
  private var lastByte = NIODeadline.uptimeNanoseconds(0)
  private var headDeadline = NIODeadline.distantFuture
  private var clock: Scheduled<Void>?

  init(limits: EdgeLimits, admission: any UpgradeAdmission, surface: HTTPSurface?, logger: Logger) {
    self.limits = limits
    self.admission = admission
    self.surface = surface
    self.logger = logger
    parser = RequestHeadParser(limits: limits.head)
  }

  // MARK: Channel

  func handlerAdded(context: ChannelHandlerContext) {
    let now = context.eventLoop.now
    lastByte = now
    headDeadline = now + TimeAmount(limits.headTimeout)
    scheduleClock(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    clock?.cancel()
    // An answer that is still on its way finds nobody.
    if phase == .judging { phase = .lingering }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    lastByte = context.eventLoop.now
    switch phase {
    case .lingering:
      return
    case .upgraded:
      context.fireChannelRead(data)
    case .head, .body, .responding, .judging:
      if held.readableBytes == 0 { held = bytes } else { held.writeBuffer(&bytes) }
      process(context)
      if isAwaitingAnswer, held.readableBytes > Self.heldBytes { context.close(promise: nil) }
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
  }

  /// What comes next waits until the answer to what came is there.
  private var isAwaitingAnswer: Bool { phase == .responding || phase == .judging }

  func read(context: ChannelHandlerContext) {
    if isAwaitingAnswer {
      readIsHeldBack = true
    } else {
      context.read()
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case ChannelEvent.inputClosed where !servesHTTP:
      context.close(promise: nil)
    case is ChannelShouldQuiesceEvent where !servesHTTP:
      refuse(FaultResponse.stopping, context)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    guard event is ResponseEnded else {
      context.triggerUserOutboundEvent(event, promise: promise)
      return
    }
    promise?.succeed()
    let loop = context.eventLoop.assumeIsolated()
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    loop.execute { [weak self] in self?.responseEnded(bound.value) }
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    context.close(mode: mode, promise: promise)
    // The HTTP surface closes its half after the last response and waits for the peer; not for ever.
    if mode == .output, servesHTTP { linger(context) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

extension RequestGate {
  // MARK: Requests

  private func process(_ context: ChannelHandlerContext) {
    while held.readableBytes > 0 {
      do throws(HeadFault) {
        switch phase {
        case .head:
          let hadBegun = parser.hasBegun
          if let head = try parser.parse(&held) {
            route(head, context)
          } else if !hadBegun, servesHTTP {
            headDeadline = lastByte + TimeAmount(limits.headTimeout)
            scheduleClock(context)
          }
        case .body:
          let slice = try extent.take(from: &held)
          context.fireChannelRead(wrapInboundOut(slice))
          if extent.isComplete { requestEnded(context) }
        case .responding, .judging, .upgraded:
          return
        case .lingering:
          held.clear()
        }
      } catch {
        reject(error, context)
      }
    }
  }

  private func route(_ head: RequestHead, _ context: ChannelHandlerContext) {
    if admission.owns(path: head.path) {
      if let refusal = UpgradeCheck.refusal(for: head, isValidKey: Handshake.isValidKey) {
        refuse(refusal, context, to: head)
      } else {
        follow(admission.admit(head, from: peer(context)), on: head, context)
      }
      return
    }
    guard let surface else {
      refuse(Refusal(status: 404, code: "not_found", message: "There is nothing here."), context, to: head)
      return
    }
    guard Self.methods.contains(head.method) else {
      refuse(FaultResponse.unknownMethod, context, to: head)
      return
    }
    if !servesHTTP {
      servesHTTP = true
      surface.serve(context.channel)
    }
    responseIsOut = false
    extent = BodyExtent(head.body)
    phase = .body
    headDeadline = lastByte + TimeAmount(limits.keepAliveTimeout)
    scheduleClock(context)
    context.fireChannelRead(wrapInboundOut(head.forwarded))
    if extent.isComplete { requestEnded(context) }
  }

  private func follow(_ verdict: Admission, on head: RequestHead, _ context: ChannelHandlerContext) {
    switch verdict {
    case .refuse(let refusal): refuse(refusal, context, to: head)
    case .accept(let subprotocol, let begin): upgrade(head, subprotocol, context, begin)
    case .later(let grant, let then):
      if phase != .judging {
        phase = .judging
        headDeadline = context.eventLoop.now + TimeAmount(limits.admissionTimeout)
        scheduleClock(context)
      }
      let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
      grant.hop(to: context.eventLoop).assumeIsolated().whenSuccess { [weak self] grant in
        // Whoever left meanwhile, or was told something else, drops the grant, which gives back what it holds.
        // So does one whose connection has gone in this very turn of the loop.
        guard let self, phase == .judging, bound.value.channel.isActive else { return }
        follow(then(grant), on: head, bound.value)
      }
    }
  }

  private func peer(_ context: ChannelHandlerContext) -> ConnectionPeer {
    let host = context.channel.remoteAddress?.ipAddress
    return ConnectionPeer(
      address: host, loop: context.eventLoop,
      closed: context.channel.closeFuture)
  }

  private func requestEnded(_ context: ChannelHandlerContext) {
    guard phase == .body else { return }
    phase = .responding
    context.fireChannelReadComplete()
    if responseIsOut { nextRequest(context) }
  }

  private func responseEnded(_ context: ChannelHandlerContext) {
    responseIsOut = true
    if phase == .responding { nextRequest(context) }
  }

  private func nextRequest(_ context: ChannelHandlerContext) {
    phase = .head
    parser = RequestHeadParser(limits: limits.head)
    lastByte = context.eventLoop.now
    headDeadline = lastByte + TimeAmount(held.readableBytes > 0 ? limits.headTimeout : limits.keepAliveTimeout)
    scheduleClock(context)
    process(context)
    if !isAwaitingAnswer, readIsHeldBack {
      readIsHeldBack = false
      context.read()
    }
  }

  // MARK: The three answers of the gate

  private func upgrade(
    _ head: RequestHead, _ subprotocol: String?, _ context: ChannelHandlerContext, _ begin: (FrameLeg) -> Void
  ) {
    guard let key = head.values(of: "sec-websocket-key").first else { return }
    phase = .upgraded
    clock?.cancel()
    var answer = ByteBuffer()
    answer.writeString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    answer.writeString("Sec-WebSocket-Accept: \(Handshake.accept(forKey: key))\r\n")
    if let subprotocol { answer.writeString("Sec-WebSocket-Protocol: \(subprotocol)\r\n") }
    answer.writeString("\r\n")
    context.write(wrapOutboundOut(answer), promise: nil)
    // In front of what has served HTTP on this connection, as proxies that keep connections do: that hears nothing any
    // more but the end.
    let leg = FrameLeg(role: .server, limits: limits)
    do {
      try context.pipeline.syncOperations.addHandler(leg, position: .after(self))
    } catch {
      context.close(promise: nil)
      return
    }
    begin(leg)
    // One write for the 101 and the greeting; the second flush is for owners that say nothing.
    leg.flush()
    context.flush()
    let rest = held
    held = ByteBuffer()
    if rest.readableBytes > 0 {
      context.fireChannelRead(wrapInboundOut(rest))
      context.fireChannelReadComplete()
    }
    if readIsHeldBack {
      readIsHeldBack = false
      context.read()
    }
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  private func reject(_ fault: HeadFault, _ context: ChannelHandlerContext) {
    if let refusal = FaultResponse.refusal(for: fault) {
      refuse(refusal, context)
    } else {
      logger.debug("connection closed", metadata: ["fault": "\(fault)", "source": "downstream", "phase": "head"])
      phase = .lingering
      held.clear()
      context.close(promise: nil)
    }
  }

  private func refuse(_ refusal: Refusal, _ context: ChannelHandlerContext, to head: RequestHead? = nil) {
    guard phase != .lingering else { return }
    phase = .lingering
    held.clear()
    logger.debug(
      "request refused",
      metadata: [
        "fault": "\(refusal.code ?? "none")", "status": "\(refusal.status)", "source": "downstream", "phase": "head",
      ])
    context.writeAndFlush(wrapOutboundOut(refusal.bytes(omittingBody: head?.method == "HEAD")), promise: nil)
    context.close(mode: .output, promise: nil)
    linger(context)
  }

  /// Reads and discards for a while, so that the answer is not lost in a reset, then closes.
  private func linger(_ context: ChannelHandlerContext) {
    phase = .lingering
    clock?.cancel()
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    clock = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limits.lingerTimeout)) {
      bound.value.close(promise: nil)
    }
    if readIsHeldBack {
      readIsHeldBack = false
      context.read()
    }
  }

  // MARK: The clock

  /// The time by which something has to happen; nil while the HTTP surface works.
  private var deadline: NIODeadline? {
    switch phase {
    case .head:
      if servesHTTP, !parser.hasBegun { return headDeadline }
      return min(headDeadline, lastByte + TimeAmount(limits.headIdle))
    case .body, .judging: return headDeadline
    case .responding, .lingering, .upgraded: return nil
    }
  }

  private func scheduleClock(_ context: ChannelHandlerContext) {
    clock?.cancel()
    guard let deadline else { return }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    clock = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
      self?.clockStruck(bound.value)
    }
  }

  private func clockStruck(_ context: ChannelHandlerContext) {
    guard let deadline else { return }
    guard deadline <= context.eventLoop.now else {
      scheduleClock(context)
      return
    }
    if phase == .judging {
      admission.gaveUp(FaultResponse.admissionTimedOut)
      refuse(FaultResponse.admissionTimedOut, context)
    } else if phase == .head, !servesHTTP || parser.hasBegun {
      refuse(FaultResponse.headTimedOut, context)
    } else {
      context.close(promise: nil)
    }
  }
}
