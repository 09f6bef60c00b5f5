import Audio
import Envelope
import Foundation
import NIOCore
import Testing

@testable import GeminiLiveProvider

@Suite struct ManualAudioBuffer {
  @Test("gemini 4.3: kept audio drains whole, in pieces of 20 to 100 ms", arguments: [8_000, 22_050, 24_000, 48_000])
  func drains(_ rate: Int) throws {
    for milliseconds in [20, 99, 100, 101, 199, 200, 201, 1_000, 12_345] {
      var specimen = SoundSpecimen(seed: rate + milliseconds)
      var audio = ManualAudio(rate: rate)
      var input = ByteBuffer()
      let end = (milliseconds * rate + 999) / 1000 * 2
      while input.readableBytes < end {
        let bytes = specimen.bytes(min(specimen.count(1...300) * 2, end - input.readableBytes))
        input.writeImmutableBuffer(bytes)
        audio.append(SoundSpecimen.base64(bytes))
      }
      #expect(audio.byteCount == end)
      #expect(audio.milliseconds == milliseconds)
      #expect(audio.pcm16 == input)
      let pieces = drain(&audio)
      #expect(SoundSpecimen.areOfGoodLength(pieces, rate: rate), "\(milliseconds) ms")
      #expect(try SoundSpecimen.decoded(pieces) == input)
      #expect(audio.isEmpty)
      #expect(audio.rate == rate)
      #expect(drain(&audio).isEmpty)
    }
  }

  @Test("less than a piece drains as it is")
  func short() throws {
    var audio = ManualAudio()
    let bytes = ByteBuffer(bytes: [1, 2, 3, 4])
    audio.append(SoundSpecimen.base64(bytes))
    #expect(audio.milliseconds == 0)
    #expect(!audio.isEmpty)
    #expect(try SoundSpecimen.decoded(drain(&audio)) == bytes)
  }

  @Test("gemini 5.3: G.711 is kept as PCM16 at 8 kHz")
  func g711() throws {
    var uplink = UplinkAudio(.pcmu)
    var audio = ManualAudio(rate: uplink.rate)
    let codes = ByteBuffer(bytes: (0..<8_005).map { UInt8(truncatingIfNeeded: $0) })
    uplink.append(SoundSpecimen.base64(codes), decodedByteCount: codes.readableBytes) { audio.append($0) }
    uplink.flush { audio.append($0) }
    #expect(audio.milliseconds == 1_000)
    var samples: [Int16] = []
    audio.pcm16.withUnsafeReadableBytes { PCM16.decode($0, into: &samples) }
    #expect(samples == G711.decode(Array(codes.readableBytesView), .muLaw))
  }

  @Test("a buffer that is committed follows what was committed before")
  func joins() {
    var committed = ManualAudio()
    var buffered = ManualAudio(rate: 8_000)
    buffered.append(SoundSpecimen.base64(ByteBuffer(bytes: [1, 2])))
    committed.append(buffered)
    #expect(committed.rate == 8_000)
    committed.append(buffered)
    #expect(committed.pcm16 == ByteBuffer(bytes: [1, 2, 1, 2]))
    committed.append(ManualAudio(rate: 48_000))
    #expect(committed.rate == 8_000)
    #expect(committed.byteCount == 4)
  }

  @Test("audio of another rate is converted: it lasts as long and sounds the same")
  func otherRates() {
    let wide = tone(1_000, rate: 24_000, count: 12_000)
    let narrow = tone(1_000, rate: 8_000, count: 4_000)
    var audio = ManualAudio(rate: 8_000)
    audio.append(text(narrow))
    var other = ManualAudio(rate: 24_000)
    other.append(text(wide))
    audio.append(other)
    #expect(audio.rate == 8_000)
    #expect(audio.milliseconds == 1_000)
    expectTone(samples(audio), narrow + narrow)

    audio.resample(to: 24_000)
    #expect(audio.rate == 24_000)
    #expect(audio.milliseconds == 1_000)
    expectTone(samples(audio), wide + wide)

    var empty = ManualAudio()
    empty.resample(to: 16_000)
    #expect(empty.rate == 16_000)
    #expect(empty.isEmpty)
  }

  // MARK: Means

  private func drain(_ audio: inout ManualAudio) -> [ByteBuffer] {
    var pieces: [ByteBuffer] = []
    audio.drain { pieces.append($0) }
    return pieces
  }

  private func tone(_ hertz: Double, rate: Int, count: Int) -> [Int16] {
    (0..<count).map { Int16((8_000 * sin(2 * .pi * hertz * Double($0) / Double(rate))).rounded()) }
  }

  private func text(_ samples: [Int16]) -> ByteBuffer {
    var bytes = ByteBuffer()
    samples.withUnsafeBufferPointer { PCM16.encode($0, into: &bytes) }
    return SoundSpecimen.base64(bytes)
  }

  private func samples(_ audio: ManualAudio) -> [Int16] {
    var samples: [Int16] = []
    audio.pcm16.withUnsafeReadableBytes { PCM16.decode($0, into: &samples) }
    return samples
  }

  /// Apart from a moment at either end of both halves, where a filter sees the edge.
  private func expectTone(_ samples: [Int16], _ expected: [Int16]) {
    #expect(samples.count == expected.count)
    let edge = expected.count / 20
    for half in [edge..<expected.count / 2 - edge, expected.count / 2 + edge..<expected.count - edge] {
      #expect(half.allSatisfy { abs(Int(samples[$0]) - Int(expected[$0])) < 160 })
    }
  }
}
