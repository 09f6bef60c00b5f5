import Envelope
public import Translation

// The end of a connection that was not asked for, and of the attempts at the next one.

extension GeminiLiveTranslator {
  public mutating func survives(_ end: UpstreamEnd, at now: Instant, port: inout Port) -> Bool {
    lastNow = now
    // The first set-up tells the client what is wrong.
    guard hasBegun else { return false }
    let verdict = verdict(on: end)
    if connection == .ready { return survivesLoss(end, verdict, at: now, port: &port) }
    let wasSettingUp = connection == .settingUp
    connection = .closed
    sendBuffered(port: &port)
    let fields = ["end": end.label]
    if wasSettingUp, verdict?.code == "upstream_setup_rejected" || verdict?.code == "model_not_found",
      makeSetUp(workingSession) != setUp
    {
      return restore(verdict, at: now, port: &port)
    }
    if renewal.usesHandle, case .closed = end, verdict?.code != "upstream_credentials_refused",
      verdict?.code != "rate_limit_exceeded"
    {
      port.note(.warning, "the provider refused to resume", fields)
      renewal.begin(withHandle: false, followsLoss: true)
      return retry(at: now, port: &port)
    }
    if case .refused(let status, _) = end, status < 500 { return false }
    guard !end.isFinal, verdict?.outlook != .isFinal || verdict?.code == "upstream_closed" else { return false }
    port.note(.warning, "the provider could not be reached again", fields)
    return retry(at: now, port: &port)
  }

  /// The end of a connection that worked.
  private mutating func survivesLoss(
    _ end: UpstreamEnd, _ verdict: UpstreamVerdict?, at now: Instant, port: inout Port
  ) -> Bool {
    guard verdict?.code != "upstream_credentials_refused", verdict?.code != "rate_limit_exceeded",
      verdict?.code != "model_not_found"
    else { return false }
    if case .closed(let code, let reason) = end, code == 1007 || code == 1008 {
      // A cause in the conversation itself would come back for ever.
      guard renewal.suddenEnds < Limits.suddenEnds else { return false }
      renewal.endedSuddenly()
      // The handle is stale, or it leads to where a call is unknown.
      if reason.contains("entity was not found") { renewal.forgetHandle() }
    }
    port.note(.warning, "the connection to the provider was lost", ["end": end.label])
    beginRenewal(followsLoss: true, at: now, port: &port)
    return retry(at: now, port: &port)
  }

  private mutating func retry(at now: Instant, port: inout Port) -> Bool {
    guard let at = renewal.retry(at: now) else { return false }
    if at <= now { redial(at: now, port: &port) }
    return true
  }

  mutating func redial(at now: Instant, port: inout Port) {
    renewal.begin(withHandle: renewal.usesHandle, followsLoss: false)
    port.redial(upstream(), closing: false)
  }

  /// The service refused what the client asked for: the session goes on as it was.
  private mutating func restore(_ verdict: UpstreamVerdict?, at now: Instant, port: inout Port) -> Bool {
    let eventID = renewal.updateEventID
    let refused = session
    session = workingSession
    if refused.audio.input.format != session.audio.input.format { inputFormatChanged(port: &port) }
    if refused.audio.input.turnDetection != session.audio.input.turnDetection {
      detectionChanged(from: refused, port: &port)
    }
    if let verdict {
      port.emit(
        EventFault(type: verdict.type, code: verdict.code, message: verdict.message, param: verdict.param),
        eventID: eventID)
    }
    port.emit(.sessionUpdated(session))
    return retry(at: now, port: &port)
  }
}
