import CoreMetrics
import Foundation
import Logging
import Synchronization
import Testing

@testable import Telemetry

/// A pipe, of which the log has one end.
private final class Outlet: Sendable {
  let reading: Int32
  let writing: Int32
  /// A line that has no end yet.
  private let begun = Mutex<[UInt8]>([])

  init() throws {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    (reading, writing) = (ends[0], ends[1])
  }

  /// The lines that have come since it was asked last.
  func read() -> [String] {
    _ = fcntl(reading, F_SETFL, O_NONBLOCK)
    var bytes = [UInt8](repeating: 0, count: 65_536)
    return begun.withLock { begun in
      while true {
        let count = Foundation.read(reading, &bytes, bytes.count)
        guard count > 0 else { break }
        begun += bytes[..<count]
      }
      guard let end = begun.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
      defer { begun.removeSubrange(...end) }
      return begun[..<end].split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }
  }

  func close() {
    Foundation.close(reading)
    Foundation.close(writing)
  }
}

@Suite("The log of the process")
struct LogLinesTests {
  private let registry = MetricsRegistry()

  private func lines(_ descriptor: Int32, gate: RepeatGate = RepeatGate()) -> LogLines {
    LogLines(format: .text, service: "engine", descriptor: descriptor, metrics: registry, gate: gate)
  }

  private func logger(_ lines: LogLines, _ label: String = "engine") -> Logger {
    Logger(label: label) { lines.handler(label: $0) }
  }

  private var dropped: Int {
    let sample = registry.prometheusText().split(separator: "\n").last {
      $0.hasPrefix("parley_log_lines_dropped_total ")
    }
    return sample.flatMap { Int($0.split(separator: " ")[1]) } ?? -1
  }

  /// Polls until it holds, for ten seconds at most.
  private func awaits(_ condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < end {
      if condition() { return true }
      usleep(2_000)
    }
    return false
  }

  @Test("R116, R117, R118: every line names the service, its level and its session, and comes in order")
  func plain() throws {
    let outlet = try Outlet()
    let lines = lines(outlet.writing)
    var logger = logger(lines)
    logger[metadataKey: "session"] = "sess_1"
    logger.debug("is not shown")
    logger.info("session began")
    logger.error("the provider failed", metadata: ["fault": "x y"])
    self.logger(lines, "other").notice("of another logger")
    lines.flush()
    let read = outlet.read()
    #expect(read.count == 3)
    #expect(read[0].hasSuffix("Z info service=engine session began session=sess_1"))
    #expect(read[0].prefixMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /#) != nil)
    #expect(read[1].hasSuffix("Z error service=engine the provider failed session=sess_1 fault=\"x y\""))
    #expect(read[2].hasSuffix("Z notice service=engine of another logger logger=other"))
    outlet.close()
  }

  @Test("R117: an error that is logged with a line stands in it, without its secrets")
  func errors() throws {
    struct Broken: Error, CustomStringConvertible { var description: String { "no use of sk-abcdef0123" } }
    let outlet = try Outlet()
    let lines = lines(outlet.writing)
    logger(lines).error("failed", error: Broken())
    lines.flush()
    #expect(outlet.read().first?.hasSuffix("service=engine failed error=\"no use of sk-<redacted>\"") == true)
    outlet.close()
  }

  @Test("R117: repeated faults are told in one line, session lines are not held back")
  func repeated() throws {
    let outlet = try Outlet()
    let lines = lines(outlet.writing, gate: RepeatGate(limit: 20, window: .milliseconds(50)))
    let logger = logger(lines)
    for index in 0..<157 {
      logger.warning("no answer", metadata: ["attempt": "\(index)"])
      logger.info("session ended")
    }
    var read: [String] = []
    #expect(
      awaits {
        read += outlet.read()
        return read.contains { $0.contains("repeated=") }
      }, "it is told also when nothing follows")
    lines.flush()
    read += outlet.read()
    #expect(read.filter { $0.contains("session ended") }.count == 157)
    let faults = read.filter { $0.contains("no answer") }
    let told = faults.compactMap { $0.firstMatch(of: /no answer repeated=(\d+)$/).flatMap { Int($0.1) } }
    #expect(faults.count - told.count + told.reduce(0, +) == 157)
    outlet.close()
  }

  @Test("Fault row 66: a reader that takes nothing stops nobody; lines are dropped, counted and told when it goes on")
  func stuck() throws {
    let outlet = try Outlet()
    let lines = lines(outlet.writing)
    let logger = logger(lines)
    let filling = String(repeating: "z", count: 200)
    let start = ContinuousClock.now
    let count = 3_000
    for index in 0..<count { logger.info("a line", metadata: ["index": "\(index)", "filling": "\(filling)"]) }
    lines.flush()
    #expect(start.duration(to: .now) < .seconds(20), "who logs does not wait")
    #expect(dropped >= count - LineWriter.capacity - 400, "a pipe holds 64 KiB")
    var shown = 0
    var told = 0
    let isComplete = awaits {
      for line in outlet.read() {
        shown += line.contains("a line ") ? 1 : 0
        told += line.firstMatch(of: /log lines were dropped lines=(\d+)/).flatMap { Int($0.1) } ?? 0
      }
      if told < dropped { logger.info("goes on") }
      return told == dropped && shown + dropped >= count
    }
    #expect(isComplete && shown < count)
    outlet.close()
  }

  @Test("Fault row 66: a reader that has gone does not end the process")
  func goneReader() throws {
    let outlet = try Outlet()
    let lines = lines(outlet.writing)
    outlet.close()
    let logger = logger(lines)
    for _ in 0..<10 { logger.info("to nobody") }
    #expect(awaits { dropped == 10 })
  }

  @Test("Fault row 66: without standard output every line is counted as dropped")
  func noDescriptor() {
    let lines = lines(-1)
    logger(lines).info("to nowhere")
    #expect(awaits { dropped == 1 })
  }

  @Test("Fault row 66: a full disk costs the lines of that time; the line that it cut ends before the next")
  func fullDisk() throws {
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    let descriptor = open("/dev/full", O_WRONLY)
    let lines = lines(descriptor)
    close(descriptor)
    logger(lines).info("too much")
    #expect(awaits { dropped == 1 })
  }

  @Test("Fault row 66: a descriptor that does not block is waited for by the writer, and no line is torn")
  func nonBlocking() throws {
    let outlet = try Outlet()
    _ = fcntl(outlet.writing, F_SETFL, O_NONBLOCK)
    let lines = lines(outlet.writing)
    let logger = logger(lines)
    let filling = String(repeating: "y", count: 2_000)
    for index in 0..<200 { logger.info("a line", metadata: ["index": "\(index)", "filling": "\(filling)"]) }
    var read: [String] = []
    #expect(
      awaits {
        read += outlet.read()
        return read.count == 200
      })
    #expect(read.indices.allSatisfy { read[$0].hasSuffix("y index=\($0)") })
    #expect(dropped == 0)
    outlet.close()
  }
}
