public import CoreMetrics
public import Tracing

import HTTPWire

/// What all sessions of a gateway are measured with: the metrics, kept by provider, and the tracer.
public final class TelemetryDesk: Sendable {
  let metrics: any MetricsFactory
  /// Nil where nobody collects spans.
  let tracer: (any Tracer)?

  /// - Parameter tracer: nil makes no spans; a client's trace context is passed on all the same.
  public init(metrics: any MetricsFactory = MetricsSystem.factory, tracer: (any Tracer)? = nil) {
    self.metrics = metrics
    self.tracer = tracer
  }

  /// - Parameters:
  ///   - id: of the session, as the client and the log know it.
  ///   - provider: its name in the configuration.
  ///   - kind: of the provider, as the configuration spells it.
  ///   - head: the client's upgrade request, which may have a trace context (W3C Trace Context).
  func session(id: String, provider: String, kind: String, head: RequestHead?) -> SessionTelemetry {
    SessionTelemetry(desk: self, id: id, provider: provider, kind: kind, head: head)
  }
}
