/// Sizes and times of Gemini Live, and of how it is waited for.
enum Limits {
  /// The longest base64 text put into one `realtimeInput.audio`: one second of PCM16 at 24 kHz. The service documents no
  /// maximum; pieces of 20 to 100 ms are recommended and bursts are accepted. A multiple of 4 keeps each piece decodable.
  static let audioPieceCharacters = 64_000

  /// PCM16 mono at 24 kHz.
  static let bytesPerMillisecond = 48

  /// How long a `response.create` waits for the first output before it fails.
  static let answerTimeout = Duration.seconds(15)

  /// How long audio that may hold no speech is given to draw an answer before the model is asked to speak anyway.
  static let answerToAudioTimeout = Duration.seconds(2)

  /// How long `response.done` waits for the usage after `generationComplete`. The `turnComplete` that carries it comes
  /// only when the service thinks that playback has ended.
  static let usageTimeout = Duration.milliseconds(1500)

  /// How long a cancelled answer's rest is discarded after its last sign of life.
  static let discardTimeout = Duration.seconds(3)

  /// What `silenceDurationMs` may be.
  static let silenceMilliseconds = 100...2000

  /// The most audio that is kept for a client that ends its turns itself: ten minutes, decoded.
  static let bufferedBytes = 10 * 60 * 1000 * bytesPerMillisecond

  /// The most JSON of items that wait for a `response.create`; the largest context window of the service holds less.
  static let pendingBytes = 1_048_576

  /// The most JSON of a session object.
  static let sessionBytes = 262_144

  /// The shortest audio that can be committed (the OpenAI service's rule).
  static let shortestCommitMilliseconds = 100
}
