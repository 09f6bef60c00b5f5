import NIOCore

/// How far what was written to a connection has come on its way to the peer, as the system counts it.
struct Delivery {
  /// Bytes that the peer's system has acknowledged, of all that were ever written.
  let ackedBytes: UInt64
  /// Whether there are more that it has not.
  let isUnderWay: Bool

  /// Nil for a channel that is no socket, and where the system does not tell.
  ///
  /// To be asked on the channel's event loop.
  static func of(_ channel: any Channel) -> Delivery? {
    #if os(Linux)
      guard let socket = channel as? any SocketOptionProvider else { return nil }
      // `TCP_INFO`. Its number and its places, counted in words, are Linux's (`linux/tcp.h`, all there since 4.6).
      var words: SIMD64<UInt32>?
      let asked: EventLoopFuture<SIMD64<UInt32>> = socket.unsafeGetSocketOption(
        level: .tcp, name: NIOBSDSocket.Option(rawValue: 11))
      asked.assumeIsolated().whenSuccess { words = $0 }
      return words.map { words in
        let (unacked, acked, unsent) = (6, 30, 36)
        return Delivery(
          ackedBytes: UInt64(words[acked]) | UInt64(words[acked + 1]) << 32,
          isUnderWay: words[unacked] > 0 || words[unsent] > 0)
      }
    #else
      return nil
    #endif
  }
}
