/// What an engine takes, and how it is told when a turn ends.
enum Limits {
  /// Of PCM16 in a piece: 4,096 samples, as vowel's own client cuts it.
  static let pieceBytes = 8_192

  /// The engine has silence only: what `eagerness` becomes, in milliseconds. In the middle is its own default.
  static let hesitantSilence = 900
  static let middlingSilence = 550
  static let eagerSilence = 350
}
