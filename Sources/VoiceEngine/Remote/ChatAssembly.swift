import Envelope

/// Makes the events of an answer out of the chunks of a chat completion, whole completions included.
struct ChatAssembly: Sendable {
  private struct Call {
    var index: Int
    var id: String
    var name: String
    var arguments: String
  }

  /// Why a chunk, or the end, makes the answer fail.
  enum Fault: Error {
    case refused(RemoteRefusal)
    /// What the server did wrong, to follow its name.
    case broken(String)
  }

  /// The most calls of one answer: a server that calls without end must not fill the memory.
  static let maximumCalls = 64

  private var filter = ThoughtFilter()
  private var calls: [Call] = []
  private var callsSent = 0
  private var usage: (input: Int, output: Int)?
  private var ending: ResponderEnding?

  /// The events that `chunk` brings.
  mutating func take(_ chunk: JSONValue) throws(Fault) -> [ResponderEvent] {
    if let refusal = RemoteRefusal(chunk) { throw .refused(refusal) }
    guard chunk.object != nil else { throw .broken("sent a chunk that is no JSON object") }
    if let use = [chunk["usage"], chunk["x_groq"]?["usage"]].lazy.compactMap({ $0?.object }).first {
      usage = (use["prompt_tokens"]?.int ?? 0, use["completion_tokens"]?.int ?? 0)
    }
    var events: [ResponderEvent] = []
    for choice in chunk["choices"]?.array ?? [] where (choice["index"]?.int ?? 0) == 0 {
      if let error = choice["error"], let refusal = RemoteRefusal(["error": error]) { throw .refused(refusal) }
      // A server that does not stream sends `message` where the others send `delta`.
      let delta = choice["delta"] ?? choice["message"] ?? .null
      // A model that declines says so in a field of its own.
      let words = filter.add(Self.text(delta["content"]) + Self.text(delta["refusal"]))
      if !words.isEmpty { events.append(.text(words)) }
      for call in delta["tool_calls"]?.array ?? [] { try merge(call) }
      if let reason = choice["finish_reason"]?.string {
        events += try end(reason)
      }
    }
    return events
  }

  /// The stream is over.
  ///
  /// - Parameter isAnnounced: whether the server said so with `[DONE]`.
  mutating func finish(isAnnounced: Bool) throws(Fault) -> [ResponderEvent] {
    guard isAnnounced || ending != nil else { throw .broken("ended its stream in the middle of the answer") }
    var events = try flush()
    if let usage { events.append(.usage(inputTokens: usage.input, outputTokens: usage.output)) }
    events.append(.finished(ending ?? .complete))
    return events
  }

  private mutating func end(_ reason: String) throws(Fault) -> [ResponderEvent] {
    switch reason {
    case "length": ending = .maximumTokens
    case "content_filter": ending = .contentFilter
    case "error": throw .broken("ended the answer with an error")
    // `stop`, `tool_calls`, and whatever else a server calls a natural end; the calls speak for themselves.
    default: ending = .complete
    }
    return try flush()
  }

  /// What was held back, and the calls that were not sent yet.
  private mutating func flush() throws(Fault) -> [ResponderEvent] {
    let words = filter.finish()
    var events: [ResponderEvent] = words.isEmpty ? [] : [.text(words)]
    for (place, call) in calls.enumerated().dropFirst(callsSent) {
      guard !call.name.isEmpty else { throw .broken("called a function without a name") }
      // A call that the token limit cut has arguments that are no JSON; it must not be made.
      if ending == .maximumTokens, !Self.isObject(call.arguments) { continue }
      events.append(
        .call(
          ChatMessage.Call(
            id: call.id.isEmpty ? Self.newID(place) : call.id, name: call.name,
            arguments: call.arguments.trimmed.isEmpty ? "{}" : call.arguments)))
    }
    callsSent = calls.count
    return events
  }

  private mutating func merge(_ delta: JSONValue) throws(Fault) {
    let index = delta["index"]?.int
    let id = delta["id"]?.string ?? ""
    let name = delta["function"]?["name"]?.string ?? ""
    let arguments = Self.arguments(delta["function"]?["arguments"])
    let known = calls.lastIndex { index == nil || $0.index == index }
    guard let known, known >= callsSent, !Self.begins(id: id, name: name, after: calls[known]) else {
      guard calls.count < Self.maximumCalls else {
        throw .broken("made more than \(Self.maximumCalls) calls in one answer")
      }
      calls.append(Call(index: index ?? calls.count, id: id, name: name, arguments: arguments))
      return
    }
    if calls[known].id.isEmpty { calls[known].id = id }
    if calls[known].name.isEmpty { calls[known].name = name }
    calls[known].arguments += arguments
  }

  /// Some servers give index 0 to every call: then a new id, or a name behind complete arguments, begins the next one.
  private static func begins(id: String, name: String, after call: Call) -> Bool {
    if !id.isEmpty, !call.id.isEmpty { return id != call.id }
    return !name.isEmpty && !call.name.isEmpty && isObject(call.arguments)
  }

  static func isObject(_ text: String) -> Bool {
    (try? JSONValue(parsing: text))?.object != nil
  }

  /// Some servers send the arguments as an object instead of as text.
  private static func arguments(_ value: JSONValue?) -> String {
    guard let value, !value.isNull else { return "" }
    return value.string ?? value.text
  }

  /// Some servers send a list of parts instead of text.
  private static func text(_ content: JSONValue?) -> String {
    content?.string ?? content?.array?.compactMap { $0["text"]?.string }.joined() ?? ""
  }

  private static func newID(_ place: Int) -> String {
    "call_" + String(UInt64.random(in: .min ... .max), radix: 36) + "_\(place)"
  }
}
