/// Writes Ogg pages for the tests, with a sum of its own: bit by bit, as the definition says.
struct OggSpecimen {
  var bytes: [UInt8] = []
  var serial: UInt32 = 0x1234_5678
  var sequence: UInt32 = 0

  static let head = head()

  static func head(
    version: UInt8 = 1, channels: UInt8 = 1, preSkip: UInt16 = 312, gain: Int16 = 0, family: UInt8 = 0
  ) -> [UInt8] {
    Array("OpusHead".utf8) + [version, channels] + WAVSpecimen.little(preSkip) + WAVSpecimen.little(UInt32(22_050))
      + WAVSpecimen.little(gain) + [family]
  }

  static let tags = Array("OpusTags".utf8) + [4, 0, 0, 0] + Array("test".utf8) + [0, 0, 0, 0]

  /// One frame of 20 ms.
  static func packet(_ byteCount: Int, _ content: UInt8 = 7) -> [UInt8] {
    [0b0000_1000] + [UInt8](repeating: content, count: byteCount - 1)
  }

  static func lacing(_ byteCount: Int) -> [UInt8] {
    [UInt8](repeating: 255, count: byteCount / 255) + [UInt8(byteCount % 255)]
  }

  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var sum: UInt32 = 0
    for byte in bytes {
      for bit in (0..<8).reversed() {
        let isSet = (sum >> 31 != 0) != (byte >> bit & 1 != 0)
        sum = sum << 1 ^ (isSet ? 0x04C1_1DB7 : 0)
      }
    }
    return sum
  }

  /// - Parameter flags: 1 continued, 2 first, 4 last.
  mutating func page(flags: UInt8 = 0, granule: Int64 = -1, lacing: [UInt8], body: [UInt8]) {
    var page = Array("OggS".utf8) + [0, flags] + WAVSpecimen.little(granule) + WAVSpecimen.little(serial)
    page += WAVSpecimen.little(sequence) + [0, 0, 0, 0, UInt8(lacing.count)] + lacing + body
    page.replaceSubrange(22..<26, with: WAVSpecimen.little(Self.checksum(page)))
    bytes += page
    sequence += 1
  }

  mutating func page(flags: UInt8 = 0, granule: Int64, _ packets: [[UInt8]]) {
    page(
      flags: flags, granule: granule, lacing: packets.flatMap { Self.lacing($0.count) }, body: packets.flatMap(\.self))
  }

  /// Head and tags.
  static func begun(head: [UInt8] = head) -> OggSpecimen {
    var ogg = OggSpecimen()
    ogg.page(flags: 2, granule: 0, [head])
    ogg.page(granule: 0, [tags])
    return ogg
  }

  /// Three pages of sound, a packet across two of them.
  static var whole: OggSpecimen {
    var ogg = begun()
    let long = packet(600)
    ogg.page(granule: 1920, lacing: [10, 255, 30] + [255], body: packet(10) + packet(285) + long[..<255])
    ogg.page(flags: 1, granule: 3840, lacing: [255, 90, 20], body: long[255...] + packet(20))
    ogg.page(flags: 4, granule: 4500, [packet(30)])
    return ogg
  }
}
