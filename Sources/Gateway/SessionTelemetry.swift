import CoreMetrics
import HTTPWire
import Tracing
import Translation

/// The metrics and the spans of one session. Confined to the session's event loop.
final class SessionTelemetry {
  private let desk: TelemetryDesk
  private let id: String
  private let provider: String
  private let kind: String

  init(desk: TelemetryDesk, id: String, provider: String, kind: String, head: RequestHead?) {
    self.desk = desk
    self.id = id
    self.provider = provider
    self.kind = kind
  }

  /// Headers that tell a provider of the trace that the session is part of; none where there is no trace.
  var upstreamHeaders: [UpstreamTarget.Header] { [] }

  func turn(_ measure: TurnMeasure, at now: Instant) {}
}
