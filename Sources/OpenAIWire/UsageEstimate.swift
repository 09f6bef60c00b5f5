import Envelope

/// What a response may have cost, for providers that do not say: 10 tokens a second of audio heard, 20 a second of
/// audio spoken, and one for every four bytes of text.
struct UsageEstimate: Sendable {
  private var heardMs = 0
  private var textBytes = 0

  mutating func heard(milliseconds: Int) {
    heardMs += max(0, milliseconds)
  }

  /// Text that the model was given.
  mutating func read(_ text: String) {
    textBytes += text.utf8.count
  }

  /// What comes now is the next response's.
  mutating func reset() {
    self = Self()
  }

  /// - Parameter format: of the audio that the response spoke.
  func usage(of response: Lifecycle.OpenResponse, format: AudioFormat) -> JSONValue {
    let heard = Self.tokens(heardMs, perSecond: 10)
    let read = Self.tokens(ofText: textBytes)
    let spoken = Self.tokens(response.audioBytes / format.bytesPerMillisecond, perSecond: 20)
    let written = Self.tokens(ofText: response.textBytes)
    return [
      "total_tokens": Self.number(heard + read + spoken + written),
      "input_tokens": Self.number(heard + read),
      "output_tokens": Self.number(spoken + written),
      "input_token_details": [
        "text_tokens": Self.number(read), "audio_tokens": Self.number(heard), "image_tokens": 0, "cached_tokens": 0,
        "cached_tokens_details": ["text_tokens": 0, "audio_tokens": 0, "image_tokens": 0],
      ],
      "output_token_details": ["text_tokens": Self.number(written), "audio_tokens": Self.number(spoken)],
    ]
  }

  private static func tokens(_ milliseconds: Int, perSecond: Int) -> Int {
    (milliseconds * perSecond + 999) / 1000
  }

  private static func tokens(ofText bytes: Int) -> Int { (bytes + 3) / 4 }

  private static func number(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }
}
