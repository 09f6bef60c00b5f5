import Envelope

/// SplitMix64, so that a property test that fails can be run again.
struct SeededBits: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Random JSON: trees, and the white space between tokens.
struct SeededJSON {
  var bits: SeededBits

  init(seed: UInt64) {
    bits = SeededBits(seed: seed)
  }

  mutating func value(depth: Int = 4) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &bits) {
    case 0: .null
    case 1: .bool(Bool.random(using: &bits))
    case 2: .number(JSONNumber(Int(truncatingIfNeeded: bits.next() >> UInt64.random(in: 0...63, using: &bits))))
    case 3: .number(JSONNumber(double()))
    case 4: .string(text())
    case 5: .array((0..<Int.random(in: 0...4, using: &bits)).map { _ in value(depth: depth - 1) })
    default: .object(object(depth: depth - 1))
    }
  }

  mutating func object(depth: Int) -> JSONObject {
    var object = JSONObject()
    for _ in 0..<Int.random(in: 0...20, using: &bits) { object[text()] = value(depth: depth) }
    return object
  }

  mutating func double() -> Double {
    let value = Double(bitPattern: bits.next())
    return value.isFinite ? value : 0.5
  }

  /// Up to 12 characters: ASCII, what must be escaped, and characters of two to four bytes.
  mutating func text() -> String {
    let odd: [Character] = ["\"", "\\", "\u{0}", "\u{1F}", "\n", "/", "é", "e\u{301}", "\u{2028}", "日", "😀", "\u{7F}"]
    var text = ""
    for _ in 0..<Int.random(in: 0...12, using: &bits) {
      if Bool.random(using: &bits) {
        text.append(odd.randomElement(using: &bits) ?? "x")
      } else {
        text.append(Character(UnicodeScalar(UInt8.random(in: 0x20...0x7E, using: &bits))))
      }
    }
    return text
  }

  mutating func whitespace() -> String {
    String(
      (0..<Int.random(in: 0...3, using: &bits)).map { _ in [" ", "\n", "\t", "\r"].randomElement(using: &bits) ?? " " })
  }

  /// Changes, drops or doubles up to three bytes.
  mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    let telling = Array("\"\\{}[],:=+/-_ 0aAZz.eu\u{0}\n".utf8) + [0x80, 0xC3, 0xFF]
    for _ in 0..<Int.random(in: 1...3, using: &bits) where !bytes.isEmpty {
      let index = Int.random(in: 0..<bytes.count, using: &bits)
      switch Int.random(in: 0..<4, using: &bits) {
      case 0: bytes.remove(at: index)
      case 1: bytes.insert(bytes[index], at: index)
      case 2: bytes[index] = UInt8.random(in: 0...255, using: &bits)
      default: bytes[index] = telling.randomElement(using: &bits) ?? 0
      }
    }
    return bytes
  }
}

/// Parses the bytes; the fault where they are refused.
func parsed(_ bytes: [UInt8], limits: JSONLimits = .init()) -> Result<JSONValue, JSONFault> {
  bytes.withUnsafeBytes { raw in
    do throws(JSONFault) {
      return .success(try JSONValue(parsing: raw, limits: limits))
    } catch {
      return .failure(error)
    }
  }
}

/// Checks the bytes without keeping them; nil where they are accepted.
func checked(_ bytes: [UInt8], limits: JSONLimits = .init()) -> JSONFault? {
  bytes.withUnsafeBytes { raw in
    do throws(JSONFault) {
      try JSONCheck.check(raw, limits: limits)
      return nil
    } catch {
      return error
    }
  }
}
