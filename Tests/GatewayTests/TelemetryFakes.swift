import CoreMetrics
import Synchronization
import Tracing

/// Keeps what is counted, recorded and set, by labels.
final class MeasuringFactory: MetricsFactory {
  private let counts = Mutex<[String: Int64]>([:])
  private let records = Mutex<[String: [Double]]>([:])
  private let levels = Mutex<[String: Double]>([:])

  /// Of a counter: its name and labels, as in `parley_turns_total provider=main outcome=completed`.
  func count(_ name: String) -> Int64 { counts.withLock { $0[name] ?? 0 } }
  func recorded(_ name: String) -> [Double] { records.withLock { $0[name] ?? [] } }
  func level(_ name: String) -> Double { levels.withLock { $0[name] ?? 0 } }
  var names: Set<String> {
    Set(counts.withLock { Array($0.keys) } + records.withLock { Array($0.keys) } + levels.withLock { Array($0.keys) })
  }

  private struct Handler: Sendable {
    let add: @Sendable (Double) -> Void
    var put: @Sendable (Double) -> Void = { _ in }
  }

  private final class Series: CounterHandler, RecorderHandler, MeterHandler {
    private let handler: Handler

    init(_ handler: Handler) {
      self.handler = handler
    }

    func increment(by amount: Int64) { handler.add(Double(amount)) }
    func increment(by amount: Double) { handler.add(amount) }
    func decrement(by amount: Double) { handler.add(-amount) }
    func record(_ value: Int64) { handler.add(Double(value)) }
    func record(_ value: Double) { handler.add(value) }
    func set(_ value: Int64) { handler.put(Double(value)) }
    func set(_ value: Double) { handler.put(value) }
    func reset() {}
  }

  private static func name(_ label: String, _ dimensions: [(String, String)]) -> String {
    label + dimensions.map { " \($0.0)=\($0.1)" }.joined()
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    let name = Self.name(label, dimensions)
    counts.withLock { $0[name] = $0[name] ?? 0 }
    return Series(Handler { [self] amount in counts.withLock { $0[name, default: 0] += Int64(amount) } })
  }

  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    let name = Self.name(label, dimensions)
    records.withLock { $0[name] = $0[name] ?? [] }
    return Series(Handler { [self] value in records.withLock { $0[name, default: []].append(value) } })
  }

  func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    let name = Self.name(label, dimensions)
    levels.withLock { $0[name] = $0[name] ?? 0 }
    return Series(
      Handler(
        add: { [self] amount in levels.withLock { $0[name, default: 0] += amount } },
        put: { [self] value in levels.withLock { $0[name] = value } }))
  }

  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { NOOPMetricsHandler.instance }
  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
  func destroyMeter(_ handler: any MeterHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
}

/// Keeps every span that has ended.
final class SpanKeeper: Tracer {
  struct Kept: Sendable {
    var name: String
    var kind: SpanKind
    var parent: String?
    var id: String
    var attributes: SpanAttributes
    var events: [String]
    var failed: Bool
    var nanoseconds: UInt64
  }

  private let kept = Mutex<[Kept]>([])
  private let numbers = Mutex(0)
  private let stream: AsyncStream<Kept>
  private let continuation: AsyncStream<Kept>.Continuation

  init() {
    (stream, continuation) = AsyncStream.makeStream()
  }

  var spans: [Kept] { kept.withLock { $0 } }

  /// Waits for the end of a span with this name.
  func span(named name: String) async -> Kept? {
    if let known = spans.first(where: { $0.name == name }) { return known }
    for await span in stream where span.name == name { return span }
    return nil
  }

  fileprivate func keep(_ span: Kept) {
    kept.withLock { $0.append(span) }
    continuation.yield(span)
  }

  func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> KeptSpan {
    var context = context()
    let parent = context[TestTraceKey.self]
    let number = numbers.withLock { number in
      number += 1
      return number
    }
    context[TestTraceKey.self] = "span-\(number)"
    return KeptSpan(
      self, operationName, kind, parent: parent, id: "span-\(number)", context, instant().nanosecondsSinceEpoch)
  }

  func forceFlush() {}

  func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    context[TestTraceKey.self] = extractor.extract(key: "traceparent", from: carrier)
  }

  func inject<Carrier, Inject: Injector>(
    _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {
    if let id = context[TestTraceKey.self] { injector.inject(id, forKey: "traceparent", into: &carrier) }
  }
}

private enum TestTraceKey: ServiceContextKey {
  typealias Value = String
}

final class KeptSpan: Span {
  private struct State {
    var name: String
    var attributes: SpanAttributes = [:]
    var events: [String] = []
    var failed = false
  }

  let context: InstrumentationContext
  private let state: Mutex<State>
  private let keeper: SpanKeeper
  private let kind: SpanKind
  private let parent: String?
  private let id: String
  private let begin: UInt64

  init(
    _ keeper: SpanKeeper, _ name: String, _ kind: SpanKind, parent: String?, id: String,
    _ context: InstrumentationContext, _ begin: UInt64
  ) {
    self.keeper = keeper
    self.kind = kind
    self.parent = parent
    self.id = id
    self.context = context
    self.begin = begin
    state = Mutex(State(name: name))
  }

  var isRecording: Bool { true }
  var operationName: String {
    get { state.withLock { $0.name } }
    set { state.withLock { $0.name = newValue } }
  }
  var attributes: SpanAttributes {
    get { state.withLock { $0.attributes } }
    set { state.withLock { $0.attributes = newValue } }
  }
  func setStatus(_ status: SpanStatus) { state.withLock { $0.failed = status.code == .error } }
  func addEvent(_ event: SpanEvent) { state.withLock { $0.events.append(event.name) } }
  func addLink(_ link: SpanLink) {}
  func recordError<Instant: TracerInstant>(
    _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
  ) {}

  func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
    let state = state.withLock { $0 }
    keeper.keep(
      SpanKeeper.Kept(
        name: state.name, kind: kind, parent: parent, id: id, attributes: state.attributes, events: state.events,
        failed: state.failed, nanoseconds: instant().nanosecondsSinceEpoch - begin))
  }
}
