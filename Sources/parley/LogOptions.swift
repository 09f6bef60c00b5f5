public import ArgumentParser
import Foundation
import Logging
import Synchronization
public import Telemetry

/// What is logged on standard output, and how. An option goes before its variable.
struct LogOptions: ParsableArguments {
  enum Level: String, ExpressibleByArgument, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
  }

  static let levelVariable = "PARLEY_LOG_LEVEL"
  static let formatVariable = "PARLEY_LOG_FORMAT"

  @Option(help: "The least that is logged (\(Self.levelVariable); default: info).")
  var logLevel: Level?

  @Option(help: "How a line of the log looks (\(Self.formatVariable); default: text).")
  var logFormat: LogFormat?

  func validate() throws {
    _ = try level()
    _ = try format()
  }

  /// - Parameter metrics: has the counter of lines that could not be written.
  func logger(_ label: String, metrics: MetricsRegistry = MetricsRegistry()) -> Logger {
    let lines = LogLines(format: (try? format()) ?? .text, service: label, metrics: metrics)
    LogEnd.flushes(lines)
    var logger = Logger(label: label) { lines.handler(label: $0) }
    logger.logLevel = Logger.Level(rawValue: ((try? level()) ?? .info).rawValue) ?? .info
    return logger
  }

  private func level() throws -> Level { try logLevel ?? Self.variable(Self.levelVariable) ?? .info }

  private func format() throws -> LogFormat { try logFormat ?? Self.variable(Self.formatVariable) ?? .text }

  /// nil if it is not set, or empty.
  private static func variable<Value: RawRepresentable & CaseIterable>(
    _ name: String
  ) throws -> Value? where Value.RawValue == String {
    guard let text = ProcessInfo.processInfo.environment[name], !text.isEmpty else { return nil }
    guard let value = Value(rawValue: text) else {
      let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("\(name) is none of \(known).")
    }
    return value
  }
}

extension LogFormat: ExpressibleByArgument {}

/// Lines wait for their thread: the last ones are written before the process exits, however it does.
private enum LogEnd {
  private static let lines = Mutex<[LogLines]>([])

  static func flushes(_ more: LogLines) {
    let isFirst = lines.withLock { lines in
      lines.append(more)
      return lines.count == 1
    }
    if isFirst { atexit { LogEnd.flush() } }
  }

  private static func flush() {
    for lines in lines.withLock({ $0 }) { lines.flush() }
  }
}
