public import CoreMetrics
public import Logging

/// How a log line looks.
public enum LogFormat: String, Sendable, CaseIterable {
  /// `TIME LEVEL service=engine MESSAGE key=value key="two words"`
  case text
  /// One object a line.
  case json
}

/// The log of the process.
public final class LogLines: Sendable {
  /// - Parameters:
  ///   - service: stands in every line as `service`.
  ///   - descriptor: where the lines go.
  public init(format: LogFormat, service: String, descriptor: Int32 = 1, metrics: any MetricsFactory) {}

  public func handler(label: String) -> any LogHandler { SwiftLogNoOpLogHandler() }

  public func flush() {}
}
