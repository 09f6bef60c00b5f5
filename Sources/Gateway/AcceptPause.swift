import Foundation
import Logging
import NIOCore

/// On a listening channel: when the system grants no descriptor or memory for a connection that waits, the listener is
/// not asked again for a while, and the connections wait in the system's queue.
///
/// NIO's own handler for this leaves the channel's interest in reading as it is where the very first accept of a turn
/// fails; the event loop then spins on a queue that it cannot empty.
final class AcceptPause: ChannelInboundHandler {
  typealias InboundIn = Channel

  /// How long the listener rests.
  static let length = TimeAmount.milliseconds(200)
  /// Between two lines of the log about it.
  private static let silence = TimeAmount.seconds(60)

  private let logger: Logger
  private var toldAt: NIODeadline?

  init(logger: Logger) {
    self.logger = logger
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? IOError else {
      context.fireErrorCaught(error)
      return
    }
    tell(error)
    let options = context.channel.syncOptions
    try? options?.setOption(.autoRead, value: false)
    // Fails only where the listener was closed in the meantime.
    context.eventLoop.assumeIsolated().scheduleTask(in: Self.length) { try? options?.setOption(.autoRead, value: true) }
  }

  private func tell(_ error: IOError) {
    let now = NIODeadline.now()
    if let toldAt, now < toldAt + Self.silence { return }
    toldAt = now
    logger.warning("new connections wait", metadata: ["reason": "\(String(cString: strerror(error.errnoCode)))"])
  }
}
