import FoundationEssentials

/// Base64 as protobuf JSON reads it: both alphabets, with or without padding. Not the product's codec, on purpose: a
/// stand-in that shares it would not notice its mistakes.
enum StandInBase64 {
  static func decoded(_ text: String) -> [UInt8]? {
    var standard = text
    if text.utf8.contains(where: { $0 == 0x2D || $0 == 0x5F }) {
      standard = text.replacing("-", with: "+").replacing("_", with: "/")
    }
    if !standard.hasSuffix("=") {
      standard += String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
    }
    return strictlyDecoded(standard)
  }

  /// The standard alphabet with its padding only.
  static func strictlyDecoded(_ text: String) -> [UInt8]? {
    Data(base64Encoded: text).map { Array($0) }
  }

  static func encoded(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString()
  }
}
