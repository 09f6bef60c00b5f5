import CoreMetrics

/// The metrics of the configuration.
struct ConfigurationCounters: Sendable {
  static let reloads = "parley_configuration_reloads_total"
  static let current = "parley_configuration_current"

  let factory: any MetricsFactory

  func applied() { count("applied") }
  func refused() { count("refused") }

  private func count(_ outcome: String) {
    Counter(label: Self.reloads, dimensions: [("outcome", outcome)], factory: factory).increment()
  }

  /// False while the files hold something that was refused.
  func isCurrent(_ isCurrent: Bool) {
    Meter(label: Self.current, factory: factory).set(isCurrent ? 1 : 0)
  }
}
