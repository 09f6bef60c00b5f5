import SessionCore
import Translation

/// What a provider of kind `gemini-live` has beside the keys of all.
extension TableDecoder {
  private static let keyTypes: [(String, GeminiLiveSettings.KeyType)] = [
    ("api-key", .apiKey), ("ephemeral-token", .ephemeralToken), ("access-token", .accessToken),
  ]

  mutating func geminiSettings(_ fields: Fields) -> GeminiLiveSettings {
    var settings = GeminiLiveSettings(place: place(fields))
    settings.keyType = keyType(fields, settings.place)
    if let version = string(fields, "apiVersion") {
      if !Self.isAPIVersion(version.value) { report(.badText("expected a version such as \"v1beta\""), at: version) }
      settings.apiVersion = version.value
    }
    settings.quotaProject = resourceName(fields, "quotaProject")
    if let member = fields.member("strict") {
      settings.isStrict = bool(member.value, fields.path.key("strict")) ?? false
    }
    for (name, id) in texts(fields, "aliases") where isModelName(name) && isModelName(id) {
      settings.aliases[name.value] = id.value
    }
    for (name, voice) in texts(fields, "voices") where isVoice(voice) { settings.voices[name.value] = voice.value }
    models(fields, &settings)
    return settings
  }

  private static func isAPIVersion(_ text: String) -> Bool {
    (2...32).contains(text.utf8.count) && text.hasPrefix("v") && text.utf8.allSatisfy { $0.isLetter || $0.isDigit }
  }

  // MARK: Where

  private mutating func place(_ fields: Fields) -> GeminiLiveSettings.Place {
    let platform = string(fields, "platform")
    switch platform?.value {
    case nil, "ai-studio":
      for key in ["project", "location", "serviceAccount"] {
        guard let member = fields.member(key) else { continue }
        report(.badText("only with \"platform\": \"vertex\""), at: member.keyPlace, fields.path.key(key))
      }
      return .aiStudio
    case "vertex":
      return vertex(fields)
    default:
      if let platform { report(.badText("expected \"ai-studio\" or \"vertex\""), at: platform) }
      return .aiStudio
    }
  }

  /// With a project and a location, or with neither: then the key stands for them.
  private mutating func vertex(_ fields: Fields) -> GeminiLiveSettings.Place {
    let names = ["project", "location"]
    let isNamed = (names + ["serviceAccount"]).contains { fields.member($0) != nil }
    guard isNamed else { return .vertexExpress }
    for name in names where fields.member(name) == nil {
      report(.missingKey, at: fields.place, fields.path.key(name))
    }
    let project = resourceName(fields, "project")
    let location = resourceName(fields, "location")
    guard let project, let location else { return .vertexExpress }
    return .vertex(project: project, location: location)
  }

  /// A name that goes into a host, a path or a header.
  private mutating func resourceName(_ fields: Fields, _ key: String) -> String? {
    guard let name = string(fields, key) else { return nil }
    let extra = Set((key == "location" ? "-" : "-.:_").utf8)
    let isPlain =
      (1...128).contains(name.value.utf8.count)
      && name.value.utf8.allSatisfy { $0.isLetter || $0.isDigit || extra.contains($0) }
    guard isPlain else {
      report(.badText("expected the name of a \(key == "location" ? "location" : "project") of Google Cloud"), at: name)
      return nil
    }
    return key == "location" ? name.value.lowercased() : name.value
  }

  private mutating func keyType(_ fields: Fields, _ place: GeminiLiveSettings.Place) -> GeminiLiveSettings.KeyType {
    let isProject = if case .vertex = place { true } else { false }
    let usual = isProject ? GeminiLiveSettings.KeyType.accessToken : .apiKey
    guard let text = string(fields, "keyType"), let type = choice(fields, "keyType", Self.keyTypes) else {
      return usual
    }
    if fields.member("key") == nil {
      report(.badText("there is no key that it could be the type of"), at: text)
    } else if place != .aiStudio, type != usual {
      let hint = isProject ? "a project takes an access token; an API key stands for its own" : "an API key is needed"
      report(.badText("not on Vertex AI in this form: \(hint)"), at: text)
    }
    return type
  }

  // MARK: Names

  /// An object of strings.
  private mutating func texts(_ fields: Fields, _ key: String) -> [(name: Located<String>, text: Located<String>)] {
    guard let member = fields.member(key), let fields = self.fields(member.value, fields.path.key(key), known: nil)
    else { return [] }
    return fields.members.compactMap { member in
      let path = fields.path.key(member.key)
      guard let text = string(member.value, path) else { return nil }
      return (Located(value: member.key, place: member.keyPlace, path: path), text)
    }
  }

  private mutating func isModelName(_ name: Located<String>) -> Bool {
    if ModelName.isValid(name.value) { return true }
    report(.badText("expected the name of a model: 1 to 256 visible ASCII characters"), at: name)
    return false
  }

  /// A name that differs a little from a known one is a slip; any other may be a voice that came later than this list.
  private mutating func isVoice(_ voice: Located<String>) -> Bool {
    let known = GeminiLiveSettings.voiceNames
    if known.contains(voice.value) { return true }
    if let nearest = NearestName.of(voice.value, among: known) {
      report(.badText("no voice of Gemini Live; did you mean \"\(nearest)\"?"), at: voice)
      return false
    }
    if ModelName.isValid(voice.value) { return true }
    report(.badText("expected the name of a voice: 1 to 256 visible ASCII characters"), at: voice)
    return false
  }

  // MARK: The table of models

  private mutating func models(_ fields: Fields, _ settings: inout GeminiLiveSettings) {
    guard let member = fields.member("models"),
      let rows = self.fields(member.value, fields.path.key("models"), known: nil)
    else { return }
    for row in rows.members {
      let path = rows.path.key(row.key)
      guard isModelName(Located(value: row.key, place: row.keyPlace, path: path)),
        let cells = self.fields(row.value, path, known: GeminiLiveSettings.modelCells)
      else { continue }
      for cell in cells.members where GeminiLiveSettings.modelCells.contains(cell.key) {
        guard let expected = Self.set(cell, of: row.key, in: &settings) else { continue }
        report(.badText("expected \(expected)"), at: cell.value.place, path.key(cell.key))
      }
    }
  }

  /// - Returns: what the cell takes, if that is something else.
  private static func set(
    _ cell: PositionedMember, of prefix: String, in settings: inout GeminiLiveSettings
  ) -> String? {
    switch cell.value.content {
    case .bool(let flag): return settings.setCell(cell.key, of: prefix, to: flag)
    case .string(let text): return settings.setCell(cell.key, of: prefix, to: text)
    case .object(let members):
      let members = members.filter { !$0.isRemoved }
      if members.count == 1, let choice = members.first, case .string(let text) = choice.value.content {
        return settings.setCell(cell.key, of: prefix, to: choice.key, text: text)
      }
    case .null, .removed, .number, .array: break
    }
    // No cell takes this: an impossible choice says what it does take.
    return settings.setCell(cell.key, of: prefix, to: "", text: "")
  }
}
