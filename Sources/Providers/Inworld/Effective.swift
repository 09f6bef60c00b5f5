public import Envelope

import OpenAIWire
import Translation

// What really happens in the place of what was asked for (Q23).

extension InworldService {
  public func makeEffective(_ session: inout RealtimeSession) throws(EventFault) -> [String] {
    try Self.check(session.tools, in: "session.tools")
    try Self.checkTemperature(&session)
    try setVoiceModel(&session)
    var missing = MissingFields()
    try setProviderData(&session, &missing)
    try setTranscription(&session, &missing)
    session.audio.output.voice = .named(Self.voice(for: session.audio.output.voice, standard: voice))
    session.audio.output.speed = min(max(session.audio.output.speed, Limits.speed.lowerBound), Limits.speed.upperBound)
    Self.removeForeign(&session, &missing)
    return missing.paths
  }

  // MARK: Fields that are Inworld's

  private static func checkTemperature(_ session: inout RealtimeSession) throws(EventFault) {
    let path = "session.temperature"
    switch session.unknown.fields[Fields.temperature] {
    case nil: break
    case .null?: session.unknown.fields[Fields.temperature] = nil
    case .number(let number)?:
      guard let value = number.double, value <= Limits.temperature.upperBound else {
        throw .decimalAboveMaximum(param: path, maximum: Limits.temperature.upperBound, found: number.text)
      }
      guard value >= Limits.temperature.lowerBound else {
        throw .decimalBelowMinimum(param: path, minimum: Limits.temperature.lowerBound, found: number.text)
      }
    case let other?: throw .invalidType(param: path, expected: "a decimal number", found: other.kind.phrase)
    }
  }

  private func setVoiceModel(_ session: inout RealtimeSession) throws(EventFault) {
    let path = "session.audio.output.model"
    switch session.audio.output.unknown.fields[Fields.voiceModel] {
    case nil, .null?: session.audio.output.unknown.fields[Fields.voiceModel] = .string(voiceModel)
    case .string(let name)?:
      guard (1...Limits.nameBytes).contains(name.utf8.count) else {
        throw .invalidValue(param: path, because: "expected the name of a model.")
      }
    case let other?: throw .invalidType(param: path, expected: "a string", found: other.kind.phrase)
    }
  }

  private func setProviderData(
    _ session: inout RealtimeSession, _ missing: inout MissingFields
  ) throws(EventFault) {
    let alias = session.unknown.fields.removeValue(forKey: Fields.providerDataAlias)
    let given = alias ?? session.unknown.fields[Fields.providerData] ?? .null
    let path = "session." + (alias == nil ? Fields.providerData : Fields.providerDataAlias)
    guard given.isNull || given.object != nil else {
      throw .invalidType(param: path, expected: "an object", found: given.kind.phrase)
    }
    guard given.text.utf8.count <= Limits.providerDataBytes else {
      throw .invalidValue(param: path, because: "expected at most \(Limits.providerDataBytes) bytes of JSON.")
    }
    let ours = Fields.pinned([:])
    let data = Fields.pinned(given.object ?? [:])
    session.unknown.fields[Fields.providerData] = .object(takesProviderData ? data : ours)
    if !takesProviderData, data != ours { missing.add(path) }
  }

  // MARK: The vocabulary's

  private func setTranscription(
    _ session: inout RealtimeSession, _ missing: inout MissingFields
  ) throws(EventFault) {
    guard var transcription = session.audio.input.transcription else { return }
    let path = "session.audio.input.transcription"
    transcription.model = try TranscriptionModels.effective(transcription.model, standard: transcriptionModel) {
      Models.transcription.contains($0)
    }
    // Known to Inworld by no name: an empty hint is none.
    if transcription.language?.isEmpty == true { transcription.language = nil }
    missing.keep(&transcription.languages, at: nil, path + ".languages")
    missing.keep(&transcription.keywords, at: nil, path + ".keywords")
    missing.keep(&transcription.delay, at: nil, path + ".delay")
    missing.clean(&transcription.unknown, path)
    session.audio.input.transcription = transcription
  }

  /// A voice that the client made at OpenAI does not exist here.
  static func voice(for voice: Voice, standard: String?) -> String {
    switch voice {
    case .named(let name): Models.voice(for: name, standard: standard)
    case .custom(let id, _): id.hasPrefix("voice_") ? standard ?? Models.standardVoice : id
    }
  }

  /// Functions, and Inworld's own kinds, such as `web_search`.
  static func check(_ tools: [Tool], in path: String) throws(EventFault) {
    for (index, tool) in tools.enumerated() {
      guard case .mcp = tool else { continue }
      throw .unsupported("Tools of type 'mcp' are not supported with this provider.", param: "\(path)[\(index)].type")
    }
  }

  private static func removeForeign(_ session: inout RealtimeSession, _ missing: inout MissingFields) {
    missing.keep(&session.parallelToolCalls, at: nil, "session.parallel_tool_calls")
    missing.keep(&session.reasoning, at: nil, "session.reasoning.effort")
    missing.keep(&session.tracing, at: nil, "session.tracing")
    missing.keep(&session.truncation, at: "auto", "session.truncation")
    missing.keep(&session.prompt, at: nil, "session.prompt")
    missing.keep(&session.include, at: nil, "session.include")
    if session.audio.input.noiseReduction?.strength != nil {
      session.audio.input.noiseReduction?.strength = nil
      missing.add("session.audio.input.noise_reduction.strength")
    }
    if case .mcp = session.toolChoice { missing.keep(&session.toolChoice, at: .auto, "session.tool_choice") }
    missing.clean(&session.unknown, keeping: [Fields.temperature, Fields.providerData], "session")
    missing.clean(&session.audio.unknown, "session.audio")
    missing.clean(&session.audio.input.unknown, "session.audio.input")
    missing.clean(&session.audio.output.unknown, keeping: [Fields.voiceModel], "session.audio.output")
  }
}
