public import Envelope
public import NIOCore
public import Translation

/// Forwarding between a client and a provider that speak the same language: what needs no change crosses as bytes.
///
/// Three things change: the provider's `session.created` is kept back (the client has had Parley's), session objects carry
/// Parley's id, and a client's `session.update` is put into the form that the service insists on.
public struct RawLane: Sendable {
  /// The id that the client knows the session by, for the whole call.
  public let sessionID: String
  /// What the provider said of the session in its own `session.created`; shown with the next `session.updated`.
  public private(set) var providerSession: JSONObject?
  /// The response that the provider has begun and not ended.
  private var openResponse: JSONObject?

  public init(sessionID: String) {
    self.sessionID = sessionID
  }

  // MARK: Uplink

  /// Forwards a control event of the client.
  public func forward(_ event: IncomingEvent, port: inout Port) {
    guard event.type == .sessionUpdate, let update = Self.normalised(event.value) else {
      port.send(.control) { $0.writeImmutableBuffer(event.message) }
      return
    }
    port.send(.control) { update.write(into: &$0) }
  }

  /// Forwards a chunk of audio: the client's event as it came, or a new one around audio that had to be normalised.
  @inline(__always)
  public func forward(_ chunk: AudioChunk, port: inout Port) {
    port.send(.audio) { buffer in
      if let verbatim = chunk.verbatim {
        buffer.writeImmutableBuffer(verbatim)
      } else {
        chunk.base64.withUnsafeReadableBytes { EventWriter.writeAppend($0, into: &buffer) }
      }
    }
  }

  /// A `session.update` in the service's form, or nil if it is already: `type` is required there, both modalities at once
  /// are not allowed, and `modelId` is an alias of ours.
  static func normalised(_ event: JSONValue) -> JSONValue? {
    guard var object = event.object, var session = object["session"]?.object else { return nil }
    var isChanged = false
    if session["type"] == nil {
      session["type"] = "realtime"
      isChanged = true
    }
    if let alias = session["modelId"] {
      session.removeValue(forKey: "modelId")
      if session["model"] == nil { session["model"] = alias }
      isChanged = true
    }
    if let modalities = session["output_modalities"]?.array, modalities.count == 2,
      modalities.contains("audio"), modalities.contains("text")
    {
      session["output_modalities"] = ["audio"]
      isChanged = true
    }
    guard isChanged else { return nil }
    object["session"] = .object(session)
    return .object(object)
  }

  // MARK: Downlink

  /// Hands a provider's event to the client.
  ///
  /// - Throws: `malformedMessage` for what is no event at all.
  public mutating func deliver(_ message: ByteBuffer, port: inout Port) throws(TranslationFault) {
    let lane = message.withUnsafeReadableBytes { EventReader.readServer($0) }
    if case .audioDelta = lane {
      port.outbox.downstream.append(.audio) { $0.writeImmutableBuffer(message) }
      return
    }
    let value: JSONValue
    do {
      value = try JSONValue(parsing: message.readableBytesView)
    } catch {
      throw .malformedMessage("not JSON: \(error)")
    }
    guard var object = value.object, let type = object["type"]?.string else {
      throw .malformedMessage("an event without a type")
    }
    switch type {
    case "response.created": openResponse = object["response"]?.object
    case "response.done": openResponse = nil
    default: break
    }
    switch type {
    case "session.created":
      providerSession = object["session"]?.object
    case "session.updated":
      if var session = object["session"]?.object {
        session["id"] = .string(sessionID)
        object["session"] = .object(session)
      }
      port.outbox.downstream.append(.control) { JSONValue.object(object).write(into: &$0) }
    default:
      port.outbox.downstream.append(.control) { $0.writeImmutableBuffer(message) }
    }
  }

  /// Ends the response that a lost connection left open, so that the client does not wait for it.
  public mutating func closeOpenResponse(_ verdict: UpstreamVerdict, port: inout Port) {
    guard var response = openResponse else { return }
    openResponse = nil
    response["status"] = "failed"
    response["status_details"] = [
      "type": "failed",
      "error": ["type": "server_error", "code": .string(verdict.code), "message": .string(verdict.message)],
    ]
    let event: JSONValue = [
      "type": "response.done", "event_id": .string(port.ids.next(.event)), "response": .object(response),
    ]
    port.outbox.downstream.append(.control) { event.write(into: &$0) }
  }
}
