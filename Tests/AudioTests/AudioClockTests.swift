import Audio
import Testing

@Suite("Audio clock")
struct AudioClockTests {
  @Test(
    "Bytes become whole milliseconds, rounded down",
    arguments: [
      (24_000, 2, 0, 0), (24_000, 2, 47, 0), (24_000, 2, 48, 1), (24_000, 2, 4_800, 100),
      (24_000, 2, 15_728_640, 327_680),
      (16_000, 2, 32, 1), (8_000, 1, 8, 1), (8_000, 1, 7, 0), (48_000, 2, 96, 1), (44_100, 2, 88_200, 1000),
      (44_100, 2, 89, 1), (44_100, 2, 88, 0),
    ])
  func milliseconds(hertz: Int, bytesPerSample: Int, bytes: Int, expected: Int) throws {
    let rate = try #require(SampleRate(hertz: hertz))
    var clock = AudioClock(rate: rate, bytesPerSample: bytesPerSample)
    #expect(clock.milliseconds(ofBytes: bytes) == expected)
    clock.append(bytes: bytes)
    #expect(clock.milliseconds == expected)
    #expect(clock.bytes == bytes)
  }

  @Test("R086: the clock starts with PCM16 at 24 kHz, 48 bytes a millisecond")
  func standardFormat() {
    #expect(AudioClock().bytesPerSecond == 48_000)
    #expect(AudioClock(rate: G711.rate, bytesPerSample: G711.bytesPerSample).bytesPerSecond == 8_000)
  }

  @Test("Many small chunks lose nothing to rounding")
  func smallChunks() {
    var clock = AudioClock()
    for _ in 0..<48_000 { clock.append(bytes: 1) }
    #expect(clock.milliseconds == 1000)
    clock.append(bytes: -5)
    #expect(clock.bytes == 48_000)
  }

  @Test("A year of audio does not overflow")
  func longAudio() {
    var clock = AudioClock()
    clock.append(bytes: 48_000 * 86_400 * 365)
    #expect(clock.milliseconds == 1000 * 86_400 * 365)
  }

  @Test(
    "Rates outside 1 to 192,000 Hz are none",
    arguments: [(0, false), (-1, false), (1, true), (192_000, true), (192_001, false)])
  func rates(hertz: Int, isRate: Bool) {
    #expect((SampleRate(hertz: hertz) != nil) == isRate)
    #expect(SampleRate.hz8000 < .hz16000 && SampleRate.hz24000.hertz == 24_000)
  }
}
