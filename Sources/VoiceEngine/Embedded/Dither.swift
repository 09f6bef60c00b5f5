/// A breath of noise under the speech, as any microphone has it. Silence that is digitally zero, as in synthetic speech and in
/// clients that gate their microphone, is nothing that Whisper was trained on: it drops and doubles words around it.
enum Dither {
  /// The noise is the sum of two even ones of this many steps of 16 bits each: about -72 dBFS.
  private static let amplitude: Float = 10

  /// 300 ms. Speech that begins at once loses its first word.
  private static let lead = 4_800

  /// The samples in -1...1 with the noise, and with a moment of it ahead of speech that begins at once; the same samples give
  /// the same result.
  static func softened(_ samples: ArraySlice<Int16>) -> [Float] {
    let beginsAtOnce = samples.prefix(1_600).contains { $0.magnitude > 500 }
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    return (beginsAtOnce ? ArraySlice(repeating: 0, count: lead) + samples : samples).map { sample in
      // xorshift64: two halves of one word are two numbers.
      state ^= state &<< 13
      state ^= state &>> 7
      state ^= state &<< 17
      let first = Float(Int32(truncatingIfNeeded: state)) / 2_147_483_648
      let second = Float(Int32(truncatingIfNeeded: state &>> 32)) / 2_147_483_648
      return (Float(sample) + amplitude * (first + second)) / 32_768
    }
  }
}
