/// Numbers that are the same for the same seed, so that what they led to can be had again.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) {
    state = seed
  }

  /// A generator for one of several things that share a seed, each with numbers of its own.
  public init(seed: UInt64, lane: UInt64) {
    var mixer = Self(seed: seed ^ (lane &* 0xD6E8_FEB8_6659_FD93))
    state = mixer.next()
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
