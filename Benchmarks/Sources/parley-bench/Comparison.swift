import Foundation

/// `parley-bench load`: everything that the plan asks for, target after target within each round.
struct Comparison {
  let plan: Plan

  func run() throws {
    var report = Report(plan: plan, date: Date.now.formatted(.iso8601))
    for part in plan.traffic { report.traffic += try compare(part) }
    if let part = plan.setUp { report.setUps = try setUp(part) }
    for part in plan.memory ?? [] {
      for name in part.targets { report.memory += try memory(plan.target(name), part.sessions) }
    }
    if let part = plan.systemCalls { report.systemCalls = try count(part, of: SystemCalls.init) }
    if let part = plan.allocations { report.allocations = try count(part, of: Allocations.init) }
    say("\n\(report.tables)\n")
    try (report.tables + "\n").write(toFile: plan.tables, atomically: true, encoding: .utf8)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(report).write(to: URL(filePath: plan.report))
    for run in report.allocations where run.perFrame > Report.allocationLimit {
      throw BenchFault("\(run.target) allocates \(run.perFrame) times per frame: \(run.calls)")
    }
  }

  // MARK: CPU and latency

  private func compare(_ part: Plan.Traffic) throws(BenchFault) -> [Report.Traffic] {
    var all: [Report.Traffic] = []
    for name in part.targets { all.append(Report.Traffic(target: name, load: part.load)) }
    for round in 1...part.rounds {
      for index in all.indices {
        all[index].rounds.append(try measure(plan.target(all[index].target), part))
      }
      let figures = all.map { series in
        let last = series.rounds.last
        return "\(series.target) \(last?.cpuPerFrame.map { String(Int($0)) } ?? "-")/\((last?.latencyP50 ?? 0) / 1_000)"
      }
      say("\(part.load.title), round \(round), CPU ns per frame / p50 us: \(figures.joined(separator: "; "))")
    }
    let reference = all.first { $0.target == plan.reference }?.rounds
    let direct = all.first { $0.target == plan.direct }?.rounds
    for index in all.indices { all[index].sumUp(reference: reference, direct: direct) }
    return all
  }

  private func measure(_ target: Plan.Target, _ part: Plan.Traffic) throws(BenchFault) -> Report.Round {
    var clients = try Clients(of: target, part.load)
    _ = try clients.run(for: .nanoseconds(300_000_000))
    let before = try target.process.map(ProcessTime.init)
    let traffic = try clients.run(for: .nanoseconds(UInt64(part.seconds * 1e9)))
    let time = try target.process.map(ProcessTime.init).flatMap { after in before.map { after.since($0) } }
    try clients.finish()
    if let time, time.onCPU == 0 { throw BenchFault("\(target.name) used no CPU") }
    return Report.Round(traffic, time, burst: part.load.burst, otherMessages: clients.otherMessages)
  }

  // MARK: Sessions that come and go

  private func setUp(_ part: Plan.SetUp) throws(BenchFault) -> [Report.SetUp] {
    var all = part.targets.map { Report.SetUp(target: $0, sessions: part.sessions) }
    for round in 1...part.rounds {
      for index in all.indices {
        let target = try plan.target(all[index].target)
        guard let process = target.process else { throw BenchFault("\(target.name) has no process to measure") }
        let before = try ProcessTime(process)
        for _ in 0..<part.sessions { try carryOne(target) }
        // What follows a session's end comes after it.
        usleep(200_000)
        all[index].rounds.append(Double(try ProcessTime(process).since(before).onCPU) / Double(part.sessions))
      }
      let figures = all.map { "\($0.target) \(Int($0.rounds.last ?? 0) / 1_000)" }
      say("set-up, round \(round), CPU us per session: \(figures.joined(separator: "; "))")
    }
    let reference = all.first { $0.target == plan.reference }?.rounds
    for index in all.indices { all[index].sumUp(reference: reference) }
    return all
  }

  private func carryOne(_ target: Plan.Target) throws(BenchFault) {
    var clients = try Clients(of: target, Load(chunkBytes: 960, sessions: 1))
    _ = try clients.run(for: .roundTrips(1))
    try clients.finish()
  }

  /// The process must be new: memory that sessions have given back would hide what new ones take.
  private func memory(_ target: Plan.Target, _ steps: [Int]) throws(BenchFault) -> [Report.Memory] {
    guard let process = target.process else { throw BenchFault("\(target.name) has no process to measure") }
    // What only the first sessions of a process make.
    for _ in 0..<20 { try carryOne(target) }
    try awaitSetUp(0)
    let base = try ResidentMemory.bytes(of: process)
    var all: [Report.Memory] = []
    var open: [Clients] = []
    var count = 0
    for step in steps {
      open.append(try Clients(of: target, Load(chunkBytes: 960, sessions: step - count)))
      count = step
      try awaitSetUp(count)
      let grown = try ResidentMemory.bytes(of: process) - base
      all.append(Report.Memory(target: target.name, sessions: count, idle: Double(grown) / Double(count)))
      say("\(target.name), \(count) sessions: \(grown / count) bytes each")
    }
    // Only now: a session that has carried audio is not as an idle one.
    for index in open.indices { _ = try open[index].run(for: .roundTrips(1)) }
    all[all.count - 1].afterFrames = Double(try ResidentMemory.bytes(of: process) - base) / Double(count)
    for index in open.indices { try open[index].finish() }
    try awaitSetUp(0)
    return all
  }

  /// Waits until the upstream has so many connections set up, and half a second more for what follows.
  private func awaitSetUp(_ count: Int) throws(BenchFault) {
    for _ in 0..<600 {
      if try Upstream.setUpCount(statusPort: plan.statusPort) == count {
        usleep(500_000)
        return
      }
      usleep(50_000)
    }
    throw BenchFault("not \(count) connections are set up after 30 s")
  }

  // MARK: Calls

  /// Counts calls while the sessions of each load and target make their round trips.
  private func count<Counter: CallCounter>(
    _ part: Plan.Counting, of counter: (Plan.Target) throws(BenchFault) -> Counter
  ) throws(BenchFault) -> [Report.Calls] {
    var all: [Report.Calls] = []
    for load in part.loads {
      for name in part.targets {
        let target = try plan.target(name)
        var clients = try Clients(of: target, load)
        var counter = try counter(target)
        _ = try clients.run(for: .roundTrips(2_000))
        try counter.start()
        let frames = try clients.run(for: .roundTrips(part.roundTrips)).latencies.count * 2
        let calls = try counter.stop()
        try clients.finish()
        all.append(Report.Calls(target: name, load: load, frames: frames, calls: calls))
      }
    }
    return all
  }
}
