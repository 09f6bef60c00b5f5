import Envelope
import Routing

/// A patch for a common arrangement.
struct Preset: Sendable {
  var name: String
  var description: String
  var config: JSONObject
  /// What has to be in the environment for it.
  var variables: [String] = []

  func json(missing: [String]) -> JSONObject {
    [
      "name": .string(name), "description": .string(description), "config": .object(config),
      "available": .bool(missing.isEmpty), "missing": .array(missing.map(JSONValue.string)),
    ]
  }

  /// Arrangements of the voice engine. Each takes the addresses and keys of the one before away: a key is sent nowhere but
  /// where it belongs.
  static let cascades: [Preset] = [
    Preset(
      name: "groq", description: "Groq answers; Deepgram hears and speaks: the usual cascade, and a fast one.",
      config: [
        "llm": ["provider": "groq", "model": "openai/gpt-oss-20b", "baseUrl": nil, "apiKey": nil],
        "stt": deepgramHearing, "tts": deepgramVoice,
      ], variables: ["GROQ_API_KEY", "DEEPGRAM_API_KEY"]),
    Preset(
      name: "openrouter", description: "A model of OpenRouter's choice answers; Deepgram hears and speaks.",
      config: [
        "llm": ["provider": "openrouter", "model": "openrouter/auto", "baseUrl": nil, "apiKey": nil],
        "stt": deepgramHearing, "tts": deepgramVoice,
      ], variables: ["OPENROUTER_API_KEY", "DEEPGRAM_API_KEY"]),
    Preset(
      name: "groq-only", description: "Groq hears and answers; the voice is of this machine. One key.",
      config: [
        "llm": ["provider": "groq", "model": "openai/gpt-oss-20b", "baseUrl": nil, "apiKey": nil],
        "stt": [
          "provider": "groq", "model": nil, "language": nil, "baseUrl": nil, "apiKey": nil, "modelPath": nil,
        ],
        "tts": ownVoice,
      ], variables: ["GROQ_API_KEY"]),
    Preset(
      name: "embedded", description: "Everything on this machine, with built-in rules for answers: no network, no key.",
      config: [
        "llm": ["provider": "rules", "model": nil, "baseUrl": nil, "apiKey": nil], "stt": ownHearing, "tts": ownVoice,
      ]),
    Preset(
      name: "local-model",
      description: "Ears and voice of this machine; a chat server on it answers (Ollama's address is preset).",
      config: [
        "llm": [
          "provider": "openai-compatible", "model": nil, "baseUrl": "http://127.0.0.1:11434/v1", "apiKey": nil,
        ],
        "stt": ownHearing, "tts": ownVoice,
      ]),
    Preset(
      name: "omni", description: "One model hears, answers and speaks: Qwen Omni behind vLLM on this machine.",
      config: [
        "llm": [
          "provider": "omni", "model": "Qwen2.5-Omni-3B", "baseUrl": "http://127.0.0.1:8091/v1", "apiKey": nil,
        ]
      ]),
  ]

  private static let deepgramHearing: JSONValue = [
    "provider": "deepgram", "model": "nova-3", "language": "en-US", "baseUrl": nil, "apiKey": nil, "modelPath": nil,
  ]
  private static let deepgramVoice: JSONValue = [
    "provider": "deepgram", "model": "aura-2-thalia-en", "voice": nil, "baseUrl": nil, "apiKey": nil,
    "modelPath": nil,
  ]
  private static let ownHearing: JSONValue = [
    "provider": "whisper", "model": nil, "language": nil, "baseUrl": nil, "apiKey": nil, "modelPath": nil,
  ]
  private static let ownVoice: JSONValue = [
    "provider": "espeak", "model": nil, "voice": nil, "baseUrl": nil, "apiKey": nil, "modelPath": nil,
  ]

  /// Each declared provider as the one of sessions that name none.
  static func providers(_ table: RouteTable) -> [JSONObject] {
    table.providerNames.compactMap { name in
      guard let entry = table.providers[name] else { return nil }
      let preset = Preset(
        name: "default-\(name)",
        description: "Sessions that name no provider are with '\(name)'.",
        config: ["gateway": ["default": .string(name)]])
      return preset.json(missing: entry.unavailability.map { [$0.missing] } ?? [])
    }
  }
}

extension SecretFault {
  /// The variable that is not there; of other faults their text.
  fileprivate var missing: String {
    switch self {
    case .variableNotSet(let name), .variableEmpty(let name): name
    default: publicText
    }
  }
}
