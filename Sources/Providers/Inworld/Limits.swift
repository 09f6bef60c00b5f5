/// What the service takes.
enum Limits {
  // MARK: Audio

  /// Milliseconds of the client's audio in a frame.
  static let leastPiece = 40
  static let mostPiece = 100

  // MARK: Fields

  static let temperature = 0.0...2.0

  /// The vocabulary has slower speech, down to 0.25; others clamp it here too.
  static let speed = 0.5...1.5

  /// Of `providerData`, as JSON.
  static let providerDataBytes = 8_192

  /// Of the name of a model that speaks.
  static let nameBytes = 256
}
