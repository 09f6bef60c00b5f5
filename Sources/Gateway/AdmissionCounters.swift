import CoreMetrics

/// The metrics of the gate: sessions that began, and requests for one that were refused, by closed sets of labels.
struct AdmissionCounters: Sendable {
  static let began = "parley_sessions_total"
  static let refused = "parley_sessions_refused_total"

  private let factory: any MetricsFactory

  init(factory: any MetricsFactory = MetricsSystem.factory) {
    self.factory = factory
  }

  /// - Parameter provider: its name in the configuration.
  func began(provider: String) {
    Counter(label: Self.began, dimensions: [("provider", provider)], factory: factory).increment()
  }

  /// - Parameter code: of the error that the client was told.
  func refused(_ code: String) {
    Counter(label: Self.refused, dimensions: [("reason", code)], factory: factory).increment()
  }
}
