public import Envelope

extension RuntimeConfiguration: CustomStringConvertible, CustomReflectable {
  /// The configuration as it may be shown: `configured` has the shape of the file, `sources` says of each value
  /// where it came from, `effective` what serves each stage and why. A key is shown as its reference or as a
  /// mask.
  public func maskedJSON(_ selection: EngineSelection? = nil) -> JSONValue {
    var shown: JSONObject = ["configured": .object(masked), "sources": .object(sourceTexts)]
    if let file { shown["file"] = .string(file) }
    if let selection { shown["effective"] = selection.json }
    return .object(shown)
  }

  public var description: String { maskedJSON().text }
  public var customMirror: Mirror { Mirror(reflecting: description) }

  /// Every value, defaults included, in the shape of the file; null for what there is none of.
  public var masked: JSONObject {
    [
      "llm": [
        "provider": .string(llm.provider.rawValue), "model": Self.json(llm.model), "baseUrl": Self.json(llm.baseURL),
        "apiKey": Self.json(llm.apiKey?.description), "temperature": Self.json(llm.temperature),
        "maxTokens": Self.json(llm.maxTokens), "timeoutMs": Self.json(llm.timeoutMs),
        "historyTokens": Self.json(llm.historyTokens),
      ],
      "stt": [
        "provider": .string(stt.provider.rawValue), "model": Self.json(stt.model),
        "language": Self.json(stt.language), "baseUrl": Self.json(stt.baseURL),
        "apiKey": Self.json(stt.apiKey?.description), "modelPath": Self.json(stt.modelPath),
        "threads": Self.json(stt.threads),
      ],
      "tts": [
        "provider": .string(tts.provider.rawValue), "model": Self.json(tts.model), "voice": Self.json(tts.voice),
        "baseUrl": Self.json(tts.baseURL), "apiKey": Self.json(tts.apiKey?.description),
        "modelPath": Self.json(tts.modelPath), "sampleRate": Self.json(tts.sampleRate),
      ],
      "vad": [
        "provider": .string(vad.provider.rawValue), "enabled": .bool(vad.isEnabled),
        "threshold": Self.json(vad.threshold), "minSilenceMs": Self.json(vad.minSilenceMs),
        "speechPadMs": Self.json(vad.speechPadMs), "modelPath": Self.json(vad.modelPath),
      ],
      "turnDetection": [
        "enabled": .bool(turnDetection.isEnabled),
        "type": .string(turnDetection.isSemantic ? "semantic_vad" : "server_vad"),
        "eagerness": .string(turnDetection.eagerness.rawValue),
        "createResponse": .bool(turnDetection.createsResponse),
        "interruptResponse": .bool(turnDetection.interruptsResponse),
        "idleTimeoutMs": Self.json(turnDetection.idleTimeoutMs),
        "maximumTurnMs": Self.json(turnDetection.maximumTurnMs),
      ],
      "limits": ["maximumTurns": Self.json(limits.maximumTurns)],
      "realtimeModel": Self.json(realtimeModel),
    ]
  }

  /// For every path, such as `llm.model`, where its value came from, in words.
  public var sourceTexts: JSONObject {
    var texts = JSONObject()
    for setting in Setting.all { texts[setting.path] = .string("\(sources[setting.path] ?? .standard)") }
    return texts
  }

  private static func json(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
  private static func json(_ number: Int?) -> JSONValue { number.map { .number(JSONNumber($0)) } ?? .null }
  private static func json(_ number: Double?) -> JSONValue { number.map { .number(JSONNumber($0)) } ?? .null }
}

extension EngineSelection {
  /// What serves each stage and why: `{"llm":{"provider","model","reason","degradation"},…,"model"}`.
  public var json: JSONValue {
    [
      "llm": Self.json(llm), "stt": Self.json(stt), "tts": Self.json(tts), "vad": Self.json(vad),
      "model": .string(sessionModel),
    ]
  }

  private static func json<Value>(_ choice: Choice<Value>) -> JSONValue {
    var shown: JSONObject = ["provider": .string(choice.implementation)]
    if !choice.model.isEmpty { shown["model"] = .string(choice.model) }
    shown["reason"] = .string(choice.reason)
    if let degradation = choice.degradation { shown["degradation"] = .string(degradation) }
    return .object(shown)
  }
}

extension RuntimeConfiguration {
  /// Whether the environment gives a setting, such as `vad.threshold`, for every provider that its stage may have. Keys and
  /// addresses are one provider's, and so is what a variable of that one says.
  public func isGivenByEnvironment(_ path: String) -> Bool {
    guard case .environment(let name)? = sources[path], let setting = Setting.byPath[path] else { return false }
    switch setting.kind {
    case .secret, .url: return false
    case .word, .text, .integer, .number, .flag, .path: break
    }
    return setting.variables.contains { $0.name == name && $0.providers == nil }
  }
}
