/// Speaks with espeak-ng: not beautiful, but at once (the first samples after a fraction of a millisecond) and in about
/// a hundred languages.
public struct EspeakSynthesizer: Synthesizer {
  public let description: StageDescription
  public let voices: [String]
  private let rate: Int

  /// The English voices and variants that are worth offering; `start` keeps those which are installed.
  static let englishVoices = [
    "en-us", "en-gb", "en-us+f3", "en-us+m3", "en-us+f2", "en-us+f4", "en-us+m7", "en-us+klatt4",
    "en-gb+f3",
    "en-gb+m3", "en-gb-scotland", "en-gb-x-rp", "en-us+whisper",
  ]

  /// Opens the library.
  ///
  /// - Parameter voice: the default voice, of any language (`de`, `fr+f2`); nil for `en-us`.
  /// - Throws: `tts_unavailable` if the library, its data or the voice is not installed.
  public static func start(voice: String? = nil) async throws(StageFault) -> EspeakSynthesizer {
    let capabilities = try await EspeakLibrary.shared.prepare()
    let standard = voice.flatMap { $0.isEmpty ? nil : $0 } ?? englishVoices[0]
    guard capabilities.offers(standard) else {
      throw StageFault(.tts, code: "tts_unavailable", message: "espeak-ng has no voice '\(standard)'")
    }
    let others = englishVoices.filter { $0 != standard && capabilities.offers($0) }
    return EspeakSynthesizer(
      description: StageDescription(.tts, "espeak", model: standard, version: capabilities.version),
      voices: [standard] + others, rate: capabilities.rate)
  }

  /// Speaks at 160 words a minute times `speed`, within the library's 80…450. A voice that is not one of `voices` is
  /// spoken with the default one.
  public func speak(_ text: String, voice: String, speed: Double) -> AsyncThrowingStream<SpeechChunk, any Error> {
    let chosen = voices.contains(voice) ? voice : description.model
    let wordsPerMinute = Self.wordsPerMinute(speed: speed)
    let rate = rate
    return producedStream { continuation throws(StageFault) in
      // Chunks that are made after the stream was given up are dropped by the continuation.
      try await EspeakLibrary.shared.speak(text, voice: chosen, wordsPerMinute: wordsPerMinute) { samples in
        continuation.yield(SpeechChunk(samples: samples, rate: rate))
      }
    }
  }

  static func wordsPerMinute(speed: Double) -> Int {
    guard speed.isFinite else { return 160 }
    return Int(min(max((160 * speed).rounded(), 80), 450))
  }
}
