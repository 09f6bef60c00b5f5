import Metering
import NativeCode

/// The spool of a lane, read and written on a thread of its own: a disk may take its time.
actor SpoolKeeper {
  nonisolated let executor: NativeExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private var spool: Spool

  /// - Parameters:
  ///   - path: `DIR/spool/LANE`.
  ///   - instance: as of `SpoolFolder`.
  ///   - limit: the most bytes on disk.
  init(path: String, instance: String, limit: Int) throws(SpoolFault) {
    executor = NativeExecutor(label: "parley.spool")
    spool = try Spool(try SpoolFolder(lane: path, instance: instance), limit: limit)
  }

  var isEmpty: Bool { spool.isEmpty }
  var bytes: Int { spool.bytes }

  /// - Returns: how many did not fit, and what empties the spool up to the last of them.
  func append(_ records: [UsageRecord]) throws(SpoolFault) -> (dropped: Int, end: Spool.Position) {
    let dropped = try spool.append(records)
    return (dropped, spool.end)
  }

  /// - Returns: the oldest records, and how many lines were found on the way that are none.
  func next(most: Int) throws(SpoolFault) -> (batch: Spool.Batch?, unreadable: Int) {
    defer { spool.unreadableLines = 0 }
    return (try spool.next(most: most), spool.unreadableLines)
  }

  func adoptOrphans() { spool.adoptOrphans() }

  func discard(through position: Spool.Position) { spool.discard(through: position) }
}
