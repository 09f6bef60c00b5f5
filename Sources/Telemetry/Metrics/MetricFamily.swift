import Synchronization

/// A metric with all its combinations of labels.
final class MetricFamily: Sendable {
  /// Label values longer than this are cut, in bytes.
  static let longestValue = 128
  /// What every label of the series is called that takes what is beyond the limit.
  static let otherValue = "other"

  enum Series: Sendable {
    case counter(CounterSeries)
    case gauge(GaugeSeries)
    case histogram(HistogramSeries)
  }

  let definition: MetricDefinition
  private let seriesLimit: Int
  private let series: Mutex<[[String]: Series]>

  /// - Parameter seriesLimit: how many combinations of labels are told apart.
  init(_ definition: MetricDefinition, seriesLimit: Int) {
    self.definition = definition
    self.seriesLimit = seriesLimit
    // What has no labels is exported from the beginning: a rate needs the nought before the first one.
    let isSingle = definition.labels.isEmpty && definition.kind == .counter
    series = Mutex(isSingle ? [[]: Self.make(definition.kind)] : [:])
  }

  /// The series of these labels; the same one for the same labels, in whatever order they come. Labels that the metric
  /// does not have are left out, ones that are not given are empty.
  func series(_ dimensions: [(String, String)]) -> Series {
    let values = definition.labels.map { label in
      dimensions.first { $0.0 == label }.map { Self.tidy($0.1) } ?? ""
    }
    return series.withLock { series in
      if let known = series[values] { return known }
      let isOther = series.count >= seriesLimit
      let key = isOther ? values.map { _ in Self.otherValue } : values
      if isOther, let known = series[key] { return known }
      let made = Self.make(definition.kind)
      series[key] = made
      return made
    }
  }

  /// Whether the metric has all these labels.
  func has(_ dimensions: [(String, String)]) -> Bool {
    dimensions.count == definition.labels.count && dimensions.allSatisfy { definition.labels.contains($0.0) }
  }

  /// All, ordered by their labels' values.
  var all: [(values: [String], series: Series)] {
    series.withLock { $0.map { (values: $0.key, series: $0.value) } }
      .sorted { $0.values.lexicographicallyPrecedes($1.values) }
  }

  private static func make(_ kind: MetricDefinition.Kind) -> Series {
    switch kind {
    case .counter: .counter(CounterSeries())
    case .gauge: .gauge(GaugeSeries())
    case .histogram(let buckets): .histogram(HistogramSeries(bounds: buckets))
    }
  }

  /// Without control characters, and of bounded length (fault row 62): what is written is what is told apart.
  private static func tidy(_ value: String) -> String {
    guard value.utf8.count > longestValue || value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      return value
    }
    let scalars = value.unicodeScalars.prefix(longestValue).map { scalar -> Unicode.Scalar in
      scalar.properties.generalCategory == .control ? "_" : scalar
    }
    var tidied = String(String.UnicodeScalarView(scalars))
    while tidied.utf8.count > longestValue { tidied.removeLast() }
    return tidied
  }
}
