import Testing
import Tracing

@testable import Telemetry

private struct Fields: Injector, Extractor {
  func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
  func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
}

@Suite("Trace context and spans")
struct TraceTests {
  private static let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  private let registry = MetricsRegistry()

  private func tracer(_ queue: SpanQueue, ratio: Double = 1) -> SpanTracer { SpanTracer(queue: queue, ratio: ratio) }

  @Test("A traceparent is read and written (W3C Trace Context section 3.2)")
  func traceParent() throws {
    let parent = try #require(TraceParent(Self.header))
    #expect(parent.traceID == "0af7651916cd43dd8448eb211c80319c" && parent.spanID == "b7ad6b7169203331")
    #expect(parent.isSampled && parent.text == Self.header)
    #expect(TraceParent(Self.header.dropLast(2) + "00")?.isSampled == false)
    #expect(TraceParent(Self.header.dropLast(2) + "fe")?.isSampled == false)
    #expect(TraceParent("cc" + Self.header.dropFirst(2) + "-what-the-future-holds")?.text == Self.header)
  }

  @Test(
    "What is no traceparent is none",
    arguments: [
      "", "00", header + "-", header + "0", "ff" + header.dropFirst(2), header.uppercased(), "0" + header,
      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
      "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-001", "00_" + header.dropFirst(3),
      "00-0af7651916cd43dd8448eb211c8031-c-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
      "cc" + header.dropFirst(2) + "x", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331--1",
      String(repeating: "ü", count: 55),
    ])
  func noTraceParent(header: String) {
    #expect(TraceParent(header) == nil)
  }

  @Test("A span goes on with the client's trace, and what is asked of others goes on with the span")
  func propagation() throws {
    let queue = SpanQueue(metrics: registry)
    let tracer: any Tracer = tracer(queue)
    var context = InstrumentationContext.topLevel
    tracer.extract(["traceparent": Self.header, "tracestate": "a=1,b=2"], into: &context, using: Fields())
    let session = tracer.startAnySpan("parley.session", context: context, ofKind: .server)
    let turn = tracer.startAnySpan("chat m", context: session.context, ofKind: .client)
    var carrier: [String: String] = [:]
    tracer.inject(turn.context, into: &carrier, using: Fields())
    turn.end()
    session.end()
    session.end()
    let spans = queue.take(10)
    #expect(spans.map(\.name) == ["chat m", "parley.session"])
    #expect(spans.allSatisfy { $0.own.traceID == "0af7651916cd43dd8448eb211c80319c" && $0.traceState == "a=1,b=2" })
    #expect(spans[1].parentSpanID == "b7ad6b7169203331" && spans[0].parentSpanID == spans[1].own.spanID)
    #expect(carrier == ["traceparent": spans[0].own.text, "tracestate": "a=1,b=2"])
    #expect(spans.allSatisfy { $0.end >= $0.begin && $0.begin > 1_700_000_000_000_000_000 })
  }

  @Test("A tracestate that cannot be passed on is not, and one without a traceparent is nobody's")
  func traceState() {
    var context = InstrumentationContext.topLevel
    context.take(traceParent: "none", traceState: "a=1")
    #expect(context.traceParent == nil && context.traceState == nil)
    for state in ["a=1\r\nx: y", String(repeating: "a", count: 513), "", "ü=1"] {
      context.take(traceParent: Self.header, traceState: state)
      #expect(context.traceParent != nil && context.traceState == nil)
    }
  }

  @Test("Whether a trace is recorded its first participant says; of our own a share is")
  func sampling() throws {
    let queue = SpanQueue(metrics: registry)
    var context = InstrumentationContext.topLevel
    context.take(traceParent: Self.header.dropLast(2) + "00", traceState: nil)
    let unrecorded = tracer(queue).startSpan("s", context: context)
    unrecorded.attributes["a"] = "b"
    unrecorded.addEvent("e")
    unrecorded.end()
    #expect(!unrecorded.isRecording && queue.isEmpty && unrecorded.attributes.isEmpty)
    #expect(unrecorded.context.traceParent?.isSampled == false)
    for _ in 0..<100 { tracer(queue, ratio: 0).startSpan("s", context: .topLevel).end() }
    #expect(queue.isEmpty)
    var ids: Set<String> = []
    for _ in 0..<1_000 {
      let span = tracer(queue, ratio: 0.5).startSpan("s", context: .topLevel)
      let own = try #require(span.context.traceParent)
      #expect(TraceParent(own.text) == own)
      ids.insert(own.traceID)
      span.end()
    }
    #expect(ids.count == 1_000)
    #expect((300...700).contains(queue.take(1_000).count))
  }

  @Test("A span that has ended does not change")
  func ended() {
    let queue = SpanQueue(metrics: registry)
    let span = tracer(queue).startSpan("before", context: .topLevel)
    span.end()
    span.operationName = "after"
    span.setStatus(.init(code: .error))
    span.addEvent("late")
    #expect(queue.take(1).first.map { $0.name == "before" && $0.status == nil && $0.events.isEmpty } == true)
    #expect(span.operationName == "before")
  }

  @Test("Spans that nobody takes are dropped and counted")
  func bounded() {
    let queue = SpanQueue(metrics: registry)
    for _ in 0..<(SpanQueue.capacity + 5) { tracer(queue).startSpan("s", context: .topLevel).end() }
    #expect(registry.prometheusText().contains("parley_spans_dropped_total 5\n"))
    let taken = queue.take(3)
    tracer(queue).startSpan("new", context: .topLevel).end()
    queue.putBack(taken)
    #expect(registry.prometheusText().contains("parley_spans_dropped_total 6\n"))
    #expect(queue.take(SpanQueue.capacity + 1).count == SpanQueue.capacity)
  }
}
