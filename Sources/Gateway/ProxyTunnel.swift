import Foundation
import HTTPWire
import NIOCore
import Routing
import Translation

/// Asks an HTTP proxy for a tunnel to a host (CONNECT, RFC 9110 section 9.3.6) on a connected channel, and makes way for
/// what speaks through it.
final class ProxyTunnel: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let endpoint: UpstreamEndpoint
  private let proxy: ProxyServer
  private let deadline: NIODeadline
  private let report: (UpstreamEnd?) -> Void
  private var isDone = false
  private var parser: ResponseHeadParser
  private var timeout: Scheduled<Void>?

  /// - Parameters:
  ///   - deadline: for the answer; the time to connect includes it.
  ///   - report: told once: nil when the tunnel is there, and whoever uses it adds its handlers then.
  init(
    to endpoint: UpstreamEndpoint, through proxy: ProxyServer, limits: HeadLimits, deadline: NIODeadline,
    report: @escaping (UpstreamEnd?) -> Void
  ) {
    self.endpoint = endpoint
    self.proxy = proxy
    self.deadline = deadline
    self.report = report
    parser = ResponseHeadParser(limits: limits, acceptsHTTP10: true)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    guard let request = proxy.connectRequest(to: endpoint) else { return fail(.nameNotFound, context) }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    timeout = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
      self?.fail(.timedOut(.connect), bound.value)
    }
    context.writeAndFlush(wrapOutboundOut(request), promise: nil)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timeout?.cancel()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isDone else { return context.fireChannelRead(data) }
    var bytes = unwrapInboundIn(data)
    do throws(HeadFault) {
      guard let head = try parser.parse(&bytes) else { return }
      answered(head, rest: bytes, context)
    } catch {
      fail(.proxyFailed(status: nil), context)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event { fail(.proxyFailed(status: nil), context) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(.proxyFailed(status: nil), context)
    context.fireErrorCaught(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(.proxyFailed(status: nil), context)
    context.fireChannelInactive()
  }

  /// Any 2xx is a tunnel from the byte behind its head on, whatever its fields say of a body.
  private func answered(_ head: ResponseHead, rest: ByteBuffer, _ context: ChannelHandlerContext) {
    guard (200..<300).contains(head.status) else { return fail(.proxyFailed(status: head.status), context) }
    isDone = true
    timeout?.cancel()
    report(nil)
    if rest.readableBytes > 0 {
      context.fireChannelRead(wrapInboundOut(rest))
      context.fireChannelReadComplete()
    }
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  private func fail(_ end: UpstreamEnd, _ context: ChannelHandlerContext) {
    guard !isDone else { return }
    isDone = true
    timeout?.cancel()
    report(end)
    context.close(promise: nil)
  }
}

extension ProxyServer {
  /// As a `Basic` authorization has them (RFC 7617).
  var basicCredentials: Redacted<String>? {
    credentials.map { Redacted(Data($0.reveal().utf8).base64EncodedString()) }
  }

  /// Nil for a host that could break out of its line.
  fileprivate func connectRequest(to endpoint: UpstreamEndpoint) -> ByteBuffer? {
    guard !endpoint.host.isEmpty, endpoint.host.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
    let host = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
    var request = ByteBuffer()
    request.writeString("CONNECT \(host):\(endpoint.port) HTTP/1.1\r\nHost: \(host):\(endpoint.port)\r\n")
    if let basicCredentials {
      request.writeString("Proxy-Authorization: Basic \(basicCredentials.reveal())\r\n")
    }
    request.writeString("\r\n")
    return request
  }
}
