import Testing

@testable import WebSocketWire

@Suite struct HandshakeTests {
  @Test("The accept value of RFC 6455 section 1.3")
  func accept() {
    #expect(Handshake.accept(forKey: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    #expect(Handshake.accept(forKey: "x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk=")
  }

  @Test(
    "SHA-1 of the examples of FIPS 180-4 and of lengths around a block",
    arguments: [
      ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
      ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
      ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
    ])
  func digest(_ message: String, _ expected: String) {
    #expect(hex(SHA1.digest(Array(message.utf8))) == expected)
  }

  @Test(
    "SHA-1 of lengths at which the padding takes another form",
    arguments: [
      (55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"), (56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
      (63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"), (64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
      (65, "11655326c708d70319be2610e8a57d9a5b959d3b"), (119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"),
      (120, "f34c1488385346a55709ba056ddd08280dd4c6d6"), (128, "ad5b3fdbcb526778c2839d2f151ea753995e26a0"),
    ])
  func padding(_ length: Int, _ expected: String) {
    #expect(hex(SHA1.digest(Array(repeating: UInt8(ascii: "a"), count: length))) == expected)
  }

  @Test(
    "Fault row 1: a key is exactly 24 base64 characters that decode to 16 bytes",
    arguments: [
      ("dGhlIHNhbXBsZSBub25jZQ==", true), ("AAAAAAAAAAAAAAAAAAAAAA==", true), ("++++++++++//////////+w==", true),
      ("", false), ("dGhlIHNhbXBsZSBub25jZQ=", false), ("dGhlIHNhbXBsZSBub25jZQ", false),
      ("dGhlIHNhbXBsZSBub25jZQ===", false), ("dGhlIHNhbXBsZSBub25jZWE=", false), ("dGhlIHNhbXBsZSBub25jZWFi", false),
      ("dGhlIHNhbXBsZSBub25j-Q==", false), ("dGhlIHNhbXBsZSBub25j_Q==", false), (" GhlIHNhbXBsZSBub25jZQ==", false),
      ("dGhl=HNhbXBsZSBub25jZQ==", false), ("dGhlIHNhbXBsZSBub25j\u{E9}==", false), ("not base64 at all, is it", false),
    ])
  func keys(_ key: String, _ isValid: Bool) {
    #expect(Handshake.isValidKey(key) == isValid)
  }

  @Test("A new key is valid and never the one before")
  func newKeys() {
    let keys = (0..<100).map { _ in Handshake.newKey() }
    #expect(keys.allSatisfy { Handshake.isValidKey($0) })
    #expect(Set(keys).count == 100)
  }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}
