import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// Behind the TLS of a connection until its handshake is over: what speaks HTTP comes only then, so that its own clock does
/// not begin before (fault table, section 3).
final class TLSGate: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer

  private let timeout: TimeAmount
  private let logger: Logger
  private let prepare: (any Channel) throws -> Void
  private var clock: Scheduled<Void>?

  /// - Parameters:
  ///   - timeout: for the whole handshake.
  ///   - prepare: gives the connection what comes behind.
  init(timeout: TimeAmount, logger: Logger, prepare: @escaping (any Channel) throws -> Void) {
    self.timeout = timeout
    self.logger = logger
    self.prepare = prepare
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    clock = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
      self?.tell("tls_timeout")
      bound.value.close(promise: nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    clock?.cancel()
    clock = nil
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case TLSUserEvent.handshakeCompleted:
      do {
        try prepare(context.channel)
      } catch {
        return context.close(promise: nil)
      }
      context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    tell("tls_failed")
    context.close(promise: nil)
  }

  private func tell(_ fault: String) {
    logger.debug("connection closed", metadata: ["fault": "\(fault)", "source": "downstream", "phase": "tls"])
  }
}
