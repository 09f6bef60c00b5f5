/// A page of an Ogg bit stream, RFC 3533 section 6.
struct OggPage {
  var isContinued: Bool
  var isFirst: Bool
  var isLast: Bool
  /// Nil if no packet ends on the page.
  var granule: Int64?
  var serial: UInt32
  var sequence: UInt32
  /// Where the segments lie in the file, and how long each of them is.
  var body: Range<Int>
  var segmentTable: Range<Int>

  static let headerByteCount = 27

  /// The page that begins at `start`, which is within `bytes`. Checks its sum.
  init(_ bytes: UnsafeRawBufferPointer, at start: Int) throws(OggOpusFault) {
    let headerEnd = start + Self.headerByteCount
    guard bytes.count >= start + 4 else { throw .truncated }
    guard Self.number(bytes, start, 4) == 0x5367_674F else { throw start == 0 ? .notOgg : .pageExpected(offset: start) }
    guard headerEnd <= bytes.count else { throw .truncated }
    guard bytes[start + 4] == 0 else { throw .versionUnsupported(Int(bytes[start + 4])) }
    let flags = bytes[start + 5]
    isContinued = flags & 1 != 0
    isFirst = flags & 2 != 0
    isLast = flags & 4 != 0
    let position = Int64(bitPattern: Self.number(bytes, start + 6, 8))
    granule = position == -1 ? nil : position
    serial = UInt32(truncatingIfNeeded: Self.number(bytes, start + 14, 4))
    sequence = UInt32(truncatingIfNeeded: Self.number(bytes, start + 18, 4))
    let checksum = UInt32(truncatingIfNeeded: Self.number(bytes, start + 22, 4))
    segmentTable = headerEnd..<headerEnd + Int(bytes[start + 26])
    guard segmentTable.upperBound <= bytes.count else { throw .truncated }
    var byteCount = 0
    for index in segmentTable { byteCount += Int(bytes[index]) }
    body = segmentTable.upperBound..<segmentTable.upperBound + byteCount
    guard body.upperBound <= bytes.count else { throw .truncated }
    let sum = OggChecksum.of(UnsafeRawBufferPointer(rebasing: bytes[start..<body.upperBound]))
    guard sum == checksum else { throw .checksumWrong(page: Int(sequence)) }
  }

  /// Little-endian; the caller has made sure that the bytes are there.
  private static func number(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ byteCount: Int) -> UInt64 {
    var number: UInt64 = 0
    for place in 0..<byteCount { number |= UInt64(bytes[start + place]) << (place * 8) }
    return number
  }
}

/// The sum of a page: a CRC of 32 bits, polynomial 0x04C11DB7, not reflected, begun with 0 (RFC 3533 section 6).
enum OggChecksum {
  /// The sum of a page, whose own field counts as zero.
  static func of(_ page: UnsafeRawBufferPointer) -> UInt32 {
    var sum: UInt32 = 0
    table.withUnsafeBufferPointer { table in
      for index in 0..<page.count {
        let byte = (22..<26).contains(index) ? 0 : page[index]
        sum = sum &<< 8 ^ table[Int(UInt8(truncatingIfNeeded: sum &>> 24) ^ byte)]
      }
    }
    return sum
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    var sum = UInt32(byte) << 24
    for _ in 0..<8 { sum = sum & 0x8000_0000 == 0 ? sum << 1 : sum << 1 ^ 0x04C1_1DB7 }
    return sum
  }
}
