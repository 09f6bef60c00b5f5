/// Where a value of the configuration was written.
enum Place: Sendable, Hashable {
  /// In the file, so many bytes from its beginning.
  case file(Int)
  /// In the section `gateway` of the runtime configuration.
  case patch
  /// In this variable of the environment.
  case environment(String)
}

/// A JSON value that knows where it stands in its file, so that a fault in its meaning can still be shown with its line.
struct PositionedValue: Sendable {
  indirect enum Content: Sendable {
    case null
    case bool(Bool)
    /// The text as written: what is in range depends on the key.
    case number(String)
    case string(String)
    case array([PositionedValue])
    /// In order of the file, duplicates included.
    case object([PositionedMember])
    /// A member that a patch takes away. Its key is checked as any other, and nothing more of it is seen.
    case removed
  }

  var content: Content
  /// Of the value's first byte.
  var place: Place

  var kindName: String {
    switch content {
    case .null, .removed: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

struct PositionedMember: Sendable {
  var key: String
  var keyPlace: Place
  var value: PositionedValue

  var isRemoved: Bool {
    if case .removed = value.content { true } else { false }
  }
}

/// Turns byte offsets into the lines and columns that an editor shows.
struct SourceMap: Sendable {
  private let bytes: [UInt8]
  private let lineStarts: [Int]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    lineStarts = [0] + bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
  }

  /// Counted from 1; columns in Unicode scalars.
  func position(of offset: Int) -> (line: Int, column: Int) {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    let column = bytes[lineStarts[low]..<max(lineStarts[low], min(offset, bytes.count))].reduce(into: 1) {
      if $1 & 0xC0 != 0x80 { $0 += 1 }
    }
    return (low + 1, column)
  }
}

/// The place of a value in the tree, as faults show it: `providers.gemini.url`, `listen[0].port`.
struct ValuePath: Sendable, Hashable, CustomStringConvertible {
  static let root = ValuePath(description: "")

  let description: String

  func key(_ key: String) -> ValuePath {
    let isPlain =
      !key.isEmpty && key.utf8.count <= 64
      && key.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == 0x5F || $0 == 0x2D }
    guard isPlain else { return ValuePath(description: "\(description)[\(quoted(key))]") }
    return ValuePath(description: description.isEmpty ? key : "\(description).\(key)")
  }

  func index(_ index: Int) -> ValuePath {
    ValuePath(description: "\(description)[\(index)]")
  }
}

/// Text from a file or a client between quotes, cut to 64 characters, with everything escaped that could forge a line of
/// a log (fault row 62).
func quoted(_ text: String) -> String {
  var result = "\""
  for (index, scalar) in text.unicodeScalars.enumerated() {
    if index == 64 {
      result += "…"
      break
    }
    switch scalar {
    case "\"", "\\":
      result += "\\"
      result.unicodeScalars.append(scalar)
    case _ where scalar.properties.generalCategory.isPrintable: result.unicodeScalars.append(scalar)
    default: result += "\\u{\(String(scalar.value, radix: 16))}"
    }
  }
  return result + "\""
}

extension Unicode.GeneralCategory {
  fileprivate var isPrintable: Bool {
    switch self {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
    default: true
    }
  }
}
