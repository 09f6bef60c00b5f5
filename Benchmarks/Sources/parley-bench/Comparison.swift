import Foundation

/// What `parley-bench load` is to do, as its JSON file says it. All of it is repeated in the report.
struct Plan: Codable {
  /// A proxy whose CPU time is measured: the time of `process` and its children.
  struct Target: Codable {
    let name: String
    let port: UInt16
    let process: Int32
  }

  /// A proxy whose allocations are counted: it keeps its counters in the file `counters`.
  struct Counted: Codable {
    let name: String
    let port: UInt16
    let counters: String
  }

  let machine: String
  let pinning: String
  let path: String
  let chunks: [Int]
  let sessions: [Int]
  let rounds: Int
  let secondsPerRound: Double
  let countedRoundTrips: Int
  let targets: [Target]
  let counted: [Counted]
  /// The ratios' denominator: the name of a target.
  let reference: String
  let report: String

  init(file: String) throws {
    self = try JSONDecoder().decode(Plan.self, from: Data(contentsOf: URL(filePath: file)))
    guard chunks.allSatisfy(Chunk.isPossible), sessions.allSatisfy({ $0 > 0 }), rounds > 0 else {
      throw BenchFault("\(file): chunks are 12 to 48,000 bytes and multiples of 6; sessions and rounds at least 1")
    }
  }
}

/// What the clients do at one time: that many sessions, each with one chunk of so much PCM in flight.
struct Load: Codable {
  let chunkBytes: Int
  let sessions: Int
}

/// `parley-bench load`: all targets, chunk sizes and session counts, round by round.
struct Comparison {
  let plan: Plan

  func run() throws {
    var report = Report(plan: plan, date: Date.now.formatted(.iso8601))
    for load in plan.chunks.flatMap({ chunk in plan.sessions.map { Load(chunkBytes: chunk, sessions: $0) } }) {
      report.series += try compare(load)
      for target in plan.counted { report.allocations.append(try count(target, load)) }
    }
    say("\n\(report.table)\n")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(report).write(to: URL(filePath: plan.report))
    for run in report.allocations where run.perFrame > Report.allocationLimit {
      throw BenchFault("\(run.target) allocates \(run.perFrame) times per frame: \(run.calls)")
    }
  }

  /// All rounds of one size, target after target within each round.
  private func compare(_ load: Load) throws(BenchFault) -> [Report.Series] {
    var all = plan.targets.map { Report.Series(target: $0.name, load: load) }
    for round in 1...plan.rounds {
      for (index, target) in plan.targets.enumerated() { all[index].rounds.append(try measure(target, load)) }
      let figures = all.map { "\($0.target) \(Int(($0.rounds.last?.cpuPerFrame ?? 0).rounded())) ns" }
      say("\(load.chunkBytes) bytes, \(load.sessions) sessions, round \(round): \(figures.joined(separator: "; "))")
    }
    let reference = all.first { $0.target == plan.reference }?.rounds
    for index in all.indices { all[index].sumUp(against: reference) }
    return all
  }

  private func measure(_ target: Plan.Target, _ load: Load) throws(BenchFault) -> Report.Round {
    var clients = try Clients(of: target.name, port: target.port, path: plan.path, load)
    _ = try clients.run(for: .nanoseconds(300_000_000))
    let before = try ProcessTime.nanoseconds(of: target.process)
    let latencies = try clients.run(for: .nanoseconds(UInt64(plan.secondsPerRound * 1e9))).sorted()
    let cpu = try ProcessTime.nanoseconds(of: target.process) &- before
    try clients.finish()
    guard cpu > 0 else { throw BenchFault("\(target.name): process \(target.process) used no CPU") }
    return Report.Round(
      frames: latencies.count * 2, cpuPerFrame: Double(cpu) / Double(latencies.count * 2),
      latencyP50: latencies[latencies.count / 2], latencyP99: latencies[latencies.count * 99 / 100],
      otherMessages: clients.otherMessages)
  }

  private func count(_ target: Plan.Counted, _ load: Load) throws(BenchFault) -> Report.Allocations {
    let counters = AllocationCounters(path: target.counters)
    let idle = try counters.read()
    var clients = try Clients(of: target.name, port: target.port, path: plan.path, load)
    _ = try clients.run(for: .roundTrips(2_000))
    let before = try counters.read()
    // No proxy sets a session up without allocating: a still counter is a dead one.
    guard before != idle else { throw BenchFault("\(target.name): the counters stand still; nothing is counted") }
    let frames = try clients.run(for: .roundTrips(plan.countedRoundTrips)).count * 2
    let calls = zip(try counters.read(), before).map { $0 &- $1 }
    try clients.finish()
    return Report.Allocations(
      target: target.name, load: load, frames: frames,
      calls: Dictionary(uniqueKeysWithValues: zip(AllocationCounters.names, calls)))
  }
}
