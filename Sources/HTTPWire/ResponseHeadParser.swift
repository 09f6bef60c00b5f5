public import NIOCore

/// The head of an HTTP/1.1 response.
public struct ResponseHead: Sendable, Hashable {
  public var status: Int
  public var fields: [RequestHead.Field]

  public init(status: Int, fields: [RequestHead.Field]) {
    self.status = status
    self.fields = fields
  }

  /// The values of all fields of that name, which is given in lower case.
  public func values(of name: String) -> [String] {
    fields.lazy.filter { $0.name.lowercased() == name }.map(\.value)
  }

  /// The seconds of `Retry-After`; nil when it is absent, a date, or repeated.
  public var retryAfterSeconds: Int? {
    let values = values(of: "retry-after")
    guard values.count == 1, let value = values.first, value.utf8.allSatisfy(\.isDigit) else { return nil }
    return Int(value)
  }

  /// Whether the response opens the WebSocket that a request with `key` asked for (RFC 6455 section 4.1): 101, both
  /// upgrade fields, the accept value for that key, no extension, and no subprotocol but one of those offered.
  public func opensWebSocket(accept: String, offered subprotocols: [String]) -> Bool {
    guard status == 101 else { return false }
    let upgrades = values(of: "upgrade")
    guard upgrades.count == 1, upgrades.first?.lowercased() == "websocket" else { return false }
    let connection = values(of: "connection").flatMap {
      $0.split(separator: ",").map { $0.trimmingSpaces.lowercased() }
    }
    guard connection.contains("upgrade") else { return false }
    guard values(of: "sec-websocket-accept") == [accept] else { return false }
    guard values(of: "sec-websocket-extensions").isEmpty else { return false }
    let chosen = values(of: "sec-websocket-protocol")
    return chosen.isEmpty || (chosen.count == 1 && chosen.allSatisfy(subprotocols.contains))
  }
}

/// A strict parser of HTTP/1.1 response heads (RFC 9112 section 4), one byte at a time; bytes after the head stay in the
/// caller's buffer. Interim responses (100 to 199 but 101) are skipped, at most four of them.
public struct ResponseHeadParser: Sendable {
  private static let interimResponseCount = 4

  private let limits: HeadLimits
  private let acceptsHTTP10: Bool
  private var lines: HeadLines
  private var status: Int?
  private var fields: [RequestHead.Field] = []
  private var interimResponses = 0

  /// - Parameter acceptsHTTP10: many proxies answer CONNECT in that version.
  public init(limits: HeadLimits = HeadLimits(), acceptsHTTP10: Bool = false) {
    self.limits = limits
    self.acceptsHTTP10 = acceptsHTTP10
    lines = HeadLines(limits: limits)
  }

  /// Consumes bytes up to the end of the head. Nil when `bytes` ends before it.
  public mutating func parse(_ bytes: inout ByteBuffer) throws(HeadFault) -> ResponseHead? {
    var consumed = 0
    defer { bytes.moveReaderIndex(forwardBy: consumed) }
    for byte in bytes.readableBytesView {
      consumed += 1
      switch try lines.accept(byte) {
      case nil: continue
      case .first(let line): status = try self.status(of: line)
      case .field(let field): fields.append(field)
      case .end:
        guard let status else { throw .malformedFirstLine }
        guard (100..<200).contains(status), status != 101 else { return ResponseHead(status: status, fields: fields) }
        try skipInterimResponse()
      }
    }
    return nil
  }

  private mutating func skipInterimResponse() throws(HeadFault) {
    interimResponses += 1
    guard interimResponses <= Self.interimResponseCount else { throw .tooManyFields }
    lines = HeadLines(limits: limits)
    status = nil
    fields = []
  }

  /// `HTTP/1.1 SP 3DIGIT SP [reason]`; the space after the code may be missing when there is no reason.
  private func status(of line: [UInt8]) throws(HeadFault) -> Int {
    let start = "HTTP/1.1 ".utf8
    guard line.starts(with: start) || acceptsHTTP10 && line.starts(with: "HTTP/1.0 ".utf8) else {
      throw line.starts(with: "HTTP/".utf8) ? .unsupportedVersion : .malformedFirstLine
    }
    let rest = line.dropFirst(start.count)
    let digits = rest.prefix(3)
    guard digits.count == 3, digits.allSatisfy(\.isDigit), rest.count == 3 || rest.dropFirst(3).first == .space,
      let status = Int(String(decoding: digits, as: UTF8.self)), (100..<600).contains(status)
    else { throw .malformedFirstLine }
    return status
  }
}
