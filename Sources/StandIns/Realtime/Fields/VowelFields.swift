/// The events that the vowel engine takes: the beta shape with fields of its own, 24 kHz PCM only.
///
/// Source: the engine's public code as described in its references. `conversation.item.delete` is unknown there.
public enum VowelFields {
  public static let client = FieldTable(dialect: .literal, shapes: shapes)

  static let eventTypes =
    RealtimeFields.eventTypes.filter { $0 != "conversation.item.delete" } + ["debug.get_latency"]

  private static let detection = FieldKind.nullable(.message("TurnDetection"))

  private static let session: [String: FieldKind] = [
    "model": .string,
    "modalities": RealtimeFields.modalities,
    "instructions": .string,
    "voice": .string,
    "speaking_rate": .number(0.25...4),
    "initial_greeting_prompt": .string,
    "speech_mode": .enumeration(["implicit", "explicit"]),
    "language": .string,
    "input_audio_format": .enumeration(["pcm16"]),
    "output_audio_format": .enumeration(["pcm16"]),
    "input_audio_transcription": .nullable(.message("Transcription")),
    "turn_detection": detection,
    "audio": .message("SessionAudio"),
    "tools": .list(.tagged(by: "type", ["function": "FunctionTool"])),
    "tool_choice": RealtimeFields.toolChoice,
    "temperature": .number(0...2),
    "max_response_output_tokens": RealtimeFields.maxOutputTokens,
  ]

  private static let shapes: [String: MessageShape] =
    RealtimeFields.events(session: .message("Session"), items: BetaFields.itemKind)
    .with(RealtimeFields.tools).with(
      RealtimeFields.items(parts: RealtimeFields.gaParts.with(BetaFields.parts))
    )
    .with([
      "debug.get_latency": RealtimeFields.event(["includeHistory": .bool]),
      "Session": MessageShape(session),
      "SessionAudio": MessageShape(["input": .message("AudioInput")]),
      "AudioInput": MessageShape(["turn_detection": detection]),
      "Transcription": MessageShape(["model": .string, "language": .string]),
      "TurnDetection": MessageShape(
        RealtimeFields.serverVAD.merging([
          "type": .enumeration(["server_vad", "semantic_vad", "disabled"]),
          "mode": .enumeration(["server_vad", "client_vad"]),
          "eagerness": .enumeration(["low", "medium", "high", "auto"]),
          "silenceDurationMs": .integer(0...Int.max), "prefixPaddingMs": .integer(0...Int.max),
        ]) { $1 }),
      "ResponseOptions": MessageShape([
        "modalities": RealtimeFields.modalities, "instructions": .string,
        "metadata": RealtimeFields.metadata,
      ]),
    ])
}

extension [String: String] {
  func with(_ other: Self) -> Self {
    merging(other) { _, other in other }
  }
}
