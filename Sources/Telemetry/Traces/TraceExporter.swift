public import AsyncHTTPClient
public import CoreMetrics
public import Logging
import NIOCore
import NIOHTTP1
public import ServiceLifecycle
public import Tracing

/// Sends finished spans to an OpenTelemetry collector (OTLP/HTTP, JSON), in the background and in batches; a collector
/// that is slow or away costs spans (`parley_spans_dropped_total`) and nothing else.
public final class TraceExporter: Service {
  private let sender: SpanSender

  public let tracer: any Tracer

  /// nil if the environment names no collector: then nothing is traced, at no cost. Read are
  /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT`, `..._HEADERS` and `..._TIMEOUT` likewise,
  /// `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER_ARG`, `OTEL_BSP_SCHEDULE_DELAY`,
  /// `OTEL_TRACES_EXPORTER=none` and `OTEL_SDK_DISABLED=true`; what makes no sense is logged and passed over.
  public init?(
    environment: [String: String], client: HTTPClient, metrics: any MetricsFactory, logger: Logger
  ) {
    let settings = ExporterSettings(environment: environment) { variable, cause in
      logger.warning(
        "a setting of the traces is not used", metadata: ["variable": "\(variable)", "cause": "\(cause)"])
    }
    guard let settings else { return nil }
    let queue = SpanQueue(metrics: metrics)
    tracer = SpanTracer(queue: queue, ratio: settings.ratio)
    sender = SpanSender(settings: settings, queue: queue, logger: logger) { body, timeout in
      var request = HTTPClientRequest(url: settings.endpoint)
      request.method = .POST
      request.headers.add(name: "Content-Type", value: "application/json")
      for header in settings.headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
      request.body = .bytes(body)
      return try await Self.answer(to: request, by: client, within: timeout)
    }
  }

  /// Until the process stops gracefully; then what has ended is sent once more, within two seconds. It is to stop after
  /// those whose spans it sends.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await self.sender.run() }
    await sender.finish()
  }

  private static func answer(
    to request: HTTPClientRequest, by client: HTTPClient, within limit: Duration
  ) async throws -> SpanSender.Answer {
    let response = try await client.execute(request, timeout: TimeAmount(limit))
    // A body that is longer is no answer of a collector; its status counts all the same.
    let body = try? await response.body.collect(upTo: 64 * 1024)
    return SpanSender.Answer(
      status: Int(response.status.code), retryAfter: response.headers.first(name: "Retry-After"),
      body: body ?? ByteBuffer())
  }
}
