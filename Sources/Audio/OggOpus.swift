/// The Opus packets of an Ogg file, RFC 7845: taken apart and checked, not decoded. One stream of channel mapping
/// family 0.
public struct OggOpus: Sendable, Equatable {
  /// 1 or 2.
  public let channelCount: Int
  /// Samples at 48 kHz to be dropped from the beginning of what is decoded.
  public let preSkip: Int
  /// The rate of the sound before it was encoded, hertz; 0 for unknown. Opus itself always runs at 48 kHz.
  public let inputRate: Int
  /// What the decoded sound is to be amplified by, in 1/256 dB.
  public let outputGain: Int
  /// The audio packets, back to back.
  public let payload: [UInt8]
  /// Where each packet lies in `payload`; none is empty.
  public let packets: [Range<Int>]
  /// The granule position of the last page on which a packet ends; nil without one.
  public let endGranule: Int64?
  /// Samples at 48 kHz that all packets decode to.
  public let decodedSampleCount: Int
  /// Samples at 48 kHz that are to be heard: without those of `preSkip` and those that the last page cuts off.
  public let playableSampleCount: Int

  /// Samples per second that the counts refer to.
  public static let rate = 48_000
  /// The longest file that is read: 16 MiB.
  public static let maxByteCount = 16 * 1024 * 1024
  /// The longest sound that is read: ten minutes.
  public static let maxSampleCount = 600 * rate
  /// The longest audio packet: RFC 7845 section 6.
  public static let maxPacketByteCount = 61_440

  /// Reads a whole file.
  public init(parsing bytes: [UInt8]) throws(OggOpusFault) {
    guard bytes.count <= Self.maxByteCount else { throw .tooLarge(byteCount: bytes.count) }
    var assembly = OggAssembly()
    try bytes.withUnsafeBufferPointer { (bytes) throws(OggOpusFault) in
      try assembly.read(UnsafeRawBufferPointer(bytes))
    }
    guard let head = assembly.head, assembly.packetCount >= 2 else { throw .truncated }
    channelCount = head.channelCount
    preSkip = head.preSkip
    inputRate = head.inputRate
    outputGain = head.outputGain
    payload = assembly.payload
    packets = assembly.packets
    endGranule = assembly.endGranule
    decodedSampleCount = assembly.sampleCount
    playableSampleCount = max(0, min(assembly.sampleCount, assembly.lengthByGranules ?? .max) - head.preSkip)
  }

  /// The samples at 48 kHz that a packet decodes to, from its first bytes (RFC 6716 section 3.1); nil if it is none.
  public static func sampleCount(ofPacket packet: ArraySlice<UInt8>) -> Int? {
    guard let contents = packet.first else { return nil }
    let frame: Int
    switch contents >> 3 {
    case 0..<12: frame = [480, 960, 1920, 2880][Int(contents >> 3 & 3)]
    case 12..<16: frame = contents >> 3 & 1 == 0 ? 480 : 960
    default: frame = 120 << Int(contents >> 3 & 3)
    }
    switch contents & 3 {
    case 0: return frame
    case 1, 2: return frame * 2
    default:
      guard let frames = packet.dropFirst().first.map({ Int($0 & 63) }), frames > 0, frames * frame <= 5760 else {
        return nil
      }
      return frames * frame
    }
  }
}

/// Why bytes are no Ogg Opus file that can be read.
public enum OggOpusFault: Error, Sendable, Hashable, CustomStringConvertible {
  case notOgg
  /// Something else than a page follows a page.
  case pageExpected(offset: Int)
  /// The version of the Ogg framing.
  case versionUnsupported(Int)
  case checksumWrong(page: Int)
  /// A page is missing or comes twice.
  case sequenceBroken(page: Int)
  /// A packet is continued that did not begin, or not continued that did not end.
  case continuationBroken(page: Int)
  /// The file ends within a page, within a packet or before its sound.
  case truncated
  /// The first packet is no `OpusHead`.
  case notOpus
  case headInvalid
  case headVersionUnsupported(Int)
  case channelMappingUnsupported(family: Int, channelCount: Int)
  /// The second packet is no `OpusTags`.
  case tagsMissing
  case packetInvalid(index: Int)
  case packetTooLong
  case tooLarge(byteCount: Int)
  /// More than `OggOpus.maxSampleCount`.
  case tooLong
  /// A second stream begins.
  case chained

  public var description: String {
    switch self {
    case .notOgg: "The audio is no Ogg file: it does not begin with OggS."
    case .pageExpected(let offset): "The Ogg file has no page at byte \(offset), where one has to begin."
    case .versionUnsupported(let version): "The Ogg file has version \(version); 0 is read."
    case .checksumWrong(let page): "Page \(page) of the Ogg file is damaged: its checksum is wrong."
    case .sequenceBroken(let page): "Page \(page) of the Ogg file is out of order."
    case .continuationBroken(let page): "A packet is torn at page \(page) of the Ogg file."
    case .truncated: "The Ogg file is cut off."
    case .notOpus: "The Ogg file does not hold Opus."
    case .headInvalid: "The OpusHead of the Ogg file is invalid."
    case .headVersionUnsupported(let version): "The OpusHead of the Ogg file has version \(version); 1 is read."
    case .channelMappingUnsupported(let family, let count):
      "The Ogg file has \(count) channels in mapping family \(family); one or two in family 0 are read."
    case .tagsMissing: "The Ogg file has no OpusTags behind its OpusHead."
    case .packetInvalid(let index): "Opus packet \(index) of the Ogg file is invalid."
    case .packetTooLong: "The Ogg file has an Opus packet of more than \(OggOpus.maxPacketByteCount) bytes."
    case .tooLarge(let count): "The Ogg file has \(count) bytes; \(OggOpus.maxByteCount) are the most."
    case .tooLong: "The Ogg file lasts longer than ten minutes."
    case .chained: "The Ogg file holds several streams, one after the other or side by side."
    }
  }
}
