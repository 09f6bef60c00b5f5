import ParleyTesting
import Envelope
import Metering
import Testing

@Suite struct MeterTests {
  static let formats: [AudioFormat] = [.pcm(rate: 24_000), .pcm(rate: 16_000), .pcm(rate: 8_000), .pcmu, .pcma]

  @Test("bytes are counted by format, and a change of format loses none", arguments: 0..<50 as Range<UInt64>)
  func formats(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    var tally = AudioTally()
    var reversed: [AudioTally.Part] = []
    var expected: [AudioFormat: Int] = [:]
    var format = Self.formats[0]
    for _ in 0..<500 {
      if Int.random(in: 0..<4, using: &generator) == 0 {
        format = Self.formats.randomElement(using: &generator) ?? format
      }
      let bytes = Int.random(in: 0...70_000, using: &generator)
      tally.add(bytes: bytes, format)
      expected[format, default: 0] += bytes
      reversed.insert(AudioTally.Part(format: format, bytes: bytes), at: 0)
    }
    let parts = Dictionary(uniqueKeysWithValues: tally.parts.map { ($0.format, $0.bytes) })
    #expect(parts == expected.filter { $0.value > 0 })
    #expect(tally.bytes == expected.values.reduce(0, +))
    #expect(tally == AudioTally(reversed))
    #expect(tally.hashValue == AudioTally(reversed).hashValue)
    let seconds = expected.reduce(0) { $0 + Double($1.value) / Double($1.key.bytesPerSecond) }
    #expect(abs(tally.seconds - seconds) < 1e-9)
  }

  @Test("nothing counted is nothing, in whatever format")
  func empty() {
    var tally = AudioTally()
    #expect(tally.isEmpty)
    tally.add(bytes: 0, .pcma)
    #expect(tally.isEmpty)
    #expect(tally == AudioTally())
    #expect(tally.seconds == 0)
    tally.add(bytes: 1, .pcma)
    #expect(!tally.isEmpty)
    #expect(tally != AudioTally())
  }

  @Test(
    "seconds are exact for every rate",
    arguments: [
      (AudioFormat.pcm(rate: 8_000), 16_000), (.pcm(rate: 11_025), 22_050), (.pcm(rate: 16_000), 32_000),
      (.pcm(rate: 24_000), 48_000), (.pcm(rate: 44_100), 88_200), (.pcm(rate: 48_000), 96_000), (.pcmu, 8_000),
      (.pcma, 8_000),
    ])
  func seconds(format: AudioFormat, bytesPerSecond: Int) {
    for seconds in [1, 7, 3600] {
      var tally = AudioTally()
      tally.add(bytes: bytesPerSecond * seconds, format)
      #expect(tally.seconds == Double(seconds))
    }
    var tally = AudioTally()
    for _ in 0..<1000 { tally.add(bytes: bytesPerSecond / 50, format) }
    #expect(abs(tally.seconds - Double(1000 * (bytesPerSecond / 50)) / Double(bytesPerSecond)) < 1e-12)
  }

  @Test("speech that stays here is not metered, and what is taken back has the format that was spoken last")
  func directions() {
    var meter = Meter()
    meter.heard(bytes: 100, .pcmu)
    meter.spoke(bytes: 48_000, .pcm(rate: 24_000))
    meter.spoke(bytes: 8_000, .pcma)
    meter.tookBack(bytes: 4_000)
    #expect(meter.heard.parts == [AudioTally.Part(format: .pcmu, bytes: 100)])
    #expect(meter.spoken.seconds == 2)
    #expect(meter.takenBack.parts == [AudioTally.Part(format: .pcma, bytes: 4_000)])
    meter.speechIsHeard = false
    meter.spoke(bytes: 8_000, .pcma)
    #expect(meter.spoken.seconds == 2)
  }

  @Test("usage adds up by modality")
  func usage() {
    var meter = Meter()
    meter.count(
      Usage(
        totalTokens: 100, inputTokens: 60, outputTokens: 40,
        inputTokenDetails: InputTokenDetails(textTokens: 10, audioTokens: 30, imageTokens: 20, cachedTokens: 5),
        outputTokenDetails: OutputTokenDetails(textTokens: 15, audioTokens: 25)))
    meter.count(
      Usage(
        totalTokens: 3, inputTokens: 2, outputTokens: 1, inputTokenDetails: InputTokenDetails(textTokens: 2),
        outputTokenDetails: OutputTokenDetails(audioTokens: 1)))
    let tokens = meter.tokens
    #expect(tokens.inputText == 12)
    #expect(tokens.inputAudio == 30)
    #expect(tokens.inputImage == 20)
    #expect(tokens.inputCached == 5)
    #expect(tokens.outputText == 15)
    #expect(tokens.outputAudio == 26)
    #expect(tokens.total == 103)
    #expect(tokens.input == 62)
    #expect(tokens.output == 41)
    #expect(!tokens.isEstimated)
  }

  @Test("what a provider attributes to no modality counts as text")
  func unattributed() {
    var meter = Meter()
    meter.count(Usage(totalTokens: 30, inputTokens: 20, outputTokens: 10))
    meter.count(
      Usage(
        totalTokens: 30, inputTokens: 20, outputTokens: 10, inputTokenDetails: InputTokenDetails(audioTokens: 15),
        outputTokenDetails: OutputTokenDetails(audioTokens: 10)))
    #expect(meter.tokens.inputText == 25)
    #expect(meter.tokens.inputAudio == 15)
    #expect(meter.tokens.outputText == 10)
    #expect(meter.tokens.outputAudio == 10)
  }

  @Test("counts of a peer that are negative or beyond all measure do no harm")
  func absurd() {
    var meter = Meter()
    let most = Usage(
      totalTokens: .max, inputTokens: .max, outputTokens: .max,
      inputTokenDetails: InputTokenDetails(textTokens: .max, audioTokens: .max, imageTokens: .max, cachedTokens: .max),
      outputTokenDetails: OutputTokenDetails(textTokens: .max, audioTokens: .max))
    let least = Usage(
      totalTokens: .min, inputTokens: .min, outputTokens: .min,
      inputTokenDetails: InputTokenDetails(textTokens: .min, audioTokens: .min, imageTokens: .min, cachedTokens: .min),
      outputTokenDetails: OutputTokenDetails(textTokens: .min, audioTokens: .min))
    meter.count(least)
    #expect(meter.tokens == TokenTally())
    meter.count(most)
    meter.count(most)
    #expect(meter.tokens.total == .max)
    #expect(meter.tokens.inputAudio == .max)
    #expect(meter.tokens.input == .max)
    meter.count(.duration(seconds: -.infinity))
    meter.count(.duration(seconds: .nan))
    #expect(meter.tokens.transcriptionSeconds == 0)
  }

  @Test("an estimate marks the record")
  func estimate() {
    var meter = Meter()
    meter.count(Usage(totalTokens: 1, inputTokens: 1, outputTokens: 0), isEstimated: true)
    meter.count(Usage(totalTokens: 1, inputTokens: 1, outputTokens: 0))
    #expect(meter.tokens.isEstimated)
  }

  @Test("what is written down is counted apart")
  func transcription() {
    var meter = Meter()
    meter.count(.tokens(TranscriptionTokens(totalTokens: 12, inputTokens: 9, outputTokens: 3)))
    meter.count(.duration(seconds: 1.5))
    meter.count(.duration(seconds: 0.25))
    #expect(meter.tokens.transcriptionInput == 9)
    #expect(meter.tokens.transcriptionOutput == 3)
    #expect(meter.tokens.transcriptionSeconds == 1.75)
    #expect(meter.tokens.total == 0)
  }
}
