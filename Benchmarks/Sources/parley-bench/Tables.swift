import Foundation

extension Report {
  /// The report in Markdown.
  var tables: String {
    var lines = ["\(date), \(plan.machine); \(plan.pinning)."] + plan.remarks
    for part in [trafficLines, setUpLines, memoryLines, systemCallLines, allocationLines] where !part.isEmpty {
      lines += [""] + part
    }
    return lines.joined(separator: "\n")
  }

  private var trafficLines: [String] {
    guard !traffic.isEmpty else { return [] }
    let heads = [
      "load", "proxy", "CPU us/frame", "x \(plan.reference)", "kernel", "p50 us", "p99 us", "added p50",
      "x \(plan.reference)", "added p99",
    ]
    return table(heads) {
      traffic.map { series in
        let cpu = series.rounds.compactMap(\.cpuPerFrame)
        let range = cpu.min().flatMap { low in cpu.max().map { "(\(us(low, 2))–\(us($0, 2)))" } }
        let onTime = median(series.rounds.map(\.sentOnTime))
        let load = onTime < 0.999 ? "\(series.load.title) (\(percent(onTime)) sent)" : series.load.title
        let isProxied = series.target != plan.direct
        return [
          load, series.target, series.cpuPerFrame.map { "\(us($0, 2)) \(range ?? "")" }, series.ratio.map(factor),
          series.kernelShare.map(percent), us(series.latencyP50, 0), us(series.latencyP99, 0),
          isProxied ? series.addedP50.map { us($0, 0) } : nil, isProxied ? series.addedRatio.map(factor) : nil,
          isProxied ? series.addedP99.map { us($0, 0) } : nil,
        ]
      }
    }
  }

  private var setUpLines: [String] {
    guard !setUps.isEmpty else { return [] }
    return table(["proxy", "sessions", "CPU us per session", "x \(plan.reference)"]) {
      setUps.map { [$0.target, "\($0.sessions)", us($0.cpuPerSession, 0), $0.ratio.map(factor)] }
    }
  }

  private var memoryLines: [String] {
    guard !memory.isEmpty else { return [] }
    return table(["proxy", "sessions", "KiB per idle session", "KiB after one frame each way"]) {
      memory.map { [$0.target, "\($0.sessions)", kibibytes($0.idle), $0.afterFrames.map(kibibytes)] }
    }
  }

  private var systemCallLines: [String] {
    guard !systemCalls.isEmpty else { return [] }
    return table(["load", "proxy", "system calls per echoed pair", "of which"]) {
      systemCalls.map { run in
        let pairs = Double(run.frames / 2)
        let kinds = run.calls.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
          .filter { Double($0.value) / pairs >= 0.01 }
          .map { "\($0.key) \(String(format: "%.2f", Double($0.value) / pairs))" }
        let total = String(format: "%.2f", Double(run.total) / pairs)
        return [run.load.title, run.target, total, kinds.joined(separator: ", ")]
      }
    }
  }

  private var allocationLines: [String] {
    guard !allocations.isEmpty else { return [] }
    return table(["load", "proxy", "frames", "allocations", "per frame"]) {
      allocations.map { run in
        [run.load.title, run.target, "\(run.frames)", "\(run.total)", String(format: "%.4f", run.perFrame)]
      }
    }
  }

  private func table(_ heads: [String], rows: () -> [[String?]]) -> [String] {
    ["| \(heads.joined(separator: " | ")) |", "|\(String(repeating: "---|", count: heads.count))"]
      + rows().map { row in "| \(row.map { $0 ?? "-" }.joined(separator: " | ")) |" }
  }

  private func us(_ nanoseconds: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", nanoseconds / 1_000)
  }

  private func factor(_ ratio: Double) -> String { String(format: "%.2f", ratio) }
  private func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }
  private func kibibytes(_ bytes: Double) -> String { String(format: "%.1f", bytes / 1_024) }
}
