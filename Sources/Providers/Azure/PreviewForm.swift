import Envelope
import OpenAIWire
import Translation

/// Azure OpenAI before its present form: the beta vocabulary. It refuses an update for any field that it does not know.
struct PreviewForm: AzureForm {
  var deployment: String

  var traits: WireTraits {
    var traits = WireTraits()
    traits.vocabulary = .beta
    traits.isNative = false
    traits.lifetime = Limits.lifetime
    traits.hasIdleTimeout = false
    traits.setUpFields = ["audio.input.turn_detection", "audio.output.voice"]
    traits.mending.completesLifecycle = true
    return traits
  }

  func begin(_ session: inout RealtimeSession) {
    session.audio.output.voice = .named("alloy")
  }

  /// The API is older than two of OpenAI's voices, and refuses them.
  static func voice(_ name: String) -> String? {
    Deployments.voice(name).map { ["marin": "coral", "cedar": "ash"][$0] ?? $0 }
  }

  func makeEffective(_ session: inout RealtimeSession) throws(EventFault) -> [String] {
    guard session.prompt == nil else {
      throw .unsupported("This API stores no prompts.", param: "session.prompt")
    }
    for (index, tool) in session.tools.enumerated() {
      guard case .function = tool else {
        throw .unsupported("This API has functions only.", param: "session.tools[\(index)].type")
      }
    }
    var missing = MissingFields()
    session.model = Deployments.name(for: session.model, configured: deployment)
    if case .mcp = session.toolChoice { missing.keep(&session.toolChoice, at: .auto, "session.tool_choice") }
    missing.keep(&session.parallelToolCalls, at: nil, "session.parallel_tool_calls")
    missing.keep(&session.reasoning, at: nil, "session.reasoning")
    missing.keep(&session.tracing, at: nil, "session.tracing")
    missing.keep(&session.truncation, at: "auto", "session.truncation")
    missing.keep(&session.include, at: nil, "session.include")
    missing.keep(&session.audio.output.speed, at: 1, "session.audio.output.speed")
    session.unknown.clampTemperature(to: Limits.previewTemperature)
    missing.clean(&session.unknown, keeping: ["temperature"], "session")
    try Self.makeEffective(&session.audio, &missing)
    return missing.paths
  }

  private static func makeEffective(
    _ audio: inout SessionAudio, _ missing: inout MissingFields
  ) throws(EventFault) {
    missing.clean(&audio.unknown, "session.audio")
    missing.clean(&audio.input.unknown, "session.audio.input")
    missing.clean(&audio.output.unknown, "session.audio.output")
    if audio.input.noiseReduction?.strength != nil {
      audio.input.noiseReduction?.strength = nil
      missing.add("session.audio.input.noise_reduction.strength")
    }
    if case .named(let name) = audio.output.voice, let own = Self.voice(name) {
      audio.output.voice = .named(own)
    }
    guard var transcription = audio.input.transcription else { return }
    transcription.model = try TranscriptionModels.effective(
      transcription.model, standard: Deployments.transcription, isOwn: Deployments.isTranscription)
    let path = "session.audio.input.transcription"
    missing.keep(&transcription.languages, at: nil, path + ".languages")
    missing.keep(&transcription.keywords, at: nil, path + ".keywords")
    missing.keep(&transcription.delay, at: nil, path + ".delay")
    missing.clean(&transcription.unknown, path)
    audio.input.transcription = transcription
  }

  /// Options of a response that neither the beta vocabulary nor the API has.
  private static let foreignOptions: Set<String> = ["prompt", "reasoning", "parallel_tool_calls"]

  func ignoredOptions(_ response: JSONObject) -> [String] {
    ResponseOptions.ignored(in: response) { Self.foreignOptions.contains($0.firstComponent) }
  }

  /// A response has what the API knows of a session.
  func wireEvent(_ event: JSONObject) throws(EventFault) -> [JSONObject] {
    guard var response = event["response"]?.object else { return [event] }
    for key in Self.foreignOptions { response.removeValue(forKey: key) }
    if let name = response["audio"]?["output"]?["voice"]?.string, let own = Self.voice(name),
      var audio = response["audio"]?.object, var output = audio["output"]?.object
    {
      output["voice"] = .string(own)
      audio["output"] = .object(output)
      response["audio"] = .object(audio)
    }
    var event = event
    event["response"] = .object(response)
    return [event]
  }

  private static let fields = [
    "modalities", "instructions", "voice", "input_audio_format", "output_audio_format", "input_audio_transcription",
    "input_audio_noise_reduction", "turn_detection", "tools", "tool_choice", "temperature",
    "max_response_output_tokens",
  ]

  func wireSession(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject {
    let flat = BetaWire.session(fromGA: fields)
    var wire = JSONObject()
    for key in Self.fields { wire[key] = flat[key] }
    // One without the other is refused.
    if wire["modalities"] != nil { wire["modalities"] = session.flatModalities(["audio", "text"]) }
    if var detection = wire["turn_detection"]?.object {
      detection.removeValue(forKey: "idle_timeout_ms")
      wire["turn_detection"] = .object(detection)
    }
    return wire
  }
}

extension RealtimeSession {
  /// - Parameter spoken: how speech with its transcript is asked for.
  func flatModalities(_ spoken: JSONValue) -> JSONValue {
    outputModalities.contains(.audio) ? spoken : ["text"]
  }
}
