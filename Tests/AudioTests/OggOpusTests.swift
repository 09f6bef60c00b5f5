import Audio
import Testing

@Suite("Ogg Opus")
struct OggOpusTests {
  private func fault(_ bytes: [UInt8]) -> OggOpusFault? {
    do throws(OggOpusFault) {
      _ = try OggOpus(parsing: bytes)
      return nil
    } catch {
      return error
    }
  }

  @Test("R259: packets are put together across segments and pages")
  func packets() throws {
    let opus = try OggOpus(parsing: OggSpecimen.whole.bytes)
    #expect(opus.packets.map(\.count) == [10, 285, 600, 20, 30])
    #expect(Array(opus.payload[opus.packets[2]]) == OggSpecimen.packet(600))
    #expect(opus.channelCount == 1)
    #expect(opus.preSkip == 312)
    #expect(opus.inputRate == 22_050)
    #expect(opus.outputGain == 0)
    #expect(opus.endGranule == 4500)
    #expect(opus.decodedSampleCount == 5 * 960)
    #expect(opus.playableSampleCount == 4500 - 312)
  }

  @Test("Without a last page the sound ends with its packets")
  func noLastPage() throws {
    var ogg = OggSpecimen.begun()
    ogg.page(granule: 960, [OggSpecimen.packet(10)])
    ogg.page(granule: 1920, [OggSpecimen.packet(10)])
    #expect(try OggOpus(parsing: ogg.bytes).playableSampleCount == 1920 - 312)
  }

  @Test("A recording cut from a longer one begins where its first page says")
  func startOffset() throws {
    var ogg = OggSpecimen.begun()
    ogg.page(granule: 100_960, [OggSpecimen.packet(10)])
    ogg.page(flags: 4, granule: 101_500, [OggSpecimen.packet(10)])
    #expect(try OggOpus(parsing: ogg.bytes).playableSampleCount == 1500 - 312)
  }

  @Test("A single page is trimmed at its end; granules that make no sense give no negative length")
  func singlePage() throws {
    for (granule, expected) in [(500, 188), (100, 0), (Int64.max, 648), (-7, 648), (0, 0)] {
      var ogg = OggSpecimen.begun()
      ogg.page(flags: 4, granule: granule, [OggSpecimen.packet(10)])
      #expect(try OggOpus(parsing: ogg.bytes).playableSampleCount == expected, "granule \(granule)")
    }
  }

  @Test("No sound is no fault; an empty packet is passed over")
  func empty() throws {
    #expect(try OggOpus(parsing: OggSpecimen.begun().bytes).playableSampleCount == 0)
    var ogg = OggSpecimen.begun()
    ogg.page(flags: 4, granule: 960, [[], OggSpecimen.packet(10), []])
    #expect(try OggOpus(parsing: ogg.bytes).packets.count == 1)
  }

  @Test("The gain is signed, and both channels counts of family 0 are taken")
  func head() throws {
    let head = OggSpecimen.head(version: 15, channels: 2, gain: -256)
    let opus = try OggOpus(parsing: OggSpecimen.begun(head: head).bytes)
    #expect(opus.channelCount == 2)
    #expect(opus.outputGain == -256)
  }

  @Test("What cannot be read is refused by name")
  func headFaults() {
    func head(_ head: [UInt8]) -> OggOpusFault? { fault(OggSpecimen.begun(head: head).bytes) }
    #expect(head(OggSpecimen.head(version: 16)) == .headVersionUnsupported(16))
    #expect(head(OggSpecimen.head(channels: 0)) == .channelMappingUnsupported(family: 0, channelCount: 0))
    #expect(head(OggSpecimen.head(channels: 3)) == .channelMappingUnsupported(family: 0, channelCount: 3))
    #expect(head(OggSpecimen.head(family: 1)) == .channelMappingUnsupported(family: 1, channelCount: 1))
    #expect(head(Array(OggSpecimen.head.dropLast())) == .headInvalid)
    #expect(head(Array("\u{1}vorbis".utf8)) == .notOpus)
    var ogg = OggSpecimen()
    ogg.page(flags: 2, granule: 0, [OggSpecimen.head])
    #expect(fault(ogg.bytes) == .truncated)
    ogg.page(granule: 0, [OggSpecimen.packet(10)])
    #expect(fault(ogg.bytes) == .tagsMissing)
  }

  @Test("Broken framing is refused by name")
  func framingFaults() {
    #expect(fault([]) == .notOgg)
    #expect(fault(WAV.file([1, 2, 3], rate: 24_000)) == .notOgg)
    let whole = OggSpecimen.whole.bytes
    #expect(fault(whole + [0, 0, 0, 0]) == .pageExpected(offset: whole.count))
    #expect(fault(whole + whole) == .chained)
    var ogg = OggSpecimen.begun()
    ogg.sequence += 1
    ogg.page(granule: 960, [OggSpecimen.packet(10)])
    #expect(fault(ogg.bytes) == .sequenceBroken(page: 3))
    ogg = .begun()
    ogg.page(flags: 1, granule: 960, [OggSpecimen.packet(10)])
    #expect(fault(ogg.bytes) == .continuationBroken(page: 2))
    ogg = .begun()
    ogg.page(lacing: [255], body: OggSpecimen.packet(255))
    #expect(fault(ogg.bytes) == .truncated)
    ogg = .begun()
    ogg.serial = 5
    ogg.page(granule: 960, [OggSpecimen.packet(10)])
    #expect(fault(ogg.bytes) == .chained)
    ogg = OggSpecimen()
    ogg.page(granule: 960, [OggSpecimen.packet(10)])
    #expect(fault(ogg.bytes) == .notOpus)
  }

  @Test("The duration of a packet is that of RFC 6716 section 3.1")
  func durations() {
    func samples(_ config: UInt8, _ code: UInt8, _ rest: [UInt8] = []) -> Int? {
      OggOpus.sampleCount(ofPacket: [config << 3 | code] + rest)
    }
    #expect([0, 1, 2, 3, 11].map { samples($0, 0) } == [480, 960, 1920, 2880, 2880])
    #expect([12, 13, 14, 15].map { samples($0, 0) } == [480, 960, 480, 960])
    #expect([16, 17, 18, 19, 31].map { samples($0, 0) } == [120, 240, 480, 960, 960])
    #expect(samples(1, 1) == 1920)
    #expect(samples(1, 2) == 1920)
    #expect(samples(1, 3, [6]) == 5760)
    #expect(samples(1, 3, [0xC0 | 2]) == 1920)
    #expect(samples(1, 3, [7]) == nil)
    #expect(samples(1, 3, [0]) == nil)
    #expect(samples(1, 3) == nil)
    #expect(OggOpus.sampleCount(ofPacket: []) == nil)
  }

  @Test("Sizes are bounded: packets, sound and file")
  func bounds() {
    var ogg = OggSpecimen.begun()
    let lacing = [UInt8](repeating: 255, count: 241)
    ogg.page(lacing: lacing, body: OggSpecimen.packet(255 * 241))
    #expect(fault(ogg.bytes) == .packetTooLong)
    ogg = .begun()
    // 120 ms in two bytes: 128 of them a page.
    let packets = [[UInt8]](repeating: [0b0000_1011, 6], count: 128)
    for page in 1...40 { ogg.page(granule: Int64(page * 128 * 5760), packets) }
    #expect(fault(ogg.bytes) == .tooLong)
    let large = [UInt8](repeating: 0, count: OggOpus.maxByteCount + 1)
    #expect(fault(large) == .tooLarge(byteCount: large.count))
    ogg = .begun()
    ogg.page(granule: 960, [[0b0000_1011, 0]])
    #expect(fault(ogg.bytes) == .packetInvalid(index: 0))
  }

  @Test("Cut off at any byte, the file is refused unless it ends at a page")
  func truncation() {
    let whole = OggSpecimen.whole.bytes
    var readable: [Int] = []
    for count in 0..<whole.count where fault(Array(whole[..<count])) == nil { readable.append(count) }
    // Behind the tags, and behind the page before the last one.
    let begun = OggSpecimen.begun().bytes.count
    #expect(readable == [begun, whole.count - (27 + 1 + 30)])
    #expect(fault(Array(whole[..<(begun + 300)])) == .truncated)
  }

  @Test("A changed byte is noticed, wherever it is")
  func damage() {
    let whole = OggSpecimen.whole.bytes
    for index in whole.indices {
      var bytes = whole
      bytes[index] ^= 0x10
      if fault(bytes) == nil { Issue.record("byte \(index)") }
    }
  }

  @Test("Pages with right sums and random contents are read or refused, never more packets than bytes")
  func randomPages() {
    var random = SeededGenerator(state: 6)
    for _ in 0..<1_000 {
      var ogg = OggSpecimen.begun()
      for _ in 0..<3 {
        let lacing = (0..<Int.random(in: 0...6, using: &random)).map { _ in
          Bool.random(using: &random) ? 255 : UInt8.random(in: 0...20, using: &random)
        }
        let body = random.bytes(lacing.reduce(0) { $0 + Int($1) })
        let flags = UInt8([0, 0, 1, 4, 5].randomElement(using: &random) ?? 0)
        ogg.page(flags: flags, granule: Int64.random(in: .min ... .max, using: &random), lacing: lacing, body: body)
      }
      if let opus = try? OggOpus(parsing: ogg.bytes) {
        #expect(opus.packets.count <= ogg.bytes.count)
        #expect((0...opus.decodedSampleCount).contains(opus.playableSampleCount))
      }
    }
  }
}
