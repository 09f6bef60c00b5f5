public import Envelope
import Translation

extension TokenClaims {
  /// What vowel's clients write into the body of a request for a token, as claims: of the times and names of a token
  /// nothing. The words stand in `config.voiceConfig`, in `config` or at the top, the first of these places that has one.
  ///
  /// - Throws: 400 `invalid_value` or `invalid_type` for a word with a value that it cannot have, and for words that hand
  ///   over keys of services: keys belong into the configuration.
  public static func fromVowel(_ body: JSONObject) throws(EventFault) -> TokenClaims {
    let words = VowelWords(body)
    for word in VowelWords.withKeys {
      if let found = words.find(word) {
        throw .invalidValue(param: found.path, because: "services and their keys are configured by the operator.")
      }
    }
    var claims = TokenClaims()
    if let model = try words.string("model") {
      guard ModelName.isValid(model.value) else {
        throw .invalidValue(param: model.path, because: "expected 1 to 256 visible ASCII characters.")
      }
      claims.model = model.value
    }
    var output = JSONObject()
    output["voice"] = try words.string("voice").map { .string($0.value) }
    if let rate = try words.number("speakingRate") {
      guard rate.value > 0 else { throw .invalidValue(param: rate.path, because: "expected a number above 0.") }
      output["speed"] = .number(JSONNumber(min(max(rate.value, 0.25), 1.5)))
    }
    var input = JSONObject()
    if let language = try words.string("language") {
      input["transcription"] = .object(["language": .string(language.value)])
    }
    if let detection = try words.turnDetection() { input["turn_detection"] = detection }
    var session = JSONObject()
    let instructions = try words.string("systemInstructionOverride", most: 1_000_000)
    let written = try words.string("instructions", most: 1_000_000)
    session["instructions"] = (instructions ?? written).map { .string($0.value) }
    var audio = JSONObject()
    if !input.isEmpty { audio["input"] = .object(input) }
    if !output.isEmpty { audio["output"] = .object(output) }
    if !audio.isEmpty { session["audio"] = .object(audio) }
    if !session.isEmpty { claims.session = session }
    claims.maxMinutesPerSession = try words.duration("maxCallDurationMs").map { min($0 / 60_000, 525_600) }
    claims.idleSeconds = try words.duration("maxIdleDurationMs").map { min($0 / 1_000, 31_536_000) }
    return claims
  }

  /// The words of a body that mean something to vowel's engine and nothing here (Q23): for a line of the log.
  public static func vowelWordsWithoutEffect(in body: JSONObject) -> [String] {
    VowelWords(body).withoutEffect
  }
}

/// The members of a request for a token, in the places where vowel's clients put them.
private struct VowelWords {
  struct Found<Value> {
    var value: Value
    var path: String
  }

  /// They carry keys of services.
  static let withKeys = ["stt", "tts", "providerConfig"]
  private static let idle = [
    "initialGreetingPrompt", "languageVoiceMap", "languageDetection", "testMode", "sessionKey", "preset", "llmProvider",
    "openrouterOptions", "routes", "actions",
  ]

  private let places: [(object: JSONObject, path: String)]

  init(_ body: JSONObject) {
    let config = body["config"]?.object
    let voice = config?["voiceConfig"]?.object
    places = [(voice, "config.voiceConfig."), (config, "config."), (body, "")].compactMap { object, path in
      object.map { ($0, path) }
    }
  }

  /// A word that is not null.
  func find(_ word: String) -> Found<JSONValue>? {
    for place in places {
      if let value = place.object[word], !value.isNull { return Found(value: value, path: place.path + word) }
    }
    return nil
  }

  var withoutEffect: [String] {
    var words: [String] = []
    for place in places {
      for key in place.object.keys where Self.idle.contains(key) || (key.hasPrefix("agent") && key != "agent_id") {
        if !words.contains(key) { words.append(key) }
      }
    }
    return words
  }

  func string(_ word: String, most: Int = 256) throws(EventFault) -> Found<String>? {
    guard let found = find(word) else { return nil }
    guard let text = found.value.string else { throw Self.mismatch(found, "a string") }
    guard !text.isEmpty else { throw .invalidValue(param: found.path, because: "it is empty.") }
    let length = text.unicodeScalars.count
    guard length <= most else { throw .stringAboveMaximumLength(param: found.path, maximum: most, found: length) }
    return Found(value: text, path: found.path)
  }

  func number(_ word: String) throws(EventFault) -> Found<Double>? {
    guard let found = find(word) else { return nil }
    guard let number = found.value.double else { throw Self.mismatch(found, "a number") }
    return Found(value: number, path: found.path)
  }

  /// Milliseconds, more than none.
  func duration(_ word: String) throws(EventFault) -> Double? {
    guard let found = try number(word) else { return nil }
    guard found.value > 0 else { throw .invalidValue(param: found.path, because: "expected a number above 0.") }
    return found.value
  }

  // MARK: Turns

  /// `null` for turns that the client ends itself; nil without a word of them.
  func turnDetection() throws(EventFault) -> JSONValue? {
    guard let found = find("turnDetection") ?? find("turnDetectionPreset") else { return nil }
    if let preset = found.value.string {
      guard let silence = Self.silences[preset] else {
        throw .invalidValue(preset, param: found.path, supported: Self.silences.keys.sorted())
      }
      return .object(["type": "server_vad", "silence_duration_ms": .number(JSONNumber(silence))])
    }
    guard let object = found.value.object else { throw Self.mismatch(found, "a string or an object") }
    if let mode = object["mode"], !mode.isNull {
      guard let mode = mode.string, ["client_vad", "disabled", "server_vad"].contains(mode) else {
        throw .invalidValue(
          param: found.path + ".mode", because: "expected 'client_vad', 'disabled' or 'server_vad'.")
      }
      if mode != "server_vad" { return .null }
    }
    var detection: JSONObject = ["type": "server_vad"]
    if let settings = object["serverVAD"], !settings.isNull {
      let path = found.path + ".serverVAD"
      guard let settings = settings.object else { throw Self.mismatch(Found(value: settings, path: path), "an object") }
      detection["threshold"] = try Self.value(settings, "threshold", path, 0...1, isWhole: false)
      detection["prefix_padding_ms"] = try Self.value(settings, "prefixPaddingMs", path, 0...10_000, isWhole: true)
      detection["silence_duration_ms"] = try Self.value(settings, "silenceDurationMs", path, 0...60_000, isWhole: true)
    }
    return .object(detection)
  }

  /// How long a speaker is silent before the turn is taken for over, in milliseconds.
  private static let silences = ["aggressive": 300, "balanced": 550, "conservative": 900]

  private static func value(
    _ object: JSONObject, _ key: String, _ path: String, _ range: ClosedRange<Double>, isWhole: Bool
  ) throws(EventFault) -> JSONValue? {
    guard let value = object[key], !value.isNull else { return nil }
    guard let number = value.double else { throw mismatch(Found(value: value, path: "\(path).\(key)"), "a number") }
    guard range.contains(number), !isWhole || number == number.rounded() else {
      let bounds = isWhole ? "\(Int(range.lowerBound)) to \(Int(range.upperBound)), whole" : "0 to 1"
      throw .invalidValue(param: "\(path).\(key)", because: "expected \(bounds).")
    }
    return value
  }

  private static func mismatch(_ found: Found<JSONValue>, _ expected: String) -> EventFault {
    .invalidType(param: found.path, expected: expected, found: found.value.kind.phrase)
  }
}
