public import Envelope
import Translation

/// What a session of the vocabulary becomes for the services that the vocabulary is of, OpenAI and Azure OpenAI: it is
/// wider than theirs, because clients of other services speak it too (R222, R274).
public enum NativeSession {
  /// Fields that other services have, in `session`, and in `session.audio.output` and `.input`.
  static let foreignFields: Set<String> = [
    "temperature", "providerData", "provider_data", "gemini", "replace", "resumption", "initial_greeting_prompt",
    "speaking_rate", "speech_mode", "language",
  ]
  static let foreignOutputFields: Set<String> = ["model", "transport"]
  static let foreignInputFields: Set<String> = ["transport"]
  /// In milliseconds; the service refuses others.
  static let idleTimeouts = 5_000...30_000

  /// Puts what will really happen in the place of what was asked for.
  ///
  /// - Parameters:
  ///   - transcriber: gives the model for the one that was asked for; throws for one that nobody has.
  ///   - voice: gives the service's voice for a name; nil where it has none of the kind.
  /// - Returns: the fields without a counterpart.
  public static func makeEffective(
    _ session: inout RealtimeSession, transcriber: (String?) throws(EventFault) -> String?, voice: (String) -> String?
  ) throws(EventFault) -> [String] {
    var ignored = removing(foreignFields, from: &session.unknown, path: "session")
    ignored += removing(foreignOutputFields, from: &session.audio.output.unknown, path: "session.audio.output")
    ignored += removing(foreignInputFields, from: &session.audio.input.unknown, path: "session.audio.input")
    if let asked = session.audio.input.transcription?.model {
      let model = try transcriber(asked)
      if model != asked { ignored.append("session.audio.input.transcription.model") }
      session.audio.input.transcription?.model = model
    }
    if case .named(let name) = session.audio.output.voice, let own = voice(name), own != name {
      session.audio.output.voice = .named(own)
      ignored.append("session.audio.output.voice")
    }
    if case .serverVAD(var vad)? = session.audio.input.turnDetection, let idle = vad.idleTimeoutMs {
      vad.idleTimeoutMs = idle == 0 ? nil : min(max(idle, idleTimeouts.lowerBound), idleTimeouts.upperBound)
      session.audio.input.turnDetection = .serverVAD(vad)
      if idle != 0, vad.idleTimeoutMs != idle {
        ignored.append("session.audio.input.turn_detection.idle_timeout_ms")
      }
    }
    return ignored
  }

  private static func removing(_ names: Set<String>, from unknown: inout UnknownFields, path: String) -> [String] {
    var removed: [String] = []
    for key in unknown.fields.keys where names.contains(key) {
      unknown.fields.removeValue(forKey: key)
      removed.append("\(path).\(key)")
    }
    return removed
  }

  /// The `session` of a `session.update`: `type` is required there, and the model is the address's.
  public static func wire(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject {
    var result: JSONObject = ["type": .string(session.type.rawValue)]
    for (key, value) in fields where key != "type" && key != "model" && key != "modelId" {
      guard !foreignFields.contains(key) else { continue }
      switch key {
      case "audio": result[key] = audio(value, of: session)
      case "output_modalities": result[key] = modalities(value)
      case _ where session.type == .realtime || key == "include": result[key] = value
      default: continue
      }
    }
    return result
  }

  private static func audio(_ value: JSONValue, of session: RealtimeSession) -> JSONValue {
    guard var audio = value.object else { return value }
    if var output = audio["output"]?.object {
      for key in foreignOutputFields { output.removeValue(forKey: key) }
      audio["output"] = session.type == .realtime && !output.isEmpty ? .object(output) : nil
    }
    if var input = audio["input"]?.object {
      for key in foreignInputFields { input.removeValue(forKey: key) }
      if session.type == .transcription, var detection = input["turn_detection"]?.object {
        for key in ["create_response", "interrupt_response"] { detection.removeValue(forKey: key) }
        if detection["idle_timeout_ms"]?.isNull == true { detection.removeValue(forKey: "idle_timeout_ms") }
        input["turn_detection"] = .object(detection)
      }
      audio["input"] = .object(input)
    }
    return .object(audio)
  }

  /// Both at once are audio, which brings its text along.
  private static func modalities(_ value: JSONValue) -> JSONValue {
    guard let names = value.array, names.contains("audio"), names.contains("text") else { return value }
    return ["audio"]
  }

  /// What a response has at other services only, by itself and in `audio.output`.
  private static let foreignOptions: Set<String> = ["temperature"]
  private static let foreignOutputOptions: Set<String> = ["model"]

  /// The options that ``wireEvent(_:voice:)`` leaves out.
  public static func ignoredOptions(_ response: JSONObject) -> [String] {
    let foreign = foreignOptions.union(foreignOutputOptions.map { "audio.output." + $0 })
    return ResponseOptions.ignored(in: response, where: foreign.contains)
  }

  /// Any other event: `response.create` loses what the services do not know.
  public static func wireEvent(
    _ event: JSONObject, voice: (String) -> String?
  ) -> [JSONObject] {
    guard event["type"] == "response.create", var options = event["response"]?.object else { return [event] }
    for key in foreignOptions { options.removeValue(forKey: key) }
    // The bare name of a tool is an object there.
    if let asked = options["tool_choice"]?.string, let choice = ToolChoice(name: asked) {
      options["tool_choice"] = JSONCoding.encode(choice)
    }
    if let asked = options["output_modalities"] { options["output_modalities"] = modalities(asked) }
    if var audio = options["audio"]?.object, var output = audio["output"]?.object {
      for key in foreignOutputOptions { output.removeValue(forKey: key) }
      if let name = output["voice"]?.string, let own = voice(name) { output["voice"] = .string(own) }
      audio["output"] = .object(output)
      options["audio"] = .object(audio)
    }
    var event = event
    event["response"] = .object(options)
    return [event]
  }
}
