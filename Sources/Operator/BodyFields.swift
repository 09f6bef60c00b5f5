import Envelope

/// The members of an object in a body, read one by one with their bounds. A member that is `null` counts as absent.
struct BodyFields {
  let object: JSONObject
  /// The dotted path of the object, with a dot at its end; empty for the body itself.
  private let prefix: String

  /// - Parameter known: the names that there are; nil where others are let be.
  /// - Throws: 400 `unknown_parameter`.
  init(_ object: JSONObject, at path: String = "", known: [String]?) throws(HTTPFault) {
    self.object = object
    prefix = path.isEmpty ? "" : path + "."
    guard let known else { return }
    for key in object.keys where !known.contains(key) { throw .unknownParameter(prefix + key) }
  }

  func path(_ key: String) -> String { prefix + key }

  subscript(key: String) -> JSONValue? {
    // `nil` would be a JSON value here.
    guard let value = object[key], !value.isNull else { return Optional.none }
    return value
  }

  /// - Parameters:
  ///   - most: Unicode scalars.
  func string(_ key: String, most: Int = 256) throws(HTTPFault) -> String? {
    guard let value = self[key] else { return nil }
    return try string(value, path(key), most: most)
  }

  /// The first that is there of several names for the same.
  func string(_ names: [String], most: Int = 256) throws(HTTPFault) -> String? {
    for name in names {
      if let text = try string(name, most: most) { return text }
    }
    return nil
  }

  func requiredString(_ key: String, most: Int = 256) throws(HTTPFault) -> String {
    guard let text = try string(key, most: most) else { throw HTTPFault(.missingRequiredParameter(path(key))) }
    return text
  }

  /// Never empty, never with control characters: what is a name, an address or an id.
  private func string(_ value: JSONValue, _ path: String, most: Int) throws(HTTPFault) -> String {
    guard let text = value.string else { throw mismatch(path, "a string", value) }
    guard text.unicodeScalars.count <= most else {
      throw HTTPFault(
        .stringAboveMaximumLength(param: path, maximum: most, found: text.unicodeScalars.count))
    }
    guard !text.isEmpty else { throw invalid(path, "it is empty.") }
    guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      throw invalid(path, "control characters are not allowed.")
    }
    return text
  }

  /// A list of at least one and at most `count` texts.
  func strings(_ key: String, count: Int = 64, most: Int = 256) throws(HTTPFault) -> [String]? {
    guard let value = self[key] else { return nil }
    guard let array = value.array else { throw mismatch(path(key), "an array", value) }
    guard (1...count).contains(array.count) else { throw invalid(path(key), "expected 1 to \(count) elements.") }
    var texts: [String] = []
    for (index, element) in array.enumerated() {
      texts.append(try string(element, "\(path(key))[\(index)]", most: most))
    }
    return texts
  }

  func bool(_ key: String) throws(HTTPFault) -> Bool? {
    guard let value = self[key] else { return nil }
    guard let bool = value.bool else { throw mismatch(path(key), "a boolean", value) }
    return bool
  }

  func integer(_ key: String, _ bounds: ClosedRange<Int>) throws(HTTPFault) -> Int? {
    guard let value = self[key] else { return nil }
    guard let number = value.number, let double = number.double, number.int != nil || double == double.rounded() else {
      throw mismatch(path(key), "an integer", value)
    }
    guard let int = number.int, bounds.contains(int) else {
      throw HTTPFault(
        double < Double(bounds.lowerBound)
          ? .integerBelowMinimum(param: path(key), minimum: bounds.lowerBound, found: number.text)
          : .integerAboveMaximum(param: path(key), maximum: bounds.upperBound, found: number.text))
    }
    return int
  }

  func decimal(_ key: String, _ bounds: ClosedRange<Double>) throws(HTTPFault) -> Double? {
    guard let value = self[key] else { return nil }
    guard let number = value.number, let double = number.double else { throw mismatch(path(key), "a number", value) }
    guard bounds.contains(double) else {
      throw HTTPFault(
        double < bounds.lowerBound
          ? .decimalBelowMinimum(param: path(key), minimum: bounds.lowerBound, found: number.text)
          : .decimalAboveMaximum(param: path(key), maximum: bounds.upperBound, found: number.text))
    }
    return double
  }

  func object(_ key: String) throws(HTTPFault) -> JSONObject? {
    guard let value = self[key] else { return nil }
    guard let object = value.object else { throw mismatch(path(key), "an object", value) }
    return object
  }

  /// The members of an object in it.
  func fields(_ key: String, known: [String]?) throws(HTTPFault) -> BodyFields? {
    guard let object = try object(key) else { return nil }
    return try BodyFields(object, at: path(key), known: known)
  }

  func invalid(_ path: String, _ reason: String) -> HTTPFault {
    HTTPFault(.invalidValue(param: path, because: reason))
  }

  private func mismatch(_ path: String, _ expected: String, _ value: JSONValue) -> HTTPFault {
    HTTPFault(.invalidType(param: path, expected: expected, found: value.kind.phrase))
  }
}
