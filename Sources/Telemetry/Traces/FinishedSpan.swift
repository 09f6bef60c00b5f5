import Synchronization
import Tracing

/// What is recorded of a span.
struct FinishedSpan: Sendable {
  struct Link: Sendable {
    var parent: TraceParent
    var attributes: SpanAttributes
  }

  /// Events and links beyond these are left out.
  static let mostEvents = 64

  var own: TraceParent
  var parentSpanID: String?
  var traceState: String?
  var name: String
  var kind: SpanKind
  /// Nanoseconds since 1970.
  var begin: UInt64
  var end: UInt64
  var attributes: SpanAttributes = [:]
  var events: [SpanEvent] = []
  var links: [Link] = []
  var status: SpanStatus?
}

/// A span that is going on. Once it has ended, nothing changes it.
final class RecordedSpan: Tracing.Span {
  private struct State {
    var span: FinishedSpan
    var hasEnded = false
  }

  let context: InstrumentationContext
  /// Whether anybody will see it.
  let isRecording: Bool
  private let state: Mutex<State>
  private let queue: SpanQueue

  init(_ span: FinishedSpan, context: InstrumentationContext, queue: SpanQueue) {
    self.context = context
    self.queue = queue
    isRecording = span.own.isSampled
    state = Mutex(State(span: span))
  }

  var operationName: String {
    get { state.withLock { $0.span.name } }
    set { change { $0.name = newValue } }
  }

  var attributes: SpanAttributes {
    get { state.withLock { $0.span.attributes } }
    set { change { $0.attributes = newValue } }
  }

  func setStatus(_ status: SpanStatus) { change { $0.status = status } }

  func addEvent(_ event: SpanEvent) {
    change {
      if $0.events.count < FinishedSpan.mostEvents { $0.events.append(event) }
    }
  }

  /// As OpenTelemetry's semantic conventions for exceptions want it.
  func recordError<Instant: TracerInstant>(
    _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
  ) {
    guard isRecording else { return }
    var all: SpanAttributes = [
      "exception.type": .string(String(describing: type(of: error))), "exception.message": .string("\(error)"),
    ]
    all.merge(attributes)
    addEvent(SpanEvent(name: "exception", at: instant(), attributes: all))
  }

  func addLink(_ link: SpanLink) {
    guard let parent = link.context.traceParent else { return }
    change {
      if $0.links.count < FinishedSpan.mostEvents {
        $0.links.append(FinishedSpan.Link(parent: parent, attributes: link.attributes))
      }
    }
  }

  func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
    guard isRecording else { return }
    let now = instant().nanosecondsSinceEpoch
    let finished: FinishedSpan? = state.withLock { state in
      guard !state.hasEnded else { return nil }
      state.hasEnded = true
      state.span.end = max(now, state.span.begin)
      return state.span
    }
    if let finished { queue.put(finished) }
  }

  private func change(_ body: (inout FinishedSpan) -> Void) {
    guard isRecording else { return }
    state.withLock { state in
      if !state.hasEnded { body(&state.span) }
    }
  }
}
