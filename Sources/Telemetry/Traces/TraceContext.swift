public import Tracing

extension InstrumentationContext {
  private enum ParentKey: InstrumentationContextKey {
    typealias Value = TraceParent
  }

  private enum StateKey: InstrumentationContextKey {
    typealias Value = String
  }

  /// Of the request that is served, or the span that goes on.
  public var traceParent: TraceParent? {
    get { self[ParentKey.self] }
    set { self[ParentKey.self] = newValue }
  }

  /// What the trace's other participants passed along (`tracestate`); it is handed on as it came.
  public var traceState: String? {
    get { self[StateKey.self] }
    set { self[StateKey.self] = newValue }
  }
}
