import Testing
import WebSocketWire

@Suite struct UTF8ValidatorTests {
  @Test("Fault row 27: every pair of bytes is refused at once or can still become text")
  func everyPair() {
    // Whatever a text can go on with after any two bytes, one of these is among it.
    let endings: [[UInt8]] = [
      [], [0x80], [0xA0, 0x80], [0x80, 0x80], [0x90, 0x80, 0x80], [0x80, 0x80, 0x80],
    ]
    for lead in UInt8.min...UInt8.max {
      for second in UInt8.min...UInt8.max {
        let pair = [lead, second]
        let canBecomeText = endings.contains { String(validating: pair + $0, as: UTF8.self) != nil }
        if prefixIsAccepted(pair) != canBecomeText { Issue.record("\(pair)") }
        // With text behind it, so that whole characters are read several bytes at a time.
        for ending in endings {
          let text = pair + ending + [0x61, 0x62, 0x63, 0x64]
          let isText = String(validating: text, as: UTF8.self) != nil
          if prefixIsAccepted(text) != isText { Issue.record("\(text)") }
        }
      }
    }
  }

  @Test(
    "Fault row 27: overlong forms, surrogates, values above U+10FFFF and stray bytes",
    arguments: [
      [0xC0, 0xAF], [0xC1, 0xBF], [0xE0, 0x80, 0xAF], [0xE0, 0x9F, 0xBF], [0xF0, 0x80, 0x80, 0xAF], [0xF0, 0x8F],
      [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5], [0xFE], [0xFF], [0x80], [0xBF],
      [0xCE, 0x41], [0xE2, 0x82, 0x41], [0xF0, 0x9F, 0x98, 0x41], [0x41, 0x80],
    ] as [[UInt8]])
  func refused(_ bytes: [UInt8]) {
    #expect(!prefixIsAccepted(bytes))
    // Also behind a run of ASCII, where the fast path is left.
    for padding in [1, 31, 32, 33, 64] {
      #expect(!prefixIsAccepted(Array(repeating: 0x61, count: padding) + bytes))
    }
  }

  @Test(
    "The edges of every sequence length are text",
    arguments: [
      "\u{0}\u{7F}", "\u{80}\u{7FF}", "\u{800}\u{FFFF}", "\u{D7FF}\u{E000}", "\u{10000}\u{10FFFF}", "\u{FEFF}", "",
    ])
  func accepted(_ text: String) {
    var validator = UTF8Validator()
    #expect(Array(text.utf8).withUnsafeBytes { validator.accepts($0) })
    #expect(validator.isBetweenCharacters)
  }

  @Test("A text cut inside a character is acceptable so far, but not complete")
  func cut() {
    let bytes = Array("κόσμε€😀".utf8)
    for count in 0...bytes.count {
      var validator = UTF8Validator()
      #expect(bytes[..<count].withUnsafeBytes { validator.accepts($0) })
      #expect(validator.isBetweenCharacters == (String(validating: bytes[..<count], as: UTF8.self) != nil))
    }
  }

  @Test("Random mutations of text in random pieces: the standard library agrees")
  func randomTexts() {
    var generator = SplitMix64(seed: 27)
    let sample = Array(
      "plain ASCII of more than thirty-two bytes, then κόσμε, 日本語のテキスト, 😀🏳️‍🌈 and plain ASCII again to end".utf8)
    var refusals = 0
    for _ in 0..<4000 {
      var bytes = sample
      for _ in 0..<Int.random(in: 0...2, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      var validator = UTF8Validator()
      var start = 0
      var isValid = true
      for piece in randomPieces(bytes.count, most: 50, using: &generator) where isValid {
        isValid = bytes[start..<start + piece].withUnsafeBytes { validator.accepts($0) }
        start += piece
      }
      isValid = isValid && validator.isBetweenCharacters
      if !isValid { refusals += 1 }
      #expect(isValid == (String(validating: bytes, as: UTF8.self) != nil))
    }
    #expect(refusals > 500 && refusals < 3500)
  }

  private func prefixIsAccepted(_ bytes: [UInt8]) -> Bool {
    var validator = UTF8Validator()
    return bytes.withUnsafeBytes { validator.accepts($0) }
  }
}
