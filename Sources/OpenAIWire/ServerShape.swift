import Envelope

/// What a JSON value must be for the clients that validate it, as data. The tables are `ServerShape.events` and the
/// forms that it is made of.
indirect enum Form: Sendable {
  case string
  /// A string that is not empty.
  case id
  /// A whole number; a fraction is rounded (clients refuse `1.5` milliseconds).
  case integer
  /// A place in a list.
  case index
  /// Samples a second that can be played.
  case rate
  case number
  case bool
  /// JSON text in a string, as a call's arguments.
  case text
  /// One of a closed set.
  case choice([String])
  /// A string, or an object with an `id`; an object with a `name` becomes the name.
  case voice
  /// A whole number or `inf`.
  case bound
  case list(Form)
  /// What is not listed is not looked at.
  case object([Field])
  /// The form follows from the member `tag`. `aliases` are tags of another spelling.
  case variant(tag: String, [String: Form], aliases: [String: String] = [:])
  /// Any object.
  case map
  case anything
  /// A member that clients refuse whatever it is.
  case nothing
}

/// A member of an object.
struct Field: Sendable {
  enum Presence: Sendable {
    case optional
    /// Without it, and without something to put in its place, the object is beyond repair.
    case required(substitute: JSONValue?)
  }

  let key: String
  let form: Form
  let isNullable: Bool
  let presence: Presence

  static func required(_ key: String, _ form: Form, or substitute: JSONValue? = nil) -> Field {
    Field(key: key, form: form, isNullable: false, presence: .required(substitute: substitute))
  }

  static func optional(_ key: String, _ form: Form) -> Field {
    Field(key: key, form: form, isNullable: false, presence: .optional)
  }

  /// Always there, null where there is nothing to say.
  static func nullable(_ key: String, _ form: Form) -> Field {
    Field(key: key, form: form, isNullable: true, presence: .required(substitute: .null))
  }

  static func optionalNullable(_ key: String, _ form: Form) -> Field {
    Field(key: key, form: form, isNullable: true, presence: .optional)
  }
}

/// Holds JSON against its form and repairs what differs.
///
/// What satisfies its form is not copied. Members that no form names stay as they are (R234, Q19).
struct ServerShape: Sendable {
  enum Outcome: Sendable, Equatable {
    case satisfied
    case repaired(JSONValue)
    case beyondRepair
  }

  /// The vocabulary is the provider's own: tags and choices that are not listed are news, not faults.
  let allowsNews: Bool

  /// An event of a type that is in the vocabulary.
  func mended(_ event: JSONObject, _ type: ServerEventType) -> Outcome {
    guard let fields = Self.events[type] else { return .satisfied }
    return mended(event, fields)
  }

  private func mended(_ value: JSONValue, _ form: Form) -> Outcome {
    switch form {
    case .anything: return .satisfied
    case .nothing: return .beyondRepair
    case .string, .id, .text: return text(value, form)
    case .integer, .index, .rate, .number, .bound: return number(value, form)
    case .bool: return value.bool == nil ? .beyondRepair : .satisfied
    case .choice(let known):
      guard let name = value.string else { return .beyondRepair }
      return allowsNews || known.contains(name) ? .satisfied : .beyondRepair
    case .voice:
      if value.string != nil || value["id"]?.string != nil { return .satisfied }
      return value["name"]?.string.map { .repaired(.string($0)) } ?? .beyondRepair
    case .map: return value.object == nil ? .beyondRepair : .satisfied
    case .list(let element): return list(value, element)
    case .object(let fields): return value.object.map { mended($0, fields) } ?? .beyondRepair
    case .variant(let tag, let forms, let aliases): return variant(value, tag, forms, aliases)
    }
  }

  private func text(_ value: JSONValue, _ form: Form) -> Outcome {
    switch (value, form) {
    case (.string(let text), .id): return text.isEmpty ? .beyondRepair : .satisfied
    case (.string, _): return .satisfied
    case (.number(let number), _): return .repaired(.string(number.text))
    case (.object, .text), (.array, .text): return .repaired(.string(value.text))
    default: return .beyondRepair
    }
  }

  private func number(_ value: JSONValue, _ form: Form) -> Outcome {
    if case .bound = form, value == "inf" { return .satisfied }
    guard let number = value.number ?? value.string.flatMap(JSONNumber.init(text:)), let double = number.double else {
      return .beyondRepair
    }
    let isNumber = value.number != nil
    if case .number = form { return isNumber ? .satisfied : .repaired(.number(number)) }
    guard let whole = number.int ?? Int(exactly: double.rounded()) else { return .beyondRepair }
    if case .index = form, whole < 0 { return .beyondRepair }
    if case .rate = form, !AudioFormat.rates.contains(whole) { return .beyondRepair }
    return isNumber && number.int != nil ? .satisfied : .repaired(.number(JSONNumber(whole)))
  }

  /// Elements beyond repair are left out.
  private func list(_ value: JSONValue, _ element: Form) -> Outcome {
    guard let elements = value.array else { return .beyondRepair }
    var kept: [JSONValue] = []
    var isChanged = false
    for (place, given) in elements.enumerated() {
      let outcome = mended(given, element)
      if outcome != .satisfied, !isChanged {
        isChanged = true
        kept = Array(elements[..<place])
      }
      switch outcome {
      case .satisfied: if isChanged { kept.append(given) }
      case .repaired(let repaired): kept.append(repaired)
      case .beyondRepair: break
      }
    }
    return isChanged ? .repaired(.array(kept)) : .satisfied
  }

  private func variant(
    _ value: JSONValue, _ tag: String, _ forms: [String: Form], _ aliases: [String: String]
  ) -> Outcome {
    guard var object = value.object, var name = object[tag]?.string else { return .beyondRepair }
    var isRenamed = false
    if let alias = aliases[name] {
      name = alias
      object[tag] = .string(alias)
      isRenamed = true
    }
    guard let form = forms[name] else { return allowsNews ? .satisfied : .beyondRepair }
    let outcome = mended(.object(object), form)
    return outcome == .satisfied && isRenamed ? .repaired(.object(object)) : outcome
  }

  private func mended(_ object: JSONObject, _ fields: [Field]) -> Outcome {
    var repaired: JSONObject?
    for field in fields {
      switch outcome(of: field, in: object) {
      case .satisfied: break
      case .repaired(let value):
        if repaired == nil { repaired = object }
        repaired?[field.key] = value
      case .beyondRepair:
        guard case .optional = field.presence else { return .beyondRepair }
        if repaired == nil { repaired = object }
        repaired?.removeValue(forKey: field.key)
      }
    }
    return repaired.map { .repaired(.object($0)) } ?? .satisfied
  }

  /// Beyond repair: to be removed where the field is optional, otherwise the object's fault.
  private func outcome(of field: Field, in object: JSONObject) -> Outcome {
    let value = object[field.key]
    if let value, !value.isNull {
      let outcome = mended(value, field.form)
      if outcome != .beyondRepair { return outcome }
    } else if value != nil, field.isNullable {
      return .satisfied
    }
    switch field.presence {
    case .required(let substitute): return substitute.map(Outcome.repaired) ?? .beyondRepair
    case .optional: return value == nil ? .satisfied : field.isNullable ? .repaired(.null) : .beyondRepair
    }
  }
}
