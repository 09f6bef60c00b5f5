import Envelope
import Logging

/// One line of the log, before it is written.
struct LogLine {
  /// Messages and values longer than this are cut, in bytes.
  static let longestValue = 2_048
  /// Keys of a line beyond these are left out.
  static let mostKeys = 64

  /// What a line has of its own; metadata of these names gets a `_` behind it.
  private static let ownKeys: Set<String> = ["time", "level", "service", "message"]

  /// RFC 3339, in UTC.
  var time: String
  var level: Logger.Level
  var service: String
  var message: String
  var metadata: Logger.Metadata

  func bytes(_ format: LogFormat) -> [UInt8] {
    var line: String
    switch format {
    case .text: line = text
    case .json: line = json
    }
    line += "\n"
    return Array(line.utf8)
  }

  /// The session first, then by name: a reader looks for it at the same place.
  private var fields: [(key: String, value: Logger.MetadataValue)] {
    let sorted = metadata.sorted { ($0.key == "session" ? "" : $0.key) < ($1.key == "session" ? "" : $1.key) }
    return sorted.prefix(Self.mostKeys).map { field in
      (Self.ownKeys.contains(field.key) ? field.key + "_" : field.key, field.value)
    }
  }

  private var text: String {
    var line = "\(time) \(level.rawValue) service=\(LogText.value(service)) \(LogText.bare(Self.clean(message)))"
    for (key, value) in fields {
      line += " \(LogText.key(key))=\(LogText.value(Self.clean(value.description)))"
    }
    return line
  }

  private var json: String {
    var object: JSONObject = [
      "time": .string(time), "level": .string(level.rawValue), "service": .string(service),
      "message": .string(Self.clean(message)),
    ]
    for (key, value) in fields { object[key] = Self.tree(value, depth: 0) }
    return JSONValue.object(object).text
  }

  private static func tree(_ value: Logger.MetadataValue, depth: Int) -> JSONValue {
    switch value {
    case .dictionary(let members) where depth < 4:
      var object = JSONObject()
      for member in members.sorted(by: { $0.key < $1.key }).prefix(mostKeys) {
        object[member.key] = tree(member.value, depth: depth + 1)
      }
      return .object(object)
    case .array(let elements) where depth < 4:
      return .array(elements.prefix(mostKeys).map { tree($0, depth: depth + 1) })
    default:
      return .string(clean(value.description))
    }
  }

  /// Of bounded length and without secrets. It is cut first: what remains of a key that was cut still looks like one.
  private static func clean(_ text: String) -> String {
    guard text.utf8.count > longestValue else { return SecretMask.masked(text) }
    var cut = String(text.unicodeScalars.prefix(longestValue))
    while cut.utf8.count > longestValue { cut.removeLast() }
    return SecretMask.masked(cut) + "…"
  }
}

/// Text in a line of `key=value` pairs. Nothing that a peer wrote can end the line, begin another pair, or steer the
/// terminal that shows it (fault row 62).
enum LogText {
  /// A value, in quotes where it would not be one word; in quotes `\` escapes.
  static func value(_ text: String) -> String {
    guard text.isEmpty || !text.unicodeScalars.allSatisfy(isPartOfWord) else { return text }
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      default: append(scalar, to: &result)
      }
    }
    return result + "\""
  }

  /// A message: constant words of ours, not in quotes.
  static func bare(_ text: String) -> String {
    guard !text.unicodeScalars.allSatisfy(isVisible) else { return text }
    var result = ""
    for scalar in text.unicodeScalars { append(scalar, to: &result) }
    return result
  }

  static func key(_ text: String) -> String {
    String(
      text.unicodeScalars.map { scalar -> Character in
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-": Character(scalar)
        default: "_"
        }
      })
  }

  private static func append(_ scalar: Unicode.Scalar, to result: inout String) {
    switch scalar {
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case _ where isVisible(scalar): result.unicodeScalars.append(scalar)
    default: result += "\\u{\(String(scalar.value, radix: 16))}"
    }
  }

  private static func isPartOfWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case " ", "\"", "=": false
    default: isVisible(scalar)
    }
  }

  /// Controls, line separators, and what turns the direction of the text are not.
  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7F }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
    default: true
    }
  }
}
