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

  /// Takes the two headers of a request over. Without a `traceparent` that is one, the trace begins here, and the
  /// `tracestate` is nobody's (W3C Trace Context section 3.3).
  public mutating func take(traceParent header: String?, traceState: String?) {
    guard let parent = header.flatMap({ TraceParent($0) }) else { return }
    traceParent = parent
    self.traceState = traceState.flatMap { Self.isTraceState($0) ? $0 : nil }
  }

  /// Visible characters, and no more than 512 of them, which is what everybody has to pass on.
  private static func isTraceState(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 512 && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
  }
}
