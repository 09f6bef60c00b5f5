import Envelope

/// The session of the beta shape, where everything lies side by side, and the engine's nested one.
enum FlatSession {
  private static let renamed = [
    "modalities": "output_modalities", "max_response_output_tokens": "max_output_tokens",
  ]
  private static let input = [
    "input_audio_format": "format", "input_audio_transcription": "transcription",
    "input_audio_noise_reduction": "noise_reduction", "turn_detection": "turn_detection",
  ]
  private static let output = ["output_audio_format": "format", "voice": "voice", "speed": "speed"]
  private static let formats: [(String, JSONValue)] = [
    ("pcm16", OpenAIAccent.format), ("g711_ulaw", ["type": "audio/pcmu"]),
    ("g711_alaw", ["type": "audio/pcma"]),
  ]

  /// A flat session, a part of one, or the options of a response.
  static func nested(_ flat: JSONObject) -> JSONObject {
    var result: JSONObject = [:]
    var inputSide: JSONObject = [:]
    var outputSide: JSONObject = [:]
    for (key, value) in flat {
      let format = formats.first { .string($0.0) == value }?.1
      if let name = input[key] {
        inputSide[name] = name == "format" ? format ?? value : value
      } else if let name = output[key] {
        outputSide[name] = name == "format" ? format ?? value : value
      } else {
        result[renamed[key] ?? key] = value
      }
    }
    var audio = result["audio"]?.object ?? [:]
    if !inputSide.isEmpty {
      audio["input"] = .object((audio["input"]?.object ?? [:]).merging(inputSide))
    }
    if !outputSide.isEmpty {
      audio["output"] = .object((audio["output"]?.object ?? [:]).merging(outputSide))
    }
    if !audio.isEmpty { result["audio"] = .object(audio) }
    return result
  }

  /// The other way, for what the service shows.
  static func flat(_ nested: JSONObject) -> JSONObject {
    var result: JSONObject = [:]
    for (key, value) in nested where key != "audio" && key != "type" {
      result[renamed.first { $0.value == key }?.key ?? key] = value
    }
    for (side, names) in [("input", input), ("output", output)] {
      for (flat, name) in names {
        guard let value = nested["audio"]?[side]?[name] else { continue }
        result[flat] = name == "format" ? formatName(value) : value
      }
    }
    return result
  }

  static func formatName(_ format: JSONValue) -> JSONValue {
    formats.first { $0.1["type"] == format["type"] }.map { .string($0.0) } ?? format
  }
}
