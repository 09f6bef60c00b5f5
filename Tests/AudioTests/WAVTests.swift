import Audio
import NIOCore
import Testing

/// A WAV of any kind, field by field.
struct WAVSpecimen {
  var tag: UInt16 = 1
  var channels: UInt16 = 1
  var rate: UInt32 = 24_000
  var bits: UInt16 = 16
  /// Bytes of the format chunk behind the sixteen that every one has.
  var formatRest: [UInt8] = []
  /// Whole chunks between the format and the samples.
  var chunks: [UInt8] = []
  var data: [UInt8] = []
  var dataSize: UInt32?

  static func little(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  static func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
    Array(name.utf8) + little(UInt32(body.count)) + body + (body.count % 2 == 1 ? [0] : [])
  }

  var bytes: [UInt8] {
    let frame = channels &* (bits / 8)
    let format =
      Self.little(tag) + Self.little(channels) + Self.little(rate) + Self.little(rate &* UInt32(frame))
      + Self.little(frame) + Self.little(bits) + formatRest
    return Array("RIFF".utf8) + Self.little(UInt32.max) + Array("WAVE".utf8) + Self.chunk("fmt ", format) + chunks
      + Array("data".utf8) + Self.little(dataSize ?? UInt32(data.count)) + data
  }
}

@Suite("WAV")
struct WAVTests {
  private func fault(_ bytes: [UInt8]) -> WAVFault? {
    do throws(WAVFault) {
      _ = try WAV.samples(of: bytes)
      return nil
    } catch {
      return error
    }
  }

  @Test("The header has 44 bytes with the sizes, and is read again")
  func header() throws {
    let header = WAV.header(rate: 22_050, dataByteCount: 6)
    #expect(header.count == WAV.headerByteCount)
    #expect(Array(header[0..<8]) == Array("RIFF".utf8) + [42, 0, 0, 0])
    #expect(Array(header[24..<36]) == [0x22, 0x56, 0, 0, 0x44, 0xAC, 0, 0, 2, 0, 16, 0])
    #expect(Array(header[36...]) == Array("data".utf8) + [6, 0, 0, 0])
    let file = WAV.file([1, -2, .min], rate: 22_050)
    #expect(file == header + [1, 0, 0xFE, 0xFF, 0, 0x80])
    let (samples, rate) = try WAV.samples(of: file)
    #expect(samples == [1, -2, .min])
    #expect(rate == 22_050)
  }

  @Test("A stream's header has both sizes 0xFFFFFFFF; so has one for more than 32 bits can say")
  func streamingHeader() {
    let header = WAV.streamingHeader(rate: 24_000)
    #expect(header.count == WAV.headerByteCount)
    #expect(header[4..<8].allSatisfy { $0 == 0xFF })
    #expect(header[40..<44].allSatisfy { $0 == 0xFF })
    #expect(WAV.header(rate: 24_000, dataByteCount: 1 << 40) == header)
    #expect(WAV.header(rate: 24_000, dataByteCount: -9) == header)
    #expect(WAV.header(rate: .max, dataByteCount: .max - 100).count == WAV.headerByteCount)
  }

  @Test("However the bytes are cut, the samples are the same")
  func cuts() throws {
    var random = SeededGenerator(state: 4)
    let specimen = WAVSpecimen(
      channels: 2, chunks: WAVSpecimen.chunk("LIST", [1, 2, 3]) + WAVSpecimen.chunk("fact", [0, 0, 0, 0]),
      data: random.bytes(403))
    let whole = try WAV.samples(of: specimen.bytes).samples
    #expect(whole.count == 100)
    for most in [1, 3, 17, 100] {
      for _ in 0..<10 {
        var reader = WAVReader()
        var samples: [Int16] = []
        for piece in random.cut(specimen.bytes, most: most) {
          try reader.read(ByteBuffer(bytes: piece), into: &samples)
        }
        #expect(samples == whole)
        let format = try reader.finish()
        #expect(format == reader.format)
        #expect(format.encoding == .signed16)
        #expect(format.channelCount == 2)
      }
    }
  }

  @Test("A data size of 0 or 0xFFFFFFFF stands for everything that follows", arguments: [0, UInt32.max])
  func dummySize(size: UInt32) throws {
    let samples = try WAV.samples(of: WAVSpecimen(data: [1, 0, 2, 0, 3], dataSize: size).bytes).samples
    #expect(samples == [1, 2])
  }

  @Test("What follows the samples is no sound; fewer samples than promised are taken as they are")
  func sizes() throws {
    var specimen = WAVSpecimen(data: [1, 0, 2, 0])
    #expect(try WAV.samples(of: specimen.bytes + WAVSpecimen.chunk("LIST", [9, 9, 9])).samples == [1, 2])
    specimen.dataSize = 4_000
    #expect(try WAV.samples(of: specimen.bytes).samples == [1, 2])
  }

  @Test("Every coding that is read gives the value at 16 bits")
  func encodings() throws {
    func read(_ tag: UInt16, _ bits: UInt16, _ data: [UInt8]) throws -> [Int16] {
      try WAV.samples(of: WAVSpecimen(tag: tag, bits: bits, data: data).bytes).samples
    }
    #expect(try read(1, 8, [0, 128, 255, 129]) == [-32768, 0, 32512, 256])
    #expect(try read(1, 24, [0xFF, 0x34, 0x12, 0, 0, 0x80]) == [0x1234, -32768])
    #expect(try read(1, 32, [9, 9, 0x34, 0x12]) == [0x1234])
    #expect(try read(6, 8, [0xD5, 0x2A]) == [8, -32256])
    #expect(try read(7, 8, [0xFF, 0x00]) == [0, -32124])
    let floats: [Float] = [0, 0.5, -1, 7, -.infinity, .nan]
    let bytes = floats.flatMap { WAVSpecimen.little($0.bitPattern) }
    #expect(try read(3, 32, bytes) == [0, 16384, -32768, 32767, -32768, 0])
  }

  @Test("An extensible format is what its sub-format says")
  func extensible() throws {
    let rest: [UInt8] = [22, 0, 16, 0, 4, 0, 0, 0, 1, 0] + [UInt8](repeating: 7, count: 14)
    let specimen = WAVSpecimen(tag: 0xFFFE, formatRest: rest, data: [5, 0])
    #expect(try WAV.samples(of: specimen.bytes).samples == [5])
    #expect(
      fault(WAVSpecimen(tag: 0xFFFE, data: [5, 0]).bytes) == .encodingUnsupported(tag: 0xFFFE, bitsPerSample: 16))
  }

  @Test("Channels are mixed to their mean")
  func channels() throws {
    let stereo = WAVSpecimen(channels: 2, data: [100, 0, 200, 0, 0xFF, 0x7F, 0xFF, 0x7F])
    #expect(try WAV.samples(of: stereo.bytes).samples == [150, 32767])
    let codes = WAVSpecimen(tag: 7, channels: 3, bits: 8, data: [0x00, 0x00, 0x00, 0xFF])
    #expect(try WAV.samples(of: codes.bytes).samples == [-32124])
  }

  @Test("A fault names what is wrong")
  func faults() {
    #expect(fault([]) == .notWAV)
    #expect(fault(Array("RIFF".utf8)) == .notWAV)
    #expect(fault(Array("<!doctype html>".utf8)) == .notWAV)
    #expect(fault(WAVSpecimen(tag: 85).bytes) == .encodingUnsupported(tag: 85, bitsPerSample: 16))
    #expect(fault(WAVSpecimen(bits: 12).bytes) == .encodingUnsupported(tag: 1, bitsPerSample: 12))
    #expect(fault(WAVSpecimen(rate: 1).bytes) == .rateUnsupported(1))
    #expect(fault(WAVSpecimen(rate: .max).bytes) == .rateUnsupported(Int(UInt32.max)))
    #expect(fault(WAVSpecimen(channels: 0).bytes) == .channelsUnsupported(0))
    #expect(fault(WAVSpecimen(channels: .max).bytes) == .channelsUnsupported(65_535))
    let start = Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WAVE".utf8)
    #expect(fault(start) == .headerIncomplete)
    #expect(fault(start + WAVSpecimen.chunk("data", [0, 0])) == .formatMissing)
    #expect(fault(start + WAVSpecimen.chunk("fmt ", [1, 0])) == .formatTooShort(byteCount: 2))
    #expect(fault(start + WAVSpecimen.chunk("LIST", .init(repeating: 0, count: 1 << 20))) == .headerTooLong)
    #expect(WAVFault.rateUnsupported(1).description.contains("1 Hz"))
  }

  @Test("Damaged and cut-off headers are read or refused, never more samples than bytes")
  func damage() {
    var random = SeededGenerator(state: 5)
    let whole = WAVSpecimen(tag: 0xFFFE, channels: 2, formatRest: random.bytes(24), data: random.bytes(50)).bytes
    for count in 0..<whole.count {
      var reader = WAVReader()
      var samples: [Int16] = []
      try? reader.read(Array(whole[..<count]), into: &samples)
      #expect(samples.count <= 50)
    }
    for _ in 0..<3_000 {
      var bytes = WAVSpecimen(tag: 1, channels: 2, data: random.bytes(40)).bytes
      for _ in 0..<3 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random) }
      var reader = WAVReader()
      var samples: [Int16] = []
      for piece in random.cut(bytes, most: 30) { try? reader.read(piece, into: &samples) }
      #expect(samples.count <= bytes.count)
    }
  }
}
