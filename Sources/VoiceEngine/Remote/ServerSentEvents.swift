public import NIOCore

/// Reads a `text/event-stream` (WHATWG HTML, section "Server-sent events"), whatever way it is cut. Lines end with LF
/// or CRLF. Lenient where servers are known to be: the space after the colon and the blank line before the end may be
/// missing.
public struct ServerSentEvents: Sendable {
  /// One event.
  public struct Event: Sendable, Equatable {
    /// The value of `event:`; empty if there was none.
    public var name: String
    /// The `data:` lines, joined by LF.
    public var data: String

    public init(name: String = "", data: String) {
      self.name = name
      self.data = data
    }
  }

  public enum Fault: Error, Sendable, Hashable {
    /// A line, or the lines of an event together, have more bytes than allowed.
    case tooLong(limit: Int)
  }

  private let limit: Int
  /// The line that has not ended yet. Bytes, because a cut may go through a character.
  private var line: [UInt8] = []
  private var name = ""
  private var data: [UInt8] = []
  private var hasData = false
  private var isFirstLine = true

  /// - Parameter limit: bytes of a line, and of the data of an event.
  public init(limit: Int = 1 << 20) {
    self.limit = limit
  }

  /// Takes bytes and returns the events that end in them.
  public mutating func receive(_ bytes: ByteBufferView) throws(Fault) -> [Event] {
    var events: [Event] = []
    var rest = bytes
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      try extend(rest[rest.startIndex..<end])
      rest = rest[rest.index(after: end)...]
      if let event = try endLine() { events.append(event) }
    }
    try extend(rest)
    return events
  }

  /// The stream is over: the event that lacks its blank line, if there is one.
  public mutating func finish() throws(Fault) -> Event? {
    if !line.isEmpty, let event = try endLine() { return event }
    return dispatch()
  }

  private mutating func extend(_ bytes: ByteBufferView) throws(Fault) {
    guard line.count + bytes.count <= limit else { throw .tooLong(limit: limit) }
    line.append(contentsOf: bytes)
  }

  /// Works off the line; the event that a blank one ends.
  private mutating func endLine() throws(Fault) -> Event? {
    defer {
      line.removeAll(keepingCapacity: line.count < 1 << 16)
      isFirstLine = false
    }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    if isFirstLine, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    guard !line.isEmpty else { return dispatch() }
    let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
    var value = line[min(colon + 1, line.endIndex)...]
    if value.first == UInt8(ascii: " ") { value.removeFirst() }
    // An empty field name is a comment; `id` and `retry` mean nothing here.
    switch String(decoding: line[..<colon], as: UTF8.self) {
    case "data":
      guard data.count + value.count < limit else { throw .tooLong(limit: limit) }
      if hasData { data.append(UInt8(ascii: "\n")) }
      data.append(contentsOf: value)
      hasData = true
    case "event":
      name = String(decoding: value, as: UTF8.self)
    default:
      break
    }
    return nil
  }

  private mutating func dispatch() -> Event? {
    defer {
      name = ""
      data = []
      hasData = false
    }
    return hasData ? Event(name: name, data: String(decoding: data, as: UTF8.self)) : nil
  }
}
