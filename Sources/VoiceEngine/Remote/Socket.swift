public import Translation

/// Opens WebSockets to services.
public protocol SocketDialer: Sendable {
  /// Returns when the handshake is done. Ends early if the task is cancelled.
  ///
  /// - Throws: `SocketRefusal` if the server answered with another status than 101.
  func open(_ url: String, headers: [(String, Redacted<String>)]) async throws -> any Socket
}

/// One WebSocket to a service.
public protocol Socket: Sendable {
  /// Queues a message. Nothing happens if the socket is closed.
  func send(text: String)
  /// Queues a message. Nothing happens if the socket is closed.
  func send(binary: [UInt8])
  /// What the service sends, to be iterated once. Ends after a close with code 1000, else throws `SocketClosed`.
  var messages: AsyncThrowingStream<SocketMessage, any Error> { get }
  /// Closes with code 1000. Harmless when repeated.
  func close()
}

public enum SocketMessage: Sendable, Hashable {
  case text(String)
  case binary([UInt8])
}

/// The service closed the socket.
public struct SocketClosed: Error, Sendable, Hashable {
  /// RFC 6455 section 7.4; 1006 for a connection that just ended.
  public var code: UInt16
  public var reason: String

  public init(code: UInt16, reason: String) {
    self.code = code
    self.reason = reason
  }
}

/// The service did not want a WebSocket.
public struct SocketRefusal: Error, Sendable {
  public var status: Int
  /// The names in small letters.
  public var headers: [String: String]
  /// Its beginning is enough.
  public var body: String

  public init(status: Int, headers: [String: String] = [:], body: String = "") {
    self.status = status
    self.headers = headers
    self.body = body
  }
}
