import Envelope
import Translation

/// The calls that the model waits for, and what became of earlier ones.
///
/// The service answers when it has the results of all calls of a batch, and is wedged while it has some of them; so
/// results are kept until the last one is there.
struct ToolRound: Sendable {
  struct Call: Sendable {
    /// What the client calls it.
    let id: String
    /// What the service calls it, if it does.
    let wireID: String?
    let name: String
    var result: JSONValue?
  }

  /// The calls of the batch, in the service's order.
  private(set) var calls: [Call] = []
  /// Calls that nobody waits for any more, and the names of their functions: of a connection that was replaced, or
  /// cancelled by the service.
  private var forgotten: [String: (name: String, wasCancelled: Bool)] = [:]
  /// Calls whose result the service has.
  private var settled: Set<String> = []
  /// Ids of calls that this connection has had its answer to: a frame that comes twice makes no second call.
  private var answered: Set<String> = []
  /// How often calls were refused in place of the client since it was last asked for something.
  var refusals = 0
  /// Requests that ask for no more than what an answer to several results has already said: some clients send one with
  /// each result.
  var answeredRequests = 0
  /// They come at once after the answer, or not at all.
  var answeredUntil: Instant?
  /// Results that came after the request that waits for them.
  var resultsSinceRequest = 0
  /// The results are all there and nobody asked for an answer: the service gets them then.
  var deliverAt: Instant?

  /// Whether the model waits for results.
  var isOpen: Bool { !calls.isEmpty }
  var isAnswered: Bool { calls.allSatisfy { $0.result != nil } }

  var hasNoResult: Bool { calls.allSatisfy { $0.result == nil } }

  /// Whether the client still owes results of calls that the service has forgotten.
  var isOwed: Bool { forgotten.values.contains { !$0.wasCancelled } }

  /// Results of an earlier connection's calls are not waited for any more.
  mutating func forgetOwed() {
    settled.formUnion(forgotten.filter { !$0.value.wasCancelled }.keys)
    forgotten = forgotten.filter { $0.value.wasCancelled }
    bound()
  }

  mutating func add(_ call: Call) {
    calls.append(call)
    bound()
  }

  /// Whether the connection has made the call before.
  func hasMade(_ wireID: String?) -> Bool {
    guard let wireID, !wireID.isEmpty else { return false }
    return answered.contains(wireID) || calls.contains { $0.wireID == wireID }
  }

  /// The service was told for the client that the call is not made.
  mutating func refused(_ wireID: String?) {
    if let wireID { answered.insert(wireID) }
    bound()
  }

  enum Answered {
    /// Part of the batch that is open.
    case recorded
    /// The service has forgotten the call: the result can only be told.
    case told(name: String)
    /// The service cancelled the call: nobody wants the result.
    case dropped
    case again
    case unknown
  }

  func knows(_ id: String) -> Bool {
    calls.contains { $0.id == id } || forgotten[id] != nil || settled.contains(id)
  }

  /// The client's result of a call.
  mutating func answer(_ id: String, _ output: String) -> Answered {
    if let index = calls.firstIndex(where: { $0.id == id }) {
      guard calls[index].result == nil else { return .again }
      calls[index].result = Self.object(from: output)
      return .recorded
    }
    if let call = forgotten.removeValue(forKey: id) {
      settled.insert(id)
      return call.wasCancelled ? .dropped : .told(name: call.name)
    }
    return settled.contains(id) ? .again : .unknown
  }

  /// Empties the batch into what the service is told; calls without a result get `otherwise`.
  mutating func take(otherwise missing: String) -> [FunctionResponse] {
    defer {
      settled.formUnion(calls.map(\.id))
      answered.formUnion(calls.compactMap(\.wireID))
      calls = []
      deliverAt = nil
      bound()
    }
    return calls.map { call in
      FunctionResponse(
        id: call.wireID, name: call.name, response: call.result ?? ["error": .string(missing)])
    }
  }

  /// The service does not wait for these any more.
  mutating func cancel(_ wireIDs: [String]) {
    for call in calls where call.wireID.map(wireIDs.contains) ?? false {
      forgotten[call.id] = (call.name, true)
    }
    calls.removeAll { call in call.wireID.map(wireIDs.contains) ?? false }
    if calls.isEmpty { deliverAt = nil }
    bound()
  }

  /// The connection that the calls belong to is gone. Gives the results that were there, with the functions' names.
  mutating func abandon() -> [Call] {
    for call in calls where call.result == nil { forgotten[call.id] = (call.name, false) }
    settled.formUnion(calls.filter { $0.result != nil }.map(\.id))
    answered = []
    defer {
      calls = []
      deliverAt = nil
      bound()
    }
    return calls.filter { $0.result != nil }
  }

  /// JSON objects go as they are, anything else as `output`.
  static func object(from output: String) -> JSONValue {
    guard let value = try? JSONValue(parsing: output), case .object = value else {
      return ["output": .string(output)]
    }
    return value
  }

  /// A session may make many thousand calls; the client's late results are for the last of them.
  private mutating func bound() {
    if answered.count > Limits.rememberedCalls { answered.removeAll() }
    if settled.count > Limits.rememberedCalls { settled.removeAll() }
    if forgotten.count > Limits.rememberedCalls { forgotten.removeAll() }
  }
}
