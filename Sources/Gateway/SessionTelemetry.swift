import CoreMetrics
import Translation

/// The metrics and the spans of one session. Confined to the session's event loop.
///
/// What happens with every frame is counted by the driver in plain integers; it comes here when a turn ends, every ten
/// seconds at most, and at the end.
final class SessionTelemetry {
  private static let interval = Duration.seconds(10)

  /// What the session has counted itself.
  struct Reading {
    var traffic: SessionTraffic
    var errors: ErrorTally
    var model: String
  }

  private let metrics: ProviderMetrics
  private let judgesProvider: Bool
  private var trace: SessionTrace
  private var begunAt: Instant?
  private var flushed = SessionTraffic()
  private var flushedErrors = ErrorTally()
  private var flushDue: Instant?
  /// Since when a client is to be silenced that has not taken yet what went before.
  private var silenceAwaitedSince: Instant?

  private var connectBegan: Instant?
  private var hasConnected = false
  /// The connection has gone, and the call goes on: the errors that the client had been told by then.
  private var errorsBeforeLoss: Int?
  private var hasFailedTurn = false

  /// - Parameter judgesProvider: whether a failed dial says something of the provider.
  init(_ metrics: ProviderMetrics, judgesProvider: Bool = true, _ trace: SessionTrace) {
    self.metrics = metrics
    self.judgesProvider = judgesProvider
    self.trace = trace
  }

  func begin(at now: Instant) {
    begunAt = now
    metrics.openSessions.increment(by: 1)
    trace.begin()
  }

  /// - Parameter source: who caused the end; `fault` is the name of why.
  func end(_ source: SessionEndSource, fault: String, _ reading: Reading, at now: Instant) {
    guard let begunAt else { return }
    self.begunAt = nil
    if errorsBeforeLoss != nil, source == .upstream { metrics.count(.told) }
    flush(reading, at: now)
    metrics.openSessions.decrement(by: 1)
    metrics.sessionSeconds.record((now - begunAt).inSeconds)
    metrics.count(source)
    trace.end(source, fault: fault, model: reading.model)
  }

  // MARK: Turns

  /// - Parameters:
  ///   - stepBegan: the time that the session was told; what it took until `now` to hand everything out is our own.
  ///   - isBehind: more waits for the client than it takes; it hears on until that has gone.
  func turn(
    _ measure: TurnMeasure, stepBegan: Instant, at now: Instant, clientIsBehind isBehind: Bool, _ reading: Reading
  ) {
    let own = now - stepBegan
    switch measure {
    case .began:
      trace.turnBegan()
    case .firstAudio(let whole, let upstream):
      metrics.firstAudioSeconds.record((whole + own).inSeconds)
      metrics.upstreamSeconds.record(upstream.inSeconds)
      metrics.gatewaySeconds.record((whole - upstream + own).inSeconds)
      trace.firstAudio(after: whole + own, upstream: upstream)
    case .silenced(let duration):
      if isBehind {
        silenceAwaitedSince = now + (.zero - duration - own)
      } else {
        silenceAwaitedSince = nil
        metrics.silenceSeconds.record((duration + own).inSeconds)
      }
    case .ended(let outcome, let responseID, let inputTokens, let outputTokens):
      metrics.count(outcome)
      if outcome == .failed { hasFailedTurn = true }
      trace.turnEnded(
        outcome, model: reading.model, responseID: responseID, inputTokens: inputTokens, outputTokens: outputTokens)
      flush(reading, at: now)
    }
  }

  /// The client has taken what had waited for it.
  func clientCaughtUp(at now: Instant) {
    guard let since = silenceAwaitedSince else { return }
    silenceAwaitedSince = nil
    metrics.silenceSeconds.record((now - since).inSeconds)
  }

  // MARK: Traffic

  /// Whether it is time to tell what was counted since.
  func isFlushDue(at now: Instant) -> Bool { flushDue.map { now >= $0 } ?? true }

  func flush(_ reading: Reading, at now: Instant) {
    flushDue = now + Self.interval
    for way in ProviderMetrics.Way.allCases where reading.traffic[way] != flushed[way] {
      metrics.count(way, reading.traffic[way] - flushed[way])
    }
    flushed = reading.traffic
    for source in ErrorSource.allCases where reading.errors[source] != flushedErrors[source] {
      metrics.count(source, reading.errors[source] &- flushedErrors[source])
    }
    flushedErrors = reading.errors
  }

  // MARK: The connection to the provider

  /// Headers that tell a provider of the trace that the session is part of; none where there is no trace.
  var upstreamHeaders: [UpstreamTarget.Header] { trace.upstreamHeaders }

  func connects(at now: Instant) {
    connectBegan = now
  }

  /// The connection has gone, or is to be replaced; the client has not been told anything of that yet.
  func lost(_ errors: ErrorTally) {
    guard hasConnected, errorsBeforeLoss == nil else { return }
    errorsBeforeLoss = errors[.upstream]
    hasFailedTurn = false
  }

  /// There is no connection to be had.
  func notConnected(at now: Instant) {
    if judgesProvider { metrics.dials.failed(at: now) }
  }

  /// The session has told the client by now what there is to tell.
  func connected(at now: Instant, _ errors: ErrorTally) {
    if let connectBegan { metrics.connectSeconds.record((now - connectBegan).inSeconds) }
    connectBegan = nil
    hasConnected = true
    if judgesProvider { metrics.dials.opened() }
    guard let before = errorsBeforeLoss else { return }
    errorsBeforeLoss = nil
    metrics.count(hasFailedTurn || errors[.upstream] != before ? ProviderMetrics.Reconnect.told : .hidden)
  }
}

extension Duration {
  /// In seconds, as metrics, spans and records want them.
  var inSeconds: Double { Double(wholeNanoseconds) / 1e9 }
}
