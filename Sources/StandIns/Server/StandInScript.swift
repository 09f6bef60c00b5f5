public import Envelope
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

/// A request over plain HTTP, such as the one for a token.
public struct StandInCall: Sendable, Hashable {
  public var method: String
  public var request: StandInRequest
  public var body: String

  public init(method: String, request: StandInRequest, body: String) {
    self.method = method
    self.request = request
    self.body = body
  }
}

/// The answer to a `StandInCall`.
public struct StandInAnswer: Sendable, Equatable {
  public var status: Int
  public var body: JSONValue

  public init(_ status: Int, _ body: JSONValue) {
    self.status = status
    self.body = body
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
public enum StandInFrame: Sendable, Equatable {
  case text(String)
  /// UTF-8 text in a binary frame.
  case binary(String)
  /// The close handshake; nothing is sent after it.
  case close(code: UInt16, reason: String)
  /// The end of the connection without a close frame.
  case abort
  /// Nothing on the wire: a line in the record that the client broke the service's rules.
  case violation(JSONValue)
}

/// Something that a script wants to be reminded of.
public struct StandInAlarm: Sendable, Hashable {
  public var name: String
  public var after: Duration

  public init(_ name: String, after: Duration) {
    self.name = name
    self.after = after
  }
}

/// The service's side of one connection: a pure value that knows neither sockets nor time.
///
/// The driver asks `judge` first, then calls `begin` once and `receive` for each message. While `pause` is not nil,
/// output waits: the driver calls `advance` after that time, and again as long as it says so. A pause of zero is due at
/// once. Alarms run beside the pauses: after every other call the driver takes the new ones with `takeAlarms`, and
/// hands each back with `ring` when its time is over, unless the connection has ended.
public protocol StandInScript: Sendable {
  var pause: Duration? { get }
  mutating func judge(_ request: StandInRequest) -> StandInVerdict
  /// The answer to a request that is no upgrade; nil for a service without such.
  mutating func answer(_ call: StandInCall) -> StandInAnswer?
  mutating func begin() -> [StandInFrame]
  mutating func receive(_ message: StandInMessage) -> [StandInFrame]
  mutating func advance() -> [StandInFrame]
  /// The alarms to set, each given once.
  mutating func takeAlarms() -> [StandInAlarm]
  mutating func ring(_ alarm: StandInAlarm) -> [StandInFrame]
  /// The connection is gone, whoever ended it. The last call.
  mutating func connectionEnded()
  /// What to note in the record when the connection has ended.
  var summary: JSONValue? { get }
}

extension StandInScript {
  public mutating func answer(_ call: StandInCall) -> StandInAnswer? { nil }
  public mutating func takeAlarms() -> [StandInAlarm] { [] }
  public mutating func ring(_ alarm: StandInAlarm) -> [StandInFrame] { [] }
  public mutating func connectionEnded() {}
  public var summary: JSONValue? { nil }

  /// `receive` and everything that follows from it, as if the pauses were over; for dialogue tests.
  public mutating func exchange(_ message: StandInMessage) -> [StandInFrame] {
    var frames = receive(message)
    while pause != nil { frames += advance() }
    return frames
  }
}
