public import CoreMetrics
public import Tracing

import HTTPWire
import Synchronization
import Translation

/// What all sessions of a gateway are measured with: the metrics, kept by provider, and the tracer.
public final class TelemetryDesk: Sendable {
  private let factory: any MetricsFactory
  /// Nil where nobody collects spans.
  let tracer: (any Tracer)?
  /// By the names of the configuration.
  private let metrics = Mutex<[String: ProviderMetrics]>([:])

  /// - Parameter tracer: nil makes no spans; a client's trace context is passed on all the same.
  public init(metrics: any MetricsFactory = MetricsSystem.factory, tracer: (any Tracer)? = nil) {
    factory = metrics
    self.tracer = tracer
  }

  /// Made when a session first needs them: all of a provider's series are there from then on.
  func metrics(of provider: String) -> ProviderMetrics {
    metrics.withLock { known in
      if let metrics = known[provider] { return metrics }
      let metrics = ProviderMetrics(provider: provider, factory: factory)
      known[provider] = metrics
      return metrics
    }
  }

  /// Whether sessions of late could not be begun with the provider.
  func isFailing(_ provider: String, at now: Instant) -> Bool {
    metrics.withLock { $0[provider] }?.dials.isFailing(at: now) ?? false
  }

  /// - Parameters:
  ///   - id: of the session, as the client and the log know it.
  ///   - provider: its name in the configuration.
  ///   - kind: of the provider, as the configuration spells it.
  ///   - head: the client's upgrade request, which may have a trace context (W3C Trace Context).
  ///   - bringsKey: the client has a key of its own there, which may be no good.
  func session(
    id: String, provider: String, kind: String, head: RequestHead?, bringsKey: Bool = false
  ) -> SessionTelemetry {
    SessionTelemetry(
      metrics(of: provider), judgesProvider: !bringsKey,
      SessionTrace(tracer: tracer, sessionID: id, provider: provider, kind: kind, head: head))
  }
}
