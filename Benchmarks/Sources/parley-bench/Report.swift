import Foundation

/// Everything that a run found: the JSON for machines, `table` for people. Times are nanoseconds.
struct Report: Codable {
  struct Round: Codable {
    let frames: Int
    let cpuPerFrame: Double
    let latencyP50: UInt64
    let latencyP99: UInt64
    /// Messages from the proxy that were no audio, set-up and warm-up included.
    let otherMessages: Int
  }

  struct Series: Codable {
    let target: String
    let load: Load
    var rounds: [Round] = []
    /// The median over the rounds.
    var cpuPerFrame = 0.0
    /// The median over the rounds of the CPU time against the reference's in the same round, so that what slows the
    /// machine for a while slows both sides of a quotient. Nil without a reference.
    var ratio: Double?

    mutating func sumUp(against reference: [Round]?) {
      cpuPerFrame = median(rounds.map(\.cpuPerFrame))
      ratio = reference.map { median(zip(rounds, $0).map { $0.cpuPerFrame / $1.cpuPerFrame }) }
    }
  }

  struct Allocations: Codable {
    let target: String
    let load: Load
    let frames: Int
    /// Allocation calls during those frames, by the name of the call.
    let calls: [String: UInt64]

    var total: UInt64 { calls.values.reduce(0, +) }
    var perFrame: Double { Double(total) / Double(frames) }
  }

  let plan: Plan
  let date: String
  var series: [Series] = []
  var allocations: [Allocations] = []

  /// The most allocation calls per audio frame that pass. The steady state has none; a timer or a log line may fall in.
  static let allocationLimit = 0.01

  var table: String {
    var lines = [
      "\(date), \(plan.machine); \(plan.pinning).",
      "\(plan.rounds) rounds of \(plan.secondsPerRound) s each, interleaved; medians (CPU: lowest–highest).", "",
      "| chunk (PCM bytes) | sessions | proxy | CPU us/frame | ratio to \(plan.reference) | p50 us | p99 us |",
      "|---|---|---|---|---|---|---|",
    ]
    for series in series {
      let cpu = series.rounds.map(\.cpuPerFrame)
      lines.append(
        "| \(series.load.chunkBytes) | \(series.load.sessions) | \(series.target) | \(us(series.cpuPerFrame, 2)) "
          + "(\(us(cpu.min() ?? 0, 2))–\(us(cpu.max() ?? 0, 2))) "
          + "| \(series.ratio.map { String(format: "%.2f", $0) } ?? "-") "
          + "| \(us(median(series.rounds.map { Double($0.latencyP50) }), 1)) "
          + "| \(us(median(series.rounds.map { Double($0.latencyP99) }), 1)) |")
    }
    lines += [
      "", "| chunk (PCM bytes) | sessions | proxy | frames | allocations | per frame |", "|---|---|---|---|---|---|",
    ]
    for run in allocations {
      let perFrame = String(format: "%.4f", run.perFrame)
      lines.append(
        "| \(run.load.chunkBytes) | \(run.load.sessions) | \(run.target) | \(run.frames) | \(run.total) | \(perFrame) |"
      )
    }
    return lines.joined(separator: "\n")
  }

  private func us(_ nanoseconds: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", nanoseconds / 1_000)
  }
}

/// The middle value; of an even count the mean of the middle two. There must be one.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
