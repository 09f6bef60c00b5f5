/// The `traceparent` of a request (W3C Trace Context, level 1): which trace it belongs to, and below which span.
public struct TraceParent: Sendable, Hashable {
  /// 32 lower-case hexadecimal digits, not all zero.
  public let traceID: String
  /// 16 lower-case hexadecimal digits, not all zero.
  public let spanID: String
  /// Whether who asked records the trace.
  public let isSampled: Bool

  public init(traceID: String, spanID: String, isSampled: Bool) {
    self.traceID = traceID
    self.spanID = spanID
    self.isSampled = isSampled
  }

  /// nil if it is not one. A version above 00 is read as far as this one goes (section 4.3 there).
  public init?(_ header: String) {
    let bytes = Array(header.utf8)
    guard bytes.count >= 55, bytes[2] == UInt8(ascii: "-"), bytes[35] == UInt8(ascii: "-"),
      bytes[52] == UInt8(ascii: "-"), bytes.prefix(55).allSatisfy({ $0 == UInt8(ascii: "-") || Self.isDigit($0) })
    else { return nil }
    let version = String(decoding: bytes[0..<2], as: UTF8.self)
    let traceID = String(decoding: bytes[3..<35], as: UTF8.self)
    let spanID = String(decoding: bytes[36..<52], as: UTF8.self)
    let parts = [version, traceID, spanID]
    guard version != "ff", bytes.count == 55 || (version != "00" && bytes[55] == UInt8(ascii: "-")),
      parts.allSatisfy({ !$0.contains("-") }), traceID.contains(where: { $0 != "0" }),
      spanID.contains(where: { $0 != "0" }),
      let flags = UInt8(String(decoding: bytes[53..<55], as: UTF8.self), radix: 16)
    else { return nil }
    self.init(traceID: traceID, spanID: spanID, isSampled: flags & 1 == 1)
  }

  /// The header's value, of version 00.
  public var text: String { "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")" }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}
