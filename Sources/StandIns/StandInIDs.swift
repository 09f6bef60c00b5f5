/// Ids and padding: `prefix_` and 21 characters or UUIDs, from a generator that repeats for the same seed (SplitMix64).
struct StandInIDs: Sendable {
  private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  private var state: UInt64
  /// UUIDs for every id, whatever its prefix.
  var usesUUIDs = false

  init(seed: UInt64?) {
    state = seed ?? UInt64.random(in: .min ... .max)
  }

  mutating func next(_ prefix: String) -> String {
    usesUUIDs ? uuid() : prefix + "_" + text(count: 21)
  }

  /// The id of a call, which is not just a UUID anywhere.
  mutating func nextCall() -> String {
    usesUUIDs ? "call-\(uuid())-0" : next("call")
  }

  /// A random UUID in lower case, with or without its hyphens.
  mutating func uuid(hyphens: Bool = true) -> String {
    let digits = (0..<32).map { _ in Array("0123456789abcdef")[Int(random() % 16)] }
    guard hyphens else { return String(digits) }
    let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
    return groups.map { String(digits[$0]) }.joined(separator: "-")
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
