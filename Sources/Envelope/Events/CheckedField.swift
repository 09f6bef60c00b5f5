/// One value of a client's event with its dotted path. Every reading either gives a value within its bounds or throws
/// the fault that names this path.
struct CheckedField {
  let value: JSONValue
  let path: String

  // MARK: Structure

  /// The members of an object; `null` is none.
  func members() throws(EventFault) -> [(key: String, field: CheckedField)] {
    guard let object = value.object else { throw mismatch("an object") }
    return object.map { ($0.key, CheckedField(value: $0.value, path: ObjectFields.join(path, $0.key))) }
  }

  func member(_ key: String) throws(EventFault) -> CheckedField? {
    guard let object = value.object else { throw mismatch("an object") }
    return object[key].map { CheckedField(value: $0, path: ObjectFields.join(path, key)) }
  }

  func requiredMember(_ key: String) throws(EventFault) -> CheckedField {
    guard let member = try member(key) else {
      throw .missingRequiredParameter(ObjectFields.join(path, key))
    }
    return member
  }

  func elements() throws(EventFault) -> [CheckedField] {
    guard let array = value.array else { throw mismatch("an array") }
    return array.enumerated().map { CheckedField(value: $0.element, path: "\(path)[\($0.offset)]") }
  }

  /// Nil for `null`, which clears a nullable field.
  func nullable<Read>(_ read: (CheckedField) throws(EventFault) -> Read) throws(EventFault) -> Read? {
    value.isNull ? nil : try read(self)
  }

  func each<Read>(_ read: (CheckedField) throws(EventFault) -> Read) throws(EventFault) -> [Read] {
    var all: [Read] = []
    for element in try elements() {
      all.append(try read(element))
    }
    return all
  }

  // MARK: Scalars

  func string() throws(EventFault) -> String {
    guard let string = value.string else { throw mismatch("a string") }
    return string
  }

  func bool() throws(EventFault) -> Bool {
    guard let bool = value.bool else { throw mismatch("a boolean") }
    return bool
  }

  func choice<Choice: RawRepresentable & CaseIterable>(
    _ type: Choice.Type = Choice.self
  ) throws(EventFault) -> Choice where Choice.RawValue == String {
    let text = try string()
    guard let choice = Choice(rawValue: text) else {
      throw .invalidValue(text, param: path, supported: Choice.allCases.map(\.rawValue))
    }
    return choice
  }

  func integer(_ bounds: ClosedRange<Int>) throws(EventFault) -> Int {
    guard let number = value.number else { throw mismatch("an integer") }
    if let int = number.int, bounds.contains(int) {
      return int
    }
    let isWhole = number.double.map { $0 == $0.rounded() } ?? true
    guard isWhole else { throw mismatch("an integer") }
    if number.text.hasPrefix("-") || number.int.map({ $0 < bounds.lowerBound }) == true {
      throw .integerBelowMinimum(param: path, minimum: bounds.lowerBound, found: number.text)
    }
    throw .integerAboveMaximum(param: path, maximum: bounds.upperBound, found: number.text)
  }

  func decimal(_ bounds: ClosedRange<Double>) throws(EventFault) -> Double {
    guard let number = value.number, let double = number.double else { throw mismatch("a decimal number") }
    if double < bounds.lowerBound {
      throw .decimalBelowMinimum(param: path, minimum: bounds.lowerBound, found: number.text)
    }
    if double > bounds.upperBound {
      throw .decimalAboveMaximum(param: path, maximum: bounds.upperBound, found: number.text)
    }
    return double
  }

  /// 0…1, outside of which the code is `invalid_value` (R245).
  func share() throws(EventFault) -> Double {
    guard let number = value.number, let double = number.double else { throw mismatch("a decimal number") }
    guard (0...1).contains(double) else {
      throw .invalidValue(param: path, because: "expected a value from 0 to 1.")
    }
    return double
  }

  func mismatch(_ expected: String) -> EventFault {
    .invalidType(param: path, expected: expected, found: value.kind.phrase)
  }

  /// What is checked by decoding alone.
  func decoded<Value: Decodable>(_ type: Value.Type = Value.self) throws(EventFault) -> Value {
    do {
      return try JSONCoding.decode(type, from: value)
    } catch {
      throw EventFault(DecodingFault(error.kind, path: ObjectFields.join(path, error.path)))
    }
  }
}
