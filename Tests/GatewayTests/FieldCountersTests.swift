import CoreMetrics
import Logging
import Synchronization
import Testing
import Translation

@testable import Gateway

/// Keeps what counters count, by their labels.
final class CountingFactory: MetricsFactory {
  private let values = Mutex<[String: Int64]>([:])
  var counts: [String: Int64] { values.withLock { $0 } }

  private final class Handler: CounterHandler {
    private let add: @Sendable (Int64) -> Void

    init(add: @escaping @Sendable (Int64) -> Void) {
      self.add = add
    }

    func increment(by amount: Int64) { add(amount) }
    func reset() {}
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    let name = label + dimensions.map { " \($0.0)=\($0.1)" }.joined()
    return Handler { [self] amount in values.withLock { $0[name, default: 0] += amount } }
  }

  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    NOOPMetricsHandler.instance
  }

  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { NOOPMetricsHandler.instance }
  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
}

@Suite("The metric of fields without a counterpart")
struct FieldCountersTests {
  private let name = "parley_fields_without_counterpart_total"

  private func record(_ provider: String, _ metrics: CountingFactory, log: LogCapture = LogCapture()) -> SessionRecord {
    SessionRecord(
      id: "s", provider: provider, begunAt: Instant(nanoseconds: 0), counters: FieldCounters(factory: metrics),
      logger: log.logger)
  }

  @Test("Q23: each field of a note is counted for its provider, and the note is logged as before")
  func counted() {
    let metrics = CountingFactory()
    let log = LogCapture()
    let inworld = record("inworld", metrics, log: log)
    for fields in ["session.audio.output.speed session.tracing", "session.audio.output.speed"] {
      inworld.note(SessionNote(.info, SessionNote.withoutCounterpart, ["fields": fields]))
    }
    #expect(
      metrics.counts == [
        "\(name) provider=inworld field=session.audio.output.speed": 2,
        "\(name) provider=inworld field=session.tracing": 1,
      ])
    #expect(log.text.contains("fields=session.audio.output.speed session.tracing"))
  }

  @Test("names that only a client knows are one label, however many there are")
  func bounded() {
    let metrics = CountingFactory()
    let record = record("p", metrics)
    let fields = (0..<500).map { "session.x\($0)" }.joined(separator: " ")
    record.note(SessionNote(.info, SessionNote.withoutCounterpart, ["fields": fields]))
    #expect(metrics.counts == ["\(name) provider=p field=other": 500])
  }

  @Test("other notes count nothing")
  func others() {
    let metrics = CountingFactory()
    record("p", metrics).note(SessionNote(.info, "something else", ["fields": "session.tracing"]))
    record("p", metrics).note(SessionNote(.info, SessionNote.withoutCounterpart))
    #expect(metrics.counts.isEmpty)
  }
}
