import Envelope

/// What Inworld does though nobody would expect it; each can be switched.
public enum InworldQuirk: String, Sendable, Hashable, CaseIterable {
  /// `response.function_call_arguments.done` has no `name`.
  case namelessCalls = "nameless-calls"
  /// With both modalities the same words come as text and as transcript.
  case doubledWords = "doubled-words"
  /// `…transcription.completed` comes several times for one item, each longer.
  case growingTranscripts = "growing-transcripts"
  /// With `semantic_vad`, speech during an answer is announced after its first words.
  case lateSpeech = "late-speech"
  /// A delta of a cancelled response comes after the cancel.
  case lateDeltas = "late-deltas"
  /// Usage lies beside the response.
  case outerUsage = "outer-usage"
  /// Sound and words have the beta shape's names.
  case oldNames = "old-names"

  /// Those that the service is known for.
  public static let usual = Set(allCases).subtracting([.oldNames])
}

/// Inworld Realtime: GA with models and `providerData` in the session, and quirks.
struct InworldAccent: RealtimeAccent {
  let manners: RealtimeManners
  private let quirks: Set<InworldQuirk>
  private var heardWords: [String: String] = [:]

  init(quirks: Set<InworldQuirk>) {
    self.quirks = quirks
    var manners = RealtimeManners(
      fields: InworldFields.client, eventTypes: InworldFields.eventTypes)
    manners.silenceMilliseconds = 1_000
    manners.detections = [
      "server_vad": [
        "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 200,
        "silence_duration_ms": 1_000,
        "idle_timeout_ms": nil, "create_response": true, "interrupt_response": true,
      ],
      "semantic_vad": OpenAIAccent.detections["semantic_vad"] ?? [:],
    ]
    manners.keepsTranscription = true
    manners.awaitsUpdate = true
    manners.locksVoice = false
    manners.fixesModel = false
    manners.idleTimeout = .event
    manners.sendsLateDeltas = quirks.contains(.lateDeltas)
    manners.announcesSpeechLate = quirks.contains(.lateSpeech)
    self.manners = manners
  }

  func newSession(_ start: RealtimeStart) -> JSONObject {
    [
      "id": .string(start.id), "object": "realtime.session", "type": "realtime",
      "model": "google-ai-studio/gemini-2.5-flash", "instructions": "",
      "output_modalities": ["audio", "text"],
      "max_output_tokens": "inf", "tools": [], "tool_choice": "auto",
      "audio": [
        "input": [
          "format": OpenAIAccent.format, "transcription": ["model": "inworld/inworld-stt-1"],
          "noise_reduction": nil,
          "turn_detection": .object(manners.detections["semantic_vad"] ?? [:]),
        ],
        "output": [
          "format": OpenAIAccent.format, "voice": "Dennis", "model": "inworld-tts-1.5-mini",
          "speed": 1.0,
        ],
      ],
    ]
  }

  // MARK: From the client

  func heard(_ event: JSONObject) throws(RealtimeFault) -> JSONObject {
    guard let session = event["session"]?.object else { return event }
    var changes = session.without("provider_data")
    var audio = session["audio"]?.object ?? [:]
    for side in ["input", "output"] {
      guard let name = audio[side]?["format"]?.string else { continue }
      let key = side + "_audio_format"
      let format = FlatSession.nested([key: .string(name)])["audio"]?[side]?["format"] ?? nil
      audio[side] = .object((audio[side]?.object ?? [:]).merging(["format": format]))
    }
    if !audio.isEmpty { changes["audio"] = .object(audio) }
    return event.merging(["session": .object(changes)])
  }

  func slips(_ event: JSONObject) -> [RealtimeFault] {
    guard event["session"]?["provider_data"] != nil else { return [] }
    return [
      .violation(
        code: "unknown_parameter", "'provider_data' is ignored; the field is 'providerData'.",
        param: "session.provider_data")
    ]
  }

  // MARK: To the client

  mutating func told(_ event: JSONObject, session: JSONObject, ids: inout StandInIDs)
    -> [JSONObject]
  {
    var event = event.without("obfuscation")
    let type = event["type"]?.string ?? ""
    switch type {
    case "conversation.item.retrieved", "conversation.item.truncated", "rate_limits.updated":
      return []
    case "conversation.item.input_audio_transcription.delta":
      return [event] + snapshot(event, ids: &ids)
    case "conversation.item.input_audio_transcription.completed":
      heardWords[event["item_id"]?.string ?? ""] = nil
      return [event]
    case "response.function_call_arguments.done" where quirks.contains(.namelessCalls):
      event["name"] = nil
    case "response.output_audio_transcript.delta", "response.output_audio_transcript.done":
      return doubled(event, type, session, ids: &ids).map(named)
    case "response.done" where quirks.contains(.outerUsage):
      let response = event["response"]?.object ?? [:]
      event["response"] = .object(response.without("usage"))
      event["usage"] = response["usage"]
    default: break
    }
    return [named(event)]
  }

  private mutating func snapshot(_ event: JSONObject, ids: inout StandInIDs) -> [JSONObject] {
    guard quirks.contains(.growingTranscripts) else { return [] }
    let id = event["item_id"]?.string ?? ""
    let words = heardWords[id, default: ""] + (event["delta"]?.string ?? "")
    heardWords[id] = words
    let completed = event.without("delta").merging([
      "type": "conversation.item.input_audio_transcription.completed",
      "transcript": .string(words.trimmingWhitespace),
    ])
    return [completed.withID(&ids)]
  }

  private func doubled(
    _ event: JSONObject, _ type: String, _ session: JSONObject, ids: inout StandInIDs
  ) -> [JSONObject] {
    let modalities = session["output_modalities"]?.array ?? []
    guard quirks.contains(.doubledWords), modalities.count == 2 else { return [event] }
    let text = event.renaming("transcript", to: "text").merging([
      "type": .string(type.replacing("output_audio_transcript", with: "output_text"))
    ])
    return [text.withID(&ids), event]
  }

  private func named(_ event: JSONObject) -> JSONObject {
    guard quirks.contains(.oldNames), let type = event["type"]?.string, type.hasSuffix(".delta"),
      let name = BetaAccent.name(type)
    else { return event }
    return event.merging(["type": .string(name)])
  }

  func extras(ids: inout StandInIDs) -> [JSONObject] {
    let events: [JSONObject] = [
      ["type": "ping", "timestamp": 1_785_214_080_296],
      [
        "type": "input_audio_buffer.turn_suggestion", "item_id": "item_extra", "utterance_index": 0,
        "probability": 0.8, "trailing_silence_ms": 320, "audio_duration_ms": 1_200,
        "inference_ms": 12,
      ],
      [
        "type": "input_audio_buffer.turn_suggestion_revoked", "item_id": "item_extra",
        "utterance_index": 0,
      ],
      [
        "type": "response.backchannel.audio.delta", "backchannel_id": "bc_1",
        "delta": .string(StandInBase64.encoded(StandInSound.parts[0])),
      ],
      ["type": "response.backchannel.audio.done", "backchannel_id": "bc_1", "phrase": "mhm"],
      ["type": "response.backchannel.skipped", "backchannel_id": "bc_2", "reason": "gap"],
    ]
    return events.map { $0.withID(&ids) }
  }

  /// The frame that has no type.
  func exhaustion(ids: inout StandInIDs) -> JSONObject {
    ["errorType": "SESSION_RESOURCES_EXHAUSTED", "message": "No session resources are left."]
  }
}
