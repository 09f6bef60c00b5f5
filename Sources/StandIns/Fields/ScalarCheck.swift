import Envelope

/// The check of a value that is neither an object nor an array.
struct ScalarCheck {
  var dialect: FieldTable.Dialect
  var path: [FieldStep]

  func check(_ value: JSONValue, _ kind: FieldKind) throws(FieldFault) {
    switch kind {
    case .string:
      _ = try string(value)
    case .text(let maximum):
      if try string(value).unicodeScalars.count > maximum {
        throw FieldFault(kind: .tooLong(maximum: maximum), path: path)
      }
    case .bool:
      guard value.bool != nil else { throw wrongType("a boolean", value) }
    case .integer(let range):
      try integer(value, range)
    case .number(let range):
      try number(value, range)
    case .bytes:
      guard StandInBase64.decoded(try string(value)) != nil else {
        throw FieldFault(kind: .notBase64, path: path)
      }
    case .duration:
      guard isDuration(try string(value)) else { throw wrongType("a duration", value) }
    case .enumeration(let names):
      try enumeration(value, names)
    default:
      // Objects and arrays are the table's own.
      return
    }
  }

  private func string(_ value: JSONValue) throws(FieldFault) -> String {
    guard let text = value.string else { throw wrongType("a string", value) }
    return text
  }

  private func integer(_ value: JSONValue, _ range: ClosedRange<Int>) throws(FieldFault) {
    let fromText = dialect == .protobuf ? value.string.flatMap { Int($0) } : nil
    guard let number = value.int ?? fromText else { throw wrongType("an integer", value) }
    if number < range.lowerBound {
      throw FieldFault(
        kind: .belowMinimum(value: String(number), minimum: String(range.lowerBound), isInteger: true), path: path)
    }
    if number > range.upperBound {
      throw FieldFault(
        kind: .aboveMaximum(value: String(number), maximum: String(range.upperBound), isInteger: true), path: path)
    }
  }

  private func number(_ value: JSONValue, _ range: ClosedRange<Double>) throws(FieldFault) {
    guard let number = value.double else { throw wrongType("a number", value) }
    if number < range.lowerBound {
      throw FieldFault(
        kind: .belowMinimum(value: String(number), minimum: String(range.lowerBound), isInteger: false), path: path)
    }
    if number > range.upperBound {
      throw FieldFault(
        kind: .aboveMaximum(value: String(number), maximum: String(range.upperBound), isInteger: false), path: path)
    }
  }

  private func enumeration(_ value: JSONValue, _ names: [String]) throws(FieldFault) {
    let text = try string(value)
    guard names.contains(text) else {
      throw FieldFault(kind: .notInEnumeration(value: text, allowed: names), path: path)
    }
  }

  private func isDuration(_ text: String) -> Bool {
    guard text.last == "s", let seconds = Double(text.dropLast()) else { return false }
    return seconds.isFinite
  }

  private func wrongType(_ expected: String, _ value: JSONValue) -> FieldFault {
    FieldFault(kind: .wrongType(expected: expected, found: value.kindName), path: path)
  }
}
