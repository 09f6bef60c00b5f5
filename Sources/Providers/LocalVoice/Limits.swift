import Envelope

/// What a session may hold, and how audio is counted in tokens.
enum Limits {
  /// The least audio that can be committed: OpenAI's rule.
  static let shortestCommitMs = 100
  /// The most that a client which commits itself may append to one turn. At 16 kHz that is 5.8 MB.
  static let longestBufferMs = 180_000
  /// How far a turn may reach back: so much audio is kept of every session, whether anybody speaks or not.
  static let longestPrefixMs = 5_000
  /// Turns whose audio is kept for a model that hears; such models are given the last one only.
  static let heardTurns = 4
  /// Responses beside the conversation at once.
  static let sideResponses = 4
  /// OpenAI counts a token for each 100 ms of the user's speech and for each 50 ms of the model's.
  static let inputMsPerToken = 100
  static let outputMsPerToken = 50
  /// Counts of words above it are cut to it.
  static let mostTokens = 1_000_000_000
}
