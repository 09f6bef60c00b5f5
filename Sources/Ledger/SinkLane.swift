import NativeCode
import Logging
import Metering
import Synchronization

/// The way of records to one sink: straight while it answers; over the spool, in order, while it does not.
///
/// A record is on disk or with the sink within two flushes of its coming, whatever the sink does: one that has not
/// answered after a flush's time is spooled while the answer is still awaited.
actor SinkLane {
  typealias Instant = ContinuousClock.Instant

  /// What records are written, of those that come.
  enum Selection: Sendable {
    case all
    /// The last record of each session only.
    case ended
  }

  private enum Outcome: Sendable {
    case written
    case unavailable(String, retryAfter: Duration?)
  }

  /// How long a sink may take for a batch.
  private static let writeLimit = Duration.seconds(10)

  nonisolated let name: String
  private nonisolated let selection: Selection
  private nonisolated let inbox = Mutex(UsageInbox())
  private nonisolated let tally: LaneTally
  private let sink: any RecordSink
  /// Nil where the folder cannot be used: what is not written waits in memory then.
  private let spool: SpoolKeeper?
  private let flushInterval: Duration
  private let adoptInterval: Duration
  private let logger: Logger

  private var backoff: Backoff
  /// The sink is not asked before.
  private var nextTry: Instant?
  /// A write that was still under way when its records were spooled, and the end of those.
  private var pending: (attempt: Task<Outcome, Never>, end: Spool.Position)?
  /// Records are on their way without having been spooled.
  private var isWritingDirectly = false
  private var isAway = false
  /// The flush that came last: the next one waits for it, whoever asks for it.
  private var flushing: Task<Void, Never>?
  private var loops: [Task<Void, Never>] = []

  init(
    name: String, selection: Selection = .all, sink: any RecordSink, spool: SpoolKeeper?, flushInterval: Duration,
    backoff: Backoff = Backoff(), adoptInterval: Duration = .seconds(60), logger: Logger
  ) {
    self.name = name
    self.selection = selection
    self.sink = sink
    self.spool = spool
    self.flushInterval = flushInterval
    self.backoff = backoff
    self.adoptInterval = adoptInterval
    self.logger = logger
    tally = LaneTally(lane: name, logger: logger)
  }

  /// Takes note of a record. Any thread; never blocks.
  nonisolated func note(_ record: UsageRecord) {
    if selection == .ended, record.state == .live { return }
    if !inbox.withLock({ $0.add(record) }) { tally.dropped(1, because: "too many records wait in memory") }
  }

  /// How many records wait in memory.
  nonisolated var waiting: Int { inbox.withLock { $0.count } }

  /// Begins to write.
  func start() {
    guard loops.isEmpty else { return }
    loops = [
      Task { [flushInterval] in
        while await Self.pause(flushInterval) { await self.flush() }
      },
      Task { [flushInterval, adoptInterval, spool] in
        var adoptedAt = Instant.now
        repeat {
          while await self.drain() {}
          // A process that was still ending when this one began has left something behind meanwhile.
          if adoptedAt.duration(to: .now) > adoptInterval {
            adoptedAt = .now
            await spool?.adoptOrphans()
          }
        } while await Self.pause(flushInterval)
      },
    ]
  }

  /// Writes what there is, as far as that can be done in time; the rest is spooled.
  func finish(within limit: Duration) async {
    let running = loops
    loops = []
    for loop in running { loop.cancel() }
    _ = await firstWithin(limit) {
      // First what is only in memory: that is written or on disk soon, even where the sink hangs and the other loop with it.
      await running.first?.value
      await self.flush()
      for loop in running.dropFirst() { await loop.value }
      while await self.drain() {}
    }
    tally.report(atOnce: true)
  }

  /// False when the task is cancelled.
  private static func pause(_ duration: Duration) async -> Bool {
    (try? await Task.sleep(for: duration)) != nil
  }

  // MARK: In

  /// Takes what came since, and writes or spools it: one flush at a time, so that none passes another.
  func flush() async {
    let before = flushing
    let flush = Task {
      await before?.value
      await self.flushNext()
    }
    flushing = flush
    await flush.value
  }

  private func flushNext() async {
    tally.report()
    let records = inbox.withLock { $0.takeAll() }
    guard !records.isEmpty else { return }
    let mayWrite = await spool?.isEmpty ?? true
    guard mayWrite, pending == nil, nextTry.map({ Instant.now >= $0 }) ?? true else {
      return await keep(records)
    }
    isWritingDirectly = true
    defer { isWritingDirectly = false }
    let attempt = Task { await write(records) }
    // Half of it: a record that comes meanwhile waits for this and for the next flush.
    if let outcome = await firstWithin(flushInterval / 2, { await attempt.value }) {
      guard !settled(outcome) else { return }
      await keep(records)
    } else if let end = await spooled(records) {
      pending = (attempt, end)
    } else if !settled(await attempt.value) {
      putBack(records)
    }
  }

  private func keep(_ records: [UsageRecord]) async {
    if await spooled(records) == nil { putBack(records) }
  }

  /// Nil where there is no spool, or it does not take them.
  private func spooled(_ records: [UsageRecord]) async -> Spool.Position? {
    guard let spool else { return nil }
    do throws(SpoolFault) {
      let (dropped, end) = try await spool.append(records)
      tally.spooled(records.count - dropped)
      if dropped > 0 { tally.dropped(dropped, because: "the spool is full") }
      return end
    } catch {
      tally.complain(of: error)
      return nil
    }
  }

  private func putBack(_ records: [UsageRecord]) {
    let dropped = inbox.withLock { inbox in records.reduce(0) { $0 + (inbox.add($1) ? 0 : 1) } }
    if dropped > 0 { tally.dropped(dropped, because: "too many records wait in memory") }
  }

  // MARK: Out

  /// Writes the oldest batch of the spool.
  ///
  /// - Returns: whether it is worth while to go on at once.
  func drain() async -> Bool {
    guard let spool, !isWritingDirectly, nextTry.map({ Instant.now >= $0 }) ?? true, !Task.isCancelled else {
      return false
    }
    if let pending {
      let isWritten = settled(await pending.attempt.value)
      if isWritten { await spool.discard(through: pending.end) }
      self.pending = nil
      return isWritten
    }
    do throws(SpoolFault) {
      let (batch, unreadable) = try await spool.next(most: sink.mostRecords)
      if unreadable > 0 { tally.dropped(unreadable, because: "the spool is damaged") }
      guard let batch else { return false }
      guard settled(await write(batch.records)) else { return false }
      await spool.discard(through: batch.end)
      return true
    } catch {
      tally.complain(of: error)
      return false
    }
  }

  /// Takes note of how a write went: whether it is done.
  private func settled(_ outcome: Outcome) -> Bool {
    switch outcome {
    case .written:
      backoff.reset()
      nextTry = nil
      if isAway { logger.notice("takes usage again", metadata: ["ledger": "\(name)"]) }
      isAway = false
      return true
    case .unavailable(let cause, let retryAfter):
      nextTry = Instant.now.advanced(by: max(backoff.next(), retryAfter ?? .zero))
      if !isAway {
        let place = spool == nil ? "in memory" : "on disk"
        logger.warning("takes no usage now; it is kept \(place)", metadata: ["ledger": "\(name)", "cause": "\(cause)"])
      }
      isAway = true
      return false
    }
  }

  /// In pieces that the sink takes, in order. Of records that it rejects, each half is tried, until the one is found that
  /// it is about: that one is dropped.
  private func write(_ records: [UsageRecord]) async -> Outcome {
    var rest = records[...]
    while !rest.isEmpty {
      let piece = Array(rest.prefix(sink.mostRecords))
      rest = rest.dropFirst(piece.count)
      do throws(SinkFault) {
        try await sink.write(piece, within: Self.writeLimit)
        tally.written(piece.count)
      } catch {
        switch error {
        case .unavailable(let cause, let retryAfter):
          return .unavailable(cause, retryAfter: retryAfter)
        case .rejected(let cause) where piece.count == 1:
          tally.dropped(1, because: cause)
        case .rejected:
          let middle = piece.count / 2
          for half in [piece[..<middle], piece[middle...]] {
            let outcome = await write(Array(half))
            guard case .written = outcome else { return outcome }
          }
        }
      }
    }
    return .written
  }
}
