import Envelope
import NIOCore
import Translation

// Which item is which: some services give items ids of their own, whatever the client called them.

/// An item that a new connection has from an older one, or was told of: it is acknowledged, and the client has it.
struct ToldAgain: Sendable {
  var id: String
  var type: String
  var role: String?
  /// Its words, or the id of its call.
  var words: String

  init(id: String, _ item: JSONValue) {
    self.id = id
    type = item["type"]?.string ?? "message"
    role = type == "message" ? item["role"]?.string : nil
    words = Self.words(of: item)
  }

  static func words(of item: JSONValue) -> String {
    if let callID = item["call_id"]?.string { return callID }
    return (item["content"]?.array ?? []).compactMap { ($0["text"] ?? $0["transcript"])?.string }.joined(separator: " ")
  }

  func isOfKind(_ other: Self) -> Bool { type == other.type && role == other.role }
}

extension WireTranslator {
  /// The service's id of an item.
  func wireID(of itemID: String) -> String {
    itemIDs.values.first { $0.value == itemID }?.key ?? itemID
  }

  /// A client's event with the service's ids.
  func renamed(_ object: JSONObject) -> JSONObject {
    guard !itemIDs.isEmpty else { return object }
    var object = object
    for key in ["item_id", "previous_item_id"] {
      if let id = object[key]?.string { object[key] = .string(wireID(of: id)) }
    }
    return object
  }

  /// The client's ids in the place of the service's.
  mutating func rename(_ event: inout JSONObject) -> Bool {
    var isChanged = false
    for key in ["item_id", "previous_item_id"] {
      if let id = event[key]?.string, let known = itemIDs[id] {
        event[key] = .string(known)
        isChanged = true
      }
    }
    if var item = event["item"]?.object, let id = item["id"]?.string, let known = itemIDs[id] {
      item["id"] = .string(known)
      event["item"] = .object(item)
      isChanged = true
    }
    return isChanged
  }

  /// Learns which of the client's items an event is about.
  mutating func learnID(from event: JSONObject) {
    guard let type = event["type"]?.string, type == "conversation.item.added" || type == "conversation.item.created",
      let item = event["item"], let id = item["id"]?.string
    else { return }
    // Others keep them.
    if let index = toldAgain.firstIndex(where: { $0.id == id }) { toldAgain.removeFirst(index + 1) }
    guard itemIDs[id] == nil, conversation.item(id) == nil, !awaited.contains(where: { $0.kind == .item(id: id) })
    else { return }
    if let known = takeToldAgain(item) {
      itemIDs[id] = known
    } else if item["role"]?.string != "assistant", item["type"]?.string != "function_call" {
      learnAcknowledged(id, item)
    }
  }

  /// The oldest item of its kind that the client has created is meant.
  private mutating func learnAcknowledged(_ id: String, _ item: JSONValue) {
    let isSpoken = Self.isSpoken(item)
    guard !isSpoken || hearing.speechItemID != id else { return }
    for entry in awaited {
      guard entry.isSent, case .item(let asked?) = entry.kind,
        let sent = (try? JSONValue(parsing: entry.message))?["item"], sent["type"] == item["type"] ?? "message",
        sent["role"] == item["role"] || sent["role"] == nil, isSpoken == Self.isSpoken(sent)
      else { continue }
      itemIDs[id] = asked
      return
    }
  }

  /// Which of the items that the connection has from older ones this is: they come in order, though not all of them may.
  private mutating func takeToldAgain(_ item: JSONValue) -> String? {
    guard !toldAgain.isEmpty, item["status"] != "in_progress" else { return nil }
    let found = ToldAgain(id: "", item)
    var index = toldAgain.firstIndex { $0.isOfKind(found) && $0.words == found.words }
    // What the service remembers may be worded otherwise; what it was told it repeats.
    if index == nil, isResuming { index = toldAgain.firstIndex { $0.isOfKind(found) } }
    guard let index else { return nil }
    let id = toldAgain[index].id
    toldAgain.removeFirst(index + 1)
    return id
  }

  /// A service that takes a conversation up again tells all that it knows of it, before it confirms the session.
  ///
  /// - Returns: whether the event is of that: the client has it.
  mutating func isOfThePast(_ event: JSONObject) -> Bool {
    guard let type = event["type"]?.string, type.hasPrefix("conversation.item."), let item = event["item"] else {
      return false
    }
    guard item["replayed"] == true || isResuming && connection == .settingUp else { return false }
    let count = awaited.count { $0.isSent }
    let id = item["id"]?.string ?? ""
    learnID(from: event)
    // What the lost connection had not acknowledged is acknowledged by this one.
    let known = itemIDs[id] ?? id
    return count == 0 || !awaited.contains { $0.kind == .item(id: known) }
  }
}
