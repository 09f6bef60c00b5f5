import Audio
import NIOCore
import Testing

@Suite("AudioTranscoder")
struct AudioTranscoderTests {
  static let pairs: [(AudioCoding, AudioCoding)] = [
    (.pcm16(rate: 24_000), .pcm16(rate: 8_000)), (.pcm16(rate: 16_000), .pcm16(rate: 24_000)),
    (.pcm16(rate: 44_100), .pcm16(rate: 24_000)), (.g711(.muLaw), .pcm16(rate: 8_000)),
    (.g711(.aLaw), .pcm16(rate: 24_000)), (.pcm16(rate: 24_000), .g711(.muLaw)),
    (.pcm16(rate: 24_000), .g711(.aLaw)), (.pcm16(rate: 8_000), .g711(.aLaw)), (.g711(.muLaw), .g711(.aLaw)),
    (.g711(.aLaw), .g711(.muLaw)),
  ]
  static let unchanged: [AudioCoding] = [.pcm16(rate: 24_000), .g711(.muLaw), .g711(.aLaw)]

  // MARK: Quality

  /// ITU-T G.712 asks a channel with one coding for 33 dB of a sine over everything else, from -30 to 0 dBm0, where 0 dBm0
  /// is a peak of about 22,300. The laws alone give 36 to 40 dB there, and the resampler, which is 40 dB better, must not
  /// spoil it. 1020 Hz is the recommendation's tone: no divisor of 8 kHz, so that all codes are used.
  @Test("Speech levels survive 24 kHz to G.711 and back with 33 dB over the noise", arguments: G711.Law.allCases)
  func signalToNoise(_ law: G711.Law) {
    for level in [0, -10, -20, -30] {
      let amplitude = 22_300 * [1, 0.316_228, 0.1, 0.031_623][-level / 10]
      let input = tone(1_020, rate: 24_000, count: 24_000, amplitude: amplitude)
      let codes = transcode(bytes(of: input), .pcm16(rate: 24_000), .g711(law))
      #expect(codes.count == 8_000)
      let narrow = samples(of: transcode(codes, .g711(law), .pcm16(rate: 8_000)))
      expectTone(narrow, rate: 8_000, amplitude: amplitude, "\(law) at \(level) dBm0, 8 kHz")
      let wide = samples(of: transcode(codes, .g711(law), .pcm16(rate: 24_000)))
      #expect(wide.count == 24_000)
      expectTone(wide, rate: 24_000, amplitude: amplitude, "\(law) at \(level) dBm0, 24 kHz")
    }
  }

  /// Nothing is shifted, so the difference to the ideal tone is the noise.
  private func expectTone(_ output: [Int16], rate: Int, amplitude: Double, _ comment: Comment) {
    let expected = tone(1_020, rate: rate, count: output.count, amplitude: amplitude)
    let noise = zip(output, expected).map { Int16(clamping: Int($0) - Int($1)) }
    let edge = rate / 50
    let ratio = decibels(level(expected), over: level(noise.dropFirst(edge).dropLast(edge)))
    #expect(ratio > 33, comment)
  }

  @Test("A tone of 6 kHz at 24 kHz is more than 40 dB down at 8 kHz, where it would come back as 2 kHz")
  func bandLimit() {
    let input = tone(6_000, rate: 24_000, count: 12_000)
    let linear = samples(of: transcode(bytes(of: input), .pcm16(rate: 24_000), .pcm16(rate: 8_000)))
    #expect(decibels(level(linear.dropFirst(100).dropLast(100)), over: level(input)) < -40)
    for law in G711.Law.allCases {
      let codes = transcode(bytes(of: input), .pcm16(rate: 24_000), .g711(law))
      let output = G711.decode(codes, law)
      #expect(decibels(level(output.dropFirst(100).dropLast(100)), over: level(input)) < -40, "\(law)")
    }
  }

  @Test("G.711 to PCM16 at 8 kHz and to the other law is the table, code by code")
  func tables() {
    let codes = (0...255).map { UInt8($0) }
    for (law, other) in [(G711.Law.muLaw, G711.Law.aLaw), (.aLaw, .muLaw)] {
      let decoded = G711.decode(codes, law)
      #expect(samples(of: transcode(codes, .g711(law), .pcm16(rate: 8_000))) == decoded)
      #expect(transcode(codes, .g711(law), .g711(other)) == G711.encode(decoded, other))
    }
  }

  // MARK: Streams

  @Test("The stream may be cut anywhere: the joined text is the same, every piece is base64 of whole samples")
  func seams() throws {
    for (from, to) in Self.pairs {
      var random = SeededGenerator(state: UInt64(from.rate * 3 + to.rate))
      let input = random.bytes(3_001 * from.bytesPerSample)
      let whole = try text(transcodedPieces([input], from, to), to)
      for most in [1, 2, 7, 480, 3_000] {
        let pieces = random.cut(input, most: most * from.bytesPerSample)
        #expect(try text(transcodedPieces(pieces, from, to), to) == whole, "\(from) to \(to), up to \(most)")
      }
      // Sample by sample, and half a sample at a time.
      for count in [from.bytesPerSample, 1] {
        let pieces = stride(from: 0, to: input.count, by: count).map { Array(input[$0..<$0 + count]) }
        #expect(try text(transcodedPieces(pieces, from, to), to) == whole, "\(from) to \(to), \(count) bytes each")
      }
    }
  }

  @Test("A flush completes the stream to input · to / from samples, rounded, and begins a new one")
  func flushCounts() throws {
    for (from, to) in Self.pairs {
      var transcoder = AudioTranscoder(from: from, to: to)
      var random = SeededGenerator(state: 5)
      for count in [0, 1, 2, 3, 4, 5, 100, 441, 4_095, 8_000] {
        let input = random.bytes(count * from.bytesPerSample)
        var output = ByteBuffer()
        transcoder.convert(base64(input), into: &output)
        transcoder.flush(into: &output)
        let expected = (2 * count * to.rate + from.rate) / (2 * from.rate)
        #expect(try decoded(output).count == expected * to.bytesPerSample, "\(from) to \(to), \(count) samples")
        // The same as from a new one: nothing is left of what came before.
        #expect(try decoded(output) == transcode(input, from, to))
        var nothing = ByteBuffer()
        transcoder.flush(into: &nothing)
        #expect(nothing.readableBytes == 0)
      }
    }
  }

  @Test("Output comes as soon as the filter allows: no more than its look-ahead and two samples wait")
  func delay() throws {
    for (from, to) in Self.pairs {
      var transcoder = AudioTranscoder(from: from, to: to)
      let lookAhead = Resampler(from: from.rate, to: to.rate).lookAhead
      var count = 0
      for step in 1...100 {
        var output = ByteBuffer()
        transcoder.convert(base64([UInt8](repeating: 0, count: 160 * from.bytesPerSample)), into: &output)
        count += try decoded(output).count / to.bytesPerSample
        #expect(count + 3 > (step * 160 - lookAhead) * to.rate / from.rate, "\(from) to \(to)")
      }
    }
  }

  // MARK: The same coding

  @Test("Where the coding stays the same, the text passes as it came, padding and all", arguments: unchanged)
  func passThrough(_ coding: AudioCoding) {
    var transcoder = AudioTranscoder(from: coding, to: coding)
    var random = SeededGenerator(state: 11)
    for count in [1, 2, 3, 480, 5_000, 0, 4] {
      let piece = base64(random.bytes(count * coding.bytesPerSample))
      var output = ByteBuffer()
      transcoder.convert(piece, into: &output)
      #expect(output == piece)
    }
    var rest = ByteBuffer()
    transcoder.flush(into: &rest)
    #expect(rest.readableBytes == 0)
  }

  @Test("A sample that was cut in two comes out whole with its second half; a flush drops a first half")
  func halfSamples() throws {
    let coding = AudioCoding.pcm16(rate: 24_000)
    var random = SeededGenerator(state: 12)
    let input = random.bytes(30_000)
    for most in [1, 3, 5, 20_000] {
      var transcoder = AudioTranscoder(from: coding, to: coding)
      var output: [UInt8] = []
      for piece in random.cut(input, most: most) {
        var text = ByteBuffer()
        transcoder.convert(base64(piece), into: &text)
        let bytes = try decoded(text)
        #expect(bytes.count.isMultiple(of: 2))
        output += bytes
      }
      #expect(output == input, "up to \(most)")
    }
    var transcoder = AudioTranscoder(from: coding, to: coding)
    var output = ByteBuffer()
    transcoder.convert(base64([1, 2, 3]), into: &output)
    #expect(try decoded(output) == [1, 2])
    transcoder.flush(into: &output)
    output.clear()
    transcoder.convert(base64([4, 5]), into: &output)
    #expect(try decoded(output) == [4, 5])
  }

  @Test("What is no base64 is skipped, and the stream goes on")
  func noBase64() throws {
    var transcoder = AudioTranscoder(from: .g711(.muLaw), to: .pcm16(rate: 8_000))
    var output = ByteBuffer()
    transcoder.convert(ByteBuffer(string: "!!!!"), into: &output)
    transcoder.convert(ByteBuffer(string: "AAA"), into: &output)
    #expect(output.readableBytes == 0)
    transcoder.convert(base64([0, 0x80, 0xFF]), into: &output)
    #expect(samples(of: try decoded(output)) == G711.decode([0, 0x80, 0xFF], .muLaw))
  }

  // MARK: Means

  private func bytes(of samples: [Int16]) -> [UInt8] {
    samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
  }

  private func samples(of bytes: [UInt8]) -> [Int16] {
    var samples: [Int16] = []
    bytes.withUnsafeBytes { PCM16.decode($0, into: &samples) }
    return samples
  }

  private func base64(_ bytes: [UInt8]) -> ByteBuffer {
    var text = ByteBuffer()
    bytes.withUnsafeBytes { Base64.encode($0, into: &text) }
    return text
  }

  private func decoded(_ text: ByteBuffer) throws -> [UInt8] {
    var bytes = ByteBuffer()
    try #require(text.withUnsafeReadableBytes { Base64.decode($0, into: &bytes) } != nil)
    return Array(bytes.readableBytesView)
  }

  /// The text of each call, the flush last.
  private func transcodedPieces(_ input: [[UInt8]], _ from: AudioCoding, _ to: AudioCoding) -> [ByteBuffer] {
    var transcoder = AudioTranscoder(from: from, to: to)
    var pieces: [ByteBuffer] = []
    for bytes in input {
      var output = ByteBuffer()
      transcoder.convert(base64(bytes), into: &output)
      pieces.append(output)
    }
    var output = ByteBuffer()
    transcoder.flush(into: &output)
    return pieces + [output]
  }

  /// The joined text, after a look at each piece.
  private func text(_ pieces: [ByteBuffer], _ coding: AudioCoding) throws -> String {
    for piece in pieces {
      #expect(try decoded(piece).count.isMultiple(of: coding.bytesPerSample))
    }
    return pieces.map { String(buffer: $0) }.joined()
  }

  /// All at once, decoded.
  private func transcode(_ input: [UInt8], _ from: AudioCoding, _ to: AudioCoding) -> [UInt8] {
    var output = ByteBuffer()
    for piece in transcodedPieces([input], from, to) { output.writeImmutableBuffer(piece) }
    return (try? decoded(output)) ?? []
  }
}
