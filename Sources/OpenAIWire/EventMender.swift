public import Envelope
public import Translation

/// Turns what a provider says into valid events of the GA vocabulary; what is valid already is left as it is.
public struct EventMender: Sendable {
  private let rules: MendingRules
  private let shape: ServerShape
  private var lifecycle: Lifecycle
  /// Events that were dropped because nobody here knows their type.
  public private(set) var unknownEvents = 0

  public init(_ rules: MendingRules) {
    self.rules = rules
    shape = ServerShape(allowsNews: !rules.completesLifecycle)
    lifecycle = Lifecycle(rules)
  }

  /// What became of an event.
  public enum Mended: Sendable, Equatable {
    /// The event satisfies its shape and comes in its place: its very bytes may go on.
    case untouched
    /// What is told instead, in order; nothing where it is empty. Events without `event_id` need one.
    case events([JSONObject])
  }

  /// The conversation that responses are said to be of where the provider does not say. Made where it is not set.
  public var conversationID: String? {
    get { lifecycle.conversationID }
    set { lifecycle.conversationID = newValue }
  }

  // MARK: The provider

  /// Mends an event that is neither `session.created`, `session.updated` nor `error`.
  ///
  /// - Parameters:
  ///   - event: whatever came.
  ///   - session: the effective one; it has what a response object lacks.
  ///   - ids: for what has none.
  public mutating func mend(_ event: JSONObject, session: RealtimeSession, ids: inout IDSource) -> Mended {
    guard let name = event["type"]?.string, !rules.dropped.contains(name) else { return .events([]) }
    if rules.vendorEvents.contains(name) { return .untouched }
    lifecycle.session = session
    if rules.cumulativeTranscripts.contains(name) {
      lifecycle.told.removeAll()
      lifecycle.transcriptSoFar(event)
      return .events(lifecycle.told)
    }
    var candidate = event
    if let renamed = rules.renames[name] { candidate["type"] = .string(renamed) }
    return rules.completesLifecycle ? completed(candidate, event, ids: &ids) : passed(candidate, event, ids: &ids)
  }

  /// Order and number of the events are the provider's.
  private mutating func passed(_ candidate: JSONObject, _ event: JSONObject, ids: inout IDSource) -> Mended {
    if let type = candidate.eventType, shape.mended(candidate, type) == .satisfied {
      lifecycle.take(candidate, type)
      return candidate["type"] == event["type"] && event.isNamed(type) ? .untouched : .events([candidate])
    }
    var candidate = BetaWire.serverEvent(toGA: candidate)
    guard let type = candidate.eventType else { return .untouched }
    candidate = lifecycle.filled(candidate, type, ids: &ids)
    switch shape.mended(candidate, type) {
    case .satisfied: break
    case .repaired(let repaired): candidate = repaired.object ?? candidate
    // The provider's own vocabulary has moved on: it is not for this table to hold its word back.
    case .beyondRepair: return .untouched
    }
    lifecycle.take(candidate, type)
    return .events([candidate])
  }

  private mutating func completed(_ candidate: JSONObject, _ event: JSONObject, ids: inout IDSource) -> Mended {
    var candidate = BetaWire.serverEvent(toGA: candidate)
    guard let type = candidate.eventType else {
      unknownEvents += 1
      return .events([])
    }
    learnConversation(from: candidate, type, ids: &ids)
    candidate = lifecycle.filled(candidate, type, ids: &ids)
    var isRepaired = false
    switch shape.mended(candidate, type) {
    case .satisfied: break
    case .repaired(let repaired):
      candidate = repaired.object ?? candidate
      isRepaired = true
    case .beyondRepair: return .events([])
    }
    lifecycle.take(candidate, type)
    let told = lifecycle.told
    return !isRepaired && told.count == 1 && told[0] == event && event.isNamed(type) ? .untouched : .events(told)
  }

  private mutating func learnConversation(from event: JSONObject, _ type: ServerEventType, ids: inout IDSource) {
    if type == .conversationCreated, let id = event["conversation"]?["id"]?.string {
      lifecycle.conversationID = id
    } else if type == .responseCreated, let id = event["response"]?["conversation_id"]?.string {
      lifecycle.conversationID = id
    } else if lifecycle.conversationID == nil {
      lifecycle.conversationID = ids.next(.conversation)
    }
  }

  // MARK: The audio lane

  /// Whether this delta may go as it is: it has an id, its response is open and spoken, and its part is the one that is
  /// open. Its bytes are counted. Where it may not, `mend` decides.
  @inline(__always)
  public mutating func admits(_ delta: DeltaFrame, in message: UnsafeRawBufferPointer) -> Bool {
    guard delta.eventID != nil else { return false }
    guard rules.completesLifecycle else { return true }
    return lifecycle.admits(delta, in: message)
  }

  // MARK: The client

  /// A `response.create` of the client is on its way: what its `response.created` and `response.done` must show, in
  /// order of asking.
  public mutating func asked(metadata: JSONValue?, modalities: [Modality]?) {
    guard rules.completesLifecycle else { return }
    if lifecycle.requests.count == Limits.rememberedItems { lifecycle.requests.removeFirst() }
    lifecycle.requests.append(Lifecycle.Request(metadata: metadata, modalities: modalities))
  }

  /// The provider refused the oldest `response.create` that has no response yet.
  public mutating func askedInVain() {
    if !lifecycle.requests.isEmpty { lifecycle.requests.removeFirst() }
  }

  /// A `response.cancel` of the client is on its way; without an id it means the conversation's response. What the
  /// response still says is dropped until its `response.done`.
  public mutating func cancelAsked(responseID: String?) {
    guard rules.completesLifecycle else { return }
    guard let place = responseID.map(lifecycle.place(of:)) ?? lifecycle.live else { return }
    lifecycle.change(place) { $0.isCancelled = true }
    lifecycle.lane = nil
  }

  /// Audio of the client went up; for the usage estimate where the provider gives none.
  public mutating func heardAudio(milliseconds: Int) {
    lifecycle.estimate.heard(milliseconds: milliseconds)
    lifecycle.input.heard(milliseconds: milliseconds)
  }

  /// A turn of the user's, committed and made an item, that the client was told of without the provider.
  public mutating func tookTurn(_ itemID: String) {
    lifecycle.input.tookTurn(itemID)
  }

  /// An item was deleted without the provider: its id may be given to another.
  public mutating func forgot(_ itemID: String) {
    lifecycle.input.deleted(itemID)
  }

  // MARK: What is open

  /// Whether a response is open.
  public var isMidTurn: Bool { !lifecycle.responses.isEmpty }

  /// Of the conversation and beside it, in the order in which they began.
  public var openResponseIDs: [String] { lifecycle.responses.map(\.id) }

  /// The one of them that is the conversation's.
  public var conversationResponseID: String? { lifecycle.live.map { lifecycle.responses[$0].id } }

  /// Ends the conversation's response if the client has cancelled it: some services never say that it is over, and
  /// another cannot be asked for before. What they say of it later is dropped.
  public mutating func endCancelled() -> [JSONObject] {
    lifecycle.told.removeAll()
    if rules.completesLifecycle { lifecycle.endCancelled() }
    return lifecycle.told
  }

  /// Whether the final transcript of a turn that is told may grow yet.
  public var awaitsTranscript: Bool { lifecycle.awaitsTranscript }

  /// The transcripts that may have grown do not any more.
  public mutating func endTranscripts() -> [JSONObject] {
    lifecycle.told.removeAll()
    lifecycle.endTranscripts()
    return lifecycle.told
  }

  /// Ends what is open in legal order: as failed, but for the responses that the client has cancelled.
  public mutating func closeAll(_ verdict: UpstreamVerdict, cancelled: [String] = []) -> [JSONObject] {
    lifecycle.told.removeAll()
    lifecycle.endTranscripts()
    lifecycle.endAll(type: "server_error", code: verdict.code, message: verdict.message, cancelled: cancelled)
    return lifecycle.told
  }
}

extension JSONObject {
  fileprivate var eventType: ServerEventType? { self["type"]?.string.flatMap(ServerEventType.init(rawValue:)) }

  /// Whether the event has the id without which clients refuse it. Of the telephone's keys none is expected.
  fileprivate func isNamed(_ type: ServerEventType) -> Bool {
    hasText("event_id") || type == .inputAudioBufferDTMF
  }
}
