import Audio
import Envelope
import NIOCore

/// What the service says, in the envelope's words.
enum Downlink {
  // MARK: Audio lane

  /// The base64 text of a message that is nothing but one part of audio:
  /// `{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":…,"data":…}}],"role":…}}}`, pretty-printed or not,
  /// keys in any order. In any doubt nil: the control lane then reads the message.
  static func audioOnly(_ message: ByteBuffer) -> ByteBuffer? {
    let range = message.withUnsafeReadableBytes { bytes -> Range<Int>? in
      var reader = AudioMessageReader(bytes)
      return reader.read()
    }
    guard let range else { return nil }
    return message.getSlice(at: message.readerIndex + range.lowerBound, length: range.count)
  }

  // MARK: Usage

  /// Token counts, by the envelope's modalities. Tool results count as input, thoughts as output; the service's own
  /// total sometimes leaves the thoughts out and is not used.
  ///
  /// - Parameter writes: the session answers in text; matters where the service does not say what the tokens are of.
  static func usage(_ metadata: UsageMetadata, writes: Bool = false) -> Usage {
    let toolUse = count(metadata.toolUsePromptTokenCount)
    let thoughts = count(metadata.thoughtsTokenCount)
    let prompt = count(metadata.promptTokenCount)
    let answer = count(metadata.responseTokenCount ?? metadata.candidatesTokenCount)
    let cached = count(metadata.cachedContentTokenCount)
    let promptBy = counts(metadata.promptTokensDetails, otherwise: prompt, as: "TEXT")
    let answerBy = counts(
      metadata.responseTokensDetails ?? metadata.candidatesTokensDetails, otherwise: answer,
      as: writes ? "TEXT" : "AUDIO")
    let cachedBy = counts(metadata.cacheTokensDetails, otherwise: cached, as: "TEXT")
    return Usage(
      totalTokens: prompt + toolUse + answer + thoughts,
      inputTokens: prompt + toolUse,
      outputTokens: answer + thoughts,
      inputTokenDetails: .init(
        textTokens: promptBy.text + toolUse, audioTokens: promptBy.audio, imageTokens: promptBy.image,
        cachedTokens: cached,
        cachedTokensDetails: .init(
          textTokens: cachedBy.text, audioTokens: cachedBy.audio, imageTokens: cachedBy.image)),
      outputTokenDetails: .init(textTokens: answerBy.text + thoughts, audioTokens: answerBy.audio))
  }

  /// A count as the service gives it, in the bounds of its own type (int32), so that no sum of them can overflow.
  private static func count(_ value: Int?) -> Int {
    min(max(value ?? 0, 0), Int(Int32.max))
  }

  private static func counts(
    _ details: [UsageMetadata.ModalityCount]?, otherwise total: Int, as modality: String
  ) -> (text: Int, audio: Int, image: Int) {
    let details = details ?? [.init(modality: modality, tokenCount: total)]
    func sum(_ modalities: String...) -> Int {
      details.filter { modalities.contains($0.modality ?? "") }.reduce(0) { $0 + count($1.tokenCount) }
    }
    return (sum("TEXT", "DOCUMENT", "MODALITY_UNSPECIFIED"), sum("AUDIO"), sum("IMAGE", "VIDEO"))
  }

  // MARK: Times

  /// `"0.320s"` in milliseconds; nil for anything else.
  static func milliseconds(_ duration: String?) -> Int? {
    guard let duration, duration.hasSuffix("s"), let seconds = Double(duration.dropLast()), seconds.isFinite,
      abs(seconds) < 1e9
    else { return nil }
    return Int((seconds * 1000).rounded())
  }

  /// How an answer ended, by the service's reason; nil where the reason is not one of failure.
  static func ending(_ reason: String) -> (isContentFilter: Bool, code: String)? {
    switch reason {
    case "", "TURN_COMPLETE_REASON_UNSPECIFIED", "NEED_MORE_INPUT", "RESPONSE_REJECTED":
      return nil
    case "MALFORMED_FUNCTION_CALL", "MAX_REGENERATION_REACHED", "GENERATED_OTHER", "INPUT_OTHER":
      return (false, reason.lowercased())
    default:
      let filters = [
        "SAFETY", "PROHIBITED", "BLOCKLIST", "CELEBRITY", "MINORS", "NCII", "_IP_", "UNSAFE", "PEOPLE",
      ]
      return filters.contains { reason.contains($0) } ? (true, reason.lowercased()) : nil
    }
  }
}
