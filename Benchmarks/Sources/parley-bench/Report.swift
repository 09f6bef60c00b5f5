import Foundation

/// Everything that a run found: the JSON for machines, `tables` for people. Times are nanoseconds.
struct Report: Codable {
  struct Round: Codable {
    let frames: Int
    /// Nil where no process was measured.
    let cpuPerFrame: Double?
    /// Clock ticks of the process outside and inside the kernel.
    let userTicks: UInt64
    let systemTicks: UInt64
    let latencyP50: UInt64
    let latencyP99: UInt64
    /// The share of frames that were sent when they were due.
    let sentOnTime: Double
    /// Messages from the proxy that were no audio, set-up and warm-up included.
    let otherMessages: Int

    init(_ traffic: Clients.Traffic, _ time: ProcessTime?, burst: Int, otherMessages: Int) {
      let sorted = traffic.latencies.sorted()
      frames = sorted.count * 2
      cpuPerFrame = time.map { Double($0.onCPU) / Double(sorted.count * 2) }
      userTicks = time?.user ?? 0
      systemTicks = time?.system ?? 0
      latencyP50 = sorted[sorted.count / 2]
      latencyP99 = sorted[sorted.count * 99 / 100]
      sentOnTime = Double(sorted.count) / Double(sorted.count + traffic.skipped * burst)
      self.otherMessages = otherMessages
    }
  }

  /// One target under one load. Ratios and differences are medians over the rounds of what each round's own figures
  /// give, so that what slows the machine for a while slows both sides.
  struct Traffic: Codable {
    let target: String
    let load: Load
    var rounds: [Round] = []
    var cpuPerFrame: Double?
    /// To the reference's CPU time.
    var ratio: Double?
    /// The kernel's share of the CPU time, all rounds together.
    var kernelShare: Double?
    var latencyP50 = 0.0
    var latencyP99 = 0.0
    /// Beyond the latency without a proxy.
    var addedP50: Double?
    var addedP99: Double?
    /// Of the added p50 to the reference's.
    var addedRatio: Double?

    init(target: String, load: Load) {
      self.target = target
      self.load = load
    }

    mutating func sumUp(reference: [Round]?, direct: [Round]?) {
      let cpu = rounds.compactMap(\.cpuPerFrame)
      latencyP50 = median(rounds.map { Double($0.latencyP50) })
      latencyP99 = median(rounds.map { Double($0.latencyP99) })
      guard !cpu.isEmpty else { return }
      cpuPerFrame = median(cpu)
      let (user, system) = rounds.reduce((0, 0)) { ($0.0 + $1.userTicks, $0.1 + $1.systemTicks) }
      if user + system > 0 { kernelShare = Double(system) / Double(user + system) }
      if let reference { ratio = median(zip(cpu, reference.compactMap(\.cpuPerFrame)).map { $0 / $1 }) }
      guard let direct else { return }
      func added(_ rounds: [Round], _ latency: (Round) -> UInt64) -> [Double] {
        zip(rounds, direct).map { Double(latency($0)) - Double(latency($1)) }
      }
      addedP50 = median(added(rounds, \.latencyP50))
      addedP99 = median(added(rounds, \.latencyP99))
      if let reference, let addedP50 {
        addedRatio = addedP50 / median(added(reference, \.latencyP50))
      }
    }
  }

  struct SetUp: Codable {
    let target: String
    let sessions: Int
    /// CPU time per session, round by round.
    var rounds: [Double] = []
    var cpuPerSession = 0.0
    var ratio: Double?

    init(target: String, sessions: Int) {
      self.target = target
      self.sessions = sessions
    }

    mutating func sumUp(reference: [Double]?) {
      cpuPerSession = median(rounds)
      ratio = reference.map { median(zip(rounds, $0).map { $0 / $1 }) }
    }
  }

  struct Memory: Codable {
    let target: String
    let sessions: Int
    /// Resident bytes per session before the first frame.
    let idle: Double
    /// With all sessions open, after one frame each way in each.
    var afterFrames: Double?
  }

  struct Calls: Codable {
    let target: String
    let load: Load
    let frames: Int
    /// Calls during those frames, by name.
    let calls: [String: UInt64]

    var total: UInt64 { calls.values.reduce(0, +) }
    var perFrame: Double { Double(total) / Double(frames) }
  }

  let plan: Plan
  let date: String
  var traffic: [Traffic] = []
  var setUps: [SetUp] = []
  var memory: [Memory] = []
  var systemCalls: [Calls] = []
  var allocations: [Calls] = []

  /// The most allocation calls per audio frame that pass. The steady state has none; a timer or a log line may fall in.
  static let allocationLimit = 0.01

  init(plan: Plan, date: String) {
    self.plan = plan
    self.date = date
  }
}

/// The middle value; of an even count the mean of the middle two. There must be one.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
