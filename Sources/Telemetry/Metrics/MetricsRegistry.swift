public import CoreMetrics
import Synchronization

/// The metrics of the process: the back end of swift-metrics that `GET /metrics` prints. Everything is counted in
/// memory from the beginning of the process; nothing that was once counted goes away, whatever is destroyed.
///
/// What `MetricCatalogue` lists is printed as it says there. A name that it does not list is printed too, after all
/// others, and remembered in `strangers`.
public final class MetricsRegistry: MetricsFactory, Sendable {
  /// How many combinations of labels of a metric are told apart; what comes then shares one series, `other`.
  static let seriesLimit = 1_000
  /// How many names that nobody listed are kept; the values of more go nowhere.
  static let strangerLimit = 32

  private struct Strangers {
    var families: [String: MetricFamily] = [:]
    /// A metric's name, and its labels where those are what is strange.
    var names: Set<String> = []
  }

  private let seriesLimit: Int
  private let listed: [MetricFamily]
  private let families: [String: MetricFamily]
  private let unlisted = Mutex(Strangers())

  public convenience init() {
    self.init(definitions: MetricCatalogue.all, seriesLimit: Self.seriesLimit)
  }

  init(definitions: [MetricDefinition], seriesLimit: Int) {
    self.seriesLimit = seriesLimit
    listed = definitions.map { MetricFamily($0, seriesLimit: seriesLimit) }
    families = Dictionary(listed.map { ($0.definition.name, $0) }) { first, _ in first }
  }

  /// What was counted and is not as the catalogue says: names, and names with labels. The tests want it empty.
  public var strangers: [String] { unlisted.withLock { $0.names.sorted() } }

  /// Everything, in the Prometheus text format 0.0.4, and what the system says of the process at this moment.
  public func prometheusText() -> String {
    var page = PrometheusPage()
    let measured = ProcessSample.values()
    for family in listed {
      page.begin(family.definition)
      if let value = measured[family.definition.name] {
        page.add(family.definition.name, value: value)
      } else {
        page.add(family)
      }
    }
    let others = unlisted.withLock { Array($0.families.values) }
    for family in others.sorted(by: { $0.definition.name < $1.definition.name }) {
      page.begin(family.definition)
      page.add(family)
    }
    return page.text
  }

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    counter(label, dimensions)
  }

  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    counter(label, dimensions)
  }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    if case .gauge(let series)? = series(label, dimensions, otherwise: .gauge) { return series }
    return GaugeSeries()
  }

  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    let kind: MetricDefinition.Kind = aggregate ? .histogram(buckets: MetricCatalogue.voiceSeconds) : .gauge
    return switch series(label, dimensions, otherwise: kind) {
    case .gauge(let series)?: series
    case .histogram(let series)?: series
    default: GaugeSeries()
    }
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    let kind = MetricDefinition.Kind.histogram(buckets: MetricCatalogue.voiceSeconds)
    if case .histogram(let series)? = series(label, dimensions, otherwise: kind) { return series }
    note("\(label) as a timer")
    return HistogramSeries(bounds: [])
  }

  // What was counted stays: callers make a counter for each increment, and Prometheus wants the sum of all.
  public func destroyCounter(_ handler: any CounterHandler) {}
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  public func destroyMeter(_ handler: any MeterHandler) {}
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  public func destroyTimer(_ handler: any TimerHandler) {}

  private func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterSeries {
    if case .counter(let series)? = series(label, dimensions, otherwise: .counter) { return series }
    return CounterSeries()
  }

  /// - Parameter kind: what it is if nobody listed it.
  /// - Returns: nil if there are too many that nobody listed, or if it is listed as another kind.
  private func series(
    _ label: String, _ dimensions: [(String, String)], otherwise kind: MetricDefinition.Kind
  ) -> MetricFamily.Series? {
    guard let family = families[label] else { return stranger(label, dimensions, kind)?.series(dimensions) }
    if !family.has(dimensions) {
      note("\(label){\(dimensions.map(\.0).sorted().joined(separator: ","))}")
    }
    let series = family.series(dimensions)
    if !family.definition.kind.takes(kind) { note("\(label) as a \(kind.word)") }
    return series
  }

  private func note(_ name: String) {
    unlisted.withLock {
      if $0.names.count < Self.strangerLimit { $0.names.insert(name) }
    }
  }

  private func stranger(
    _ label: String, _ dimensions: [(String, String)], _ kind: MetricDefinition.Kind
  ) -> MetricFamily? {
    let name = PrometheusName.metric(label, isCounter: kind == .counter)
    return unlisted.withLock { strangers in
      if let known = strangers.families[name] { return known }
      guard strangers.families.count < Self.strangerLimit, families[name] == nil else { return nil }
      let definition = MetricDefinition(
        name, kind, "Not described", labels: dimensions.map(\.0).filter(PrometheusName.isLabel).sorted())
      let family = MetricFamily(definition, seriesLimit: seriesLimit)
      strangers.families[name] = family
      strangers.names.insert(name)
      return family
    }
  }
}

extension MetricDefinition.Kind {
  /// Whether what is made as the other kind can be kept as this one: a recorder is a gauge or a histogram, as listed.
  fileprivate func takes(_ other: Self) -> Bool {
    switch (self, other) {
    case (.counter, .counter), (.gauge, .gauge), (.histogram, .histogram), (.gauge, .histogram): true
    default: false
    }
  }
}
