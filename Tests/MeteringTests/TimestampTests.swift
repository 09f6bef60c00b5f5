import ParleyTesting
import Metering
import Testing

@Suite struct TimestampTests {
  @Test(
    "RFC 3339 there and back",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"), (-1, "1969-12-31T23:59:59.999Z"),
      (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
      (1_767_229_435_123, "2026-01-01T01:03:55.123Z"), (4_102_444_800_000, "2100-01-01T00:00:00.000Z"),
      (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
      (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
    ])
  func known(milliseconds: Int, text: String) {
    #expect(Timestamp(milliseconds: milliseconds).exact == text)
    #expect(Timestamp(text)?.milliseconds == milliseconds)
    #expect(Timestamp(milliseconds: milliseconds).text == text.prefix(19) + "Z")
  }

  @Test("RFC 3339 there and back, at random", arguments: 0..<20 as Range<UInt64>)
  func random(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<500 {
      let time = Timestamp(
        milliseconds: .random(in: -62_135_596_800_000...253_402_300_799_999, using: &generator))
      #expect(Timestamp(time.exact) == time)
      #expect(Timestamp(time.text)?.milliseconds == time.unixTime * 1000)
      #expect(Timestamp(timeOrDay: time.dayText) == Timestamp(day: time.day))
      #expect(Timestamp(day: time.day) <= time)
      #expect(time < Timestamp(day: time.day + 1))
      let left = Double(Timestamp(day: time.day + 1).milliseconds - time.milliseconds) / 1000
      #expect(time.secondsLeftOfDay == left)
    }
  }

  @Test("offsets and fractions")
  func offsets() {
    let time = Timestamp(milliseconds: 1_767_229_435_500)
    for text in [
      "2026-01-01T01:03:55.5Z", "2026-01-01T01:03:55.500+00:00", "2026-01-01t01:03:55.5004z",
      "2025-12-31T20:03:55.5-05:00", "2026-01-01T06:33:55.5+05:30", "2026-01-01T01:03:55.500999999999Z",
    ] {
      #expect(Timestamp(text) == time, "\(text)")
    }
    // A leap second is the second after it.
    #expect(Timestamp("2016-12-31T23:59:60Z") == Timestamp("2017-01-01T00:00:00Z"))
  }

  @Test(
    "what is no time is refused",
    arguments: [
      "", "2026", "2026-01-01", "2026-01-01T", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-1-1T00:00:00Z",
      "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
      "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
      "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00+0100",
      "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00ZZ", " 2026-01-01T00:00:00Z",
      "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+00:01",
      "0000-01-01T00:00:00Z", "+2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z\u{0}", "２026-01-01T00:00:00Z",
    ])
  func refused(text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test("unix times beyond all measure do not trap")
  func absurd() {
    #expect(Timestamp(unixTime: .max).milliseconds == .max)
    #expect(Timestamp(day: .max).milliseconds == .max)
    #expect(Timestamp(day: .min).milliseconds == .min)
    #expect(Timestamp(milliseconds: -1).day == -1)
    #expect(Timestamp(milliseconds: -1).unixTime == -1)
  }
}
