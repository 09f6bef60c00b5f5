import Envelope
import Translation

/// What a provider has begun and not ended: responses, those outside the conversation among them, and their items.
struct OpenOutput: Sendable {
  private struct OutputItem {
    var id: String
    var index: JSONValue?
    var item: JSONObject
    var isDone: Bool
  }

  private struct Response {
    /// Counts up: responses are closed in the order in which they began.
    var number: Int
    var response: JSONObject
    /// In the order in which they were added.
    var items: [OutputItem] = []
  }

  private var responses: [String: Response] = [:]
  private var number = 0

  /// Whether a response is open.
  var isEmpty: Bool { responses.isEmpty }
  /// The conversation's items that were added and are not done, with what came before each; kept while a response is
  /// open.
  private var conversationItems: [String: JSONValue] = [:]

  // MARK: What the provider says

  mutating func responseCreated(_ event: JSONObject) {
    guard let response = event["response"]?.object, let id = response["id"]?.string else { return }
    number += 1
    responses[id] = Response(number: number, response: response)
  }

  mutating func responseDone(_ event: JSONObject) {
    guard let id = event["response"]?["id"]?.string else { return }
    responses[id] = nil
    if responses.isEmpty { conversationItems = [:] }
  }

  /// `response.output_item.added` and `.done`.
  mutating func outputItem(_ event: JSONObject, isDone: Bool) {
    guard let responseID = event["response_id"]?.string, let item = event["item"]?.object, let id = item["id"]?.string
    else { return }
    let entry = OutputItem(id: id, index: event["output_index"], item: item, isDone: isDone)
    if let place = responses[responseID]?.items.firstIndex(where: { $0.id == id }) {
      responses[responseID]?.items[place] = entry
    } else {
      responses[responseID]?.items.append(entry)
    }
  }

  mutating func itemAdded(_ event: JSONObject) {
    guard !responses.isEmpty, let id = event["item"]?["id"]?.string else { return }
    conversationItems[id] = event["previous_item_id"] ?? .null
  }

  mutating func itemDone(_ event: JSONObject) {
    guard let id = event["item"]?["id"]?.string else { return }
    conversationItems[id] = nil
  }

  // MARK: The end

  /// Hands out the events that end all of it, without their `event_id`, and is empty afterwards.
  mutating func close(_ verdict: UpstreamVerdict, _ emit: (JSONObject) -> Void) {
    for (id, open) in responses.sorted(by: { $0.value.number < $1.value.number }) {
      var output: [JSONValue] = []
      for var entry in open.items {
        if !entry.isDone {
          entry.item["status"] = "incomplete"
          close(entry, responseID: id, emit)
        }
        output.append(.object(entry.item))
      }
      var response = open.response
      response["status"] = "failed"
      response["status_details"] = [
        "type": "failed",
        "error": ["type": "server_error", "code": .string(verdict.code), "message": .string(verdict.message)],
      ]
      response["output"] = .array(output)
      emit(["type": "response.done", "response": .object(response)])
    }
    self = Self()
  }

  private func close(_ entry: OutputItem, responseID: String, _ emit: (JSONObject) -> Void) {
    if let previous = conversationItems[entry.id] {
      emit(["type": "conversation.item.done", "previous_item_id": previous, "item": .object(entry.item)])
    }
    emit([
      "type": "response.output_item.done", "response_id": .string(responseID),
      "output_index": entry.index ?? 0, "item": .object(entry.item),
    ])
  }
}
