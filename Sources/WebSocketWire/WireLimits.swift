/// What a peer may make a connection hold (fault rows 25 and 26). Each limit is checked on the frame header, before any
/// memory is reserved for the payload.
///
/// Byte limits above 1 GiB count as 1 GiB, because a `ByteBuffer` has 32-bit indices; a negative limit counts as 0.
public struct WireLimits: Sendable, Hashable {
  /// Payload bytes of one frame; more is answered with 1009.
  public var maxFrameBytes: Int
  /// Payload bytes of one message, the sum of its fragments; more is answered with 1009.
  public var maxMessageBytes: Int
  /// Frames of one message; more is answered with 1008.
  public var maxFragments: Int
  /// Frames of one fragmented message whose payload is empty or a single byte; more is answered with 1008.
  public var maxTinyFragments: Int

  public init(
    maxFrameBytes: Int = 25_165_824,
    maxMessageBytes: Int = 25_165_824,
    maxFragments: Int = 131_072,
    maxTinyFragments: Int = 1_024
  ) {
    self.maxFrameBytes = maxFrameBytes
    self.maxMessageBytes = maxMessageBytes
    self.maxFragments = maxFragments
    self.maxTinyFragments = maxTinyFragments
  }

  /// The limits with the byte counts brought into the range a `ByteBuffer` can hold.
  var clamped: WireLimits {
    let mostBytes = 1 << 30
    return WireLimits(
      maxFrameBytes: min(max(maxFrameBytes, 0), mostBytes),
      maxMessageBytes: min(max(maxMessageBytes, 0), mostBytes),
      maxFragments: max(maxFragments, 0),
      maxTinyFragments: max(maxTinyFragments, 0))
  }
}
