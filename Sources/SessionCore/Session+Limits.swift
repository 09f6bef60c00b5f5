import Envelope
public import Metering
public import Translation

// Where the session stands with the limits that hold for it.

extension Session {
  /// How long it may go on by the minutes of somebody it belongs to; the latest word counts.
  public mutating func grant(_ grant: TimeGrant, at now: Instant) {
    span.granted(grant, at: now)
    port.isLimited = true
  }

  /// Where those stand whom it belongs to. The session counts its own time itself.
  public mutating func limitsStand(_ standing: LimitStanding) {
    self.standing = standing
    if !standing.isEmpty { port.isLimited = true }
    let minutes = standing.entries.filter { $0.name == .maxMinutesPerDay }.map(\.remaining).min()
    span.stands(left: minutes.map { .seconds($0 * 60) })
  }

  /// Tells the client: with each response, and before its end.
  mutating func tellLimits(_ warning: LimitWarning? = nil, at now: Instant) {
    let (room, reset) = pace.standing(at: now)
    let requests = RateLimit(
      name: "requests", limit: limits.controlEventsPerSecond, remaining: room, resetSeconds: reset.inSeconds)
    let entries = [span.standing(at: now)].compactMap(\.self) + standing.entries
    var event: JSONObject = [
      "type": .string(ServerEventType.rateLimitsUpdated.rawValue), "event_id": .string(port.ids.next(.event)),
      "rate_limits": JSONCoding.encode([requests]), "limits": .array(entries.map(\.json)),
    ]
    if let warning {
      event["warning"] = [
        "code": "limit_approaching", "limit": .string(warning.limit.rawValue),
        "seconds_left": .number(JSONNumber(warning.secondsLeft)), "message": .string(warning.message),
      ]
    }
    port.outbox.downstream.append(.control) { event.write(into: &$0) }
  }
}
