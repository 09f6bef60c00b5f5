import Envelope
import Translation

// What the service says of the session: its hello, and its yes or no to what it was told.

extension WireTranslator {
  /// A service that has no place for the session.
  static func verdict(_ error: ErrorObject) -> UpstreamVerdict {
    UpstreamVerdict(
      type: error.type, code: error.code ?? "upstream_capacity", message: error.message, outlook: .mayRecover)
  }

  /// The service's hello. Its voice is what the client hears unless it asks for another.
  mutating func greeted(_ session: JSONValue?) {
    guard traits.isNative, updates.touched["audio"]?["output"]?["voice"] == nil,
      let voice = session?["audio"]?["output"]?["voice"]?.string
    else { return }
    self.session.audio.output.voice = .named(voice)
    var confirmed = updates.confirmed
    confirmed.audio.output.voice = .named(voice)
    updates.restart(with: confirmed)
  }

  /// The service says yes to an update.
  mutating func confirmed(_ event: JSONObject, at now: Instant, port: inout Port) {
    let before = updates.confirmed
    let after = updates.pending.first?.patch.flatMap { applying($0, to: before) } ?? before
    let update = updates.confirmOldest(as: after)
    if traits.isNative { adopt(event["session"]) }
    if connection == .settingUp { becomeReady(at: now, port: &port) }
    guard let update else {
      if traits.isNative { showSession(event, port: &port) }
      return
    }
    guard !update.isSetUp else { return }
    traits.isNative ? showSession(event, port: &port) : port.emit(.sessionUpdated(updates.confirmed))
  }

  /// A native service's own word of its session, with the id that the client knows.
  private func showSession(_ event: JSONObject, port: inout Port) {
    var event = event
    event["type"] = "session.updated"
    var shown = event["session"]?.object ?? JSONObject()
    shown["id"] = .string(session.id)
    if let expiresAt = session.expiresAt, shown["expires_at"] != nil {
      shown["expires_at"] = .number(JSONNumber(expiresAt))
    }
    event["session"] = .object(shown)
    tell(event, port: &port)
  }

  /// The mirror of a native service's session is what it says it is.
  private mutating func adopt(_ shown: JSONValue?) {
    guard let shown, var adopted = try? JSONCoding.decode(RealtimeSession.self, from: shown) else { return }
    let mirror = updates.confirmed
    adopted.id = mirror.id
    adopted.expiresAt = mirror.expiresAt
    // What was dialled, whatever the service calls it.
    adopted.model = mirror.model
    updates.restart(with: adopted)
    let old = session
    session = updates.expected { applying($0, to: $1) }
    sessionChanged(from: old)
  }

  /// The service says no.
  mutating func refused(_ event: JSONObject, at now: Instant, port: inout Port) {
    var error = EventMender.error(from: event)
    let frameID = error.eventID
    if let frameID, let own = ownFrames.removeValue(forKey: frameID) {
      guard case .cancel(let eventID, let wasOpen) = own else {
        return port.note(.info, "the provider refused what was said beside the client", ["code": error.code ?? "none"])
      }
      // It ended by itself before the service heard of it, and the client has seen that.
      if wasOpen { return }
      error.eventID = eventID
      return port.emit(.error(error))
    }
    if let update = refusedUpdate(error) { return refused(update, error, at: now, port: &port) }
    guard isGreeted else {
      // It tells of the gateway's credentials or of its request, which are not the client's; the close that follows is
      // told in Parley's words.
      return port.note(
        .warning, "the provider refused the session", ["code": String((error.code ?? "none").prefix(64))])
    }
    if let entry = forgetRefused(error, port: &port) { error.eventID = entry.eventID }
    guard traits.isNative, var shown = event["error"]?.object, shown["message"]?.string != nil else {
      return port.emit(.error(error))
    }
    guard error.eventID != frameID else { return tell(event, port: &port) }
    shown["event_id"] = error.eventID.map { .string($0) } ?? .null
    var event = event
    event["error"] = .object(shown)
    tell(event, port: &port)
  }

  /// What is refused is not awaited. Not every service says which event it means.
  private mutating func forgetRefused(_ error: ErrorObject, port: inout Port) -> Awaited? {
    let named = awaited.firstIndex { $0.frameID != nil && $0.frameID == error.eventID }
    let meant = named ?? awaited.firstIndex { $0.isSent && $0.isRefused(by: error.code) }
    guard let meant else { return nil }
    let entry = awaited.remove(at: meant)
    switch entry.kind {
    case .response:
      mender.askedInVain()
      // A mistake of the client's is no failure of the provider's.
      port.marks.add(error.type == "invalid_request_error" ? .refused : .unanswered)
    case .turn: hearing.turnWasTaken()
    case .item, .deletion: break
    }
    return named == nil ? nil : entry
  }

  /// Not every service says which event it means: a parameter of the session's does.
  private mutating func refusedUpdate(_ error: ErrorObject) -> SessionUpdates.Update? {
    if let id = error.eventID { return updates.refuse(frameID: id) }
    guard error.param?.hasPrefix("session") == true, let oldest = updates.pending.first else { return nil }
    return updates.refuse(frameID: oldest.frameID)
  }

  /// Nothing of the update holds (R236).
  private mutating func refused(
    _ update: SessionUpdates.Update, _ error: ErrorObject, at now: Instant, port: inout Port
  ) {
    let old = session
    session = updates.expected { applying($0, to: $1) }
    sessionChanged(from: old)
    if update.isSetUp {
      port.note(.warning, "the provider refused its set-up", ["code": String((error.code ?? "none").prefix(64))])
    } else {
      var error = error
      error.eventID = update.eventID
      port.emit(.error(error))
    }
    // It may have carried what the service must be told in any case.
    if connection == .settingUp, !update.isSetUp {
      tellSession(port: &port)
    } else if connection == .settingUp {
      becomeReady(at: now, port: &port)
    }
  }
}

extension WireTranslator.Awaited {
  /// Whether an error with this code is about something of its kind.
  fileprivate func isRefused(by code: String?) -> Bool {
    switch (kind, code) {
    case (.response, "conversation_already_has_active_response"), (.turn, "input_audio_buffer_commit_empty"),
      (.deletion, "item_delete_invalid_item_id"):
      true
    default: false
    }
  }
}
