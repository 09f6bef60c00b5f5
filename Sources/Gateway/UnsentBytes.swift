import NIOCore

/// How much the kernel may take of a connection before the peer has room for it.
///
/// Without a bound it takes megabytes: a slow peer would look as if it took nothing until a third of them had gone, and
/// audio that an interruption makes worthless could not be dropped.
enum UnsentBytes {
  static let most: ChannelOptions.Types.SocketOption.Value = 64 * 1024

  /// `TCP_NOTSENT_LOWAT`, which the C library's headers hide from Swift; the number is Linux's.
  static let option = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 25))
}
