/// Which side of a connection this process is.
///
/// A client masks every frame it sends and must receive unmasked ones; a server the reverse (RFC 6455 section 5.1).
public enum Role: Sendable, Hashable {
  case server
  case client
}

/// The frame types of RFC 6455 section 5.2. The other ten values are reserved and a fault on the wire.
public enum Opcode: UInt8, Sendable, Hashable, CaseIterable {
  case continuation = 0
  case text = 1
  case binary = 2
  case close = 8
  case ping = 9
  case pong = 10

  /// True for close, ping and pong: never fragmented, at most 125 bytes (RFC 6455 section 5.5).
  public var isControl: Bool { rawValue >= 8 }
}
