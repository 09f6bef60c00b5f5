/// Ids and padding: `prefix_` and 21 characters, from a generator that repeats for the same seed (SplitMix64).
struct StandInIDs: Sendable {
  private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  private var state: UInt64

  init(seed: UInt64?) {
    state = seed ?? UInt64.random(in: .min ... .max)
  }

  mutating func next(_ prefix: String) -> String {
    prefix + "_" + text(count: 21)
  }

  /// The padding of a text delta: the shorter the text, the longer.
  mutating func obfuscation(for text: String) -> String {
    self.text(count: max(16 - text.utf8.count, 1))
  }

  mutating func text(count: Int) -> String {
    String((0..<count).map { _ in Self.alphabet[Int(random() % 62)] })
  }

  private mutating func random() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
