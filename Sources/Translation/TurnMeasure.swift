/// What a step means for whoever measures: at most a few in a turn, never one for a frame of audio.
///
/// A turn is one response of the conversation and the wait for it. They do not overlap: `began` comes when no other is open,
/// and each that has begun has an `ended`, unless the answer never came; then another `began`, or nothing, follows.
/// Responses beside the conversation are no turns, and sessions that only transcribe have none.
public enum TurnMeasure: Sendable, Hashable {
  /// An answer is owed: the user's speech is over, or the client has committed it or asked for an answer; or the provider
  /// has begun one of its own accord.
  case began
  /// The first audio of the answer was handed to the client. Not told of an answer that nobody was waiting for, and not of
  /// one without audio.
  ///
  /// - sinceBegan: from the end of the user's speech, or the client's request.
  /// - upstream: the part of it that the provider took, from when it had all that it needed to its first audio. The rest
  ///   is the gateway's own, what it held while the connection was away included.
  case firstAudio(sinceBegan: Duration, upstream: Duration)
  /// The user spoke into an answer that could be heard, or the client cancelled it: so long after that its last audio left
  /// for the client, or was dropped.
  case silenced(after: Duration)
  /// The answer is over. Tokens as the provider counted them, if it did.
  case ended(TurnOutcome, responseID: String?, inputTokens: Int?, outputTokens: Int?)
}

/// How an answer ended; the names are those of the envelope.
public enum TurnOutcome: String, Sendable, Hashable, CaseIterable {
  case completed, cancelled, failed, incomplete
}
