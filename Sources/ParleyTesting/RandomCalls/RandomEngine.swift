public import Envelope

/// What the voice engine says, or a mistake of it: of a turn or response that there is, was, or never will be.
public struct RandomEngine: RandomProvider {
  public typealias Law = AnyFrameLaw
  public static let acceptance: JSONValue = ["type": "ready"]

  private var turns = 0

  public init() {}

  public mutating func reset() {}

  public mutating func play(to call: inout WatchedCall<Law>, _ random: inout some RandomNumberGenerator) {
    speak(to: &call, &random)
  }

  public mutating func speak(to call: inout WatchedCall<Law>, _ random: inout some RandomNumberGenerator) {
    call.serves(Self.message(call.responseIDs, &random))
  }

  public func sideFrame(_ random: inout some RandomNumberGenerator) -> JSONValue { Self.acceptance }

  /// One message, of one of the last responses or of none.
  public static func message(_ responses: [String], _ random: inout some RandomNumberGenerator) -> JSONValue {
    let kinds = ["vad", "commit", "item"]
    let turn = JSONValue.string(
      (kinds.randomElement(using: &random) ?? "") + "_\(Int.random(in: 1...4, using: &random))")
    let response = JSONValue.string(responses.suffix(4).randomElement(using: &random) ?? "resp_none")
    let place = JSONValue.number(JSONNumber(Int.random(in: 0...9_000, using: &random)))
    let reason = JSONValue.string(
      ["complete", "maximum_tokens", "content_filter"].randomElement(using: &random) ?? "complete")
    let messages: [JSONValue] = [
      ["type": "speech_started", "turn": turn, "at_ms": place],
      ["type": "speech_stopped", "turn": turn, "at_ms": place, "is_speech": true, "was_cut": false],
      ["type": "speech_stopped", "turn": turn, "at_ms": place, "is_speech": false, "was_cut": true],
      ["type": "transcribed", "turn": turn, "text": "heard"], ["type": "transcribed", "turn": turn, "text": ""],
      ["type": "not_transcribed", "turn": turn, "code": "rate_limit_exceeded", "message": "later"],
      ["type": "text", "response": response, "delta": "word "],
      ["type": "audio", "response": response, "audio": "AAABAAIA"],
      ["type": "call", "response": response, "call": ["id": "c", "name": "f", "arguments": "{}"]],
      [
        "type": "finished",
        "end": ["response": response, "reason": reason, "input_tokens": 1, "output_tokens": 1, "audio_ms": place],
      ],
      ["type": "failed", "response": response, "code": "llm_failed", "message": "no"],
    ]
    return messages.randomElement(using: &random) ?? acceptance
  }
}
