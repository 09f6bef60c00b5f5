import Envelope

/// What a session has here beside the vocabulary, and the fields of the vocabulary's own objects that Inworld takes.
enum Fields {
  /// In `audio.output`: the model that speaks (R159, R228).
  static let voiceModel = "model"
  static let temperature = "temperature"
  static let providerData = "providerData"
  /// The same, in the spelling that Inworld overlooks without a word.
  static let providerDataAlias = "provider_data"

  /// Inworld would else answer a function's result by itself, and the client's own request would make a second answer
  /// (R265).
  static func pinned(_ providerData: JSONObject) -> JSONObject {
    var data = providerData
    data["auto_tool_response"] = false
    return data
  }

  static let session: Set<String> = [
    "model", "instructions", "output_modalities", temperature, "max_output_tokens", "tools", "tool_choice", "audio",
    providerData,
  ]
  static let input: Set<String> = ["format", "transcription", "noise_reduction", "turn_detection"]
  static let output: Set<String> = ["format", "voice", voiceModel, "speed"]
  static let transcription: Set<String> = ["model", "language", "prompt"]
  static let noiseReduction: Set<String> = ["type"]
  static let serverVAD: Set<String> = [
    "type", "threshold", "prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms", "create_response",
    "interrupt_response",
  ]
  static let semanticVAD: Set<String> = ["type", "eagerness", "create_response", "interrupt_response"]

  /// What `response.create` may set for one response.
  static let response: Set<String> = [
    "output_modalities", "instructions", "audio", "tools", "tool_choice", "max_output_tokens",
  ]
}
