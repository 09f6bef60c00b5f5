/// The Prometheus text format 0.0.4 (prometheus.io, "Exposition formats").
struct PrometheusPage {
  private(set) var text = ""

  init() {
    text.reserveCapacity(64 * 1024)
  }

  mutating func begin(_ definition: MetricDefinition) {
    text += "# HELP \(definition.name) "
    for scalar in definition.help.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\n# TYPE \(definition.name) \(definition.kind.word)\n"
  }

  mutating func add(_ family: MetricFamily) {
    let definition = family.definition
    for (values, series) in family.all {
      let labels = zip(definition.labels, values).filter { !$0.1.isEmpty }.map { ($0.0, $0.1) }
      switch series {
      case .counter(let counter): add(definition.name, labels, value: counter.value)
      case .gauge(let gauge): add(definition.name, labels, value: gauge.value)
      case .histogram(let histogram):
        guard case .histogram(let bounds) = definition.kind else { continue }
        add(histogram.counts, of: definition.name, bounds, labels)
      }
    }
  }

  mutating func add(_ name: String, _ labels: [(String, String)] = [], value: Double) {
    text += name
    for (index, label) in labels.enumerated() {
      text += index == 0 ? "{" : ","
      text += label.0
      text += "=\""
      escape(label.1)
      text += "\""
    }
    if !labels.isEmpty { text += "}" }
    text += " \(Self.number(value))\n"
  }

  private mutating func add(
    _ counts: HistogramSeries.Counts, of name: String, _ bounds: [Double], _ labels: [(String, String)]
  ) {
    var total: UInt64 = 0
    for (index, count) in counts.buckets.enumerated() {
      total &+= count
      let bound = index < bounds.count ? Self.number(bounds[index]) : "+Inf"
      add("\(name)_bucket", labels + [("le", bound)], value: Double(total))
    }
    add("\(name)_sum", labels, value: counts.sum)
    add("\(name)_count", labels, value: Double(total))
  }

  private mutating func escape(_ value: String) {
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.unicodeScalars.append(scalar)
      }
    }
  }

  /// As the parser of Go reads it.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return "\(whole)" }
    return "\(value)"
  }
}

/// Names as Prometheus takes them.
enum PrometheusName {
  /// Other characters become `_`; a counter ends in `_total`.
  static func metric(_ label: String, isCounter: Bool) -> String {
    var name = String(label.unicodeScalars.prefix(128).map { isPart($0) ? Character($0) : "_" })
    if name.first?.isNumber ?? true { name = "_" + name }
    if isCounter && !name.hasSuffix("_total") { name += "_total" }
    return name
  }

  /// Whether a label may be called so; `le` belongs to histograms, and what begins with `__` to Prometheus.
  static func isLabel(_ name: String) -> Bool {
    guard let first = name.unicodeScalars.first, !("0"..."9").contains(first), !name.hasPrefix("__"), name != "le"
    else { return false }
    return name.unicodeScalars.allSatisfy { isPart($0) && $0 != ":" }
  }

  private static func isPart(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", ":": true
    default: false
    }
  }
}
