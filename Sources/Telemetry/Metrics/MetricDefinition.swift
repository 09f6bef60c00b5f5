/// One metric of the process: what it is called, what it counts, and its labels.
public struct MetricDefinition: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// It only goes up; its name ends in `_total`.
    case counter
    case gauge
    /// - Parameter buckets: upper bounds, ascending, without the infinite one.
    case histogram(buckets: [Double])

    /// As the Prometheus text format calls it.
    public var word: String {
      switch self {
      case .counter: "counter"
      case .gauge: "gauge"
      case .histogram: "histogram"
      }
    }
  }

  public let name: String
  public let kind: Kind
  /// One sentence, without a full stop.
  public let help: String
  /// The labels' names, in the order in which they are printed.
  public let labels: [String]

  public init(_ name: String, _ kind: Kind, _ help: String, labels: [String] = []) {
    self.name = name
    self.kind = kind
    self.help = help
    self.labels = labels
  }
}
