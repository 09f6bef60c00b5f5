import Audio
import Testing

@Suite("Resampler")
struct ResamplerTests {
  static let pairs = [
    (24_000, 16_000), (22_050, 24_000), (16_000, 24_000), (8_000, 24_000), (24_000, 8_000), (44_100, 24_000),
    (48_000, 16_000), (48_000, 8_000), (8_000, 48_000), (24_000, 24_000), (11_025, 16_000), (47_999, 16_001),
    (8_001, 47_999), (192_000, 8_000),
  ]

  /// What is left of a tone, without the edges.
  private func middle(of samples: [Int16]) -> ArraySlice<Int16> {
    samples.dropFirst(samples.count / 10).dropLast(samples.count / 10)
  }

  @Test("The stream may be cut anywhere: the output is the same to the bit", arguments: pairs)
  func chunkInvariance(from: Int, to: Int) {
    var random = SeededGenerator(state: UInt64(from * 7 + to))
    let input = random.samples(5_003)
    let whole = Resampler.convert(input, from: from, to: to)
    for most in [1, 7, 240, 3_000] {
      var resampler = Resampler(from: from, to: to)
      var output: [Int16] = []
      for piece in random.cut(input, most: most) { output += resampler.process(piece) }
      output += resampler.flush()
      #expect(output == whole, "pieces of up to \(most)")
    }
  }

  @Test("The output counts input · to / from samples, rounded", arguments: pairs)
  func count(from: Int, to: Int) {
    for count in [0, 1, 2, 3, 11, 12, 13, 100, 1_023, 1_024, 1_025, 2_205, 24_000] {
      let output = Resampler.convert([Int16](repeating: 1000, count: count), from: from, to: to)
      #expect(output.count == (2 * count * to + from) / (2 * from), "\(count) samples")
    }
  }

  @Test("A tone of 1 kHz keeps its level and its place within 0.5 dB", arguments: pairs)
  func passBand(from: Int, to: Int) {
    let output = Resampler.convert(tone(1_000, rate: from, count: from / 4), from: from, to: to)
    let expected = tone(1_000, rate: to, count: output.count)
    #expect(abs(decibels(level(middle(of: output)), over: level(middle(of: expected)))) < 0.5)
    // Nothing is shifted: the difference to the same tone at the new rate is small.
    let difference = zip(output, expected).map { Int16(clamping: Int($0) - Int($1)) }
    #expect(decibels(level(middle(of: difference)), over: level(middle(of: expected))) < -40)
  }

  @Test(
    "A tone above the new band is at least 40 dB down",
    arguments: [
      (10_000.0, 24_000, 16_000), (10_500, 22_050, 16_000), (5_500, 24_000, 8_000), (11_000, 24_000, 8_000),
      (15_000, 44_100, 24_000), (15_000, 48_000, 24_000), (9_700, 24_000, 16_000), (90_000, 192_000, 8_000),
    ])
  func stopBand(hertz: Double, from: Int, to: Int) {
    let input = tone(hertz, rate: from, count: from / 4)
    let output = Resampler.convert(input, from: from, to: to)
    #expect(decibels(level(middle(of: output)), over: level(input)) < -40)
  }

  @Test("The images of a tone are at least 40 dB down where the rate rises")
  func images() {
    // 3 kHz at 8 kHz has an image at 5 kHz, which lies within the band of 24 kHz.
    let output = Resampler.convert(tone(3_000, rate: 8_000, count: 4_000), from: 8_000, to: 24_000)
    let expected = tone(3_000, rate: 24_000, count: output.count)
    let difference = zip(output, expected).map { Int16(clamping: Int($0) - Int($1)) }
    #expect(decibels(level(middle(of: difference)), over: level(expected)) < -40)
  }

  @Test("Speech frequencies up to 7 kHz pass from 24 to 16 kHz")
  func bandEdge() {
    for hertz in stride(from: 200.0, through: 6_500, by: 700) {
      let output = Resampler.convert(tone(hertz, rate: 24_000, count: 6_000), from: 24_000, to: 16_000)
      #expect(abs(decibels(level(middle(of: output)), over: 16_000 / 2.0.squareRoot())) < 1, "\(hertz) Hz")
    }
  }

  @Test("The delay is bounded: no more than the look-ahead is held back", arguments: pairs)
  func delay(from: Int, to: Int) {
    var resampler = Resampler(from: from, to: to)
    #expect(Double(resampler.lookAhead) / Double(min(from, to)) < 0.04)
    var output = 0
    for step in 1...50 {
      output += resampler.process([Int16](repeating: 0, count: 100)).count
      let due = max(0, step * 100 - resampler.lookAhead) * to / from
      #expect(output >= due)
      #expect(output * from <= step * 100 * to + from)
    }
  }

  @Test("The common pairs look less than a millisecond ahead", arguments: [(24_000, 16_000), (22_050, 24_000)])
  func shortDelay(from: Int, to: Int) {
    #expect(Resampler(from: from, to: to).lookAhead * 1000 < from)
  }

  @Test("A constant stays the same constant, and full scale is clipped instead of wrapped around")
  func constantAndClipping() {
    for value: Int16 in [12_345, -12_345, 1, -1, .min] {
      let constant = Resampler.convert([Int16](repeating: value, count: 1_000), from: 22_050, to: 24_000)
      #expect(middle(of: constant).allSatisfy { $0 == value })
    }
    // A square wave at full scale overshoots.
    let square = (0..<4_000).map { $0 / 20 % 2 == 0 ? Int16.max : Int16.min }
    let output = Resampler.convert(square, from: 24_000, to: 16_000)
    #expect(output.contains(.max))
    #expect(output.contains(.min))
    for (index, sample) in output.enumerated() where index * 3 / 2 % 20 == 10 {
      #expect(sample.signum() == square[index * 3 / 2].signum())
    }
  }

  @Test("Empty input gives nothing; the same rate gives the same samples")
  func emptyAndIdentity() {
    var resampler = Resampler(from: 24_000, to: 16_000)
    #expect(resampler.process([]).isEmpty)
    #expect(resampler.flush().isEmpty)
    var identity = Resampler(from: 24_000, to: 24_000)
    #expect(identity.process([1, -2, 3]) == [1, -2, 3])
    #expect(identity.flush().isEmpty)
    #expect(identity.lookAhead == 0)
  }

  @Test("After a flush a new stream begins")
  func flushResets() {
    var random = SeededGenerator(state: 9)
    let input = random.samples(700)
    var resampler = Resampler(from: 24_000, to: 16_000)
    let first = resampler.process(input) + resampler.flush()
    #expect(resampler.process(input) + resampler.flush() == first)
  }

  @Test("A rate out of range counts as the nearest that is taken")
  func outOfRange() {
    #expect(Resampler(from: 0, to: -5).from == 8_000)
    #expect(Resampler(from: .max, to: .min).from == 192_000)
    #expect(Resampler.convert([1, 2, 3], from: .min, to: .max).count == 72)
  }
}
