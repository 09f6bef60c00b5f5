import Audio
import NIOCore
import Testing

@testable import GeminiLiveProvider

@Suite struct RecentAudioRing {
  @Test("the last three seconds are there, whole pieces, oldest first, however long the pieces were", arguments: 1...10)
  func againstModel(seed: Int) throws {
    var specimen = SoundSpecimen(seed: seed)
    let rate = [8_000, 16_000, 22_050, 24_000, 48_000][seed % 5]
    // Some audio comes in equal pieces, some in any.
    let longest = seed.isMultiple(of: 3) ? 20 : 100
    var audio = RecentAudio()
    var model: [(text: ByteBuffer, sampleCount: Int)] = []
    for step in 0..<400 {
      let count = specimen.count(20 * rate / 1000...longest * rate / 1000)
      let text = SoundSpecimen.base64(specimen.bytes(count * 2))
      audio.append(text, rate: rate)
      model.append((text, count))
      guard step % 7 == 0 else { continue }
      let total = model.reduce(0) { $0 + $1.sampleCount }
      #expect(audio.milliseconds >= min(3_000, total * 1000 / rate))
      #expect(audio.milliseconds < 3_100)
      for lastMs in [0, 1, specimen.count(0...2_999), 3_000] {
        var (expected, sampleCount): ([ByteBuffer], Int) = ([], 0)
        for piece in model.reversed() where sampleCount * 1000 < lastMs * rate {
          expected.insert(piece.text, at: 0)
          sampleCount += piece.sampleCount
        }
        try #require(replay(audio, lastMs) == expected, "\(lastMs) ms")
      }
    }
  }

  @Test("more than there is gives all there is; nothing gives nothing")
  func bounds() {
    var audio = RecentAudio()
    #expect(audio.milliseconds == 0)
    #expect(replay(audio, 3_000).isEmpty)
    let piece = SoundSpecimen.base64(ByteBuffer(repeating: 7, count: 960))
    audio.append(piece, rate: 24_000)
    audio.append(ByteBuffer(), rate: 24_000)
    #expect(audio.milliseconds == 20)
    #expect(replay(audio, 60_000) == [piece])
    #expect(replay(audio, 1) == [piece])
    #expect(replay(audio, 0).isEmpty)
    #expect(replay(audio, -1).isEmpty)
    audio.removeAll()
    #expect(audio.milliseconds == 0)
    #expect(replay(audio, 3_000).isEmpty)
  }

  @Test("three seconds at 24 kHz stay in one piece of memory of about 210 KiB, however much comes")
  func memory() throws {
    var specimen = SoundSpecimen(seed: 5)
    var audio = RecentAudio()
    var addresses: [Int] = []
    for step in 0..<1_000 {
      audio.append(SoundSpecimen.base64(specimen.bytes(specimen.count(480...2_400) * 2)), rate: 24_000)
      guard step % 10 == 0 else { continue }
      audio.replay(lastMs: 3_000) { piece in
        let start = SoundSpecimen.address(piece)
        addresses += [start, start + piece.readableBytes]
      }
    }
    let span = try #require(addresses.max()) - #require(addresses.min())
    #expect(span <= 216 * 1024)
    // All of it is used.
    #expect(span > 180 * 1024)
  }

  @Test("a new rate forgets what was at the old one, for a replay states one rate")
  func rates() {
    var audio = RecentAudio()
    let piece = SoundSpecimen.base64(ByteBuffer(repeating: 1, count: 1_920))
    for _ in 0..<10 { audio.append(piece, rate: 24_000) }
    #expect(audio.milliseconds == 400)
    audio.append(piece, rate: 48_000)
    #expect(audio.milliseconds == 20)
    #expect(replay(audio, 3_000) == [piece])
    audio.append(piece, rate: 8_000)
    #expect(audio.milliseconds == 120)
  }

  @Test("very short pieces cost old audio rather than memory, and what is left has no holes")
  func shortPieces() throws {
    var specimen = SoundSpecimen(seed: 8)
    var audio = RecentAudio()
    var all: [ByteBuffer] = []
    for _ in 0..<3_000 {
      let piece = SoundSpecimen.base64(specimen.bytes(2 * specimen.count(1...4)))
      audio.append(piece, rate: 24_000)
      all.append(piece)
    }
    let last = replay(audio, 3_000)
    #expect(last.count > 200)
    #expect(last == Array(all.suffix(last.count)))
  }

  @Test("what is longer than all of the memory leaves nothing, since a replay has no holes")
  func tooLong() {
    var audio = RecentAudio(milliseconds: 100)
    let piece = SoundSpecimen.base64(ByteBuffer(repeating: 1, count: 960))
    audio.append(piece, rate: 24_000)
    audio.append(SoundSpecimen.base64(ByteBuffer(repeating: 1, count: 48_000)), rate: 24_000)
    #expect(audio.milliseconds == 0)
    audio.append(piece, rate: 24_000)
    #expect(replay(audio, 100) == [piece])
  }

  @Test("copies are independent")
  func copies() {
    var audio = RecentAudio()
    let first = SoundSpecimen.base64(ByteBuffer(repeating: 1, count: 960))
    let second = SoundSpecimen.base64(ByteBuffer(repeating: 2, count: 960))
    audio.append(first, rate: 24_000)
    var copy = audio
    copy.append(second, rate: 24_000)
    audio.append(first, rate: 24_000)
    #expect(replay(audio, 3_000) == [first, first])
    #expect(replay(copy, 3_000) == [first, second])
  }

  @Test("limits and rates that nobody asks for do no harm", arguments: [Int.min, -1, 0, 1, Int.max])
  func extremes(_ number: Int) {
    let piece = SoundSpecimen.base64(ByteBuffer(repeating: 1, count: 1_600))
    var audio = RecentAudio(milliseconds: number)
    audio.append(piece, rate: 24_000)
    #expect(replay(audio, 20) == [piece])
    var other = RecentAudio()
    other.append(piece, rate: number)
    #expect(replay(other, 20).last == piece)
  }

  private func replay(_ audio: RecentAudio, _ lastMs: Int) -> [ByteBuffer] {
    var pieces: [ByteBuffer] = []
    audio.replay(lastMs: lastMs) { pieces.append($0) }
    return pieces
  }
}
