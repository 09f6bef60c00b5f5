public import Envelope

/// What must hold for the events of any session, whatever happened to it.
public struct EventInvariants: Sendable {
  /// Whether ids of events must differ. Where a provider says anything at all, its ids may not.
  public var comparesEventIDs = true
  private var eventIDs: Set<String> = []
  /// Of the conversation: one at a time.
  private var liveResponse: String?
  /// Outside of the conversation: any number.
  private var sideResponses: Set<String> = []
  private var doneResponses: Set<String> = []
  private var openItems: [String: String] = [:]
  private var knownItems: Set<String> = []
  private var doneItems: Set<String> = []
  private var startedSpeech: Set<String> = []
  private var stoppedSpeech: Set<String> = []
  private var committed: Set<String> = []
  private var transcribed: Set<String> = []

  /// What was broken, in words.
  public private(set) var violations: [String] = []

  public init() {}

  /// The violations in a whole history. With `isComplete`, nothing may be left open.
  public static func violations(in events: [JSONValue], isComplete: Bool) -> [String] {
    var checker = Self()
    for event in events { checker.observe(event) }
    if isComplete { checker.finish() }
    return checker.violations
  }

  /// Nothing more comes: nothing may be open.
  public mutating func finish() {
    for id in sideResponses.sorted() + (liveResponse.map { [$0] } ?? []) {
      violations.append("\(id) was never done")
    }
  }

  public mutating func observe(_ event: JSONValue) {
    let type = event["type"]?.string ?? ""
    do {
      if case .unknown = try ServerEvent.decode(event).body { violations.append("\(type) is not of the vocabulary") }
    } catch {
      violations.append("\(type) does not decode: \(error)")
    }
    let isNew = event["event_id"]?.string.map { eventIDs.insert($0).inserted || !comparesEventIDs }
    check(isNew == true, "\(type): event_id is used again")
    // Every event may have fields beside its own that nobody knows.
    let bearsResponse = ["response.created", "response.done"].contains(type)
    let responseID = bearsResponse ? event["response"]?["id"]?.string : event["response_id"]?.string
    if let responseID, doneResponses.contains(responseID), type.hasPrefix("response.") {
      violations.append("\(type) after response.done")
    }
    switch type {
    case "response.created":
      if let responseID, event["response"]?["conversation_id"]?.isNull == true {
        check(sideResponses.insert(responseID).inserted, "a response created twice")
      } else {
        check(liveResponse == nil, "two live responses of the conversation")
        liveResponse = responseID
      }
    case "response.done":
      check(isLive(responseID), "response.done of a response that is not live")
      check(!openItems.values.contains { $0 == responseID }, "response.done with open items")
      responseID.map { _ = doneResponses.insert($0) }
      if responseID.flatMap({ sideResponses.remove($0) }) == nil { liveResponse = nil }
    case "response.output_item.added":
      check(isLive(responseID), "an output item of a response that is not live")
      event["item"]?["id"]?.string.map { openItems[$0] = responseID }
    case "response.output_item.done":
      check(event["item"]?["id"]?.string.flatMap { openItems.removeValue(forKey: $0) } != nil, "an item done, not open")
    case "conversation.item.added":
      let item = event["item"]?["id"]?.string
      check(item.map { knownItems.insert($0).inserted } == true, "an item added twice")
      let owner = item.flatMap { openItems[$0] }
      check(
        owner.map { !sideResponses.contains($0) } ?? true, "an item of a response outside of the conversation")
    case "conversation.item.done":
      check(event["item"]?["id"]?.string.map { doneItems.insert($0).inserted } == true, "an item done twice")
    case "conversation.item.deleted":
      // Its id may be given to another.
      event["item_id"]?.string.map {
        knownItems.remove($0)
        doneItems.remove($0)
      }
    case "input_audio_buffer.speech_started":
      check(event["item_id"]?.string.map { startedSpeech.insert($0).inserted } == true, "speech started twice")
    case "input_audio_buffer.speech_stopped":
      let item = event["item_id"]?.string ?? ""
      check(
        startedSpeech.contains(item) && stoppedSpeech.insert(item).inserted, "speech stopped, not started, or twice")
    case "input_audio_buffer.committed":
      check(event["item_id"]?.string.map { committed.insert($0).inserted } == true, "audio committed twice")
    case "conversation.item.input_audio_transcription.completed":
      let item = event["item_id"]?.string ?? ""
      check(committed.contains(item) && transcribed.insert(item).inserted, "transcribed before its commit, or twice")
    default:
      if type.hasPrefix("response."), let item = event["item_id"]?.string {
        check(openItems[item] == responseID, "\(type) for an item that is not open")
      }
    }
  }

  private func isLive(_ response: String?) -> Bool {
    guard let response else { return false }
    return response == liveResponse || sideResponses.contains(response)
  }

  private mutating func check(_ holds: Bool, _ violation: String) {
    if !holds { violations.append(violation) }
  }
}
