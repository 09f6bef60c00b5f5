/// A JSON number (RFC 8259 section 6) with the text it came with.
///
/// Two numbers are equal when their values are, whatever their text: `1.0` equals `1`, `1e2` equals `100`.
public struct JSONNumber: Sendable, Hashable, CustomStringConvertible {
  /// The number as it stands on the wire.
  public let text: String

  public init(_ value: Int) {
    text = String(value)
  }

  /// A whole value below 2^53 is written without a fraction. JSON has no infinity and no NaN (RFC 8259 section 6): they
  /// become the finite value nearest to them, NaN becomes 0.
  public init(_ value: Double) {
    if value.isNaN {
      text = "0"
    } else if value.isInfinite {
      text = value < 0 ? "\(-Double.greatestFiniteMagnitude)" : "\(Double.greatestFiniteMagnitude)"
    } else if value.magnitude < 9_007_199_254_740_992, value == value.rounded(.towardZero) {
      text = String(Int(value))
    } else {
      text = "\(value)"
    }
  }

  /// Nil unless `text` is exactly one JSON number.
  public init?(text: String) {
    var copy = text
    let isNumber = copy.withUTF8 { utf8 in
      var scanner = JSONScanner(UnsafeRawBufferPointer(utf8))
      return (try? scanner.number(maxDigits: .max)) != nil && scanner.isAtEnd
    }
    guard isNumber else { return nil }
    self.text = text
  }

  /// `text` has passed the number rule of the scanner.
  init(checked text: String) {
    self.text = text
  }

  /// The value if it is a whole number that fits, whatever its notation: `5`, `5.0` and `50e-1` are all 5.
  public var int: Int? {
    if let plain = Int(text) { return plain }
    return Decimal(text).int
  }

  /// The nearest `Double`; nil where that is not finite.
  public var double: Double? {
    guard let value = Double(text), value.isFinite else { return nil }
    return value
  }

  public var description: String { text }

  public static func == (left: Self, right: Self) -> Bool {
    left.text == right.text || Decimal(left.text) == Decimal(right.text)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(Decimal(text))
  }
}

/// The exact value of a number text: `digits` as a whole number, times ten to the `exponent`.
private struct Decimal: Hashable {
  var isNegative = false
  /// No leading and no trailing zero; empty for zero.
  var digits: [UInt8] = []
  var exponent = 0

  init(_ text: String) {
    var fractionDigits = 0
    var isFraction = false
    var bytes = text.utf8[...]
    if bytes.first == UInt8(ascii: "-") {
      isNegative = true
      bytes.removeFirst()
    }
    while let byte = bytes.first {
      bytes.removeFirst()
      if byte == UInt8(ascii: ".") {
        isFraction = true
      } else if byte | 0x20 == UInt8(ascii: "e") {
        exponent = Self.exponent(bytes)
        break
      } else {
        digits.append(byte &- UInt8(ascii: "0"))
        if isFraction { fractionDigits += 1 }
      }
    }
    exponent -= fractionDigits
    normalise()
  }

  /// Saturates far beyond any digit count that the limits let through.
  private static func exponent(_ bytes: Substring.UTF8View) -> Int {
    let bound = 1_000_000_000_000
    var value = 0
    for byte in bytes where byte != UInt8(ascii: "+") && byte != UInt8(ascii: "-") {
      value = min(bound, value * 10 + Int(byte &- UInt8(ascii: "0")))
    }
    return bytes.first == UInt8(ascii: "-") ? -value : value
  }

  private mutating func normalise() {
    while digits.last == 0 {
      digits.removeLast()
      exponent += 1
    }
    digits.removeFirst(digits.prefix { $0 == 0 }.count)
    guard digits.isEmpty else { return }
    exponent = 0
    isNegative = false
  }

  var int: Int? {
    // Int.max has 19 digits.
    guard exponent >= 0, digits.count + exponent <= 19 else { return nil }
    var value = 0
    for place in 0..<(digits.count + exponent) {
      let digit = place < digits.count ? Int(digits[place]) : 0
      let (scaled, scaleOverflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, sumOverflow) = scaled.addingReportingOverflow(isNegative ? -digit : digit)
      guard !scaleOverflow, !sumOverflow else { return nil }
      value = sum
    }
    return value
  }
}
