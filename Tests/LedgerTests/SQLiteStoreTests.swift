import ParleyTesting
import Access
import Envelope
import Foundation
import GRDB
import Metering
import Testing
import Translation

@testable import Ledger

/// A folder that is gone when its owner is.
final class ScratchFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "parley-ledger-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct SQLiteStoreTests {
  let folder: ScratchFolder
  let path: String
  let store: SQLiteStore

  init() throws {
    folder = try ScratchFolder()
    path = folder.path + "/usage.sqlite"
    store = try SQLiteStore(path: path, limit: .seconds(60), now: { Timestamp(milliseconds: Records.begin + 60_000) })
  }

  @Test("an update that comes late changes nothing")
  func lateUpdates() async throws { try await StoreLaw.lateUpdatesChangeNothing(store) }

  @Test("a summary equals the sum of the events, by each grouping")
  func summary() async throws { try await StoreLaw.summaryIsTheSum(store) }

  @Test("records come back whole, by every query")
  func events() async throws { try await StoreLaw.recordsComeBackWhole(store) }

  @Test("pages meet without gap or overlap while records are written")
  func pages() async throws { try await StoreLaw.pagesMeet(store) }

  @Test("records of other services are added all or none, and once")
  func insert() async throws { try await StoreLaw.insertIsAllOrNothing(store) }

  @Test("sums that would overflow stop at the greatest number")
  func overflow() async throws { try await StoreLaw.hugeSumsStop(store) }

  @Test("a live session that nobody updates is lost, until somebody does")
  func lost() async throws { try await StoreLaw.silenceIsLoss(store) }

  @Test("keys and apps are kept, found, revoked and removed")
  func keys() async throws { try await StoreLaw.keysAndApps(store) }

  @Test("a damaged file is a fault, no trap", arguments: 0..<12)
  func damage(_ seed: Int) async throws {
    try await StoreLaw.write(
      store, (0..<200).map { Records.make("s\($0)", metadata: ["x": .string(String(repeating: "y", count: 300))]) })
    store.close()
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var random = SplitMix64(seed: UInt64(seed))
    // The head, a page in the middle, or the end is gone.
    switch seed % 3 {
    case 0: for index in 0..<64 { bytes[index] = UInt8.random(in: 0...255, using: &random) }
    case 1: for index in 4_096..<bytes.count { bytes[index] = UInt8.random(in: 0...255, using: &random) }
    default: bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
    }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    var fault: StorageFault?
    do throws(StorageFault) {
      let damaged = try SQLiteStore(path: path, limit: .seconds(60))
      _ = try await damaged.summary(UsageQuery())
      _ = try await damaged.events(EventQuery())
      _ = try await damaged.keys()
    } catch {
      fault = error
    }
    // A page that nobody looks at may be damaged without being noticed; the head may not.
    if seed % 3 == 0 { #expect(fault != nil) }
  }

  @Test("a column of another type is a fault, no trap")
  func wrongTypes() async throws {
    try await StoreLaw.write(store, [Records.make("a")])
    try await store.write { database in
      try database.execute(
        sql: """
          UPDATE usage SET seconds = 'many', in_text = x'00ff', day = 'never', record = 7;
          INSERT INTO keys VALUES ('key_1', 'n', 'no digest', 'never', '{}');
          INSERT INTO apps VALUES ('a', '[]');
          """)
    }
    _ = try await store.summary(UsageQuery(grouping: .day))
    await #expect(throws: StorageFault.damaged("a record cannot be read")) { try await store.events(EventQuery()) }
    await #expect(throws: StorageFault.damaged("a key cannot be read")) { try await store.keys() }
    await #expect(throws: StorageFault.damaged("an app cannot be read")) { try await store.apps() }
  }

  @Test("a second process writes beside")
  func secondProcess() async throws {
    let other = try SQLiteStore(path: path, limit: .seconds(60))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, store) in [store, other].enumerated() {
        group.addTask {
          for round in 0..<40 { try await StoreLaw.write(store, [Records.make("s\(index)-\(round)")]) }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await store.events(EventQuery(limit: 1000)).records.count == 80)
    #expect(try await other.events(EventQuery(limit: 1000)).records.count == 80)
  }

  @Test("another process's lock is a fault when it lasts, and nothing is written twice after it")
  func locked() async throws {
    try await StoreLaw.write(store, [Records.make("a")])
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let other = try DatabaseQueue(path: path, configuration: configuration)
    try await other.writeWithoutTransaction { database in
      try database.execute(sql: "BEGIN EXCLUSIVE")
    }
    await #expect(throws: SinkFault.self) { try await StoreLaw.write(store, [Records.make("b")]) }
    try await other.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
    try await StoreLaw.write(store, [Records.make("b")])
    #expect(try await store.events(EventQuery()).records.map(\.id) == ["a", "b"])
  }

  @Test("tables of a later version are left alone")
  func laterVersion() async throws {
    try await store.write { try $0.execute(sql: "PRAGMA user_version = 99") }
    store.close()
    #expect(throws: StorageFault.damaged("its tables are of a later version")) { try SQLiteStore(path: path) }
  }

  @Test("a file that cannot be made is a fault that names no more than its cause")
  func unwritable() throws {
    #expect(throws: StorageFault.self) { try SQLiteStore(path: "/proc/none/usage.sqlite") }
    #expect(throws: StorageFault.self) { try SQLiteStore(path: folder.path) }
  }

  @Test("neither a key nor its text can be read back from the file, and nobody else may read it")
  func digestsOnly() async throws {
    var random = SplitMix64(seed: 8)
    let (record, key) = try KeyRecord.make(KeyOrder(name: "app"), unixTime: 1, random: &random)
    try await store.insert(record)
    store.close()
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)"))
      #expect(bytes.range(of: Data(key.reveal().utf8)) == nil)
      #expect(bytes.range(of: Data(key.reveal().dropFirst(4).utf8)) == nil)
      let mode = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
  }

  @Test("what was used of a day is the part of each session that falls into it")
  func secondsUsed() async throws {
    let day = Timestamp(milliseconds: Records.begin).day
    // Begun two hours before midnight: one ends before it, one an hour behind it.
    try await StoreLaw.write(
      store,
      [
        Records.make("before", seconds: 600), Records.make("across", seconds: 3 * 3_600),
        Records.make("after", startedAt: Records.begin + 3 * 3_600_000, seconds: 60),
      ])
    let used = Dictionary(uniqueKeysWithValues: try await store.secondsUsed(day: day + 1))
    #expect(used[.provider("gemini")] == 3_660)
    #expect(used[.app("default")] == 3_660)
    #expect(used[.key(id: "key_1")] == 3_660)
    #expect(used.count == 3)
    let before = Dictionary(uniqueKeysWithValues: try await store.secondsUsed(day: day))
    #expect(before[.app("default")] == 11_460.0)
  }
}
