import Envelope
import OpenAIWire
import Translation

/// Azure AI Voice Live: the beta vocabulary, voices as objects, and more of its own than a client can know.
struct VoiceLiveForm: AzureForm {
  var traits: WireTraits {
    var traits = WireTraits()
    traits.vocabulary = .beta
    traits.isNative = false
    traits.lifetime = Limits.lifetime
    traits.hasIdleTimeout = false
    // Its detection creates no responses unless it is told to.
    traits.setUpFields = ["audio.input.turn_detection", "audio.output.voice"]
    traits.mending.completesLifecycle = true
    traits.mending.vendorEvents = Self.vendorEvents
    return traits
  }

  private static let vendorEvents: Set<String> = [
    "warning", "session.avatar.connecting", "session.avatar.switch_to_speaking", "session.avatar.switch_to_idle",
    "response.audio_timestamp.delta", "response.audio_timestamp.done", "response.animation_blendshapes.delta",
    "response.animation_blendshapes.done", "response.animation_viseme.delta", "response.animation_viseme.done",
    "response.video.delta",
  ]

  func begin(_ session: inout RealtimeSession) {
    session.audio.output.voice = .named(VoiceLiveVoices.standard)
  }

  // MARK: What really happens

  func makeEffective(_ session: inout RealtimeSession) throws(EventFault) -> [String] {
    guard session.prompt == nil else {
      throw .unsupported("The service stores no prompts.", param: "session.prompt")
    }
    var missing = MissingFields()
    missing.keep(&session.parallelToolCalls, at: nil, "session.parallel_tool_calls")
    missing.keep(&session.tracing, at: nil, "session.tracing")
    missing.keep(&session.truncation, at: "auto", "session.truncation")
    session.unknown.clampTemperature(to: Limits.voiceLiveTemperature)
    missing.clean(&session.unknown, keeping: Self.ownFields.union(["temperature"]), "session")
    missing.clean(&session.audio.unknown, "session.audio")
    try Self.makeEffective(&session.audio.input, &missing)
    Self.makeEffective(&session.audio.output, &missing)
    return missing.paths
  }

  private static func makeEffective(
    _ input: inout AudioInput, _ missing: inout MissingFields
  ) throws(EventFault) {
    missing.clean(&input.unknown, "session.audio.input")
    if input.noiseReduction?.strength != nil {
      input.noiseReduction?.strength = nil
      missing.add("session.audio.input.noise_reduction.strength")
    }
    guard var transcription = input.transcription else { return }
    let path = "session.audio.input.transcription"
    transcription.model = try TranscriptionModels.effective(
      transcription.model, standard: VoiceLiveTranscribers.standard, isOwn: VoiceLiveTranscribers.isOwn)
    if VoiceLiveTranscribers.takesPrompt(transcription.model ?? "") {
      missing.keep(&transcription.keywords, at: nil, path + ".keywords")
    } else {
      missing.keep(&transcription.prompt, at: nil, path + ".prompt")
    }
    missing.keep(&transcription.delay, at: nil, path + ".delay")
    missing.clean(&transcription.unknown, keeping: ["custom_speech", "phrase_list"], path)
    input.transcription = transcription
  }

  private static func makeEffective(_ output: inout AudioOutput, _ missing: inout MissingFields) {
    missing.clean(&output.unknown, "session.audio.output")
    guard case .named(let name) = output.voice else {
      return missing.keep(&output.speed, at: 1, "session.audio.output.speed")
    }
    if let own = VoiceLiveVoices.name(for: name) {
      output.voice = .named(own)
    } else {
      missing.keep(&output.voice, at: .named(VoiceLiveVoices.standard), "session.audio.output.voice")
    }
    if !VoiceLiveVoices.isAzure(output.voice.name) {
      missing.keep(&output.speed, at: 1, "session.audio.output.speed")
    }
  }

  // MARK: The service's form

  /// What clients may set of the service's own, by its names.
  private static let ownFields: Set<String> = [
    "input_audio_echo_cancellation", "output_audio_timestamp_types", "interim_response", "metadata", "animation",
    "avatar",
  ]

  /// What is the same in the beta vocabulary.
  private static let fields = [
    "instructions", "input_audio_format", "output_audio_format", "input_audio_noise_reduction", "tools",
    "tool_choice", "temperature", "max_response_output_tokens", "include",
  ]

  func wireSession(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject {
    let flat = BetaWire.session(fromGA: fields)
    var wire = JSONObject()
    for key in Self.fields + Self.ownFields.sorted() { wire[key] = flat[key] }
    if flat["modalities"] != nil { wire["modalities"] = session.flatModalities(["text", "audio"]) }
    if wire["input_audio_format"] != nil {
      wire["input_audio_sampling_rate"] = .number(JSONNumber(session.audio.input.format.rate))
    }
    if flat["voice"] != nil || flat["speed"] != nil {
      wire["voice"] = VoiceLiveVoices.object(for: session.audio.output.voice, speed: session.audio.output.speed)
    }
    if flat["turn_detection"] != nil { wire["turn_detection"] = Self.wire(session.audio.input.turnDetection) }
    if flat["input_audio_transcription"] != nil {
      wire["input_audio_transcription"] = session.audio.input.transcription.map(Self.wire) ?? .null
    }
    if fields["reasoning"] != nil {
      wire["reasoning_effort"] = session.reasoning?.effort.map { .string($0.rawValue) } ?? .null
    }
    return wire
  }

  private static func wire(_ detection: TurnDetection?) -> JSONValue {
    switch detection {
    case .none: .null
    case .serverVAD(let vad): wire(vad, type: "server_vad")
    case .semanticVAD(let vad):
      // The service's own, which knows more languages than English.
      wire(
        ServerVAD(
          silenceDurationMs: SemanticWindow.silenceMs(vad.eagerness), createResponse: vad.createResponse,
          interruptResponse: vad.interruptResponse), type: "azure_semantic_vad_multilingual")
    }
  }

  private static func wire(_ vad: ServerVAD, type: String) -> JSONValue {
    [
      "type": .string(type), "threshold": .number(JSONNumber(vad.threshold)),
      "prefix_padding_ms": .number(JSONNumber(vad.prefixPaddingMs)),
      "silence_duration_ms": .number(JSONNumber(vad.silenceDurationMs)),
      "create_response": .bool(vad.createResponse), "interrupt_response": .bool(vad.interruptResponse),
    ]
  }

  private static func wire(_ transcription: InputTranscription) -> JSONValue {
    var wire: JSONObject = ["model": .string(transcription.model ?? VoiceLiveTranscribers.standard)]
    let languages = transcription.languages?.joined(separator: ",") ?? ""
    if let language = transcription.language ?? (languages.isEmpty ? nil : languages) {
      wire["language"] = .string(language)
    }
    wire["prompt"] = transcription.prompt.map { .string($0) }
    wire["phrase_list"] = transcription.keywords.map { .array($0.map { .string($0) }) }
    for (key, value) in transcription.unknown.fields { wire[key] = value }
    return .object(wire)
  }

  /// Options of a response that neither the beta vocabulary nor the service has.
  private static let foreignOptions: Set<String> = ["reasoning", "parallel_tool_calls"]

  func ignoredOptions(_ response: JSONObject) -> [String] {
    ResponseOptions.ignored(in: response) { path in
      guard path == "audio.output.voice" else { return Self.foreignOptions.contains(path.firstComponent) }
      let name = response["audio"]?["output"]?["voice"]?.string
      return name.map { VoiceLiveVoices.name(for: $0) == nil } ?? false
    }
  }

  /// A response's voice is an object too.
  func wireEvent(_ event: JSONObject) throws(EventFault) -> [JSONObject] {
    guard var response = event["response"]?.object else { return [event] }
    for key in Self.foreignOptions { response.removeValue(forKey: key) }
    if var audio = response["audio"]?.object, var output = audio["output"]?.object,
      let name = output["voice"]?.string
    {
      output["voice"] = VoiceLiveVoices.name(for: name).map { VoiceLiveVoices.object(for: .named($0), speed: 1) }
      audio["output"] = .object(output)
      response["audio"] = .object(audio)
    }
    var event = event
    event["response"] = .object(response)
    return [event]
  }
}
