import Envelope
public import NIOCore
public import Translation

import Audio

/// Forwarding between a client and a provider that speak the same language: what needs no change crosses as bytes.
///
/// Four things change: the provider's `session.created` is kept back (the client has had Parley's), so is an `error` that
/// comes before it, session objects carry Parley's id, and a client's `session.update` is put into the form that the
/// service insists on.
public struct RawLane: Sendable {
  /// The id that the client knows the session by, for the whole call.
  public let sessionID: String
  /// Whether the provider has said hello.
  private var isGreeted = false
  /// What the provider has begun and not ended.
  private var open = OpenOutput()
  /// Whether the input is G.711, as the client asked for it last and as the provider confirmed it last.
  private var isG711 = (asked: false, confirmed: false)

  public init(sessionID: String) {
    self.sessionID = sessionID
  }

  /// 1 from where the client asks for G.711 input, which may be before the provider confirms it; otherwise 2.
  public var bytesPerSample: Int { isG711.asked || isG711.confirmed ? G711.bytesPerSample : PCM16.bytesPerSample }

  /// Whether a session object asks for G.711 input; nil where it says nothing of the format.
  private static func isG711(_ session: JSONValue?) -> Bool? {
    guard let type = session?["audio"]?["input"]?["format"]?["type"]?.string else { return nil }
    return type == "audio/pcmu" || type == "audio/pcma"
  }

  /// Whether the provider is in the middle of a response.
  public var isMidTurn: Bool { !open.isEmpty }

  // MARK: Uplink

  /// Forwards a control event of the client.
  public mutating func forward(_ event: IncomingEvent, port: inout Port) {
    if event.type == .sessionUpdate {
      if let isG711 = Self.isG711(event.value["session"]) { self.isG711.asked = isG711 }
      if let update = Self.normalised(event.value) {
        return port.send(.control) { update.write(into: &$0) }
      }
    }
    port.send(.control) { $0.writeImmutableBuffer(event.message) }
  }

  /// Forwards a chunk of audio.
  @inline(__always)
  public func forward(_ chunk: AudioChunk, port: inout Port) {
    port.send(.audio) { $0.writeImmutableBuffer(chunk.event) }
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

  /// The events that are looked into; every other one is checked and forwarded.
  private enum Inspected: String {
    case sessionCreated = "session.created"
    case sessionUpdated = "session.updated"
    case error
    case responseCreated = "response.created"
    case responseDone = "response.done"
    case outputItemAdded = "response.output_item.added"
    case outputItemDone = "response.output_item.done"
    case itemAdded = "conversation.item.added"
    case itemDone = "conversation.item.done"
  }

  /// Hands a provider's event to the client.
  ///
  /// - Throws: `malformedMessage` for what is no event at all.
  public mutating func deliver(_ message: ByteBuffer, port: inout Port) throws(TranslationFault) {
    switch message.withUnsafeReadableBytes({ EventReader.readServer($0) }) {
    case .audioDelta:
      return port.outbox.downstream.append(.audio) { $0.writeImmutableBuffer(message) }
    case .control(let range?) where !isInspected(message, range):
      if let fault = message.withUnsafeReadableBytes(Self.fault) { throw .malformedMessage("not JSON: \(fault)") }
      return port.outbox.downstream.append(.control) { $0.writeImmutableBuffer(message) }
    case .control:
      break
    }
    let value: JSONValue
    do {
      value = try JSONValue(parsing: message)
    } catch {
      throw .malformedMessage("not JSON: \(error)")
    }
    guard let object = value.object, let type = object["type"]?.string else {
      throw .malformedMessage("an event without a type")
    }
    inspect(Inspected(rawValue: type), object, message, port: &port)
  }

  /// Whether the event whose type is at `range` needs its tree.
  private func isInspected(_ message: ByteBuffer, _ range: Range<Int>) -> Bool {
    guard let type = message.getString(at: message.readerIndex + range.lowerBound, length: range.count),
      let inspected = Inspected(rawValue: type)
    else { return false }
    return inspected != .error || !isGreeted
  }

  private static func fault(_ bytes: UnsafeRawBufferPointer) -> JSONFault? {
    do throws(JSONFault) {
      try JSONCheck.check(bytes)
      return nil
    } catch {
      return error
    }
  }

  private mutating func inspect(
    _ type: Inspected?, _ event: JSONObject, _ message: ByteBuffer, port: inout Port
  ) {
    switch type {
    case .sessionCreated:
      isGreeted = true
      isG711.confirmed = Self.isG711(event["session"]) ?? isG711.confirmed
      return
    case .error where !isGreeted:
      // It tells of the gateway's credentials or of its request, which are not the client's; the close that follows is
      // told in Parley's words.
      let code = event["error"]?["code"]?.string ?? "none"
      return port.note(.warning, "the provider refused the session", ["code": String(code.prefix(64))])
    case .sessionUpdated:
      isG711.confirmed = Self.isG711(event["session"]) ?? isG711.confirmed
      if var session = event["session"]?.object {
        session["id"] = .string(sessionID)
        var changed = event
        changed["session"] = .object(session)
        return port.outbox.downstream.append(.control) { changed.write(into: &$0) }
      }
    case .responseCreated: open.responseCreated(event)
    case .responseDone: open.responseDone(event)
    case .outputItemAdded: open.outputItem(event, isDone: false)
    case .outputItemDone: open.outputItem(event, isDone: true)
    case .itemAdded: open.itemAdded(event)
    case .itemDone: open.itemDone(event)
    case .error, nil: break
    }
    port.outbox.downstream.append(.control) { $0.writeImmutableBuffer(message) }
  }

  /// Ends the responses that a lost connection left open, and their items, so that the client does not wait for them.
  public mutating func closeOpenResponses(_ verdict: UpstreamVerdict, port: inout Port) {
    open.close(verdict) { event in
      var event = event
      event["event_id"] = .string(port.ids.next(.event))
      port.outbox.downstream.append(.control) { event.write(into: &$0) }
    }
  }
}
