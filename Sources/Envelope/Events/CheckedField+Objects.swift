// The objects that occur both in `session.update` and in `response.create`.

extension CheckedField {
  /// Both modalities at once become audio alone, which brings its text along (R157).
  func modalities() throws(EventFault) -> [Modality] {
    let modalities = try each { (element) throws(EventFault) -> Modality in try element.choice() }
    if modalities.contains(.audio) { return [.audio] }
    if modalities.contains(.text) { return [.text] }
    throw .invalidValue(param: path, because: "expected at least one of 'text' and 'audio'.")
  }

  func maxOutputTokens() throws(EventFault) -> MaxOutputTokens {
    switch value {
    case .string("inf"): .inf
    case .string(let text): throw .invalidValue(text, param: path, supported: ["inf"])
    case .number: .count(try integer(1...4096))
    default: throw mismatch("an integer or 'inf'")
    }
  }

  func voice() throws(EventFault) -> Voice {
    switch value {
    case .string(let name):
      guard !name.isEmpty else { throw .invalidValue(param: path, because: "expected the name of a voice.") }
      return .named(name)
    case .object:
      _ = try requiredMember("id").string()
      return try decoded()
    default:
      throw mismatch("a string or an object")
    }
  }

  func tools() throws(EventFault) -> [Tool] {
    try each { (element) throws(EventFault) -> Tool in
      let type = try element.requiredMember("type").string()
      switch type {
      case "function": _ = try element.requiredMember("name").string()
      case "mcp": _ = try element.requiredMember("server_label").string()
      default: break
      }
      return try element.decoded()
    }
  }

  func toolChoice() throws(EventFault) -> ToolChoice {
    switch value {
    case .string(let name):
      guard let choice = ToolChoice(name: name) else {
        throw .invalidValue(name, param: path, supported: ToolChoice.modes)
      }
      return choice
    case .object:
      let type = try requiredMember("type")
      guard try ["function", "mcp"].contains(type.string()) else {
        throw .invalidValue(try type.string(), param: type.path, supported: ["function", "mcp"])
      }
      return try decoded()
    default:
      throw mismatch("a string or an object")
    }
  }

  func reasoning() throws(EventFault) -> Reasoning {
    if let effort = try member("effort"), !effort.value.isNull {
      _ = try effort.choice(Reasoning.Effort.self)
    }
    return try decoded()
  }

  func prompt() throws(EventFault) -> JSONValue {
    _ = try requiredMember("id").string()
    return value
  }

  /// PCM at 24 kHz only, as the service has it; a `rate` beside a G.711 type means nothing and is dropped.
  func format(over current: FormatFields) throws(EventFault) -> FormatFields {
    var type = current.format.type
    if let given = try member("type") {
      type = try given.string()
      guard AudioFormat.types.contains(type) else {
        throw .invalidValue(type, param: given.path, supported: AudioFormat.types)
      }
    }
    var rate = type == current.format.type ? current.format.rate : 24_000
    if let given = try member("rate"), type == "audio/pcm" {
      rate = try given.integer(24_000...24_000)
    }
    var next = current
    switch type {
    case "audio/pcmu": next.format = .pcmu
    case "audio/pcma": next.format = .pcma
    default: next.format = .pcm(rate: rate)
    }
    for (key, field) in try members() where key != "type" && key != "rate" {
      next.unknown.fields[key] = field.value
    }
    return next
  }

  /// At most 16 strings of at most 512 characters under keys of at most 64.
  func metadata() throws(EventFault) -> JSONValue {
    let members = try members()
    guard members.count <= 16 else {
      throw .invalidValue(param: path, because: "expected at most 16 keys, but got \(members.count).")
    }
    for (key, field) in members {
      try CheckedField(value: .string(key), path: path).bound(64)
      try field.bound(512)
    }
    return value
  }

  /// - Parameter maximum: the longest string allowed, in Unicode scalars.
  func bound(_ maximum: Int) throws(EventFault) {
    let length = try string().unicodeScalars.count
    if length > maximum {
      throw .stringAboveMaximumLength(param: path, maximum: maximum, found: length)
    }
  }
}
