public import Envelope

import OpenAIWire
import Translation

// What really happens in the place of what was asked for (Q23).

extension InworldService {
  public func makeEffective(_ session: inout RealtimeSession) throws(EventFault) -> [String] {
    try Self.check(session.tools, in: "session.tools")
    try Self.checkTemperature(&session)
    try setVoiceModel(&session)
    var missing = try setProviderData(&session)
    missing += try setTranscription(&session)
    session.audio.output.voice = .named(Self.voice(for: session.audio.output.voice, standard: voice))
    session.audio.output.speed = min(max(session.audio.output.speed, Limits.speed.lowerBound), Limits.speed.upperBound)
    return missing + Self.removeForeign(&session)
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

  private func setProviderData(_ session: inout RealtimeSession) throws(EventFault) -> [String] {
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
    return takesProviderData || data == ours ? [] : [path]
  }

  // MARK: The vocabulary's

  private func setTranscription(_ session: inout RealtimeSession) throws(EventFault) -> [String] {
    guard var transcription = session.audio.input.transcription else { return [] }
    transcription.model = try TranscriptionModels.effective(transcription.model, standard: transcriptionModel) {
      Models.transcription.contains($0)
    }
    var effective = InputTranscription(
      model: transcription.model, language: transcription.language, prompt: transcription.prompt)
    // Known to Inworld by no name: an empty hint is none.
    if effective.language?.isEmpty == true { effective.language = nil }
    session.audio.input.transcription = effective
    let others = [
      ("languages", transcription.languages != nil), ("keywords", transcription.keywords != nil),
      ("delay", transcription.delay != nil),
    ]
    return (others.filter(\.1).map(\.0) + transcription.unknown.fields.keys).map {
      "session.audio.input.transcription." + $0
    }
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

  private static func removeForeign(_ session: inout RealtimeSession) -> [String] {
    var missing: [String] = []
    func replace<Value: Equatable>(
      _ path: WritableKeyPath<RealtimeSession, Value>, _ value: Value, _ name: String
    ) {
      guard session[keyPath: path] != value else { return }
      session[keyPath: path] = value
      missing.append("session." + name)
    }
    replace(\.parallelToolCalls, nil, "parallel_tool_calls")
    replace(\.reasoning, nil, "reasoning.effort")
    replace(\.tracing, nil, "tracing")
    replace(\.truncation, "auto", "truncation")
    replace(\.prompt, nil, "prompt")
    replace(\.include, nil, "include")
    if session.audio.input.noiseReduction?.strength != nil {
      session.audio.input.noiseReduction?.strength = nil
      missing.append("session.audio.input.noise_reduction.strength")
    }
    if case .mcp = session.toolChoice { replace(\.toolChoice, .auto, "tool_choice") }
    for (path, name, own) in unknownFields {
      for key in session[keyPath: path].fields.keys where !own.contains(key) {
        session[keyPath: path].fields.removeValue(forKey: key)
        missing.append("session." + name + key)
      }
    }
    return missing
  }

  /// Where clients have fields that the vocabulary does not know, and the ones there that Inworld does.
  private static let unknownFields:
    [(any WritableKeyPath<RealtimeSession, UnknownFields> & Sendable, String, Set<String>)] = [
      (\.unknown, "", [Fields.temperature, Fields.providerData]), (\.audio.unknown, "audio.", []),
      (\.audio.input.unknown, "audio.input.", []),
      (\.audio.output.unknown, "audio.output.", [Fields.voiceModel]),
    ]
}
