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
    for case let file as URL in files where file.pathExtension == "swift" && !file.path.contains("/Telemetry/Metrics/")
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
