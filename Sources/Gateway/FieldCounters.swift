import CoreMetrics
import Translation

/// The metric of what clients ask a provider for in vain (Q23).
struct FieldCounters: Sendable {
  static let name = "parley_fields_without_counterpart_total"
  /// The label of a field that only its client knows: there is no end of those.
  static let otherField = "other"

  private static let knownFields = Set(Coverage.subjects)

  private let factory: any MetricsFactory

  init(factory: any MetricsFactory = MetricsSystem.factory) {
    self.factory = factory
  }

  /// - Parameters:
  ///   - fields: paths such as `session.audio.output.speed`.
  ///   - provider: its name in the configuration.
  func count(_ fields: [Substring], provider: String) {
    for field in fields {
      let label = Self.knownFields.contains(String(field)) ? String(field) : Self.otherField
      Counter(label: Self.name, dimensions: [("provider", provider), ("field", label)], factory: factory).increment()
    }
  }
}
