/// Sound as it stands in events, written and read without the code that is tested.
enum AudioTestText {
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

  static func base64(_ byteCount: Int) -> String {
    base64([UInt8](repeating: 1, count: byteCount))
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits = group.reduce(0) { $0 << 8 | Int($1) }
      bits <<= 8 * (3 - group.count)
      for place in 0..<4 {
        text.append(place <= group.count ? letters[bits >> (18 - 6 * place) & 63] : "=")
      }
    }
    return text
  }

  /// The bytes that base64 in standard form stands for.
  static func byteCount(_ base64: String) -> Int {
    base64.utf8.count { $0 != UInt8(ascii: "=") } * 6 / 8
  }

  /// A file of mono PCM16.
  static func wav(rate: Int, sampleCount: Int) -> String {
    func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 255) } }
    let size = sampleCount * 2
    let format = Array("fmt ".utf8) + little(16, 4) + little(1, 2) + little(1, 2) + little(rate, 4)
    let header =
      Array("RIFF".utf8) + little(36 + size, 4) + Array("WAVE".utf8) + format + little(rate * 2, 4) + little(2, 2)
      + little(16, 2) + Array("data".utf8) + little(size, 4)
    return base64(header + [UInt8](repeating: 3, count: size))
  }
}
