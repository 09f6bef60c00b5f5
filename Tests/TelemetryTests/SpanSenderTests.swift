import Logging
import NIOCore
import Synchronization
import Testing
import Tracing

@testable import Telemetry

/// A collector that answers what it is told to, and remembers what it was sent.
private final class Collector: Sendable {
  struct Away: Error {}

  enum Reply: Sendable {
    case status(Int, retryAfter: String? = nil, body: String = "")
    case away
    case never
  }

  private struct State {
    var replies: [Reply]
    var requests = 0
    var pauses: [Duration] = []
  }

  private let state: Mutex<State>

  init(_ replies: [Reply]) { state = Mutex(State(replies: replies)) }

  var requests: Int { state.withLock { $0.requests } }
  var pauses: [Duration] { state.withLock { $0.pauses } }

  func pause(_ duration: Duration) { state.withLock { $0.pauses.append(duration) } }

  /// The last reply is given again and again.
  func take() async throws -> SpanSender.Answer {
    let reply = state.withLock { state in
      state.requests += 1
      return state.replies.count > 1 ? state.replies.removeFirst() : state.replies[0]
    }
    switch reply {
    case .status(let status, let retryAfter, let body):
      return SpanSender.Answer(status: status, retryAfter: retryAfter, body: ByteBuffer(string: body))
    case .away: throw Away()
    case .never:
      try await Task.sleep(for: .seconds(3_600))
      throw Away()
    }
  }
}

@Suite("Spans on their way to the collector")
struct SpanSenderTests {
  private let registry = MetricsRegistry()
  private let queue: SpanQueue

  init() { queue = SpanQueue(metrics: registry) }

  private func sender(_ collector: Collector, delay: String = "1") throws -> SpanSender {
    let environment = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_BSP_SCHEDULE_DELAY": delay]
    let settings = try #require(ExporterSettings(environment: environment) { _, _ in })
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let patience = settings.delay
    return SpanSender(settings: settings, queue: queue, logger: logger) { _, _ in
      try await collector.take()
    } pause: { duration in
      // The batches' own times pass; between attempts nothing waits.
      if duration == patience { try await Task.sleep(for: duration) } else { collector.pause(duration) }
    }
  }

  private func end(_ count: Int) {
    for _ in 0..<count { SpanTracer(queue: queue, ratio: 1).startSpan("s", context: .topLevel).end() }
  }

  private var dropped: String? {
    registry.prometheusText().split(separator: "\n").last { $0.hasPrefix("parley_spans_dropped_total ") }
      .map { String($0.dropFirst(27)) }
  }

  /// Runs it until the condition holds.
  private func run(_ sender: SpanSender, until condition: @escaping @Sendable () -> Bool) async {
    let running = Task { await sender.run() }
    // Whoever looks without a pause keeps the sender from its work.
    let end = ContinuousClock.now + .seconds(60)
    while !condition(), ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(1)) }
    running.cancel()
    await running.value
  }

  @Test("Spans go in batches, none is lost")
  func batches() async throws {
    let collector = Collector([.status(200, body: #"{"partialSuccess":{}}"#)])
    end(SpanSender.batch * 2 + 1)
    await run(try sender(collector)) { collector.requests == 3 }
    #expect(collector.requests == 3 && queue.isEmpty && dropped == "0")
  }

  @Test("A collector that is busy is asked again when it says so, one that is away later and later")
  func retries() async throws {
    let collector = Collector([.status(429, retryAfter: "7"), .status(503), .away, .status(200)])
    end(1)
    await run(try sender(collector)) { collector.requests == 4 }
    #expect(collector.pauses == [.seconds(7), .seconds(2), .seconds(4)] && dropped == "0")
  }

  @Test("A collector that stays away costs the spans, and is asked five times")
  func givesUp() async throws {
    let collector = Collector([.status(503, retryAfter: "9999")])
    end(2)
    await run(try sender(collector)) { self.queue.isEmpty && collector.requests == SpanSender.attempts }
    #expect(collector.pauses == Array(repeating: SpanSender.longestPause, count: SpanSender.attempts - 1))
    #expect(dropped == "2")
  }

  @Test("A collector that does not want them is not asked again")
  func refused() async throws {
    let collector = Collector([.status(400)])
    end(3)
    let queue = queue
    await run(try sender(collector)) { queue.isEmpty && collector.requests == 1 }
    #expect(collector.requests == 1 && dropped == "3")
  }

  @Test("What a collector takes in part is counted in part", arguments: [#""2""#, "2"])
  func partly(number: String) async throws {
    let collector = Collector([.status(200, body: #"{"partialSuccess":{"rejectedSpans":\#(number)}}"#)])
    end(3)
    await run(try sender(collector)) { collector.requests == 1 }
    #expect(dropped == "2")
  }

  @Test("At the end what was under way is sent once more, and nothing waits for a collector that is gone")
  func finish() async throws {
    let slow = Collector([.never])
    end(4)
    await run(try sender(slow)) { slow.requests == 1 }
    #expect(!queue.isEmpty, "it comes back")
    let collector = Collector([.status(200)])
    await (try sender(collector)).finish()
    #expect(collector.requests == 1 && queue.isEmpty && dropped == "0")
    end(2)
    await (try sender(Collector([.away]))).finish()
    #expect(queue.isEmpty && dropped == "2")
  }
}
