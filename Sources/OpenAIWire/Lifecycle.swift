import Envelope

/// What a provider has begun and not ended, and the events that bring it from one legal state to the next.
///
/// Every event is taken as what it says, not as what comes next: what must come before it is told first, what came
/// already is not told again, and what comes too late is dropped. The order is that of recorded sessions of the OpenAI
/// service.
struct Lifecycle: Sendable {
  /// What the words of a content part are to the client.
  enum PartKind: Sendable, Hashable {
    case audio, text
  }

  struct Part: Sendable {
    /// The provider's own index.
    let source: Int
    /// The client's: its place among the parts.
    let index: Int
    let kind: PartKind
    var words = ""
    var areWordsDone = false
    var isAudioDone = false
    var hasAudio = false
    /// The provider's `content_part.done`, while its audio may still come.
    var held: JSONObject?
    var isDone = false
  }

  /// An item of a response.
  struct Output: Sendable {
    let id: String
    /// The client's `output_index`: its place in the response.
    let index: Int
    /// As it was added, later in its final form.
    var item: JSONObject
    var parts: [Part] = []
    /// The text that repeats what the transcript says; it stands in where that never comes.
    var repeatedText = ""
    /// The arguments so far.
    var arguments = ""
    /// The arguments that it was added with.
    var givenArguments = ""
    var areArgumentsDone = false
    var previousItemID: JSONValue = .null
    /// Told to the conversation.
    var isAnnounced = false
    /// Nothing more is said in it.
    var isSettled = false
    /// Done to the conversation.
    var isItemDone = false
    var isDone = false
  }

  struct OpenResponse: Sendable {
    let id: String
    let isBeside: Bool
    /// What the client asked for.
    let kind: PartKind
    var response: JSONObject
    var outputs: [Output] = []
    var isCancelled = false
    var audioBytes = 0
    var textBytes = 0
    /// Where text and transcript say the same: the one that came first.
    var wordSource: PartKind?
  }

  /// A `response.create` of the client that has no response yet.
  struct Request: Sendable {
    var metadata: JSONValue?
    var modalities: [Modality]?
  }

  /// Where an item stands: places in `responses` and in its outputs.
  struct Place: Sendable {
    let response: Int
    let output: Int
  }

  /// The content part that audio goes to as it is.
  struct Lane: Sendable {
    let place: Place
    let part: Int
    let responseID: [UInt8]
    let itemID: [UInt8]
    let outputIndex: Int
    let contentIndex: Int
  }

  /// Closed responses that are remembered, so that nothing late opens them again.
  private static let remembered = 64

  let rules: MendingRules
  /// The effective one.
  var session: RealtimeSession?
  var conversationID: String?
  var requests: [Request] = []
  /// In the order in which they began; at most one of them is the conversation's.
  private(set) var responses: [OpenResponse] = []
  private var closed: [String] = []
  var input = UserInput()
  var estimate = UsageEstimate()
  var lane: Lane?
  /// What this step tells.
  var told: [JSONObject] = []

  init(_ rules: MendingRules) {
    self.rules = rules
  }

  // MARK: Responses

  func place(of id: String) -> Int? { responses.firstIndex { $0.id == id } }

  /// The conversation's response.
  var live: Int? { responses.firstIndex { !$0.isBeside } }

  func isClosed(_ id: String) -> Bool { closed.contains(id) }

  subscript(_ place: Place) -> Output {
    get { responses[place.response].outputs[place.output] }
    set { responses[place.response].outputs[place.output] = newValue }
  }

  mutating func change(_ response: Int, _ change: (inout OpenResponse) -> Void) {
    change(&responses[response])
  }

  /// The response with this id, begun if it is new; nil where it is over.
  mutating func response(_ id: String) -> Int? {
    if let place = place(of: id) { return place }
    guard !isClosed(id) else { return nil }
    begin(["type": "response.created", "response": ["id": .string(id)]])
    return place(of: id)
  }

  /// `response.created`, of the provider or in its place.
  mutating func begin(_ event: JSONObject) {
    guard var response = event["response"]?.object, let id = response["id"]?.string, place(of: id) == nil,
      !isClosed(id)
    else { return }
    let isBeside = response["conversation_id"]?.isNull == true
    if !isBeside, rules.completesLifecycle, let live { supersede(live) }
    let request = takeRequest(response["metadata"])
    if let metadata = request?.metadata, response["metadata"]?.isNull ?? true { response["metadata"] = metadata }
    let kind = self.kind(asked: request?.modalities, shown: response["output_modalities"])
    if rules.completesLifecycle {
      response["output_modalities"] = kind == .audio ? ["audio"] : ["text"]
      complete(&response)
      response["status"] = "in_progress"
      response["status_details"] = .null
      response["output"] = []
      response["usage"] = .null
    }
    responses.append(OpenResponse(id: id, isBeside: isBeside, kind: kind, response: response))
    var event = event
    event["response"] = .object(response)
    told.append(event)
  }

  private mutating func takeRequest(_ metadata: JSONValue?) -> Request? {
    guard !requests.isEmpty else { return nil }
    let isNamed = metadata?.object?.isEmpty == false
    let named = isNamed ? requests.firstIndex { $0.metadata == metadata } : nil
    return requests.remove(at: named ?? 0)
  }

  private func kind(asked: [Modality]?, shown: JSONValue?) -> PartKind {
    if let asked, rules.completesLifecycle { return asked.contains(.audio) ? .audio : .text }
    if !rules.speaksInTextMode, let shown = shown?.array, !shown.isEmpty {
      return shown.contains("audio") ? .audio : .text
    }
    return session?.outputModalities.contains(.audio) == false ? .text : .audio
  }

  /// What every response object has, where this one lacks it.
  func complete(_ response: inout JSONObject) {
    let template = place(of: response["id"]?.string ?? "").map { responses[$0].response } ?? template
    for (key, value) in template {
      let isMetadata = key == "metadata" && response[key]?.isNull == true
      if response[key] == nil || isMetadata { response[key] = value }
    }
  }

  private var template: JSONObject {
    var audio: JSONObject = [:]
    if let output = session?.audio.output {
      audio["format"] = JSONCoding.encode(output.format)
      audio["voice"] = JSONCoding.encode(output.voice)
    }
    return [
      "object": "realtime.response", "status_details": .null, "output": [],
      "conversation_id": conversationID.map(JSONValue.string) ?? .null,
      "output_modalities": session?.outputModalities.contains(.audio) == false ? ["text"] : ["audio"],
      "max_output_tokens": session.map { JSONCoding.encode($0.maxOutputTokens) } ?? "inf",
      "audio": ["output": .object(audio)], "usage": .null, "metadata": .null,
    ]
  }

  // MARK: The end of a response

  /// Another response of the conversation begins: the provider has dropped this one without a word.
  private mutating func supersede(_ place: Int) {
    let reason: JSONValue = responses[place].isCancelled ? "client_cancelled" : "turn_detected"
    var response = responses[place].response
    response["status"] = "cancelled"
    response["status_details"] = ["type": "cancelled", "reason": reason]
    end(place, ["type": "response.done", "response": .object(response)])
  }

  /// Ends the conversation's response as cancelled by the client, if it was.
  mutating func endCancelled() {
    if let live, responses[live].isCancelled { supersede(live) }
  }

  /// `response.done`, of the provider or in its place: what is open in it is ended first.
  mutating func end(_ place: Int, _ event: JSONObject) {
    guard var response = event["response"]?.object else { return }
    let isCompleted = response["status"] == "completed"
    for item in response["output"]?.array ?? [] {
      guard var item = item.object, let output = output(item, in: place) else { continue }
      if item["status"] == "in_progress" { item["status"] = isCompleted ? "completed" : "incomplete" }
      finish(output, item, with: nil)
    }
    for output in responses[place].outputs.indices {
      var item = responses[place].outputs[output].item
      if item["status"] == "in_progress" || !isCompleted { item["status"] = isCompleted ? "completed" : "incomplete" }
      finish(Place(response: place, output: output), item, with: nil)
    }
    let open = responses[place]
    if !open.outputs.isEmpty { response["output"] = .array(open.outputs.map { .object($0.item) }) }
    if rules.completesLifecycle, response["usage"]?.object == nil {
      let spoken = rules.speaksPCMOnly ? .standard : session?.audio.output.format
      response["usage"] = estimate.usage(of: open, format: spoken ?? .standard)
    }
    if !open.isBeside { estimate.reset() }
    responses.remove(at: place)
    lane = nil
    closed.append(open.id)
    if closed.count > Self.remembered { closed.removeFirst() }
    var event = event
    event["response"] = .object(response)
    told.append(event)
  }

  /// Ends everything, failed or as the client wanted it. What was asked for and has not begun may still be answered, on
  /// another connection.
  mutating func endAll(type: String, code: String, message: String, cancelled: [String]) {
    while let first = responses.first {
      var response = first.response
      if cancelled.contains(first.id) {
        response["status"] = "cancelled"
        response["status_details"] = ["type": "cancelled", "reason": "client_cancelled"]
      } else {
        response["status"] = "failed"
        response["status_details"] = [
          "type": "failed", "error": ["type": .string(type), "code": .string(code), "message": .string(message)],
        ]
      }
      end(0, ["type": "response.done", "response": .object(response)])
    }
  }
}
