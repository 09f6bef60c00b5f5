import ParleyTesting
import Foundation
import Logging
import Metering
import Synchronization
import Testing

@testable import Ledger

/// A sink that fails as a script says, and remembers what it took.
final class ScriptedSink: RecordSink {
  enum Step: Sendable { case take, refuse, slow, hang, reject(String) }

  private let state = Mutex((taken: [UsageRecord](), calls: 0))
  let mostRecords: Int
  private let isReleased = Atomic<Bool>(false)
  private let step: @Sendable (_ call: Int, [UsageRecord]) -> Step

  init(mostRecords: Int = 10, _ step: @escaping @Sendable (Int, [UsageRecord]) -> Step) {
    self.mostRecords = mostRecords
    self.step = step
  }

  /// Those that hang go on.
  func release() { isReleased.store(true, ordering: .relaxed) }

  var taken: [UsageRecord] { state.withLock { $0.taken } }
  var calls: Int { state.withLock { $0.calls } }

  func write(_ records: [UsageRecord], within limit: Duration) async throws(SinkFault) {
    let call = state.withLock { state in
      state.calls += 1
      return state.calls
    }
    #expect(records.count <= mostRecords)
    switch step(call, records) {
    case .take: break
    case .refuse: throw .unavailable("as the script says")
    case .slow:
      // Longer than a flush's time.
      try? await Task.sleep(for: .milliseconds(60))
    case .hang:
      while !isReleased.load(ordering: .relaxed) { try? await Task.sleep(for: .milliseconds(5)) }
    case .reject(let id): if records.contains(where: { $0.id == id }) { throw .rejected("poison") }
    }
    state.withLock { $0.taken += records }
  }
}

@Suite struct SinkLaneTests {
  let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private func lane(
    _ sink: any RecordSink, _ selection: SinkLane.Selection = .all, spooled: Bool = true, limit: Int = 1 << 26,
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  ) throws -> SinkLane {
    SinkLane(
      name: "test", selection: selection, sink: sink,
      spool: spooled ? try SpoolKeeper(path: scratch.path + "/spool", instance: "i", limit: limit) : nil,
      flushInterval: .milliseconds(20), backoff: Backoff(first: .milliseconds(1), most: .milliseconds(2)),
      logger: logger)
  }

  private func settle(_ lane: SinkLane, until isDone: () -> Bool) async throws {
    let begin = ContinuousClock.now
    while !isDone(), begin.duration(to: .now) < .seconds(20) { try await Task.sleep(for: .milliseconds(5)) }
    await lane.finish(within: .seconds(20))
  }

  @Test("order is kept over any pattern of failures, and nothing is lost", arguments: 0..<8)
  func order(_ seed: Int) async throws {
    let random = Mutex(SplitMix64(seed: UInt64(seed)))
    let sink = ScriptedSink { _, _ in
      random.withLock { random in
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: .refuse
        case 4: .slow
        default: .take
        }
      }
    }
    let lane = try lane(sink)
    await lane.start()
    let last = 60
    for sequence in 1...last {
      for session in 0..<5 {
        lane.note(
          Records.make(
            "s\(session)", sequence: sequence, state: sequence == last ? .ended : .live, seconds: Double(sequence)))
      }
      if sequence % 3 == 0 { try await Task.sleep(for: .milliseconds(4)) }
    }
    try await settle(lane) { sink.taken.filter { $0.state == .ended }.count >= 5 }
    for session in 0..<5 {
      let sequences = sink.taken.filter { $0.id == "s\(session)" }.map(\.sequence)
      #expect(sequences.last == last)
      // Some may be told twice, after a failure in the middle of a batch; none comes before an older one.
      #expect(sequences == sequences.sorted())
    }
  }

  @Test("what came before the end is on disk, also where the sink hangs and the spool is being drained into it")
  func finishWhileHanging() async throws {
    let isHanging = Atomic<Bool>(false)
    let sink = ScriptedSink { _, _ in isHanging.load(ordering: .relaxed) ? .hang : .refuse }
    let lane = try lane(sink)
    lane.note(Records.make("before"))
    await lane.flush()
    isHanging.store(true, ordering: .relaxed)
    await lane.start()
    let begin = ContinuousClock.now
    let calls = sink.calls
    while sink.calls == calls, begin.duration(to: .now) < .seconds(20) { try await Task.sleep(for: .milliseconds(2)) }
    #expect(sink.calls > calls, "the spool is being drained")
    lane.note(Records.make("last", state: .ended))
    await lane.finish(within: .seconds(1))
    #expect(lane.waiting == 0)
    let spooled = try FileManager.default.subpathsOfDirectory(atPath: scratch.path).filter { $0.hasSuffix(".jsonl") }
      .compactMap { try? String(contentsOfFile: scratch.path + "/" + $0, encoding: .utf8) }.joined()
    #expect(spooled.contains("\"before\"") && spooled.contains("\"last\""))
    sink.release()
  }

  @Test("flushes that are asked for at once write each record, in order, whatever becomes of each")
  func flushesAtOnce() async throws {
    let sink = ScriptedSink { call, _ in call == 1 ? .slow : call.isMultiple(of: 3) ? .refuse : .take }
    let lane = try lane(sink)
    for number in 0..<20 {
      lane.note(Records.make("s\(number)"))
      async let first: Void = lane.flush()
      async let second: Void = lane.flush()
      _ = await (first, second)
    }
    await lane.start()
    try await settle(lane) { Set(sink.taken.map(\.id)).count >= 20 }
    #expect(Set(sink.taken.map(\.id)).count == 20)
  }

  @Test("one poison record costs one record", arguments: [0, 1, 7, 24])
  func poison(_ index: Int) async throws {
    let sink = ScriptedSink { _, _ in .reject("s\(index)") }
    let lane = try lane(sink)
    for number in 0..<25 { lane.note(Records.make("s\(number)")) }
    await lane.flush()
    #expect(sink.taken.map(\.id) == (0..<25).filter { $0 != index }.map { "s\($0)" })
    #expect(lane.waiting == 0)
  }

  @Test("a poison record in the spool costs one record, and the others pass")
  func spooledPoison() async throws {
    let sink = ScriptedSink { call, _ in call < 3 ? .refuse : .reject("s11") }
    let lane = try lane(sink)
    for number in 0..<25 { lane.note(Records.make("s\(number)")) }
    await lane.flush()
    await lane.start()
    try await settle(lane) { sink.taken.count >= 24 }
    #expect(sink.taken.map(\.id) == (0..<25).filter { $0 != 11 }.map { "s\($0)" })
  }

  @Test("lines of the spool that somebody has damaged are lost, and said to be")
  func damagedSpool() async throws {
    let sink = ScriptedSink { call, _ in call == 1 ? .refuse : .take }
    let lines = LogLines()
    let lane = try lane(sink, logger: lines.logger)
    for number in 0..<3 { lane.note(Records.make("s\(number)")) }
    await lane.flush()
    let files = try FileManager.default.subpathsOfDirectory(atPath: scratch.path).filter { $0.hasSuffix(".jsonl") }
    let file = "\(scratch.path)/\(files[0])"
    var texts = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map(String.init)
    texts[1] = "nonsense"
    try (texts.joined(separator: "\n") + "\n").write(toFile: file, atomically: false, encoding: .utf8)
    await lane.start()
    try await settle(lane) { sink.taken.count >= 2 }
    #expect(sink.taken.map(\.id) == ["s0", "s2"])
    #expect(lines.text.contains("the spool is damaged"))
  }

  @Test("what a sink has not answered within a flush is on disk already, and is not told again when it answers")
  func slowSink() async throws {
    let sink = ScriptedSink { _, _ in .hang }
    let lane = try lane(sink)
    for number in 0..<5 { lane.note(Records.make("s\(number)")) }
    await lane.flush()
    #expect(sink.calls == 1 && sink.taken.isEmpty)
    // A second process would find them.
    let files = try FileManager.default.subpathsOfDirectory(atPath: scratch.path).filter { $0.hasSuffix(".jsonl") }
    #expect(files.count == 1)
    #expect(
      try String(contentsOfFile: "\(scratch.path)/\(files[0])", encoding: .utf8).split(separator: "\n").count == 5)
    sink.release()
    await lane.finish(within: .seconds(20))
    #expect(sink.taken.map(\.id) == (0..<5).map { "s\($0)" })
    #expect(sink.calls == 1)
    let left = try FileManager.default.subpathsOfDirectory(atPath: scratch.path).filter { $0.hasSuffix(".jsonl") }
    #expect(left.isEmpty)
  }

  @Test("what one process could not write another one does")
  func restart() async throws {
    do {
      let lane = try lane(ScriptedSink { _, _ in .refuse })
      for number in 0..<30 { lane.note(Records.make("s\(number)")) }
      await lane.finish(within: .seconds(5))
    }
    let sink = ScriptedSink { _, _ in .take }
    let lane = SinkLane(
      name: "test", sink: sink,
      spool: try SpoolKeeper(path: scratch.path + "/spool", instance: "another", limit: 1 << 26),
      flushInterval: .milliseconds(20), adoptInterval: .milliseconds(50),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    await lane.start()
    try await settle(lane) { sink.taken.count >= 30 }
    #expect(sink.taken.map(\.id) == (0..<30).map { "s\($0)" })
  }

  @Test("without a spool records wait in memory, the newest of each session")
  func noSpool() async throws {
    let sink = ScriptedSink { call, _ in call < 4 ? .refuse : .take }
    let lane = try lane(sink, spooled: false)
    await lane.start()
    for sequence in 1...50 {
      lane.note(Records.make("s", sequence: sequence, state: sequence == 50 ? .ended : .live))
      try await Task.sleep(for: .milliseconds(2))
    }
    try await settle(lane) { sink.taken.last?.sequence == 50 }
    #expect(sink.taken.last?.sequence == 50)
    #expect(sink.taken.map(\.sequence) == sink.taken.map(\.sequence).sorted())
  }

  @Test("a full spool drops, and says how many")
  func fullSpool() async throws {
    let lines = LogLines()
    let lane = try lane(ScriptedSink { _, _ in .refuse }, limit: 200_000, logger: lines.logger)
    for number in 0..<2_000 {
      lane.note(Records.make("s\(number)"))
      if number % 100 == 0 { await lane.flush() }
    }
    await lane.finish(within: .seconds(5))
    #expect(lines.text.contains("usage records are lost"))
    #expect(lines.text.contains("the spool is full"))
  }

  @Test("a lane for ended sessions is told of those only")
  func selection() async throws {
    let sink = ScriptedSink { _, _ in .take }
    let lane = try lane(sink, .ended)
    lane.note(Records.make("a", state: .live))
    lane.note(Records.make("b", state: .ended))
    await lane.flush()
    #expect(sink.taken.map(\.id) == ["b"])
  }

  @Test("nothing blocks: notes without end while the sink hangs keep memory bounded")
  func flood() async throws {
    let sink = ScriptedSink { _, _ in .refuse }
    let lines = LogLines()
    let lane = try lane(sink, spooled: false, logger: lines.logger)
    let books = UsageBooks(lanes: [lane], close: {})
    let records = (0..<12_000).map { Records.make("s\($0)") }
    for _ in 0..<10 { for record in records { books.note(record) } }
    #expect(lane.waiting == UsageInbox.mostEnded)
    await lane.finish(within: .milliseconds(100))
    #expect(lines.text.contains("too many records wait in memory"))
  }

  @Test("waits grow twofold to their bound, and are spread")
  func backoff() {
    var random = SplitMix64(seed: 12)
    var backoff = Backoff(first: .milliseconds(500), most: .seconds(60))
    for attempt in 0..<100 {
      let longest = min(Duration.seconds(60), .milliseconds(500) * (1 << min(attempt, 20)))
      let wait = backoff.next(using: &random)
      #expect(wait >= longest * 0.1 && wait <= longest)
    }
    backoff.reset()
    #expect(backoff.next(using: &random) <= .milliseconds(500))
  }
}
