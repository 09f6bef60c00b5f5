import Audio
import Envelope
import NIOCore

/// Sound in a transcript, by its name: `"20 ms of a"` is base64 of PCM16 at 24 kHz, a tone of its own for `a` to `d`;
/// `"20 ms of silence"` is quiet, `"… in u-law"` and `"… in A-law"` are quiet in these codes; `"… at 8000 Hz"` is another rate.
enum GoldenSound {
  /// The value with the base64 in place of the names.
  static func spelledOut(_ value: JSONValue) -> JSONValue {
    switch value {
    case .string(let text): .string(base64(of: text) ?? text)
    case .array(let elements): .array(elements.map(spelledOut))
    case .object(let object):
      .object(object.reduce(into: JSONObject()) { $0[$1.key] = spelledOut($1.value) })
    default: value
    }
  }

  private static func base64(of name: String) -> String? {
    let words = name.split(separator: " ").map(String.init)
    guard words.count >= 4, words[1] == "ms", words[2] == "of", let milliseconds = Int(words[0]) else { return nil }
    let rate = words.firstIndex(of: "at").flatMap { $0 + 1 < words.count ? Int(words[$0 + 1]) : nil } ?? 24_000
    let bytes: [UInt8]
    if words.contains("u-law") {
      bytes = [UInt8](repeating: 0xFF, count: milliseconds * 8)
    } else if words.contains("A-law") {
      bytes = [UInt8](repeating: 0xD5, count: milliseconds * 8)
    } else {
      bytes = samples(words[3], count: milliseconds * rate / 1000).flatMap {
        [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
      }
    }
    var text = ByteBuffer()
    bytes.withUnsafeBytes { Base64.encode($0, into: &text) }
    return String(buffer: text)
  }

  /// A saw tooth, whose period is the letter's. Each divides 20 ms, so that a long sound is a row of short ones.
  private static func samples(_ name: String, count: Int) -> [Int16] {
    guard let period = ["a": 32, "b": 40, "c": 80, "d": 160][name] else { return [Int16](repeating: 0, count: count) }
    return (0..<count).map { Int16($0 % period * 150 - 6_000) }
  }
}
