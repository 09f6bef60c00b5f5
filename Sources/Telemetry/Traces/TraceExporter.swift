public import AsyncHTTPClient
public import CoreMetrics
public import Logging
public import ServiceLifecycle
public import Tracing

/// Sends finished spans to an OpenTelemetry collector (OTLP/HTTP, JSON).
public final class TraceExporter: Service {
  /// nil if the environment names no collector: then nothing is traced, at no cost.
  public init?(
    environment: [String: String], client: HTTPClient, metrics: any MetricsFactory, logger: Logger
  ) { return nil }

  public var tracer: any Tracer { NoOpTracer() }

  public func run() async throws {}
}
