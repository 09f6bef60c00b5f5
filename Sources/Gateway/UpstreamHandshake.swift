import HTTPWire
import NIOCore
import NIOSSL
import NIOTLS
import Translation
import WebSocketWire

/// The client half of the opening handshake (RFC 6455 section 4.1) on a connected channel: waits for TLS, looks whom the
/// certificate is for, asks for the upgrade, judges the answer, and makes way for a ``FrameLeg``. Redirects are never followed.
final class UpstreamHandshake: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Phase {
    case tls
    case upgrade
    case done
  }

  private let target: UpstreamTarget
  private let limits: EdgeLimits
  private let report: (UpstreamConnector.Outcome) -> Void
  private let key = Handshake.newKey()
  private var phase = Phase.tls
  private var parser: ResponseHeadParser
  private var timeout: Scheduled<Void>?

  init(target: UpstreamTarget, limits: EdgeLimits, report: @escaping (UpstreamConnector.Outcome) -> Void) {
    self.target = target
    self.limits = limits
    self.report = report
    parser = ResponseHeadParser(limits: HeadLimits())
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if target.endpoint.isSecure {
      schedule(limits.upstreamTLS, .timedOut(.tls), context)
    } else {
      sendRequest(context)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timeout?.cancel()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted = event, phase == .tls {
      if isForTheHost(context) { sendRequest(context) } else { fail(.tlsRefused, context) }
    } else if case ChannelEvent.inputClosed = event {
      fail(.lost, context)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard phase == .upgrade else {
      if phase == .done { context.fireChannelRead(data) }
      return
    }
    var bytes = unwrapInboundIn(data)
    do throws(HeadFault) {
      guard let head = try parser.parse(&bytes) else { return }
      answered(head, rest: bytes, context)
    } catch {
      fail(.badHandshake, context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(phase == .tls && !UpstreamEnd.isLoss(error) ? .tlsRefused : .lost, context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(.lost, context)
    context.fireChannelInactive()
  }
}

extension UpstreamEnd {
  /// Whether the connection went away, rather than that something was wrong with what came over it: a balancer that
  /// restarts closes connections in the middle of their TLS handshake.
  static func isLoss(_ error: any Error) -> Bool {
    switch error {
    case is IOError: true
    case NIOSSLError.handshakeFailed(.sslError(let stack)): stack.contains(.eofDuringHandshake)
    case NIOSSLError.uncleanShutdown: true
    default: false
    }
  }
}

extension UpstreamHandshake {
  /// Nothing is said before.
  private func isForTheHost(_ context: ChannelHandlerContext) -> Bool {
    guard let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate() else { return false }
    return CertificateNames.areOf(target.endpoint.host, in: certificate)
  }

  private func sendRequest(_ context: ChannelHandlerContext) {
    phase = .upgrade
    guard let request = target.upgradeRequest(key: key) else { return fail(.badHandshake, context) }
    schedule(limits.upstreamUpgrade, .timedOut(.upgrade), context)
    context.writeAndFlush(wrapOutboundOut(request), promise: nil)
  }

  private func answered(_ head: ResponseHead, rest: ByteBuffer, _ context: ChannelHandlerContext) {
    guard head.status == 101 else {
      return fail(.refused(status: head.status, retryAfterSeconds: head.retryAfterSeconds), context)
    }
    guard head.opensWebSocket(accept: Handshake.accept(forKey: key), offered: target.offeredSubprotocols) else {
      return fail(.badHandshake, context)
    }
    phase = .done
    timeout?.cancel()
    let leg = FrameLeg(role: .client, limits: limits)
    do {
      try context.pipeline.syncOperations.addHandler(leg, position: .after(self))
    } catch {
      report(.failed(.lost))
      context.close(promise: nil)
      return
    }
    report(.opened(leg))
    if rest.readableBytes > 0 {
      context.fireChannelRead(wrapInboundOut(rest))
      context.fireChannelReadComplete()
    }
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  private func fail(_ end: UpstreamEnd, _ context: ChannelHandlerContext) {
    guard phase != .done else { return }
    phase = .done
    timeout?.cancel()
    report(.failed(end))
    context.close(promise: nil)
  }

  private func schedule(_ limit: Duration, _ end: UpstreamEnd, _ context: ChannelHandlerContext) {
    timeout?.cancel()
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    timeout = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) { [weak self] in
      self?.fail(end, bound.value)
    }
  }
}

extension UpstreamTarget {
  /// What this target's headers offer.
  var offeredSubprotocols: [String] {
    headers.filter { $0.name.lowercased() == "sec-websocket-protocol" }.flatMap {
      $0.value.reveal().split(separator: ",").map(\.trimmingSpaces)
    }
  }

  /// The upgrade request; nil if a part of it could break out of its line.
  func upgradeRequest(key: String) -> ByteBuffer? {
    guard pathAndQuery.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), pathAndQuery.hasPrefix("/"),
      headers.allSatisfy({ header in
        header.name.utf8.allSatisfy(\.isToken) && !header.name.isEmpty
          && !header.value.reveal().utf8.contains(where: \.isForbiddenControl)
      })
    else { return nil }
    let host = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
    let isDefaultPort = endpoint.port == (endpoint.isSecure ? 443 : 80)
    var buffer = ByteBuffer()
    buffer.writeString("GET \(pathAndQuery) HTTP/1.1\r\nHost: \(host)\(isDefaultPort ? "" : ":\(endpoint.port)")\r\n")
    buffer.writeString("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n")
    buffer.writeString("Sec-WebSocket-Key: \(key)\r\n")
    for header in headers {
      buffer.writeString("\(header.name): \(header.value.reveal())\r\n")
    }
    buffer.writeString("\r\n")
    return buffer
  }
}
