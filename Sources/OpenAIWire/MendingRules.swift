/// What is mended in the events of one provider, beyond what holds for all of them.
public struct MendingRules: Sendable {
  /// The provider's own event types -> the vocabulary's. The beta's names and shapes are understood without an entry.
  public var renames: [String: String] = [:]
  /// Event types that mean nothing to a client.
  public var dropped: Set<String> = []
  /// Foreign event types that a client gets unchanged if it asked for them.
  public var vendorEvents: Set<String> = []
  /// Whether what the provider leaves out of a sequence is synthesised; otherwise order and number of its events are its own.
  public var completesLifecycle = false
  /// The service answers with audio although text was asked for: the audio is dropped and its transcript told as text (R217).
  public var speaksInTextMode = false
  /// Text and transcript deltas carry the same words: the first kind of a response wins.
  public var repeatsTextInAudio = false
  /// `response.output_item.added` holds the finished call.
  public var callsComeWhole = false
  /// Event types that carry the user's transcript so far: told as deltas of its growth.
  public var cumulativeTranscripts: Set<String> = []

  public init() {}
}
