import Envelope
import Foundation
import Metering
import NIOCore

/// Records on disk that a sink has not taken yet: in segments of lines of JSON, in the order in which they came, in a folder
/// that this process has for itself.
///
/// It is a value of one owner, whose thread does the reading and writing. What was appended is there after a crash of the
/// process, up to the last line that was whole.
struct Spool: ~Copyable {
  /// Where a batch ends, to be discarded up to there.
  struct Position: Sendable, Hashable, Comparable {
    var segment: Int
    var offset: Int
    /// How often the spool had been compacted: places of before lead nowhere.
    var generation = 0

    static func < (left: Self, right: Self) -> Bool { (left.segment, left.offset) < (right.segment, right.offset) }
  }

  struct Batch: Sendable {
    var records: [UsageRecord]
    /// Behind its last record.
    var end: Position
  }

  /// A segment is closed when it is this long, in bytes.
  static let segmentBytes = 1_048_576
  /// Only so many of the newest segments are compacted: that takes time and memory.
  static let compactedSegments = 256

  let folder: SpoolFolder
  /// The most bytes on disk.
  let limit: Int
  /// Of the segments, oldest first: number and bytes.
  private(set) var segments: [(number: Int, bytes: Int)] = []
  /// Everything before is done with.
  private(set) var start: Position
  /// Lines that were no records: somebody has damaged a file.
  var unreadableLines = 0
  /// How long the spool was after it was compacted last: that is worth another try only when it has grown.
  private var compactedBytes = 0
  private var generation = 0
  private var writer: FileHandle?

  /// Takes over what the folder holds.
  init(_ folder: SpoolFolder, limit: Int) throws(SpoolFault) {
    self.folder = folder
    self.limit = limit
    segments = try folder.segments()
    start = Position(segment: segments.first?.number ?? 1, offset: 0)
    if let noted = folder.position(), noted.segment == segments.first?.number {
      start = noted
    } else {
      // It is of a segment that is gone, and must not be taken for one of a segment to come.
      folder.forgetPosition()
    }
  }

  /// Bytes on disk.
  var bytes: Int { segments.reduce(0) { $0 + $1.bytes } }
  var isEmpty: Bool { segments.isEmpty }

  // MARK: Writing

  /// Appends records; what does not fit is left out, the newest first, after older records of the same sessions made room.
  ///
  /// - Returns: how many were left out.
  mutating func append(_ records: [UsageRecord]) throws(SpoolFault) -> Int {
    var dropped = 0
    var used = bytes
    var lines = ByteBuffer()
    for record in records {
      let before = lines.writerIndex
      record.json.write(into: &lines)
      lines.writeInteger(UInt8(ascii: "\n"))
      if used + lines.readableBytes > limit {
        try makeRoom()
        used = bytes
        if used + lines.readableBytes > limit {
          lines.moveWriterIndex(to: before)
          dropped += 1
        }
      }
      if lines.readableBytes >= Self.segmentBytes {
        try write(&lines)
        used = bytes
      }
    }
    try write(&lines)
    return dropped
  }

  private mutating func write(_ lines: inout ByteBuffer) throws(SpoolFault) {
    guard lines.readableBytes > 0 else { return }
    if writer == nil || (segments.last?.bytes ?? 0) + lines.readableBytes > Self.segmentBytes { try beginSegment() }
    guard let writer, let last = segments.last else { throw .unwritable }
    let count = lines.readableBytes
    do {
      try writer.write(contentsOf: Data(lines.readableBytesView))
      try writer.synchronize()
    } catch {
      // The part of a line that may stand there now must not grow into a line with the next one.
      try? writer.truncate(atOffset: UInt64(last.bytes))
      closeSegment()
      throw .unwritable
    }
    segments[segments.count - 1].bytes += count
    lines.clear()
  }

  private mutating func beginSegment() throws(SpoolFault) {
    closeSegment()
    let number = max(segments.last?.number ?? 0, start.segment - 1) + 1
    writer = try folder.create(number)
    if segments.isEmpty { start = Position(segment: number, offset: 0) }
    segments.append((number, 0))
  }

  private mutating func closeSegment() {
    try? writer?.close()
    writer = nil
    if let last = segments.last, last.bytes == 0 {
      folder.remove(last.number)
      segments.removeLast()
    }
  }

  // MARK: Reading

  /// The oldest records, at most `most` and at most of one segment; nil where there are none. They stay until
  /// `discard(through:)`.
  mutating func next(most: Int) throws(SpoolFault) -> Batch? {
    while let first = segments.first {
      var reader = LineReader(
        bytes: try folder.read(first.number), from: first.number == start.segment ? start.offset : 0)
      var batch = Batch(records: [], end: place(first.number, reader.offset))
      while batch.records.count < most, let line = reader.next() {
        if let record = UsageRecord(spooled: line) { batch.records.append(record) } else { unreadableLines += 1 }
        batch.end.offset = reader.offset
      }
      if !batch.records.isEmpty { return batch }
      // Nothing but a torn line, or lines that are no records: the segment is done with.
      removeFirst()
    }
    return nil
  }

  /// What lies before is done with.
  mutating func discard(through position: Position) {
    guard position.generation == generation, position > start else { return }
    while let first = segments.first, first.number < position.segment { removeFirst() }
    guard let first = segments.first, first.number == position.segment else { return }
    start = position
    if position.offset >= first.bytes {
      removeFirst()
    } else {
      folder.note(start)
    }
    compactedBytes = min(compactedBytes, bytes)
  }

  /// The end of what there is: discarding through it empties the spool.
  var end: Position {
    segments.last.map { place($0.number, $0.bytes) } ?? start
  }

  private func place(_ segment: Int, _ offset: Int) -> Position {
    Position(segment: segment, offset: offset, generation: generation)
  }

  private mutating func removeFirst() {
    guard let first = segments.first else { return }
    if segments.count == 1 {
      try? writer?.close()
      writer = nil
    }
    folder.remove(first.number)
    segments.removeFirst()
    start = Position(segment: segments.first?.number ?? first.number + 1, offset: 0)
    folder.note(start)
  }

  /// Takes over what processes have left since that are gone.
  mutating func adoptOrphans() {
    closeSegment()
    folder.adoptOrphans()
    let last = segments.last?.number ?? 0
    let adopted = ((try? folder.segments()) ?? []).filter { $0.number > last }
    guard let first = adopted.first else { return }
    if segments.isEmpty {
      // Numbers begin anew: what was noted of old ones must not hold for these.
      folder.forgetPosition()
      generation += 1
      start = place(first.number, 0)
    }
    segments += adopted
  }

  // MARK: The bound

  /// Of several records of a session only the newest counts: the others go.
  private mutating func makeRoom() throws(SpoolFault) {
    guard bytes - compactedBytes >= min(limit / 16, Self.segmentBytes) else { return }
    closeSegment()
    let window = segments.suffix(Self.compactedSegments)
    var newest: [String: Int] = [:]
    for segment in window {
      try forEachRecord(of: segment.number) { record, _ in
        newest[record.id] = max(newest[record.id] ?? 0, record.sequence)
      }
    }
    for index in window.indices {
      let number = segments[index].number
      var kept = ByteBuffer()
      try forEachRecord(of: number) { record, line in
        if newest[record.id] == record.sequence {
          kept.writeBytes(line)
          kept.writeInteger(UInt8(ascii: "\n"))
        }
      }
      generation += 1
      // What is noted of the old file must not hold for the new one, not even if the process ends in between.
      if number == start.segment { folder.forgetPosition() }
      try folder.replace(number, with: kept)
      segments[index].bytes = kept.readableBytes
      if number == start.segment { start.offset = 0 }
    }
    for segment in segments where segment.bytes == 0 { folder.remove(segment.number) }
    segments.removeAll { $0.bytes == 0 }
    if let first = segments.first, first.number != start.segment { start = place(first.number, 0) }
    compactedBytes = bytes
  }

  private func forEachRecord(
    of segment: Int, _ body: (UsageRecord, ArraySlice<UInt8>) -> Void
  ) throws(SpoolFault) {
    var reader = LineReader(bytes: try folder.read(segment), from: segment == start.segment ? start.offset : 0)
    while let line = reader.next() {
      if let record = UsageRecord(spooled: line) { body(record, line) }
    }
  }
}

/// Why the spool cannot be used. The folder is the operator's, and the log says which.
enum SpoolFault: Error, Sendable, Hashable {
  /// It cannot be made, or another process has it.
  case noFolder
  case unreadable
  /// No space, no permission, no disk.
  case unwritable
}

/// Whole lines of a file. What stands behind the last line feed was torn by a crash, and is none.
private struct LineReader {
  private let bytes: [UInt8]
  /// Behind the last line that was read.
  private(set) var offset: Int

  init(bytes: [UInt8], from offset: Int) {
    self.bytes = bytes
    self.offset = min(max(0, offset), bytes.count)
  }

  mutating func next() -> ArraySlice<UInt8>? {
    guard let end = bytes[offset...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let line = bytes[offset..<end]
    offset = end + 1
    return line
  }
}

extension UsageRecord {
  /// A line of the spool; nil where it is no record.
  init?(spooled line: ArraySlice<UInt8>) {
    let parsed = line.withUnsafeBytes { bytes -> JSONValue? in try? JSONValue(parsing: bytes) }
    guard let object = parsed?.object, let record = try? UsageRecord(json: object) else { return nil }
    self = record
  }
}
