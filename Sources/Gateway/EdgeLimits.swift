public import HTTPWire
public import Routing
public import WebSocketWire

/// Every size and every wait of the edge: those of the configuration, and a few that nobody has had a reason to change.
public struct EdgeLimits: Sendable {
  /// Sizes of a request or response head (fault row 7).
  public var head = HeadLimits()
  /// From accept, or from the first byte of a later request, to the complete head (fault row 12).
  public var headTimeout: Duration
  /// From accept to the end of the TLS handshake, where a listener has TLS; the head's time begins behind it.
  public var tlsHandshake: Duration
  /// Without a byte while a head is awaited (fault row 12).
  public var headIdle: Duration
  /// Without a request on a connection that has already served one.
  public var keepAliveTimeout = Duration.seconds(60)
  /// How long bytes are still read and discarded after our side has said its last.
  public var lingerTimeout: Duration

  /// Sizes of frames and messages.
  public var wire = WireLimits()
  /// How long a connection that replaces another to the same provider waits for the other's end.
  public var succession = Duration.milliseconds(500)

  /// For what is queued, and our close frame behind it, to go out to a slow peer.
  public var closeFlushTimeout = Duration.seconds(60)
  /// For the peer's close frame after ours has gone out.
  public var closeTimeout: Duration
  /// Between two pings, on both legs.
  public var pingInterval: Duration
  /// Without any frame after a ping to the client; then the connection is dropped.
  public var pongTimeout: Duration
  /// Without any frame after a ping to the provider. Some answer pings 8 to 30 s late.
  public var upstreamPongTimeout: Duration
  /// A client above the high water mark that takes not one byte for this long is dropped.
  public var peerStall: Duration
  /// Bytes waiting for a peer below which the other side is read again.
  public var writeLowWaterBytes: Int
  /// Bytes waiting for a peer above which the other side is not read.
  public var writeHighWaterBytes: Int

  public var upstreamConnect: Duration
  public var upstreamTLS: Duration
  /// From the upgrade request to the complete head of the answer.
  public var upstreamUpgrade: Duration

  /// Sessions at a time; nil where only memory bounds them.
  public var maxSessions: Int?
  /// Sessions at a time from one address; nil for no limit.
  public var maxSessionsPerAddress: Int?
  /// Sessions that may begin in a second; nil for no limit.
  public var maxConnectsPerSecond: Int?
  /// What stores may take to say whether a client may connect.
  public var admissionTimeout: Duration
  /// What the process may take; nil for what the system allows it.
  public var memoryBudgetBytes: Int?
  /// Silence of a client after which its session may be ended when memory is short.
  public var idleWhenMemoryIsShort = Duration.seconds(30)
  /// Between two readings of the memory that is taken.
  public var memoryReadingInterval = Duration.seconds(1)

  /// From the signal to stop until running sessions are closed with 1012.
  public var drainGrace: Duration

  /// The limits of a configuration; by default, of one that names none.
  public init(_ limits: GatewayLimits = GatewayLimits()) {
    head.firstLineBytes = limits.requestLineBytes
    head.fieldBytes = limits.headerFieldBytes
    head.allFieldsBytes = limits.headerBlockBytes
    head.fieldCount = limits.headerFields
    tlsHandshake = limits.tlsHandshake
    headTimeout = limits.headTimeout
    headIdle = limits.headIdle
    wire = WireLimits(
      maxFrameBytes: limits.maxFrameBytes, maxMessageBytes: limits.maxMessageBytes,
      maxFragments: limits.maxFragments, maxTinyFragments: limits.maxTinyFragments)
    closeTimeout = limits.closeTimeout
    lingerTimeout = limits.linger
    pingInterval = limits.pingInterval
    pongTimeout = limits.pongTimeout
    upstreamPongTimeout = limits.upstreamPongTimeout
    peerStall = limits.peerStall
    writeLowWaterBytes = limits.writeLowWaterBytes
    writeHighWaterBytes = limits.writeHighWaterBytes
    upstreamConnect = limits.upstreamConnect
    upstreamTLS = limits.upstreamTLS
    upstreamUpgrade = limits.upstreamUpgrade
    maxSessions = limits.maxSessions
    maxSessionsPerAddress = limits.maxSessionsPerAddress
    maxConnectsPerSecond = limits.maxConnectsPerSecond
    admissionTimeout = limits.admissionTimeout
    memoryBudgetBytes = limits.memoryBudgetBytes
    drainGrace = limits.drainGrace
  }
}
