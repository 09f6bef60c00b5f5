import Envelope

/// Puts the text of a turn together from the messages of Deepgram's live transcription. Results come in stretches of
/// audio: interim results replace each other until one is final.
struct DeepgramAssembly: Sendable {
  enum Effect: Sendable, Equatable {
    case none
    /// The text so far has changed.
    case partial(String)
    /// Everything that was sent before `Finalize` is in the text.
    case finalized
    /// Everything that was sent before `CloseStream` is in the text.
    case ended
  }

  private var finals: [String] = []
  private var interim = ""

  /// What is understood so far.
  var text: String {
    (finals + [interim]).filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// Takes a message. Unknown ones have no effect, and neither have `SpeechStarted` and `UtteranceEnd`: where a turn
  /// ends is decided here and not there.
  mutating func take(_ message: JSONValue) -> Effect {
    switch message["type"]?.string {
    case "Results":
      let transcript = message["channel"]?["alternatives"]?[0]?["transcript"]?.string?.trimmed ?? ""
      let before = text
      if message["is_final"]?.bool ?? false {
        if !transcript.isEmpty { finals.append(transcript) }
        interim = ""
      } else {
        interim = transcript
      }
      if message["from_finalize"]?.bool ?? false { return .finalized }
      return text == before ? .none : .partial(text)
    case "Metadata":
      return .ended
    default:
      return .none
    }
  }
}
