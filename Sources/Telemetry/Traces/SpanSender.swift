import Envelope
import Logging
import NIOCore

/// Takes spans out of the queue and gives them to a collector, a batch at a time. One that cannot take them now is
/// asked again, later and later; what it then does not take is dropped and counted, and meanwhile the queue fills.
struct SpanSender: Sendable {
  /// What a collector said.
  struct Answer: Sendable {
    var status: Int
    /// The header `Retry-After`.
    var retryAfter: String?
    var body = ByteBuffer()
  }

  static let batch = 512
  /// How often a batch is sent at most.
  static let attempts = 5
  /// Nobody waits longer for the next attempt, whatever the collector says.
  static let longestPause = Duration.seconds(30)
  /// What the process waits for at its end.
  static let lastTime = Duration.seconds(2)

  let settings: ExporterSettings
  let queue: SpanQueue
  let logger: Logger
  /// One request: its body, and how long it may take.
  let post: @Sendable (ByteBuffer, Duration) async throws -> Answer
  /// Waits; tests do not.
  var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

  /// Until it is cancelled.
  func run() async {
    while !Task.isCancelled {
      do {
        try await pause(settings.delay)
      } catch { return }
      while !Task.isCancelled, !queue.isEmpty {
        await send(queue.take(Self.batch))
      }
    }
  }

  /// What is left, once, without asking again.
  func finish() async {
    let end = ContinuousClock.now + Self.lastTime
    while !queue.isEmpty {
      let spans = queue.take(Self.batch)
      let left = ContinuousClock.now.duration(to: end)
      guard left > .zero else {
        lose(spans.count, "the process ends")
        continue
      }
      do {
        let answer = try await post(SpanDocument.body(of: spans, resource: settings.resource), left)
        if !take(answer, for: spans) { lose(spans.count, "status \(answer.status)") }
      } catch {
        lose(spans.count, "\(error)")
      }
    }
  }

  private func send(_ spans: [FinishedSpan]) async {
    let body = SpanDocument.body(of: spans, resource: settings.resource)
    var cause = ""
    for attempt in 1...Self.attempts {
      var wait = Duration.seconds(1 << (attempt - 1))
      do {
        let answer = try await post(body, settings.timeout)
        if take(answer, for: spans) { return }
        cause = "status \(answer.status)"
        guard [429, 502, 503, 504].contains(answer.status) else { break }
        if let asked = answer.retryAfter.flatMap({ Int($0) }), asked >= 0 {
          wait = .seconds(min(asked, Int(Self.longestPause.components.seconds)))
        }
      } catch {
        if Task.isCancelled { return queue.putBack(spans) }
        cause = "\(error)"
      }
      guard attempt < Self.attempts else { break }
      do {
        try await pause(min(wait, Self.longestPause))
      } catch {
        return queue.putBack(spans)
      }
    }
    lose(spans.count, cause)
  }

  /// Whether the collector took them; it says so also where it left some of them out.
  private func take(_ answer: Answer, for spans: [FinishedSpan]) -> Bool {
    guard (200..<300).contains(answer.status) else { return false }
    let partial = (try? JSONValue(parsing: answer.body))?["partialSuccess"]
    let rejected = partial?["rejectedSpans"].flatMap { $0.int ?? $0.string.flatMap { Int($0) } } ?? 0
    if rejected > 0 { lose(min(rejected, spans.count), "the collector refused them") }
    return true
  }

  private func lose(_ count: Int, _ cause: String) {
    queue.drop(count)
    logger.warning("spans are lost", metadata: ["spans": "\(count)", "cause": "\(cause)"])
  }
}
