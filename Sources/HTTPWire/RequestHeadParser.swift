public import NIOCore

/// A strict parser of HTTP/1.1 request heads (RFC 9112 sections 2 to 6), one byte at a time.
///
/// A fault is found at the same byte however the input is cut. The bytes after the head stay in the caller's buffer.
/// One parser reads one head.
public struct RequestHeadParser: Sendable {
  private var lines: HeadLines
  private var requestLine: RequestLine?
  private var fields: [RequestHead.Field] = []

  public init(limits: HeadLimits = HeadLimits()) {
    lines = HeadLines(limits: limits)
  }

  /// Whether a byte of this head has been seen.
  public var hasBegun: Bool { lines.hasBegun }

  /// Consumes bytes up to the end of the head. Nil when `bytes` ends before it.
  public mutating func parse(_ bytes: inout ByteBuffer) throws(HeadFault) -> RequestHead? {
    var consumed = 0
    defer { bytes.moveReaderIndex(forwardBy: consumed) }
    for byte in bytes.readableBytesView {
      consumed += 1
      if lines.isAtFirstByte { try Self.checkFirst(byte) }
      switch try lines.accept(byte) {
      case nil: continue
      case .first(let line): requestLine = try RequestLine(line)
      case .field(let field): fields.append(field)
      case .end: return try head()
      }
    }
    return nil
  }

  /// Tells other protocols and noise apart at once, so that nothing waits for a line that never comes.
  private static func checkFirst(_ byte: UInt8) throws(HeadFault) {
    if byte == .tlsHandshakeRecord { throw .tlsOnPlainPort }
    if byte.isToken || byte == .carriageReturn || byte == .lineFeed || byte.isForbiddenControl { return }
    throw .malformedFirstLine
  }

  private func head() throws(HeadFault) -> RequestHead {
    guard let requestLine else { throw .malformedFirstLine }
    var head = RequestHead(
      method: requestLine.method, path: requestLine.path, query: requestLine.query, host: "", fields: fields,
      body: .none)
    let hosts = head.values(of: "host")
    guard let host = hosts.first else { throw .hostMissing }
    guard hosts.count == 1 else { throw .hostRepeated }
    guard Self.isAuthority(host) else { throw .malformedHost }
    if let authority = requestLine.authority, authority.lowercased() != host.lowercased() { throw .foreignAuthority }
    head.host = host
    head.body = try Self.body(of: head)
    return head
  }

  /// RFC 3986 section 3.2 without user information.
  private static func isAuthority(_ host: String) -> Bool {
    !host.isEmpty
      && host.utf8.allSatisfy { byte in
        byte.isLetterOrDigit || ".-_~:[]%!$&'()*+;=".utf8.contains(byte)
      }
  }

  /// RFC 9112 section 6.3, read strictly: one framing field at most, and only `chunked`.
  private static func body(of head: RequestHead) throws(HeadFault) -> RequestHead.Body {
    let codings = head.values(of: "transfer-encoding")
    let lengths = head.values(of: "content-length")
    if !codings.isEmpty, !lengths.isEmpty { throw .lengthAndChunked }
    if let coding = codings.first {
      guard codings.count == 1 else { throw .transferCodingRepeated }
      guard coding.lowercased() == "chunked" else { throw .transferCodingUnknown }
      return .chunked
    }
    guard let length = lengths.first else { return .none }
    guard lengths.count == 1 else { throw .lengthRepeated }
    guard !length.isEmpty, length.utf8.allSatisfy(\.isDigit), let count = Int(length) else { throw .malformedLength }
    return count == 0 ? .none : .length(count)
  }
}
