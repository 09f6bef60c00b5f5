import NIOCore

/// How much the kernel may take of a connection before the peer has room for it.
///
/// Without a bound it takes megabytes: a slow peer would look as if it took nothing until a third of them had gone, and
/// audio that an interruption makes worthless could not be dropped.
enum UnsentBytes {
  static let most: ChannelOptions.Types.SocketOption.Value = 16 * 1024

  /// `TCP_NOTSENT_LOWAT`, which the C library's headers hide from Swift; the number is Linux's.
  static let option = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 25))
}

/// How much a client's channel may have ahead of the client. What waits beyond it can still be taken back; enough has to be
/// there for the socket never to run dry on a fast line.
struct ChannelRoom {
  private static let most = 32 * 1024

  let high: Int
  let low: Int

  init(_ limits: EdgeLimits) {
    high = min(Self.most, limits.writeHighWaterBytes)
    low = min(Self.most / 2, limits.writeLowWaterBytes)
  }
}
