import Audio
import NIOCore
import Testing

/// SplitMix64, so that a property test that fails can be run again.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// The definition of RFC 4648 section 4, bit by bit.
private func reference(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  var bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
  while !bits.count.isMultiple(of: 6) { bits.append(0) }
  var text = ""
  for start in stride(from: 0, to: bits.count, by: 6) {
    text.append(alphabet[bits[start..<(start + 6)].reduce(0) { $0 << 1 | Int($1) }])
  }
  return text + String(repeating: "=", count: (4 - text.count % 4) % 4)
}

private func payload(_ text: String) -> Int? {
  Array(text.utf8).withUnsafeBytes { Base64.standardPayload($0) }
}

private func encoded(_ bytes: [UInt8]) -> String {
  var buffer = ByteBuffer()
  bytes.withUnsafeBytes { Base64.encode($0, into: &buffer) }
  return String(buffer: buffer)
}

/// The decoded bytes; nil where the text is refused.
private func decoded(_ text: String) -> [UInt8]? {
  var buffer = ByteBuffer(string: "x")
  let count = Array(text.utf8).withUnsafeBytes { Base64.decode($0, into: &buffer) }
  #expect(buffer.readableBytes == (count ?? 0) + 1)
  return count == nil ? nil : Array(buffer.readableBytesView.dropFirst())
}

/// The standard form and the byte count; nil where the text is refused.
private func normalised(_ text: String) -> (text: String, count: Int)? {
  var buffer = ByteBuffer(string: "x")
  let count = Array(text.utf8).withUnsafeBytes { Base64.normalise($0, into: &buffer) }
  guard let count else {
    #expect(buffer.readableBytes == 1, "Nothing is appended on failure")
    return nil
  }
  return (String(String(buffer: buffer).dropFirst()), count)
}

@Suite("Base64")
struct Base64Tests {
  @Test(
    "The examples of RFC 4648 section 10",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ])
  func examples(plain: String, text: String) {
    #expect(encoded(Array(plain.utf8)) == text)
    #expect(decoded(text) == Array(plain.utf8))
    #expect(payload(text) == plain.utf8.count)
  }

  @Test(
    "Lengths 0 to 1000: encode, check, decode and normalise agree with the definition")
  func allLengths() {
    var random = SplitMix64(state: 1)
    for length in 0...1000 {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      let text = encoded(bytes)
      #expect(text == reference(bytes))
      #expect(text.utf8.count == Base64.encodedCount(ofBytes: length))
      #expect(payload(text) == length)
      #expect(decoded(text) == bytes)
      let urlSafe = String(text.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }.filter { $0 != "=" })
      for variant in [text, urlSafe] {
        let standard = normalised(variant)
        #expect(standard?.text == text && standard?.count == length)
      }
    }
  }

  @Test(
    "Fault row 40: what is not the standard form is no payload",
    arguments: [
      "A", "AA", "AAA", "AAAAA", "A===", "====", "=", "AA=A", "A=AA", "=AAA", "AAAA=", "AAAA====", "AA==AAAA", "AA=",
      "AAA==", "AB==", "AAB=", "!!", "AAA!", "AAA-", "AAA_", "AAA ", " AAA", "AAA\n", "AA A", "AAA\u{0}", "AAA\"",
      "AAA\\", "AAé", "A@[`", "{AAA", "AAA:", "AAA.", "AAA,", "AA\\/",
    ])
  func notStandard(text: String) {
    #expect(payload(text) == nil)
    #expect(decoded(text) == nil)
  }

  @Test(
    "Normalising takes the URL-safe alphabet, missing padding and unused bits, and nothing else",
    arguments: [
      ("AA", "AA==", 1), ("AAA", "AAA=", 2), ("AB==", "AA==", 1), ("AAB=", "AAA=", 2), ("AAB", "AAA=", 2),
      ("-_-_", "+/+/", 3), ("-_+/", "+/+/", 3), ("__8", "//8=", 2), ("", "", 0),
      ("A", nil, 0), ("AAAAA", nil, 0), ("AA=", nil, 0), ("AAAA=", nil, 0), ("AAAA==", nil, 0), ("=", nil, 0),
      ("==", nil, 0), ("A===", nil, 0), ("AA==AA==", nil, 0), ("!!", nil, 0), ("A A=", nil, 0), ("AAA\n", nil, 0),
      ("data:audio/pcm;base64,AAAA", nil, 0),
    ] as [(String, String?, Int)])
  func normalising(text: String, standard: String?, count: Int) {
    let result = normalised(text)
    #expect(result?.text == standard)
    #expect((result?.count ?? 0) == count)
  }

  @Test("Each of the 256 bytes, at each place of a long text, is told right")
  func everyByte() {
    let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    for byte in UInt8.min...UInt8.max {
      for place in [0, 1, 63, 64, 65, 127, 128, 130] {
        var text = [UInt8](repeating: UInt8(ascii: "A"), count: 132)
        text[place] = byte
        let isAccepted = text.withUnsafeBytes { Base64.standardPayload($0) } == 99
        #expect(isAccepted == alphabet.contains(byte))
        let prefix = text.withUnsafeBytes { Base64.alphabetPrefix($0, from: 0) }
        #expect(prefix == (alphabet.contains(byte) ? 132 : place))
      }
    }
  }
}
