public import NIOCore

/// Base64 of RFC 4648, as audio travels in it. Strict: no white space, no line breaks, nothing behind the padding.
public enum Base64 {
  /// The characters that `byteCount` bytes take, padding included.
  public static func encodedCount(ofBytes byteCount: Int) -> Int {
    (byteCount + 2) / 3 * 4
  }

  /// The number of bytes that `text` stands for; nil unless it is the one standard form of them: the alphabet of RFC 4648
  /// section 4, padded, and the unused bits of the last character zero.
  public static func standardPayload(_ text: UnsafeRawBufferPointer) -> Int? {
    decodedCount(text, alphabetPrefix: alphabetPrefix(text, from: 0))
  }

  /// The number of bytes from `start` on that belong to the alphabet of RFC 4648 section 4; padding does not.
  @inline(__always)
  public static func alphabetPrefix(_ text: UnsafeRawBufferPointer, from start: Int) -> Int {
    let block = 64
    var index = max(0, start)
    // A block of fixed size vectorises; only the last one is searched byte by byte.
    while index &+ block <= text.count {
      var odd: UInt8 = 0
      for place in 0..<block { odd |= isOutside(text[index &+ place]) }
      if odd != 0 { break }
      index &+= block
    }
    while index < text.count, isOutside(text[index]) == 0 { index &+= 1 }
    return index &- max(0, start)
  }

  /// Whether `text`, of which `alphabetPrefix` bytes are letters, is in standard form; then the bytes that it stands for.
  @inline(__always)
  public static func decodedCount(_ text: UnsafeRawBufferPointer, alphabetPrefix: Int) -> Int? {
    let padding = text.count &- alphabetPrefix
    guard text.count & 3 == 0, padding >= 0, padding <= 2 else { return nil }
    guard padding > 0 else { return text.count / 4 * 3 }
    guard alphabetPrefix > 0, text[text.count &- 1] == UInt8(ascii: "="), text[alphabetPrefix] == UInt8(ascii: "=")
    else { return nil }
    let unused: UInt8 = padding == 1 ? 0b11 : 0b1111
    guard sextet(text[alphabetPrefix &- 1]) & unused == 0 else { return nil }
    return text.count / 4 * 3 &- padding
  }

  /// The bytes that text in standard form stands for.
  public static func decodedByteCount(of text: some BidirectionalCollection<UInt8>) -> Int {
    let padding = text.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    return max(0, text.count / 4 * 3 - padding)
  }

  /// Appends the standard form of `text`, which may use the URL-safe alphabet of RFC 4648 section 5, lack its padding or
  /// have unused bits set. Returns the number of bytes that it stands for; nil, and nothing appended, if it is no base64.
  public static func normalise(_ text: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) -> Int? {
    let letters = text.count - text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
    let padding = (4 - letters & 3) & 3
    guard padding < 3, letters == text.count || letters + padding == text.count else { return nil }
    var valid = true
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: letters + padding) { output in
      var odd: UInt8 = 0
      for index in 0..<letters {
        let byte = standardLetter(text[index])
        odd |= isOutside(byte)
        output[index] = byte
      }
      valid = odd == 0
      guard valid else { return 0 }
      if padding > 0 {
        let unused: UInt8 = padding == 1 ? 0b11 : 0b1111
        output[letters - 1] = letter(ofSextet: sextet(output[letters - 1]) & ~unused)
        for index in 0..<padding { output[letters + index] = UInt8(ascii: "=") }
      }
      return letters + padding
    }
    return valid ? letters / 4 * 3 + (padding == 0 ? 0 : 3 - padding) : nil
  }

  /// Appends the standard form of `bytes`.
  public static func encode(_ bytes: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) {
    let count = encodedCount(ofBytes: bytes.count)
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { output in
      Tables.pairs.withUnsafeBufferPointer { pairs in
        let whole = bytes.count / 3
        for group in 0..<whole {
          let source = group &* 3
          let bits =
            UInt32(bytes[source]) &<< 16 | UInt32(bytes[source &+ 1]) &<< 8 | UInt32(bytes[source &+ 2])
          let letters = UInt32(pairs[Int(bits &>> 12)]) | UInt32(pairs[Int(bits & 0xFFF)]) &<< 16
          output.storeBytes(of: letters.littleEndian, toByteOffset: group &* 4, as: UInt32.self)
        }
        encodeRest(bytes, from: whole * 3, into: output, at: whole * 4)
      }
      return count
    }
  }

  /// Appends what `text` stands for and returns its byte count; nil, and nothing appended, unless it is in standard form.
  @discardableResult
  public static func decode(_ text: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) -> Int? {
    guard let count = standardPayload(text) else { return nil }
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { output in
      Tables.sextets.withUnsafeBufferPointer { sextets in
        let whole = count / 3
        // Four bytes are stored for three, the fourth to be overwritten by the next group; not so at the very end.
        let overlapping = min(whole, max(0, output.count &- 4) / 3)
        for group in 0..<overlapping {
          let bits = Self.bits(ofGroup: group, in: text, sextets)
          output.storeBytes(of: (bits &<< 8).bigEndian, toByteOffset: group &* 3, as: UInt32.self)
        }
        for group in overlapping..<whole {
          let bits = Self.bits(ofGroup: group, in: text, sextets)
          let target = group &* 3
          output[target] = UInt8(truncatingIfNeeded: bits &>> 16)
          output[target &+ 1] = UInt8(truncatingIfNeeded: bits &>> 8)
          output[target &+ 2] = UInt8(truncatingIfNeeded: bits)
        }
        decodeRest(text, from: whole * 4, into: output, at: whole * 3, count: count - whole * 3)
      }
      return count
    }
    return count
  }
}

extension Base64 {
  /// 1 for a byte outside the standard alphabet, else 0. Plain range comparisons, which vectorise.
  @inline(__always)
  private static func isOutside(_ byte: UInt8) -> UInt8 {
    let isLetter = (byte | 0x20) &- UInt8(ascii: "a") < 26
    // The slash stands right before the digits.
    let isDigitOrSlash = byte &- UInt8(ascii: "/") < 11
    let isPlus = byte == UInt8(ascii: "+")
    return (isLetter ? 0 : 1) & (isDigitOrSlash ? 0 : 1) & (isPlus ? 0 : 1)
  }

  /// The letter of the standard alphabet for one of the URL-safe alphabet. The standard two stay.
  @inline(__always)
  private static func standardLetter(_ byte: UInt8) -> UInt8 {
    if byte == UInt8(ascii: "-") { return UInt8(ascii: "+") }
    return byte == UInt8(ascii: "_") ? UInt8(ascii: "/") : byte
  }

  /// The six bits of a letter; 0 for any other byte.
  private static func sextet(_ letter: UInt8) -> UInt8 {
    UInt8(truncatingIfNeeded: Tables.sextets[768 &+ Int(letter)])
  }

  private static func letter(ofSextet sextet: UInt8) -> UInt8 {
    Tables.alphabet[Int(sextet & 63)]
  }

  /// The 24 bits of four letters.
  @inline(__always)
  private static func bits(
    ofGroup group: Int, in text: UnsafeRawBufferPointer, _ sextets: UnsafeBufferPointer<UInt32>
  ) -> UInt32 {
    let letters = text.loadUnaligned(fromByteOffset: group &* 4, as: UInt32.self).littleEndian
    return sextets[Int(letters & 0xFF)] | sextets[256 &+ Int(letters &>> 8 & 0xFF)]
      | sextets[512 &+ Int(letters &>> 16 & 0xFF)] | sextets[768 &+ Int(letters &>> 24)]
  }

  /// The last one or two bytes and their padding.
  private static func encodeRest(
    _ bytes: UnsafeRawBufferPointer, from source: Int, into output: UnsafeMutableRawBufferPointer, at target: Int
  ) {
    guard source < bytes.count else { return }
    let first = bytes[source]
    let second = source + 1 < bytes.count ? bytes[source + 1] : 0
    output[target] = letter(ofSextet: first >> 2)
    output[target + 1] = letter(ofSextet: first << 4 | second >> 4)
    output[target + 2] = source + 1 < bytes.count ? letter(ofSextet: second << 2) : UInt8(ascii: "=")
    output[target + 3] = UInt8(ascii: "=")
  }

  /// The last one or two bytes, which two or three letters stand for.
  private static func decodeRest(
    _ text: UnsafeRawBufferPointer, from source: Int, into output: UnsafeMutableRawBufferPointer, at target: Int,
    count: Int
  ) {
    guard count > 0 else { return }
    let second = sextet(text[source + 1])
    output[target] = sextet(text[source]) << 2 | second >> 4
    guard count > 1 else { return }
    output[target + 1] = second << 4 | sextet(text[source + 2]) >> 2
  }

  private enum Tables {
    static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The two letters of each 12 bits, the first one in the low byte: 8 KB.
    static let pairs: [UInt16] = (0..<4096).map { UInt16(alphabet[$0 >> 6]) | UInt16(alphabet[$0 & 63]) << 8 }

    /// The six bits of each byte that is a letter, four times: shifted to where the first, second, third and last letter
    /// of a group have them. 4 KB.
    static let sextets: [UInt32] = {
      var sextets = [UInt32](repeating: 0, count: 1024)
      for (value, letter) in alphabet.enumerated() {
        for place in 0..<4 { sextets[place * 256 + Int(letter)] = UInt32(value) << (18 - 6 * UInt32(place)) }
      }
      return sextets
    }()
  }
}
