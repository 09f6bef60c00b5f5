import HTTPWire
import Tracing
import Translation

/// The spans of one session: its own, and one for each turn, by the semantic conventions of OpenTelemetry for generative
/// AI. No attribute ever has a word or a sound of the conversation.
struct SessionTrace {
  private let tracer: (any Tracer)?
  private let sessionID: String
  private let provider: String
  private let kind: String
  /// The client's; nil where it has sent none that is sound.
  private let given: TraceContextHeaders?
  private var session: (any Span)?
  private var turn: Turn?

  private struct Turn {
    var begunAt: DefaultTracerClock.Timestamp
    /// Until the first audio, the whole and the provider's part; nil where there was none, or nobody waited.
    var firstAudio: (at: DefaultTracerClock.Timestamp, after: Duration, upstream: Duration)?
  }

  init(tracer: (any Tracer)?, sessionID: String, provider: String, kind: String, head: RequestHead?) {
    self.tracer = tracer
    self.sessionID = sessionID
    self.provider = provider
    self.kind = kind
    given = head.flatMap { TraceContextHeaders($0) }
  }

  mutating func begin() {
    guard let tracer else { return }
    var context = ServiceContext.topLevel
    if let given { tracer.extract(given, into: &context, using: TraceContextHeaders.Access()) }
    let span = tracer.startAnySpan("parley.session", context: context, ofKind: .server)
    span.attributes["gen_ai.conversation.id"] = sessionID
    span.attributes["gen_ai.provider.name"] = genAIName
    span.attributes["parley.provider"] = provider
    session = span
  }

  mutating func end(_ source: SessionEndSource, fault: String, model: String? = nil) {
    guard let session else { return }
    if let turn {
      // Whoever hangs up while it is answered has heard enough.
      let isAnswered = turn.firstAudio != nil || source == .none
      finishTurn(model: model) { span in
        span.attributes["parley.turn.outcome"] = (isAnswered ? TurnOutcome.cancelled : .failed).rawValue
        if !isAnswered { span.setStatus(SpanStatus(code: .error, message: "unanswered")) }
      }
    }
    session.attributes["parley.end.source"] = source.rawValue
    if source != .none {
      session.attributes["error.type"] = fault
      session.setStatus(SpanStatus(code: .error))
    }
    session.end()
    self.session = nil
  }

  /// What tells a provider of the trace: of the session's span, or of the client's where nobody collects ours.
  var upstreamHeaders: [UpstreamTarget.Header] {
    var headers = given
    if let tracer, let session {
      var own = TraceContextHeaders()
      tracer.inject(session.context, into: &own, using: TraceContextHeaders.Access())
      headers = own
    }
    return (headers?.fields ?? []).map { UpstreamTarget.Header($0.name, Redacted($0.value)) }
  }

  // MARK: Turns

  mutating func turnBegan() {
    guard tracer != nil else { return }
    turn = Turn(begunAt: DefaultTracerClock.now)
  }

  mutating func firstAudio(after whole: Duration, upstream: Duration) {
    guard turn != nil else { return }
    let now = DefaultTracerClock.now
    // It may have begun before anybody knew.
    turn?.begunAt = now.earlier(by: whole)
    turn?.firstAudio = (now, whole, upstream)
  }

  mutating func turnEnded(
    _ outcome: TurnOutcome, model: String, responseID: String?, inputTokens: Int?, outputTokens: Int?
  ) {
    finishTurn(model: model) { span in
      span.attributes["gen_ai.response.id"] = responseID
      span.attributes["gen_ai.usage.input_tokens"] = inputTokens
      span.attributes["gen_ai.usage.output_tokens"] = outputTokens
      span.attributes["parley.turn.outcome"] = outcome.rawValue
      guard outcome == .failed else { return }
      span.attributes["error.type"] = outcome.rawValue
      span.setStatus(SpanStatus(code: .error))
    }
  }

  private mutating func finishTurn(model: String? = nil, _ finish: (any Span) -> Void) {
    guard let tracer, let session, let turn else { return }
    self.turn = nil
    let span = tracer.startSpan(
      model.map { "chat \($0)" } ?? "chat", context: session.context, ofKind: .client, at: turn.begunAt)
    span.attributes["gen_ai.operation.name"] = "chat"
    span.attributes["gen_ai.provider.name"] = genAIName
    span.attributes["gen_ai.conversation.id"] = sessionID
    span.attributes["gen_ai.request.model"] = model
    if let audio = turn.firstAudio {
      span.attributes["gen_ai.output.type"] = "speech"
      span.attributes["parley.first_audio.seconds"] = audio.after.inSeconds
      span.attributes["parley.first_audio.upstream_seconds"] = audio.upstream.inSeconds
      span.addEvent(SpanEvent(name: "first audio", at: audio.at))
    }
    finish(span)
    span.end()
  }

  /// The well-known names of the semantic conventions; ours where they have none.
  private var genAIName: String {
    switch kind {
    case "azure": "azure.ai.openai"
    case "gemini-live": "gcp.gemini"
    case "xai": "x_ai"
    default: kind
    }
  }
}

extension DefaultTracerClock.Timestamp {
  fileprivate func earlier(by duration: Duration) -> Self {
    let nanoseconds = UInt64(clamping: duration.wholeNanoseconds)
    return Self(nanosecondsSinceEpoch: nanosecondsSinceEpoch - min(nanoseconds, nanosecondsSinceEpoch))
  }
}

/// The headers of a trace (W3C Trace Context), checked: they may come from a client and go on to a provider.
struct TraceContextHeaders {
  /// Where tracers read and write them.
  struct Access: Extractor, Injector {
    func extract(key: String, from carrier: TraceContextHeaders) -> String? {
      carrier.fields.first { $0.name == key.lowercased() }?.value
    }

    func inject(_ value: String, forKey key: String, into carrier: inout TraceContextHeaders) {
      carrier.fields.append((key, value))
    }
  }

  private static let mostStateCharacters = 512

  private(set) var fields: [(name: String, value: String)] = []

  init() {}

  /// Nil where there is no `traceparent`, more than one, or one that is none: then nothing else of it counts either.
  init?(_ head: RequestHead) {
    let parents = head.values(of: "traceparent")
    guard parents.count == 1, Self.isParent(parents[0]) else { return nil }
    fields = [("traceparent", parents[0])]
    let state = head.values(of: "tracestate").joined(separator: ",")
    guard !state.isEmpty, state.utf8.count <= Self.mostStateCharacters,
      state.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
    else { return }
    fields.append(("tracestate", state))
  }

  /// `00-` trace id `-` span id `-` flags, in lower-case hexadecimal digits; later versions may say more behind a dash.
  private static func isParent(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0] != "ff", parts[0] != "00" || parts.count == 4, text.utf8.count <= 128 else {
      return false
    }
    let lengths = [2, 32, 16, 2]
    guard zip(parts, lengths).allSatisfy({ part, length in part.utf8.count == length && part.utf8.allSatisfy(\.isHex) })
    else { return false }
    return !parts[1].allSatisfy { $0 == "0" } && !parts[2].allSatisfy { $0 == "0" }
      && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}

extension UInt8 {
  fileprivate var isHex: Bool { (0x30...0x39).contains(self) || (0x61...0x66).contains(self) }
}
