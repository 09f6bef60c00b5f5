/// The events that Inworld Realtime takes: the GA shape with models in the session and `providerData` beside it.
///
/// Source: the service's documentation, samples and guide.
public enum InworldFields {
  public static let client = FieldTable(dialect: .literal, shapes: shapes)

  static let eventTypes = RealtimeFields.eventTypes + ["output_audio_buffer.clear"]

  static let transcriptionModels = [
    "assemblyai/u3-rt-pro", "assemblyai/universal-streaming-multilingual",
    "assemblyai/universal-streaming-english", "inworld/inworld-stt-1", "soniox/stt-rt-v4",
  ]

  private static let format = FieldKind.either([
    .enumeration(["pcm16", "g711_ulaw", "g711_alaw"]),
    .tagged(
      by: "type",
      ["audio/pcm": "PCMFormat", "audio/pcmu": "G711Format", "audio/pcma": "G711Format"]),
  ])
  private static let tool = FieldKind.tagged(
    by: "type", ["function": "FunctionTool", "web_search": "WebSearch"])

  private static let session: [String: FieldKind] = [
    "type": .enumeration(["realtime"]),
    "model": .string,
    "instructions": .string,
    "output_modalities": RealtimeFields.modalities,
    "temperature": .number(0...2),
    "max_output_tokens": RealtimeFields.maxOutputTokens,
    "audio": .message("SessionAudio"),
    "tools": .list(tool),
    "tool_choice": RealtimeFields.toolChoice,
    "truncation": .either([.enumeration(["auto", "disabled"]), .object]),
    "providerData": .message("ProviderData"),
    // Ignored without a word, as any misspelling of providerData is.
    "provider_data": .any,
  ]

  private static let shapes: [String: MessageShape] =
    RealtimeFields.events(
      session: .message("Session"), items: .tagged(by: "type", RealtimeFields.itemNames)
    )
    .with(RealtimeFields.tools).with(RealtimeFields.items(parts: RealtimeFields.gaParts))
    .with([
      "output_audio_buffer.clear": RealtimeFields.event([:]),
      "Session": MessageShape(session),
      "SessionAudio": MessageShape([
        "input": .message("AudioInput"), "output": .message("AudioOutput"),
      ]),
      "AudioInput": MessageShape([
        "format": format, "transcription": .nullable(.message("Transcription")),
        "noise_reduction": .nullable(.message("NoiseReduction")),
        "turn_detection": .nullable(
          .tagged(by: "type", ["server_vad": "ServerVAD", "semantic_vad": "SemanticVAD"])),
      ]),
      "AudioOutput": MessageShape([
        "format": format, "voice": .string, "speed": .number(0.25...1.5),
        "model": .enumeration(["inworld-tts-1.5-mini", "inworld-tts-1.5-max", "inworld-tts-2"]),
      ]),
      "PCMFormat": MessageShape(["type": .string, "rate": .integer(8_000...48_000)]),
      "G711Format": MessageShape(["type": .string]),
      "Transcription": MessageShape([
        "model": .enumeration(transcriptionModels), "language": .nullable(.string),
        "prompt": .nullable(.string),
      ]),
      "NoiseReduction": MessageShape(
        ["type": .enumeration(["near_field", "far_field"])], required: ["type"]),
      "ServerVAD": MessageShape(
        RealtimeFields.serverVAD.merging(["idle_timeout_ms": .nullable(.integer(0...Int.max))]) {
          $1
        }),
      "SemanticVAD": RealtimeFields.semanticVAD,
      "WebSearch": MessageShape(["type": .string, "providerData": .object]),
      "ResponseOptions": MessageShape([
        "instructions": .string, "output_modalities": RealtimeFields.modalities,
        "max_output_tokens": RealtimeFields.maxOutputTokens, "tools": .list(tool),
        "tool_choice": RealtimeFields.toolChoice, "audio": .message("SessionAudio"),
      ]),
    ])
    .with(providerData)

  private static func object(named: [String]) -> MessageShape {
    MessageShape(Dictionary(uniqueKeysWithValues: named.map { ($0, FieldKind.any) }))
  }

  /// Names without their kinds: the service publishes no more.
  private static let providerData: [String: MessageShape] = [
    "ProviderData": MessageShape([
      "stt": .message("ProviderSTT"), "tts": .message("ProviderTTS"),
      "memory": .message("ProviderMemory"),
      "backchannel": .message("ProviderBackchannel"),
      "responsiveness": .message("ProviderResponsiveness"),
      "user_id": .string, "metadata": .object, "auto_tool_response": .bool,
    ]),
    "ProviderSTT": object(named: [
      "prompt", "voice_profile", "language_hints", "end_of_turn_confidence_threshold",
      "vad_threshold",
      "min_end_of_turn_silence", "max_turn_silence",
    ]),
    "ProviderTTS": object(named: [
      "segmenter_strategy", "steering_handling", "language", "delivery_mode", "conversational",
      "user_turn_mode",
      "timestamp_type",
    ]),
    "ProviderMemory": object(named: [
      "enabled", "turn_interval", "max_memory_length", "max_transcript_items", "max_facts",
      "trim_after_summarize",
      "state",
    ]),
    "ProviderBackchannel": object(named: [
      "enabled", "small_model", "eval_interval_ms", "min_speech_ms", "min_gap_ms", "max_per_turn",
      "hard_deadline_ms", "history_tail_items", "temperature", "max_tokens", "volume_gain",
      "require_pause",
      "decider_kind", "rule_fire_probability", "allowed_phrases", "prompt_template",
    ]),
    "ProviderResponsiveness": object(named: [
      "enabled", "small_model", "initial_wait_timeout_ms", "hard_deadline_ms", "history_tail_items",
      "temperature",
      "max_tokens", "min_filler_gap_ms", "max_initial_per_turn", "max_buffer_deltas",
      "enable_filler_on_first_assistant_reply", "prompt_template", "pause_text",
    ]),
  ]
}
