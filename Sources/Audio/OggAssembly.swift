/// Puts the packets of an Ogg Opus file together, page by page.
struct OggAssembly {
  private(set) var head: OpusHead?
  private(set) var payload: [UInt8] = []
  private(set) var packets: [Range<Int>] = []
  /// Packets so far, the two of the header included.
  private(set) var packetCount = 0
  /// Samples at 48 kHz of all packets.
  private(set) var sampleCount = 0
  private(set) var endGranule: Int64?
  /// The samples that lie between the beginning and the end as the granule positions tell them; nil if the last page is
  /// missing, so that the sound ends where the packets end (RFC 7845 section 4.4).
  private(set) var lengthByGranules: Int?

  private var serial: UInt32?
  private var nextSequence: UInt32 = 0
  /// Where the packet that is not complete begins in `payload`; for the header packets in `header`.
  private var packetStart = 0
  private var hasOpenPacket = false
  /// The beginning of a header packet; of the tags, only what tells that they are tags.
  private var header: [UInt8] = []
  private var startGranule: Int64?

  mutating func read(_ bytes: UnsafeRawBufferPointer) throws(OggOpusFault) {
    guard !bytes.isEmpty else { throw .notOgg }
    var offset = 0
    var isEnded = false
    while offset < bytes.count {
      let page = try OggPage(bytes, at: offset)
      guard !isEnded, page.serial == serial ?? page.serial, page.isFirst == (serial == nil) else {
        throw serial == nil ? .notOpus : .chained
      }
      serial = page.serial
      try read(page, of: bytes)
      offset = page.body.upperBound
      isEnded = page.isLast
    }
    guard !hasOpenPacket else { throw .truncated }
  }

  private mutating func read(_ page: OggPage, of bytes: UnsafeRawBufferPointer) throws(OggOpusFault) {
    guard page.isFirst || page.sequence == nextSequence else { throw .sequenceBroken(page: Int(page.sequence)) }
    nextSequence = page.sequence &+ 1
    guard page.isContinued == hasOpenPacket else { throw .continuationBroken(page: Int(page.sequence)) }
    let isSound = packetCount >= 2
    var offset = page.body.lowerBound
    for index in page.segmentTable {
      let count = Int(bytes[index])
      try append(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
      offset += count
      hasOpenPacket = count == 255
      if !hasOpenPacket { try finishPacket() }
    }
    if isSound { note(page) }
  }

  private mutating func append(_ segment: UnsafeRawBufferPointer) throws(OggOpusFault) {
    if packetCount < 2 {
      header += segment.prefix(max(0, OpusHead.maxByteCount - header.count))
      return
    }
    payload += segment
    guard payload.count - packetStart <= OggOpus.maxPacketByteCount else { throw .packetTooLong }
  }

  private mutating func finishPacket() throws(OggOpusFault) {
    defer { packetCount += 1 }
    switch packetCount {
    case 0:
      head = try OpusHead(packet: header)
      header.removeAll()
    case 1:
      guard header.starts(with: "OpusTags".utf8) else { throw .tagsMissing }
      header.removeAll()
    default:
      let range = packetStart..<payload.count
      packetStart = payload.count
      // An empty packet is no Opus packet, but some writers end a file with one.
      guard !range.isEmpty else { return }
      guard let count = OggOpus.sampleCount(ofPacket: payload[range]) else {
        throw .packetInvalid(index: packets.count)
      }
      sampleCount += count
      guard sampleCount <= OggOpus.maxSampleCount else { throw .tooLong }
      packets.append(range)
    }
  }

  /// Learns from a page of sound where the sound begins and ends.
  private mutating func note(_ page: OggPage) {
    guard let granule = page.granule, granule >= 0 else { return }
    endGranule = granule
    // What was cut from a longer recording does not begin at 0. A first page that is the last one may have been cut at
    // its end as well, so that it tells nothing of the beginning.
    let start = startGranule ?? (page.isLast ? 0 : max(0, granule - Int64(sampleCount)))
    startGranule = start
    lengthByGranules = page.isLast ? Int(max(0, granule - start)) : nil
  }
}

/// The first packet, RFC 7845 section 5.1.
struct OpusHead {
  let channelCount: Int
  let preSkip: Int
  let inputRate: Int
  let outputGain: Int

  /// Of a longer packet the rest does not count.
  static let maxByteCount = 276

  init(packet: [UInt8]) throws(OggOpusFault) {
    guard packet.starts(with: "OpusHead".utf8) else { throw .notOpus }
    guard packet.count >= 19 else { throw .headInvalid }
    // The upper four bits of the version change when old readers can read it no more.
    guard packet[8] >> 4 == 0 else { throw .headVersionUnsupported(Int(packet[8])) }
    channelCount = Int(packet[9])
    preSkip = Int(packet.littleEndian16(at: 10))
    inputRate = Int(packet.littleEndian32(at: 12))
    outputGain = Int(Int16(bitPattern: packet.littleEndian16(at: 16)))
    guard packet[18] == 0, (1...2).contains(channelCount) else {
      throw .channelMappingUnsupported(family: Int(packet[18]), channelCount: channelCount)
    }
  }
}
