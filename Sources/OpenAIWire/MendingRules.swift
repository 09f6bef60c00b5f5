/// What a provider of the OpenAI family does otherwise than the service whose vocabulary it speaks.
public struct MendingRules: Sendable {
  /// The provider's own event types -> the vocabulary's. The beta's names and shapes are understood without being named.
  public var renames: [String: String] = [:]
  /// Types that tell the client nothing: `ping`, `session.hibernate`.
  public var dropped: Set<String> = []
  /// Foreign types that go to the client unchanged, because it opted in to them.
  public var vendorEvents: Set<String> = []
  /// Missing events are synthesised, and the order of the sequences is kept. Where it is false, nothing is added, nothing
  /// held back, and types that nobody knows cross as they are.
  public var completesLifecycle = false
  /// The service answers with audio although text was asked for: the audio is dropped, its transcript told as text (R217).
  public var speaksInTextMode = false
  /// Text and transcript deltas carry the same words. A written answer is told from the kind that comes first, a spoken
  /// one from the transcript; the text stands in where a transcript never comes.
  public var repeatsTextInAudio = false
  /// `response.output_item.added` holds the finished call, and no more comes of it.
  public var callsComeWhole = false
  /// The service speaks PCM at 24 kHz, whatever the client hears.
  public var speaksPCMOnly = false
  /// Event types that carry the user's transcript so far, in `transcript`: told as deltas.
  public var cumulativeTranscripts: Set<String> = []
  /// The final transcript of a turn comes several times, each longer: told as deltas, and once when it grows no more.
  public var repeatsTranscripts = false
  /// The first words of the user's during an answer may come before the event that tells of the speech.
  public var announcesSpeechLate = false

  public init() {}
}
