import Audio
import NIOCore

extension FuzzTarget {
  /// A decision on what is tried, then text, samples or a file.
  static let audio = FuzzTarget("audio") { bytes in
    var input = FuzzInput(bytes)
    switch input.number(below: 7) {
    case 0: return base64(Array(input.rest))
    case 1: return resampling(&input)
    case 2: return transcoding(&input)
    case 3: return g711(Array(input.rest))
    case 4: return wav(&input)
    case 5: return ogg(Array(input.rest))
    default: return recent(&input)
    }
  }

  private static func base64(_ bytes: [UInt8]) -> [String] {
    var findings = Findings()
    var encoded = ByteBuffer()
    bytes.withUnsafeBytes { Base64.encode($0, into: &encoded) }
    findings.expectEqual(Array(encoded.readableBytesView), PlainBase64.encoded(bytes), "text")
    findings.expectEqual(encoded.readableBytes, Base64.encodedCount(ofBytes: bytes.count), "text as long as stated")
    for text in [bytes, Array(encoded.readableBytesView)] {
      let plain = PlainBase64.decoded(text)
      var decoded = ByteBuffer()
      let stated = text.withUnsafeBytes { Base64.standardPayload($0) }
      let count = text.withUnsafeBytes { Base64.decode($0, into: &decoded) }
      findings.expectEqual(stated, plain?.count, "bytes stated")
      findings.expectEqual(count, plain?.count, "bytes decoded")
      findings.expectEqual(Array(decoded.readableBytesView), plain ?? [], "bytes")
      if let plain { findings.expectEqual(Base64.decodedByteCount(of: text), plain.count, "bytes counted") }
      var normal = ByteBuffer()
      let normalised = PlainBase64.normalised(text)
      let of = text.withUnsafeBytes { Base64.normalise($0, into: &normal) }
      findings.expectEqual(Array(normal.readableBytesView), normalised ?? [], "the standard form")
      findings.expectEqual(of, normalised.flatMap(PlainBase64.decoded)?.count, "bytes of the standard form")
    }
    return findings.violations
  }

  private static let rates = [
    8_000, 16_000, 22_050, 24_000, 44_100, 48_000, 11_025, 47_999, 16_001, 192_000, 0, -1, 1 << 40,
  ]

  private static func samples(_ bytes: some Sequence<UInt8>) -> [Int16] {
    var samples: [Int16] = []
    Array(bytes).withUnsafeBytes { PCM16.decode($0, into: &samples) }
    return samples
  }

  private static func resampling(_ input: inout FuzzInput) -> [String] {
    var findings = Findings()
    var resampler = Resampler(from: input.pick(rates) ?? 0, to: input.pick(rates) ?? 0)
    let size = Int(input.byte()) + 1
    let samples = samples(input.rest)
    let (from, to) = (resampler.from, resampler.to)
    let whole = Resampler.convert(samples, from: from, to: to)
    findings.expectEqual(whole.count, (2 * samples.count * to + from) / (2 * from), "samples from \(from) to \(to)")
    // The second stream shows that nothing of the first is left.
    for step in [size, 1, size] {
      var output: [Int16] = []
      for start in stride(from: 0, to: samples.count, by: step) {
        output += resampler.process(Array(samples[start..<min(samples.count, start + step)]))
        findings.expect(output.count <= whole.count + 1, "\(output.count) samples of \(whole.count) before the end")
      }
      output += resampler.flush()
      findings.expect(output == whole, "\(from) to \(to) Hz: pieces of \(step) differ from the whole")
    }
    return findings.violations
  }

  private static func coding(_ input: inout FuzzInput) -> AudioCoding {
    switch input.number(below: 4) {
    case 0: .g711(.muLaw)
    case 1: .g711(.aLaw)
    default: .pcm16(rate: input.pick(rates) ?? 0)
    }
  }

  private static func transcoding(_ input: inout FuzzInput) -> [String] {
    var findings = Findings()
    let (from, to) = (coding(&input), coding(&input))
    let size = Int(input.byte()) + 1
    let bytes = input.rest.prefix(input.rest.count / from.bytesPerSample * from.bytesPerSample)
    let outputs = [Int.max, size].map { step in
      var transcoder = AudioTranscoder(from: from, to: to)
      var decoded: [UInt8] = []
      func take(_ text: ByteBuffer) {
        guard let bytes = PlainBase64.decoded(text.readableBytesView) else {
          return findings.expect(false, "what is told is not base64")
        }
        findings.expect(bytes.count.isMultiple(of: to.bytesPerSample), "half a sample")
        decoded += bytes
      }
      for piece in Cuts.pieces(bytes, step: step) {
        var output = ByteBuffer()
        transcoder.convert(ByteBuffer(bytes: PlainBase64.encoded(piece)), into: &output)
        take(output)
      }
      var output = ByteBuffer()
      transcoder.flush(into: &output)
      take(output)
      return decoded
    }
    findings.expect(outputs[0] == outputs[1], "\(from) to \(to): pieces of \(size) differ from the whole")
    let (old, new) = (Resampler(from: from.rate, to: to.rate).from, Resampler(from: from.rate, to: to.rate).to)
    let count = (2 * (bytes.count / from.bytesPerSample) * new + old) / (2 * old)
    findings.expectEqual(outputs[0].count, count * to.bytesPerSample, "bytes from \(from) to \(to)")
    return findings.violations
  }

  private static func g711(_ bytes: [UInt8]) -> [String] {
    var findings = Findings()
    for law in G711.Law.allCases {
      let samples = samples(bytes.prefix(128))
      let codes = G711.encode(samples, law)
      for (sample, decoded) in zip(samples, G711.decode(codes, law)) {
        let error = abs(Int(decoded) - Int(sample))
        findings.expect(error <= PlainG711.tolerance(of: decoded, law), "\(law): \(sample) becomes \(decoded)")
      }
      let again = G711.encode(G711.decode(bytes, law), law)
      findings.expectEqual(G711.decode(again, law), G711.decode(bytes, law), "\(law): codes, decoded and coded again")
    }
    return findings.violations
  }

  private static func wav(_ input: inout FuzzInput) -> [String] {
    var findings = Findings()
    let size = Int(input.byte()) + 1
    let readings = Cuts.steps(size).map { step in
      var reader = WAVReader()
      var samples: [Int16] = []
      let format = Result<WAVFormat, any Error> {
        for piece in Cuts.pieces(input.rest, step: step) { try reader.read(Array(piece), into: &samples) }
        return try reader.finish()
      }
      return (samples: samples, format: try? format.get())
    }
    for reading in readings.dropFirst() {
      findings.expectEqual(reading.format, readings[0].format, "the format in pieces and as a whole")
      findings.expect(reading.samples == readings[0].samples, "samples in pieces of \(size) and as a whole")
    }
    guard let format = readings[0].format else { return findings.violations }
    findings.expect(WAV.rates.contains(format.rate) && WAV.channelCounts.contains(format.channelCount), "\(format)")
    findings.expect(readings[0].samples.count <= input.rest.count / format.frameByteCount, "more sound than bytes")
    let again = try? WAV.samples(of: WAV.file(readings[0].samples, rate: format.rate))
    let isSame = again?.samples == readings[0].samples && again?.rate == format.rate
    findings.expect(isSame, "a file, written and read again")
    return findings.violations
  }

  private static func ogg(_ bytes: [UInt8]) -> [String] {
    guard let file = try? OggOpus(parsing: bytes) else { return [] }
    var findings = Findings()
    let isWithin = file.packets.allSatisfy { 0 <= $0.lowerBound && $0.upperBound <= file.payload.count }
    findings.expect(isWithin && file.payload.count <= bytes.count, "packets beyond the file")
    let sampleCounts = 0...OggOpus.maxSampleCount
    findings.expect(sampleCounts.contains(file.playableSampleCount), "\(file.playableSampleCount) samples")
    findings.expect(file.playableSampleCount <= file.decodedSampleCount, "more is played than decoded")
    return findings.violations
  }

  /// What is kept of the last moments is the newest of what went up, in whole pieces.
  private static func recent(_ input: inout FuzzInput) -> [String] {
    var findings = Findings()
    let limit = input.number(below: 65_536)
    var recent = RecentAudio(milliseconds: limit)
    let rate = input.pick([8_000, 16_000, 24_000, 48_000]) ?? 8_000
    let lastMs = input.number(below: 4_096)
    var sent: [[UInt8]] = []
    while !input.isEmpty, sent.count < 400 {
      let count = 2 * (1 + input.number(below: rate / 10))
      sent.append(PlainBase64.encoded([UInt8](repeating: input.byte(), count: count)))
      recent.append(ByteBuffer(bytes: sent[sent.count - 1]), rate: rate)
    }
    var replayed: [[UInt8]] = []
    recent.replay(lastMs: lastMs) { replayed.append(Array($0.readableBytesView)) }
    findings.expect(replayed.elementsEqual(sent.suffix(replayed.count)), "what is replayed is not the newest")
    let heardMs = sent.reduce(0) { $0 + (PlainBase64.decoded($1)?.count ?? 0) / 2 } * 1000 / rate
    let keptMs = recent.milliseconds
    findings.expect(keptMs >= min(limit, heardMs, 60_000), "\(keptMs) ms of \(heardMs) are kept")
    return findings.violations
  }
}
