import Envelope
import Foundation
import Metering
import Testing

@testable import Ledger

@Suite struct SpoolTests {
  let scratch: ScratchFolder
  var lane: String { scratch.path + "/spool/test" }

  init() throws { scratch = try ScratchFolder() }

  private func spool(_ instance: String = "one", limit: Int = 1 << 26) throws -> Spool {
    try Spool(try SpoolFolder(lane: lane, instance: instance), limit: limit)
  }

  /// Everything that the spool holds, in order; it is empty then.
  private func drained(_ spool: inout Spool, most: Int = 7) throws -> [UsageRecord] {
    var records: [UsageRecord] = []
    while let batch = try spool.next(most: most) {
      records += batch.records
      spool.discard(through: batch.end)
    }
    let isEmpty = spool.isEmpty
    #expect(isEmpty)
    return records
  }

  private func records(_ count: Int, from first: Int = 0, padding: Int = 0) -> [UsageRecord] {
    (first..<first + count).map {
      Records.make("s\($0)", metadata: ["x": .string(String(repeating: "y", count: padding))])
    }
  }

  @Test("what goes in comes out, in order, over segments and restarts")
  func order() throws {
    let all = records(1_200, padding: 500)
    var left = all[...]
    var seen: [UsageRecord] = []
    while !left.isEmpty || seen.count < all.count {
      // A new process each time: what was read is not read again.
      var spool = try spool()
      #expect(try spool.append(Array(left.prefix(400))) == 0)
      left = left.dropFirst(400)
      for _ in 0..<3 {
        guard let batch = try spool.next(most: 131) else { break }
        seen += batch.records
        spool.discard(through: batch.end)
      }
    }
    #expect(seen.map(\.id) == all.map(\.id))
    let last = try spool()
    let isEmpty = last.isEmpty
    #expect(isEmpty)
  }

  @Test("whatever is cut, what was whole before is there")
  func cuts() throws {
    let all = records(2)
    var bytes: [UInt8] = []
    var ends: [Int] = []
    do {
      var spool = try spool("source")
      for record in all {
        _ = try spool.append([record])
        ends.append(spool.bytes)
      }
      bytes = try spool.folder.read(1)
    }
    for length in 0...bytes.count {
      let folder = try SpoolFolder(lane: scratch.path + "/cut", instance: "i\(length)")
      try Data(bytes.prefix(length)).write(to: URL(fileURLWithPath: folder.path + "/00000001.jsonl"))
      var spool = try Spool(folder, limit: 1 << 26)
      // A new record must not be written behind a torn line. (Writing takes its time; some lengths will do.)
      let fresh = length % 40 == 0 || ends.contains(length) ? [Records.make("fresh")] : []
      _ = try spool.append(fresh)
      let whole = ends.filter { $0 <= length }.count
      let found = try drained(&spool)
      #expect(found == Array(all.prefix(whole)) + fresh)
    }
  }

  @Test(
    "lines that are no records are counted and left out", arguments: ["", "{}", "\u{0}\u{1}", "[1]", "{\"id\":\"x\"}"])
  func noRecords(_ line: String) throws {
    let folder = try SpoolFolder(lane: lane, instance: "one")
    var good: [UInt8] = []
    do {
      var spool = try Spool(folder, limit: 1 << 26)
      _ = try spool.append(records(1))
      good = try folder.read(1)
    }
    let text = good + Array(line.utf8) + [0x0A] + good
    try Data(text).write(to: URL(fileURLWithPath: folder.path + "/00000001.jsonl"))
    var spool = try Spool(folder, limit: 1 << 26)
    #expect(try drained(&spool).count == 2)
    let unreadable = spool.unreadableLines
    #expect(unreadable == 1)
  }

  @Test("the bound drops, counts and keeps the newest of each")
  func bound() throws {
    let limit = 1 << 17
    var spool = try spool(limit: limit)
    var dropped = 0
    // Twenty sessions that go on and on fit, because only their newest records count.
    for sequence in 1...60 {
      dropped += try spool.append(
        (0..<20).map { Records.make("s\($0)", sequence: sequence, state: .live, seconds: Double(sequence)) })
      let bytes = spool.bytes
      #expect(bytes <= limit)
    }
    #expect(dropped == 0)
    let kept = try drained(&spool)
    for session in 0..<20 {
      let sequences = kept.filter { $0.id == "s\(session)" }.map(\.sequence)
      #expect(sequences.last == 60)
      #expect(sequences == sequences.sorted())
    }
    // Different sessions do not fit: the newest are dropped, and every one of them is counted.
    let many = records(300, padding: 500)
    var lost = 0
    for piece in stride(from: 0, to: many.count, by: 50) { lost += try spool.append(Array(many[piece..<piece + 50])) }
    let bytes = spool.bytes
    #expect(bytes <= limit)
    let rest = try drained(&spool)
    #expect(lost > 0)
    #expect(rest.count + lost == many.count)
    #expect(rest.map(\.id) == many.prefix(rest.count).map(\.id))
    // There is room again.
    #expect(try spool.append(records(10)) == 0)
    #expect(try drained(&spool).count == 10)
  }

  @Test("a batch that is under way while the spool is compacted is told again rather than forgotten")
  func compactedMeanwhile() throws {
    var spool = try spool(limit: 1 << 18)
    _ = try spool.append((1...100).map { Records.make("old", sequence: $0, state: .live) })
    let batch = try #require(try spool.next(most: 10))
    // Far more than fits: it must have been compacted in between.
    for sequence in 1...20 {
      _ = try spool.append((0..<50).map { Records.make("s\($0)", sequence: sequence, state: .live) })
    }
    spool.discard(through: batch.end)
    let left = try drained(&spool)
    #expect(left.contains { $0.id == "old" && $0.sequence == 100 })
    #expect(Set(left.map(\.id)).count == 51)
  }

  @Test("two instances never share, and an orphan is adopted, without what it had told already")
  func orphans() throws {
    do {
      var first = try spool("same")
      _ = try first.append(records(10))
      // The name is taken: this one has a folder of its own.
      var second = try spool("same")
      let isSecondEmpty = second.isEmpty
      #expect(isSecondEmpty)
      _ = try second.append(records(10, from: 10))
      let batch = try #require(try second.next(most: 4))
      second.discard(through: batch.end)
      let paths = [first.folder.path, second.folder.path]
      #expect(paths[0] != paths[1])
      // Somebody else comes while both live: nothing is taken from them.
      var third = try spool("other")
      #expect(try drained(&third).isEmpty)
    }
    var heir = try spool("heir")
    let found = try drained(&heir)
    #expect(found.map(\.id).sorted() == (Array(0..<10) + Array(14..<20)).map { "s\($0)" }.sorted())
    #expect(try FileManager.default.contentsOfDirectory(atPath: lane) == ["heir"])
  }

  @Test("what a process leaves behind that was still there at the beginning is adopted later")
  func laterOrphan() throws {
    var heir = try spool("heir")
    _ = try heir.append(records(3))
    do {
      var other = try spool("other")
      _ = try other.append(records(3, from: 3))
      heir.adoptOrphans()
      let isAdopted = heir.segments.count > 1
      #expect(!isAdopted, "it lives")
    }
    _ = try heir.append(records(3, from: 6))
    heir.adoptOrphans()
    heir.adoptOrphans()
    _ = try heir.append(records(3, from: 9))
    #expect(try drained(&heir, most: 2).map(\.id).sorted() == (0..<12).map { "s\($0)" }.sorted())
    // Also by one that has nothing itself, and had more before.
    do {
      var other = try spool("other")
      _ = try other.append(records(3))
    }
    heir.adoptOrphans()
    _ = try heir.append(records(2, from: 3))
    #expect(try drained(&heir, most: 2).map(\.id) == (0..<5).map { "s\($0)" })
  }

  @Test("names of instances that are no names of files do no harm")
  func names() throws {
    for name in ["../../escape", "", "a/b", "ü", String(repeating: "x", count: 500)] {
      let folder = try SpoolFolder(lane: lane, instance: name)
      #expect(folder.path.hasPrefix(lane + "/"))
      #expect(!folder.path.dropFirst(lane.count + 1).contains("/"))
    }
    #expect(throws: SpoolFault.noFolder) { try SpoolFolder(lane: "/proc/none", instance: "i") }
  }

  @Test("a segment that somebody has removed does not hold up the others")
  func removed() throws {
    let all = records(1_200, padding: 1_000)
    var spool = try spool()
    _ = try spool.append(all)
    #expect(try spool.folder.segments().count > 1)
    spool.folder.remove(1)
    let found = try drained(&spool, most: 100)
    #expect(!found.isEmpty && found.count < all.count)
    #expect(found.last?.id == all.last?.id)
  }

  @Test("a note of how far was read that belongs to no segment counts for nothing")
  func staleNote() throws {
    let folder = try SpoolFolder(lane: lane, instance: "one")
    try "5 300 ".write(toFile: folder.path + "/position", atomically: true, encoding: .utf8)
    var spool = try Spool(folder, limit: 1 << 26)
    for index in 0..<6 {
      _ = try spool.append(records(1, from: index))
      spool = try Spool(folder, limit: 1 << 26)
    }
    #expect(try drained(&spool).count == 6)
  }
}
