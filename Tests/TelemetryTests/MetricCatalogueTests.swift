import CoreMetrics
import Foundation
import Testing

@testable import Telemetry

@Suite("The catalogue of the metrics")
struct MetricCatalogueTests {
  private static let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Sources")

  @Test("R120: names and labels are what Prometheus takes, and say what they are", arguments: MetricCatalogue.all)
  func names(metric: MetricDefinition) {
    #expect(metric.name.wholeMatch(of: /(parley|process)_[a-z_]+/) != nil)
    #expect(metric.labels.allSatisfy { PrometheusName.isLabel($0) })
    #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter))
    #expect(!metric.help.isEmpty && !metric.help.hasSuffix("."))
    if case .histogram(let buckets) = metric.kind {
      #expect(buckets == buckets.sorted() && Set(buckets).count == buckets.count && !buckets.isEmpty)
      #expect(metric.name.hasSuffix("_seconds"))
    }
  }

  @Test("R120: no metric is listed twice")
  func isUnique() {
    #expect(Set(MetricCatalogue.all.map(\.name)).count == MetricCatalogue.all.count)
  }

  @Test("R120: every metric that the sources name is listed, and every one that is listed is named")
  func agreesWithTheSources() throws {
    let files = try #require(FileManager.default.enumerator(at: Self.sources, includingPropertiesForKeys: nil))
    var named: Set<String> = []
    for case let file as URL in files
    where file.pathExtension == "swift" && !file.path.contains("/Telemetry/Metrics/")
      && !file.path.contains("/Ledger/Postgres")
    {
      let text = try String(contentsOf: file, encoding: .utf8)
      named.formUnion(text.matches(of: /"(parley_[a-z_]+)"/).map { String($0.1) })
    }
    let listed = Set(MetricCatalogue.all.map(\.name).filter { $0.hasPrefix("parley_") })
    #expect(named.subtracting(listed).isEmpty, "not in the catalogue")
    #expect(listed.subtracting(named).isEmpty, "counted nowhere")
  }

  @Test("R120: what the system says of the process is there")
  func process() {
    let values = ProcessSample.values()
    #if os(Linux)
      #expect((values["process_resident_memory_bytes"] ?? 0) > 1_000_000)
      #expect((values["process_open_fds"] ?? 0) >= 3)
      #expect((values["process_max_fds"] ?? 0) > (values["process_open_fds"] ?? 0))
      #expect((values["process_cpu_seconds_total"] ?? -1) >= 0)
      let start = values["process_start_time_seconds"] ?? 0
      #expect(abs(Date.now.timeIntervalSince1970 - start) < 24 * 3_600)
    #endif
    #expect(Set(values.keys).isSubset(of: MetricCatalogue.all.map(\.name)))
  }

  @Test("R120: the gauge of sessions is on the page before the first session")
  func sessions() {
    #expect(MetricsRegistry().prometheusText().contains("# TYPE parley_realtime_sessions gauge\n"))
  }
}

@Suite("The page of all metrics, as Prometheus' own checker sees it")
struct PromtoolTests {
  private static let promtool = "/usr/bin/promtool"
  private static let isInstalled = FileManager.default.isExecutableFile(atPath: promtool)

  @Test(
    "R120: promtool finds nothing to say about any metric, whatever its labels hold",
    .enabled(if: isInstalled, "promtool is in Debian's package prometheus"))
  func check() throws {
    let registry = MetricsRegistry()
    for metric in MetricCatalogue.all {
      for value in ["openai", "a\"b\\c\nd", ""] {
        let dimensions = metric.labels.map { ($0, value) }
        switch metric.kind {
        case .counter: Counter(label: metric.name, dimensions: dimensions, factory: registry).increment()
        case .gauge: Gauge(label: metric.name, dimensions: dimensions, factory: registry).record(0.5)
        case .histogram: Recorder(label: metric.name, dimensions: dimensions, factory: registry).record(0.3)
        }
      }
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "metrics-\(UUID().uuidString).txt")
    try registry.prometheusText().write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    let said = Pipe()
    let process = Process()
    process.executableURL = URL(filePath: Self.promtool)
    process.arguments = ["check", "metrics"]
    process.standardInput = try FileHandle(forReadingFrom: file)
    process.standardOutput = said
    process.standardError = said
    try process.run()
    let words = try said.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(String(decoding: words, as: UTF8.self) == "")
    #expect(process.terminationStatus == 0 && registry.strangers.isEmpty)
  }
}
