import CoreMetrics
import Testing

@testable import Telemetry

@Suite("The metrics of the process")
struct MetricsRegistryTests {
  private static let definitions = [
    MetricDefinition("calls_total", .counter, "Calls", labels: ["provider", "reason"]),
    MetricDefinition("plain_total", .counter, "Of a back\\slash\nand two lines"),
    MetricDefinition("open", .gauge, "Open now", labels: ["provider"]),
    MetricDefinition("wait_seconds", .histogram(buckets: [0.1, 1, 2.5]), "Waiting", labels: ["provider"]),
  ]

  private let registry = MetricsRegistry(definitions: definitions, seriesLimit: 4)

  /// The lines that are samples.
  private var samples: [String] {
    registry.prometheusText().split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
  }

  private func count(_ provider: String, _ reason: String = "none", by amount: Int64 = 1) {
    Counter(label: "calls_total", dimensions: [("provider", provider), ("reason", reason)], factory: registry)
      .increment(by: amount)
  }

  @Test(
    "R120: what is counted again and again by counters of the moment is one series, in whatever order its labels come")
  func counters() {
    count("a")
    count("a", by: 41)
    let swapped = Counter(label: "calls_total", dimensions: [("reason", "none"), ("provider", "a")], factory: registry)
    swapped.increment()
    swapped.destroy()
    count("b")
    #expect(
      samples == [
        #"calls_total{provider="a",reason="none"} 43"#, #"calls_total{provider="b",reason="none"} 1"#, "plain_total 0",
      ])
    #expect(registry.strangers.isEmpty)
  }

  @Test("R120: each metric has its help and type once, also before anything was counted")
  func headers() {
    let page = registry.prometheusText()
    #expect(page.contains("# HELP open Open now\n# TYPE open gauge\n"))
    #expect(page.contains("# HELP plain_total Of a back\\\\slash\\nand two lines\n# TYPE plain_total counter\n"))
    #expect(page.contains("# TYPE wait_seconds histogram\n"))
    #expect(page.hasSuffix("\n"))
  }

  @Test("R120: a histogram's buckets add up, end with +Inf, and agree with its count and sum")
  func histograms() {
    let recorder = Recorder(label: "wait_seconds", dimensions: [("provider", "a")], factory: registry)
    for value in [0.05, 0.1, 0.5, 2.5, 7] { recorder.record(value) }
    recorder.record(Double.nan)
    Timer(label: "wait_seconds", dimensions: [("provider", "a")], factory: registry).recordMilliseconds(250)
    #expect(
      samples == [
        "plain_total 0",
        #"wait_seconds_bucket{provider="a",le="0.1"} 2"#, #"wait_seconds_bucket{provider="a",le="1"} 4"#,
        #"wait_seconds_bucket{provider="a",le="2.5"} 5"#, #"wait_seconds_bucket{provider="a",le="+Inf"} 6"#,
        #"wait_seconds_sum{provider="a"} 10.4"#, #"wait_seconds_count{provider="a"} 6"#,
      ])
  }

  @Test("R120: a gauge is what it was set to last, and a meter moves it")
  func gauges() {
    Gauge(label: "open", dimensions: [("provider", "a")], factory: registry).record(7)
    let meter = Meter(label: "open", dimensions: [("provider", "a")], factory: registry)
    meter.increment(by: 2.5)
    meter.decrement()
    #expect(samples.contains(#"open{provider="a"} 8.5"#))
    #expect(registry.strangers.isEmpty)
  }

  @Test("Fault row 62: what a peer wrote cannot end a label or a line, and is of bounded length")
  func escaping() {
    count("a\"b\\c\nd\r\u{7f}e")
    count(String(repeating: "ü", count: 1_000))
    let long = String(repeating: "ü", count: 64)
    #expect(
      samples.prefix(2) == [
        #"calls_total{provider="a\"b\\c_d__e",reason="none"} 1"#,
        #"calls_total{provider="\#(long)",reason="none"} 1"#,
      ])
  }

  @Test("Fault row 62: labels without end share one series, and no count is lost")
  func labelExplosion() {
    for index in 0..<1_000 { count("p\(index)", "r\(index)") }
    count("p0", "r0")
    let calls = samples.filter { $0.hasPrefix("calls_total") }
    #expect(calls.count == 5)
    #expect(calls.contains(#"calls_total{provider="other",reason="other"} 996"#))
    #expect(calls.contains(#"calls_total{provider="p0",reason="r0"} 2"#))
  }

  @Test("R120: many threads count into one series, and every one of them is in the sum")
  func concurrency() async {
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<1_000 {
            count("a")
            FloatingPointCounter(label: "plain_total", factory: registry).increment(by: 0.5)
            Recorder(label: "wait_seconds", dimensions: [("provider", "a")], factory: registry).record(1)
          }
        }
      }
    }
    #expect(samples.contains(#"calls_total{provider="a",reason="none"} 8000"#))
    #expect(samples.contains("plain_total 4000"))
    #expect(samples.contains(#"wait_seconds_count{provider="a"} 8000"#))
  }

  @Test("R120: a counter does not go down")
  func monotonic() {
    count("a", by: 5)
    count("a", by: -3)
    FloatingPointCounter(label: "plain_total", factory: registry).increment(by: -Double.infinity)
    #expect(samples == [#"calls_total{provider="a",reason="none"} 5"#, "plain_total 0"])
  }

  @Test("R120: what the catalogue does not list is printed under a name that Prometheus takes, and remembered")
  func strangers() {
    Counter(label: "http.requests", dimensions: [("le", "x"), ("pa-th", "/"), ("code", "200")], factory: registry)
      .increment()
    Gauge(label: "9lives", factory: registry).record(9)
    count("a")
    Counter(label: "calls_total", dimensions: [("provider", "a")], factory: registry).increment()
    Counter(label: "open", dimensions: [("provider", "a")], factory: registry).increment()
    #expect(samples.contains(#"http_requests_total{code="200"} 1"#))
    #expect(samples.contains("_9lives 9"))
    #expect(
      registry.strangers == ["_9lives", "calls_total{provider}", "http_requests_total", "open as a counter"])
  }

  @Test("R120: names without end that nobody listed are not kept")
  func strangersWithoutEnd() {
    for index in 0..<1_000 { Counter(label: "n\(index)_total", factory: registry).increment() }
    #expect(samples.filter { $0.hasPrefix("n") }.count == MetricsRegistry.strangerLimit)
  }

  @Test(
    "R120: numbers are as Prometheus reads them",
    arguments: [
      (0, "0"), (0.05, "0.05"), (1e15, "1000000000000000"), (1e300, "1e+300"), (-3, "-3"), (Double.infinity, "+Inf"),
      (-Double.infinity, "-Inf"), (Double.nan, "NaN"), (0.0001, "0.0001"), (2.5e-7, "2.5e-07"),
    ])
  func numbers(value: Double, text: String) {
    #expect(PrometheusPage.number(value) == text)
  }
}
