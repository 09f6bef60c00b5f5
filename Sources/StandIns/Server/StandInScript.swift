public import NIOCore

/// What a client asked for in its upgrade request.
public struct StandInRequest: Sendable, Hashable {
  /// The path without the query, as sent.
  public var path: String
  /// The query's items in order, percent-decoded.
  public var query: [Item]
  /// The header fields in order.
  public var headers: [Item]

  /// A name and a value.
  public struct Item: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public init(path: String, query: [Item] = [], headers: [Item] = []) {
    self.path = path
    self.query = query
    self.headers = headers
  }

  /// The first query item of that name.
  public func query(_ name: String) -> String? {
    query.first { $0.name == name }?.value
  }

  /// The first header field of that name, whatever its case.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}

/// What a script says to an upgrade request.
public enum StandInVerdict: Sendable, Hashable {
  /// 101, with the subprotocol if one is chosen.
  case upgrade(subprotocol: String?)
  /// An HTTP answer with that status and text, then the end of the connection.
  case refuse(status: Int, reason: String)
}

/// A whole message from the client.
public enum StandInMessage: Sendable, Hashable {
  case text(String)
  case binary(ByteBuffer)
}

/// What a script sends.
public enum StandInFrame: Sendable, Hashable {
  case text(String)
  /// UTF-8 text in a binary frame.
  case binary(String)
  /// The close handshake; nothing is sent after it.
  case close(code: UInt16, reason: String)
}

/// The service's side of one connection: a pure value that knows neither sockets nor time.
///
/// The driver asks `judge` first, then calls `begin` once and `receive` for each message. While `pause` is not nil,
/// output waits: the driver calls `advance` after that time, and again as long as it says so. A pause of zero is due at
/// once.
public protocol StandInScript: Sendable {
  var pause: Duration? { get }
  mutating func judge(_ request: StandInRequest) -> StandInVerdict
  mutating func begin() -> [StandInFrame]
  mutating func receive(_ message: StandInMessage) -> [StandInFrame]
  mutating func advance() -> [StandInFrame]
}

extension StandInScript {
  /// `receive` and everything that follows from it, as if the pauses were over; for dialogue tests.
  public mutating func exchange(_ message: StandInMessage) -> [StandInFrame] {
    var frames = receive(message)
    while pause != nil { frames += advance() }
    return frames
  }
}
