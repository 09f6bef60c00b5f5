import Envelope

/// The retired beta shape, as the preview form of Azure OpenAI and Azure Voice Live speak it.
struct BetaAccent: RealtimeAccent {
  let manners: RealtimeManners
  private let isVoiceLive: Bool

  init(isVoiceLive: Bool) {
    self.isVoiceLive = isVoiceLive
    var manners = RealtimeManners(
      fields: isVoiceLive ? VoiceLiveFields.client : BetaFields.client,
      eventTypes: isVoiceLive ? VoiceLiveFields.eventTypes : RealtimeFields.eventTypes)
    manners.detections = OpenAIAccent.detections
    if isVoiceLive {
      for type in [
        "server_vad", "azure_semantic_vad", "azure_semantic_vad_multilingual",
        "azure_semantic_vad_en",
      ] {
        // As recorded: other values than those of a new session.
        manners.detections[type] = Self.liveDetection.merging([
          "type": .string(type), "prefix_padding_ms": 400, "silence_duration_ms": 500,
        ])
      }
      manners.transcriptionKeys = ["model", "language", "prompt", "custom_speech", "phrase_list"]
      manners.idleTimeout = .event
    } else {
      manners.detections["server_vad"] = OpenAIAccent.detections["server_vad"]?.without(
        "idle_timeout_ms")
      manners.idleTimeout = .unknown
    }
    self.manners = manners
  }

  private static let liveDetection: JSONObject = [
    "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200,
    "create_response": true, "interrupt_response": true, "idle_timeout_ms": nil,
    "speech_duration_ms": nil,
    "end_of_utterance_detection": nil, "auto_truncate": false,
    "appended_text_after_truncation": nil,
  ]

  func newSession(_ start: RealtimeStart) -> JSONObject {
    let base = isVoiceLive ? Self.liveDetection : manners.detections["server_vad"] ?? [:]
    let detection = JSONValue.object(OpenAIAccent.detection(base, start.options))
    let common: JSONObject = [
      "id": .string(start.id), "object": "realtime.session", "model": .string(start.model),
      "instructions": "You are a helpful assistant.", "tools": [], "tool_choice": "auto",
      "max_output_tokens": "inf",
      "expires_at": .number(JSONNumber(start.options.expiresAt)), "include": nil,
      "audio": [
        "input": [
          "format": OpenAIAccent.format, "transcription": nil, "noise_reduction": nil,
          "turn_detection": detection,
        ],
        "output": [
          "format": OpenAIAccent.format,
          "voice": isVoiceLive ? ["name": "alloy", "type": "openai"] : "alloy",
        ],
      ],
    ]
    guard isVoiceLive else {
      return common.merging([
        "output_modalities": ["text", "audio"], "temperature": 0.8, "tracing": nil, "prompt": nil,
        "speed": 1.0,
        "client_secret": nil,
      ])
    }
    return common.merging([
      "output_modalities": ["audio"], "input_audio_sampling_rate": 24_000, "animation": nil,
      "input_audio_echo_cancellation": nil, "avatar": nil, "output_audio_timestamp_types": nil,
      "truncation_strategy": nil,
    ])
  }

  // MARK: From the client

  func heard(_ event: JSONObject) throws(RealtimeFault) -> JSONObject {
    var event = event
    for place in ["session", "response"] {
      guard let flat = event[place]?.object else { continue }
      try checkModalities(flat["modalities"], place)
      var nested = FlatSession.nested(flat)
      if isVoiceLive, let voice = flat["voice"]?.string {
        nested["audio"] = .object(
          (nested["audio"]?.object ?? [:]).merging([
            "output": .object(
              (nested["audio"]?["output"]?.object ?? [:]).merging([
                "voice": ["name": .string(voice), "type": "openai"]
              ]))
          ]))
      }
      if let input = flat["input"]?.array {
        nested["input"] = .array(input.map { .object(Self.renaming($0.object ?? [:], Self.toGA)) })
      }
      event[place] = .object(nested)
    }
    if let item = event["item"]?.object { event["item"] = .object(Self.renaming(item, Self.toGA)) }
    return event
  }

  /// The preview form has no sound without text.
  private func checkModalities(_ modalities: JSONValue?, _ place: String) throws(RealtimeFault) {
    guard !isVoiceLive, modalities == ["audio"] else { return }
    throw .violation(
      code: "invalid_value",
      "Invalid modalities: ['audio']. Supported combinations are: ['text'] and ['audio', 'text'].",
      param: "\(place).modalities")
  }

  // MARK: To the client

  private static let toGA = ["text": "output_text", "audio": "output_audio"]
  private static let toBeta = ["output_text": "text", "output_audio": "audio"]

  /// The item with other names for the types of its parts.
  static func renaming(_ item: JSONObject, _ names: [String: String]) -> JSONObject {
    guard let parts = item["content"]?.array else { return item }
    var item = item
    item["content"] = .array(
      parts.map { part in
        guard let type = part["type"]?.string, let name = names[type] else { return part }
        return .object((part.object ?? [:]).merging(["type": .string(name)]))
      })
    return item
  }

  /// The item as the beta shape has it.
  static func beta(_ item: JSONObject) -> JSONObject { renaming(item, toBeta) }

  /// The event's type in the beta shape; nil for one that it lacks.
  static func name(_ type: String) -> String? {
    switch type {
    case "conversation.item.added": "conversation.item.created"
    case "conversation.item.done": nil
    default:
      type.hasPrefix("response.output_text") || type.hasPrefix("response.output_audio")
        ? type.replacing("response.output_", with: "response.") : type
    }
  }

  func told(_ event: JSONObject, session: JSONObject, ids: inout StandInIDs) -> [JSONObject] {
    guard let type = event["type"]?.string, let name = Self.name(type) else { return [] }
    if isVoiceLive, type == "rate_limits.updated" { return [] }
    var event = event
    event["type"] = .string(name)
    if !type.hasPrefix("response.function_call") { event["obfuscation"] = nil }
    if let session = event["session"]?.object { event["session"] = .object(show(session)) }
    if let item = event["item"]?.object { event["item"] = .object(Self.beta(item)) }
    if let response = event["response"]?.object {
      event["response"] = .object(show(response: response, session))
    }
    if let error = event["error"]?.object { event["error"] = .object(show(error: error)) }
    return [event]
  }

  private func show(_ session: JSONObject) -> JSONObject {
    FlatSession.flat(session)
  }

  private func show(response: JSONObject, _ session: JSONObject) -> JSONObject {
    let output = response["audio"]?["output"]
    var shown = response.without("audio").renaming("output_modalities", to: "modalities")
    shown["voice"] = output?["voice"]
    shown["output_audio_format"] = FlatSession.formatName(output?["format"] ?? nil)
    shown["temperature"] = session["temperature"] ?? .null
    shown["output"] = .array(
      (response["output"]?.array ?? []).map { .object(Self.beta($0.object ?? [:])) })
    if let usage = response["usage"]?.object { shown["usage"] = .object(show(usage: usage)) }
    return shown
  }

  private func show(usage: JSONObject) -> JSONObject {
    var usage = usage
    if isVoiceLive {
      usage["output_token_details"] = .object(
        (usage["output_token_details"]?.object ?? [:]).merging(["reasoning_tokens": 0]))
    } else if let input = usage["input_token_details"]?.object {
      let cached = input["cached_tokens_details"]?.object ?? [:]
      usage["input_token_details"] = .object(
        input.without("image_tokens").merging([
          "cached_tokens_details": .object(cached.without("image_tokens"))
        ]))
    }
    return usage
  }

  /// The engine's own check names the nested field.
  private func show(error: JSONObject) -> JSONObject {
    guard error["param"]?.string == "session.audio.output.voice" else { return error }
    return error.merging(["param": "session.voice"])
  }

  func extras(ids: inout StandInIDs) -> [JSONObject] {
    guard isVoiceLive else { return [] }
    let events: [JSONObject] = [
      [
        "type": "warning",
        "warning": [
          "code": "unsupported_setting", "message": "A setting is ignored.", "param": nil,
        ],
      ],
      [
        "type": "response.audio_timestamp.delta", "response_id": "resp_extra",
        "item_id": "item_extra",
        "output_index": 0, "content_index": 0, "audio_offset_ms": 0, "audio_duration_ms": 200,
        "text": "word",
        "timestamp_type": "word",
      ],
      [
        "type": "response.animation_viseme.delta", "response_id": "resp_extra",
        "item_id": "item_extra",
        "output_index": 0, "content_index": 0, "audio_offset_ms": 0, "viseme_id": 1,
      ],
    ]
    return events.map { $0.withID(&ids) }
  }
}
