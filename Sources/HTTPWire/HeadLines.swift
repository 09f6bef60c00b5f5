/// The sizes that the head of a request or response may have (fault row 7).
public struct HeadLimits: Sendable, Hashable {
  /// Bytes of the first line without its line end.
  public var firstLineBytes = 8 * 1024
  /// Bytes of one field line without its line end.
  public var fieldBytes = 16 * 1024
  /// Bytes of all field lines together, without their line ends.
  public var allFieldsBytes = 64 * 1024
  public var fieldCount = 100

  public init() {}
}

/// Cuts the head of an HTTP/1.1 message into lines, one byte at a time (RFC 9112 sections 2.2 and 5).
///
/// A fault is found at the same byte however the input is cut, and before that byte is stored, so that memory stays
/// within the limits.
struct HeadLines: Sendable {
  enum Line: Sendable {
    case first([UInt8])
    case field(RequestHead.Field)
    case end
  }

  private let limits: HeadLimits
  private var line: [UInt8] = []
  private var hasFirstLine = false
  private var endsInCarriageReturn = false
  private var isAfterEmptyLine = false
  private var fieldCount = 0
  private var allFieldsBytes = 0

  init(limits: HeadLimits) {
    self.limits = limits
  }

  /// Whether a byte has been seen.
  var hasBegun: Bool { hasFirstLine || !line.isEmpty || endsInCarriageReturn || isAfterEmptyLine }

  /// Whether the next byte is the first of the message.
  var isAtFirstByte: Bool { !hasFirstLine && line.isEmpty && !endsInCarriageReturn }

  /// The line that `byte` completes; nil while a line is under way.
  mutating func accept(_ byte: UInt8) throws(HeadFault) -> Line? {
    if endsInCarriageReturn {
      guard byte == .lineFeed else { throw .bareCarriageReturn }
      endsInCarriageReturn = false
      return try completeLine()
    }
    if byte == .carriageReturn {
      endsInCarriageReturn = true
      return nil
    }
    if byte == .lineFeed { throw .bareLineFeed }
    if byte.isForbiddenControl { throw .controlCharacter }
    if hasFirstLine {
      try checkField(byte)
      allFieldsBytes += 1
    } else if line.count == limits.firstLineBytes {
      throw .firstLineTooLong
    }
    line.append(byte)
    return nil
  }

  private func checkField(_ byte: UInt8) throws(HeadFault) {
    if line.isEmpty {
      if byte == .space || byte == .tab { throw .foldedField }
      if fieldCount == limits.fieldCount { throw .tooManyFields }
    }
    if line.count == limits.fieldBytes { throw .fieldTooLong }
    if allFieldsBytes == limits.allFieldsBytes { throw .fieldsTooLong }
  }

  private mutating func completeLine() throws(HeadFault) -> Line? {
    defer { line.removeAll(keepingCapacity: true) }
    if hasFirstLine {
      if line.isEmpty { return .end }
      fieldCount += 1
      return .field(try Self.field(line))
    }
    if line.isEmpty {
      // RFC 9112 section 2.2: one empty line before the request line is ignored.
      guard !isAfterEmptyLine else { throw .malformedFirstLine }
      isAfterEmptyLine = true
      return nil
    }
    hasFirstLine = true
    return .first(line)
  }

  private static func field(_ line: [UInt8]) throws(HeadFault) -> RequestHead.Field {
    guard let colon = line.firstIndex(of: .colon) else { throw .fieldWithoutColon }
    let name = line[..<colon]
    guard !name.isEmpty, name.allSatisfy(\.isToken) else { throw .malformedFieldName }
    let value = line[(colon + 1)...]
    return RequestHead.Field(
      name: String(decoding: name, as: UTF8.self),
      value: String(decoding: value, as: UTF8.self).trimmingSpaces)
  }
}
