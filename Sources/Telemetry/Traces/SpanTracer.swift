import Tracing

/// Makes spans. Whether a trace is recorded its first participant decides (`parentbased`); where that is Parley, a
/// share of them is, by the trace's id.
struct SpanTracer: Tracer {
  let queue: SpanQueue
  /// 0 to 1.
  let ratio: Double

  func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> RecordedSpan {
    var context = context()
    let parent = context.traceParent
    let own = TraceParent(
      traceID: parent?.traceID ?? Self.digits(UInt64.random(in: .min ... .max)) + Self.digits(Self.nonZero()),
      spanID: Self.digits(Self.nonZero()), isSampled: parent?.isSampled ?? (Double.random(in: 0..<1) < ratio))
    context.traceParent = own
    let begin = own.isSampled ? instant().nanosecondsSinceEpoch : 0
    let span = FinishedSpan(
      own: own, parentSpanID: parent?.spanID, traceState: context.traceState, name: operationName, kind: kind,
      begin: begin, end: begin)
    return RecordedSpan(span, context: context, queue: queue)
  }

  func startAnySpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> any Tracing.Span {
    startSpan(
      operationName, context: context(), ofKind: kind, at: instant(), function: function, file: fileID, line: line)
  }

  /// The exporter sends what has ended, at its own times and when it ends.
  func forceFlush() {}

  func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    context.take(
      traceParent: extractor.extract(key: "traceparent", from: carrier),
      traceState: extractor.extract(key: "tracestate", from: carrier))
  }

  func inject<Carrier, Inject: Injector>(
    _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {
    guard let parent = context.traceParent else { return }
    injector.inject(parent.text, forKey: "traceparent", into: &carrier)
    if let state = context.traceState { injector.inject(state, forKey: "tracestate", into: &carrier) }
  }

  private static func nonZero() -> UInt64 { UInt64.random(in: 1 ... .max) }

  private static func digits(_ number: UInt64) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
