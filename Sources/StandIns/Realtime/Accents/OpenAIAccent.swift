import Envelope

/// OpenAI Realtime and the GA form of Azure OpenAI: the engine's own form.
struct OpenAIAccent: RealtimeAccent {
  let manners: RealtimeManners
  private let isAzure: Bool

  init(isAzure: Bool) {
    self.isAzure = isAzure
    var manners = RealtimeManners(
      fields: isAzure ? OpenAIFields.azure : OpenAIFields.client,
      eventTypes: RealtimeFields.eventTypes)
    manners.detections = Self.detections
    manners.transcriptionKeys = ["model", "language", "prompt"]
    self.manners = manners
  }

  static let detections: [String: JSONObject] = [
    "server_vad": [
      "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200,
      "idle_timeout_ms": nil, "create_response": true, "interrupt_response": true,
    ],
    "semantic_vad": [
      "type": "semantic_vad", "eagerness": "auto", "create_response": true,
      "interrupt_response": true,
    ],
  ]

  static let format: JSONValue = ["type": "audio/pcm", "rate": 24_000]

  /// A service's detection with the silence that the operator of the stand-in wants.
  static func detection(_ base: JSONObject, _ options: RealtimeStandIn.Options) -> JSONObject {
    guard let silence = options.silenceMilliseconds, base["silence_duration_ms"] != nil else {
      return base
    }
    return base.merging(["silence_duration_ms": .number(JSONNumber(silence))])
  }

  func newSession(_ start: RealtimeStart) -> JSONObject {
    let detection = Self.detection(Self.detections["server_vad"] ?? [:], start.options)
    let expiry = JSONValue.number(JSONNumber(start.options.expiresAt))
    guard !start.isTranscription else {
      let plain = detection.without("idle_timeout_ms", "create_response", "interrupt_response")
      return [
        "type": "transcription", "object": "realtime.transcription_session",
        "id": .string(start.id),
        "expires_at": expiry,
        "audio": [
          "input": [
            "format": Self.format, "transcription": nil, "noise_reduction": nil,
            "turn_detection": .object(plain),
          ]
        ],
        "include": nil,
      ]
    }
    return [
      "type": "realtime", "object": "realtime.session", "id": .string(start.id),
      "model": .string(start.model),
      "output_modalities": ["audio"], "instructions": "You are a helpful assistant.", "tools": [],
      "tool_choice": "auto", "max_output_tokens": "inf", "tracing": nil, "truncation": "auto",
      "prompt": nil,
      "expires_at": expiry,
      "audio": [
        "input": [
          "format": Self.format, "transcription": nil, "noise_reduction": nil,
          "turn_detection": .object(detection),
        ],
        "output": ["format": Self.format, "voice": "alloy", "speed": 1.0],
      ],
      "include": nil,
    ]
  }

  func heard(_ event: JSONObject) throws(RealtimeFault) -> JSONObject {
    for place in ["session", "response"] {
      guard let modalities = event[place]?["output_modalities"]?.array, modalities.count != 1 else {
        continue
      }
      throw .violation(
        code: "invalid_value",
        "Invalid modalities: supported combinations are: ['text'] and ['audio'].",
        param: "\(place).output_modalities")
    }
    return event
  }

  func told(_ event: JSONObject, session: JSONObject, ids: inout StandInIDs) -> [JSONObject] {
    // Azure's parts come twice.
    guard isAzure, let part = event["part"] else { return [event] }
    return [event.merging(["content": part])]
  }
}
