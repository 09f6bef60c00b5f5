import Foundation

/// What the trials show, and what is wrong with it.
struct Verdict {
  /// Of memory that three slow clients may cost: each may have 256 KiB and a message waiting, and the allocator keeps some.
  static let mostGrowthKiB = 8 * 1_024
  /// That may come after an interruption: what the channel had (32 KiB and a message), what the system had taken (16 KiB
  /// unsent and a window), and what was in the link.
  static let mostLateBytes = 96 * 1_024

  var quiet: [Trial.Outcome]
  var loaded: [Trial.Outcome]
  var healthyCount: Int
  var mostGrowth: Double

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
  }

  /// Of a second: the median of all seconds.
  private static func p99(_ outcomes: [Trial.Outcome]) -> Double {
    median(outcomes.flatMap(\.p99OfSeconds))
  }

  private var ratio: Double {
    Self.p99(loaded) / max(Self.p99(quiet), 1)
  }

  private var memoryGrowthKiB: Int {
    (loaded.map(\.residentKiB).max() ?? 0) - (quiet.map(\.residentKiB).max() ?? 0)
  }

  var faults: [String] {
    var faults: [String] = []
    for outcome in quiet + loaded {
      if outcome.damaged > 0 { faults.append("\(outcome.damaged) chunks were lost, doubled or changed") }
      if outcome.whole != healthyCount { faults.append("\(healthyCount - outcome.whole) healthy calls were not whole") }
      if outcome.chunks == 0 { faults.append("nothing was measured") }
    }
    for slow in loaded.flatMap(\.slow) where !slow.isSound(mostLateBytes: Self.mostLateBytes) {
      faults.append("the client that \(slow.name): \(slow)")
    }
    if memoryGrowthKiB > Self.mostGrowthKiB { faults.append("memory grew by \(memoryGrowthKiB) KiB") }
    if mostGrowth > 0, ratio > mostGrowth {
      faults.append("the 99th percentile grew by the factor \(String(format: "%.2f", ratio))")
    }
    return faults
  }

  var table: String {
    var lines = [
      "| healthy calls: \(healthyCount) | alone | beside the slow ones |", "|---|---|---|",
      row("median latency of a chunk, µs") { "\(Int(Self.median($0.map(\.p50))))" },
      row("99th percentile of a second, µs (median of all seconds)") { "\(Int(Self.p99($0)))" },
      row("99th percentile of each trial as a whole, µs") { $0.map { "\(Int($0.p99))" }.joined(separator: ", ") },
      row("chunks measured") { "\($0.reduce(0) { $0 + $1.chunks })" },
      row("chunks lost, doubled or changed") { "\($0.reduce(0) { $0 + $1.damaged })" },
      row("calls whole to their end") { outcomes in
        "\(outcomes.reduce(0) { $0 + $1.whole }) of \(outcomes.count * healthyCount)"
      },
      row("resident memory at most, MiB") {
        String(format: "%.1f", Double($0.map(\.residentKiB).max() ?? 0) / 1_024)
      },
      "",
      "The ratio of the 99th percentiles is \(String(format: "%.2f", ratio)); the slow clients cost "
        + "\(String(format: "%.1f", Double(memoryGrowthKiB) / 1_024)) MiB (bound: \(Self.mostGrowthKiB / 1_024) MiB).",
      "", "| the client that | cancel heard after, ms | bytes after its cancel | response.done | close |",
      "|---|---|---|---|---|",
    ]
    for slow in loaded.flatMap(\.slow) {
      let heard = slow.cancelHeardMilliseconds.map { String(format: "%.1f", $0) } ?? "never"
      lines.append(
        "| \(slow.name) | \(heard) | \(slow.lateBytes) | \(slow.doneCount) × \(slow.doneStatus ?? "none") | "
          + "\(slow.close.map(String.init) ?? "none") |")
    }
    return lines.joined(separator: "\n")
  }

  private func row(_ name: String, _ value: ([Trial.Outcome]) -> String) -> String {
    "| \(name) | \(value(quiet)) | \(value(loaded)) |"
  }
}
