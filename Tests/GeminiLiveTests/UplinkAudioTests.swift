import Audio
import Envelope
import NIOCore
import Testing

@testable import GeminiLiveProvider

@Suite struct UplinkAudioPieces {
  static let formats: [AudioFormat] =
    [8_000, 8_001, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000].map { .pcm(rate: $0) } + [.pcmu, .pcma]

  @Test("gemini 5.5: however appends are cut, the pieces are the same bytes, 20 to 100 ms each", arguments: formats)
  func anyCut(_ format: AudioFormat) throws {
    let perSample = bytesPerSample(format)
    for milliseconds in [1, 5, 10, 19, 20, 21, 60, 100, 101, 150, 205, 1_000] {
      var specimen = SoundSpecimen(seed: format.rate + milliseconds)
      let input = specimen.bytes((format.rate * 2 + 1) * perSample)
      var rest = input
      var audio = UplinkAudio(format)
      var pieces: [ByteBuffer] = []
      while rest.readableBytes > 0 {
        let most = max(1, milliseconds * format.rate / 1000)
        let length = min(specimen.count(0...most) * perSample, rest.readableBytes)
        append(rest.readSlice(length: length) ?? ByteBuffer(), to: &audio) { pieces.append($0) }
      }
      #expect(SoundSpecimen.areOfGoodLength(pieces, rate: audio.rate), "up to \(milliseconds) ms")
      let flushed = flush(&audio)
      #expect(flushed.count <= 1)
      #expect(try SoundSpecimen.decoded(pieces + flushed) == pcm16(input, format), "up to \(milliseconds) ms")
      #expect(flush(&audio).isEmpty)
    }
  }

  @Test("gemini 5.5: appends of the same length, one sample to 205 ms, padded or not", arguments: formats)
  func sameCut(_ format: AudioFormat) throws {
    let perMs = format.rate / 1000
    for count in [1, 2, 3, 4, 5, 10 * perMs, 20 * perMs + 1, 30 * perMs, 100 * perMs, 100 * perMs + 1, 205 * perMs] {
      var specimen = SoundSpecimen(seed: format.rate + count)
      var audio = UplinkAudio(format)
      var pieces: [ByteBuffer] = []
      var input = ByteBuffer()
      for _ in 0..<max(4, format.rate / 4 / count) {
        let bytes = specimen.bytes(count * bytesPerSample(format))
        input.writeImmutableBuffer(bytes)
        append(bytes, to: &audio) { pieces.append($0) }
      }
      #expect(SoundSpecimen.areOfGoodLength(pieces, rate: audio.rate), "\(count) samples each")
      #expect(try SoundSpecimen.decoded(pieces + flush(&audio)) == pcm16(input, format), "\(count) samples each")
    }
  }

  @Test(
    "gemini 5.5: an append of 15 MiB becomes pieces of at most 100 ms, also behind a rest",
    arguments: [AudioFormat.pcm(rate: 24_000), .pcm(rate: 8_000), .pcmu])
  func longestAppend(_ format: AudioFormat) throws {
    var specimen = SoundSpecimen(seed: 3)
    let short = specimen.bytes(6)
    let long = specimen.bytes(PCM16.maxAppendBytes)
    for start in [ByteBuffer(), short] {
      var audio = UplinkAudio(format)
      let rate = audio.rate
      var output = ByteBuffer()
      var lengths: Set<Int> = []
      var areGood = true
      append(start, to: &audio) { _ in Issue.record("too short for a piece") }
      append(long, to: &audio) { piece in
        lengths.insert(piece.readableBytes)
        let count = piece.withUnsafeReadableBytes { Base64.decode($0, into: &output) }
        areGood = areGood && count.map { $0 & 1 == 0 && $0 * 500 >= 20 * rate && $0 * 500 <= 100 * rate } == true
      }
      #expect(areGood)
      #expect(lengths.count <= 4)
      #expect(flush(&audio).isEmpty)
      var input = start
      input.writeImmutableBuffer(long)
      #expect(output == pcm16(input, format))
    }
  }

  @Test("R030: PCM of a good length passes as it came, the very bytes; longer PCM is cut but not copied")
  func splice() throws {
    var specimen = SoundSpecimen(seed: 4)
    var audio = UplinkAudio(.standard)
    // Lengths with either padding and none.
    for count in [480, 481, 482, 960, 2_399, 2_400] {
      let text = SoundSpecimen.base64(specimen.bytes(count * 2))
      var pieces: [ByteBuffer] = []
      audio.append(text, decodedByteCount: count * 2) { pieces.append($0) }
      #expect(pieces == [text])
      #expect(pieces.map(SoundSpecimen.address) == [SoundSpecimen.address(text)])
    }
    let text = SoundSpecimen.base64(specimen.bytes(24_001 * 2))
    var next = SoundSpecimen.address(text)
    audio.append(text, decodedByteCount: 24_001 * 2) { piece in
      #expect(SoundSpecimen.address(piece) == next)
      next += piece.readableBytes
    }
    #expect(next == SoundSpecimen.address(text) + text.readableBytes)
  }

  @Test("a rest of 5 ms goes first: with the next append if that is a piece, or else with its beginning")
  func order() throws {
    let perMs = 48
    for (length, expected) in [(14, []), (15, [20]), (95, [100]), (96, [20, 81]), (200, [20, 92.5, 92.5])] {
      var specimen = SoundSpecimen(seed: length)
      var audio = UplinkAudio(.standard)
      var pieces: [ByteBuffer] = []
      let input = specimen.bytes((5 + length) * perMs)
      for bytes in [input.getSlice(at: 0, length: 5 * perMs), input.getSlice(at: 5 * perMs, length: length * perMs)] {
        append(try #require(bytes), to: &audio) { pieces.append($0) }
      }
      let milliseconds = try pieces.map { Double(try SoundSpecimen.decoded([$0]).readableBytes) / Double(perMs) }
      #expect(milliseconds.count == expected.count)
      #expect(zip(milliseconds, expected).allSatisfy { abs($0 - $1) < 0.2 }, "\(milliseconds)")
      #expect(try SoundSpecimen.decoded(pieces + flush(&audio)) == input)
    }
  }

  @Test("gemini 5.3: G.711 goes up as PCM16 at 8 kHz", arguments: [(AudioFormat.pcmu, G711.Law.muLaw), (.pcma, .aLaw)])
  func g711(format: AudioFormat, law: G711.Law) throws {
    var audio = UplinkAudio(format)
    #expect(audio.rate == 8_000)
    #expect(audio.format == format)
    let codes = ByteBuffer(bytes: (0..<160).map { UInt8($0) })
    var pieces: [ByteBuffer] = []
    append(codes, to: &audio) { pieces.append($0) }
    #expect(pieces.count == 1)
    var samples: [Int16] = []
    try SoundSpecimen.decoded(pieces).withUnsafeReadableBytes { PCM16.decode($0, into: &samples) }
    #expect(samples == G711.decode(Array(codes.readableBytesView), law))
  }

  @Test("a piece that somebody keeps stays as it was")
  func keptPieces() throws {
    var specimen = SoundSpecimen(seed: 6)
    var audio = UplinkAudio(.standard)
    var kept: [ByteBuffer] = []
    let first = specimen.bytes(960)
    append(first, to: &audio) { kept.append($0) }
    let second = specimen.bytes(480)
    append(second, to: &audio) { kept.append($0) }
    append(second, to: &audio) { kept.append($0) }
    append(first, to: &audio) { kept.append($0) }
    append(second, to: &audio) { kept.append($0) }
    append(second, to: &audio) { kept.append($0) }
    #expect(kept.count == 4)
    #expect(try SoundSpecimen.decoded([kept[0]]) == first)
    #expect(kept[1] == kept[3])
    #expect(kept[2] == kept[0])
  }

  @Test("appends of nothing and rates that no session has do no harm")
  func extremes() {
    for rate in [Int.min, 0, 1, Int.max] {
      var audio = UplinkAudio(.pcm(rate: rate))
      append(ByteBuffer(), to: &audio) { _ in Issue.record("nothing came in") }
      var pieces = 0
      append(ByteBuffer(repeating: 1, count: 100_000), to: &audio) { _ in pieces += 1 }
      #expect(pieces > 0)
    }
  }

  // MARK: Means

  private func bytesPerSample(_ format: AudioFormat) -> Int {
    if case .pcm = format { 2 } else { 1 }
  }

  private func append(_ bytes: ByteBuffer, to audio: inout UplinkAudio, _ emit: (ByteBuffer) -> Void) {
    audio.append(SoundSpecimen.base64(bytes), decodedByteCount: bytes.readableBytes, emit)
  }

  private func flush(_ audio: inout UplinkAudio) -> [ByteBuffer] {
    var pieces: [ByteBuffer] = []
    audio.flush { pieces.append($0) }
    return pieces
  }

  /// The bytes of a format as PCM16 at the same rate.
  private func pcm16(_ bytes: ByteBuffer, _ format: AudioFormat) -> ByteBuffer {
    var samples: [Int16] = []
    switch format {
    case .pcm: return bytes
    case .pcmu: bytes.withUnsafeReadableBytes { G711.decode($0, .muLaw, into: &samples) }
    case .pcma: bytes.withUnsafeReadableBytes { G711.decode($0, .aLaw, into: &samples) }
    }
    var output = ByteBuffer()
    samples.withUnsafeBufferPointer { PCM16.encode($0, into: &output) }
    return output
  }
}
