public import CoreMetrics
import Foundation
public import Logging
import Synchronization

/// How a log line looks.
public enum LogFormat: String, Sendable, CaseIterable {
  /// `TIME LEVEL service=engine MESSAGE key=value key="two words"`
  case text
  /// One object a line: `{"time", "level", "service", "message", ...metadata}`. Values are text, lists or objects.
  case json
}

/// The log of the process: the back end of swift-log. Lines are made where they are logged and written by a thread of
/// their own, so that no session ever waits for standard output; what cannot be written is dropped, counted in
/// `parley_log_lines_dropped_total`, and told in the log when it goes on.
///
/// Warnings and errors of one message beyond 20 in 10 seconds are counted, and told in one line with `repeated=137`.
/// What looks like a key is masked, in messages and in metadata.
public final class LogLines: Sendable {
  private let format: LogFormat
  private let service: String
  private let writer: LineWriter
  private let gate: Mutex<RepeatGate>

  /// - Parameters:
  ///   - service: stands in every line as `service`.
  ///   - descriptor: where the lines go; a duplicate of it is used.
  ///   - metrics: has the counter of dropped lines.
  public convenience init(
    format: LogFormat, service: String, descriptor: Int32 = 1, metrics: any MetricsFactory
  ) {
    self.init(format: format, service: service, descriptor: descriptor, metrics: metrics, gate: RepeatGate())
  }

  init(
    format: LogFormat, service: String, descriptor: Int32, metrics: any MetricsFactory, gate: RepeatGate
  ) {
    self.format = format
    self.service = service
    self.gate = Mutex(gate)
    writer = LineWriter(
      descriptor: descriptor, dropped: Counter(label: "parley_log_lines_dropped_total", factory: metrics)
    ) { count in
      Self.line(service, .warning, "log lines were dropped", ["lines": "\(count)"]).bytes(format)
    }
  }

  /// - Parameter label: of the logger; it shows as `logger` in each line unless it is the service's name.
  public func handler(label: String) -> any LogHandler { LineHandler(lines: self, label: label) }

  /// Tells what was held back of repeated faults, and waits until all lines are written, for half a second at most. To
  /// be called before the process ends.
  public func flush() {
    tellRepeated(all: true)
    writer.flush()
  }

  func write(level: Logger.Level, message: String, label: String, metadata: Logger.Metadata) {
    let (isAdmitted, isFirstHeld) = gate.withLock {
      // Somebody was told to look for just this line.
      metadata["error_id"] == nil ? $0.admits(message, level: level, at: .now) : (true, false)
    }
    if isFirstHeld {
      let window = gate.withLock { $0.window }
      writer.after(window) { [weak self] in self?.tellRepeated() }
    }
    guard isAdmitted else { return }
    var metadata = metadata
    if label != service { metadata["logger"] = "\(label)" }
    writer.put(Self.line(service, level, message, metadata).bytes(format))
  }

  private func tellRepeated(all: Bool = false) {
    for repeated in gate.withLock({ $0.take(at: .now, all: all) }) {
      let metadata: Logger.Metadata = ["repeated": "\(repeated.count)"]
      writer.put(Self.line(service, repeated.level, repeated.message, metadata).bytes(format))
    }
  }

  private static func line(
    _ service: String, _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata
  ) -> LogLine {
    let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    return LogLine(time: time, level: level, service: service, message: message, metadata: metadata)
  }
}

/// One logger's view of the log.
struct LineHandler: LogHandler {
  let lines: LogLines
  let label: String
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var logLevel = Logger.Level.info

  init(lines: LogLines, label: String) {
    self.lines = lines
    self.label = label
  }

  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var metadata = self.metadata
    if let provided = metadataProvider?.get() { metadata.merge(provided) { $1 } }
    if let given = event.metadata { metadata.merge(given) { $1 } }
    if let error = event.error { metadata["error"] = "\(error)" }
    lines.write(level: event.level, message: event.message.description, label: label, metadata: metadata)
  }
}
