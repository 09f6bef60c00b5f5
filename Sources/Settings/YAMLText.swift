import Envelope

/// Writes JSON values as YAML that reads back as the same: block mappings, lists as JSON, texts quoted where they might be
/// taken for something else.
enum YAMLText {
  static func of(_ object: JSONObject) -> String {
    var lines: [String] = []
    write(object, indentation: "", into: &lines)
    return lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
  }

  private static func write(_ object: JSONObject, indentation: String, into lines: inout [String]) {
    for (key, value) in object {
      let name = indentation + scalar(key) + ":"
      if let inner = value.object, !inner.isEmpty {
        lines.append(name)
        write(inner, indentation: indentation + "  ", into: &lines)
      } else {
        lines.append("\(name) \(text(value))")
      }
    }
  }

  /// A value on one line.
  static func text(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): scalar(text)
    // JSON is YAML, but for characters that JSON lets stand for themselves.
    default: escaped(value.text)
    }
  }

  /// Words that some readers of YAML 1.1 take for no text.
  private static let reserved: Set<String> = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]

  static func scalar(_ text: String) -> String {
    isPlain(text) ? text : escaped(JSONValue.string(text).text)
  }

  /// Letters first, so that it is no number and no sign of YAML; then what stands in names, paths and models, without a colon,
  /// which can end a key.
  private static func isPlain(_ text: String) -> Bool {
    guard let first = text.utf8.first, isLetter(first), text.utf8.count <= 128 else { return false }
    guard !reserved.contains(text.lowercased()) else { return false }
    return text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || "._-/".utf8.contains($0) }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & 0xDF) && byte < 0x80 }

  /// YAML 1.1 allows no DEL, no C1 control and no U+FFFE in its text, and takes U+0085, U+2028 and U+2029 for ends of lines.
  private static func escaped(_ json: String) -> String {
    var text = ""
    for scalar in json.unicodeScalars {
      switch scalar.value {
      case 0x7F...0x9F, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
