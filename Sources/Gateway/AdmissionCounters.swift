import CoreMetrics

/// The metrics of the gate: sessions that began, and requests for one that were refused, by closed sets of labels.
struct AdmissionCounters: Sendable {
  static let began = "parley_sessions_total"
  static let refused = "parley_sessions_refused_total"

  private let factory: any MetricsFactory

  /// What is alerted on: there from the beginning, because of a series that begins with its first count nobody sees it.
  private static let watched = [
    "missing_api_key", "invalid_api_key", "api_key_expired", "api_key_revoked", "invalid_token", "token_expired",
    "token_not_yet_valid", "token_not_for_this", "token_used_up", "access_denied", "rate_limit_exceeded",
    "minutes_exhausted", "gateway_overloaded", "gateway_restarting", "store_unavailable", "admission_timeout",
    "provider_unavailable",
  ]

  init(factory: any MetricsFactory = MetricsSystem.factory) {
    self.factory = factory
    for reason in Self.watched { _ = Counter(label: Self.refused, dimensions: [("reason", reason)], factory: factory) }
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
