public import Envelope

extension EventMender {
  /// The beginnings of messages that stand for a code, where the provider sends none. Clients match on both.
  private static let codes: [(beginning: String, code: String)] = [
    ("Cancellation failed", "response_cancel_not_active"),
    ("Conversation already has an active response", "conversation_already_has_active_response"),
    ("Error committing input audio buffer", "input_audio_buffer_commit_empty"),
    ("Error adding item: an item with id", "item_create_duplicate_item_id"),
    ("Error deleting item", "item_delete_invalid_item_id"),
    ("Error retrieving item", "item_retrieve_invalid_item_id"),
    ("Error truncating item", "item_truncate_invalid_item_id"),
    ("Only model output audio messages can be truncated", "unsupported_content_type"),
    ("Cannot update a conversation's voice", "cannot_update_voice"),
  ]

  /// An error object from whatever a provider sends as one: the object in `error`, a bare text there, or the fields in
  /// the event itself. Clients need `type` and `message`; they get `server_error` and a sentence where there is none.
  public static func error(from event: JSONObject) -> ErrorObject {
    if let kind = event["errorType"]?.string { return error(ofKind: kind, message: event["message"]?.string) }
    let fields = event["error"]?.object ?? event
    let message = [fields["message"], event["error"], event["message"], fields["detail"], fields["reason"]]
      .lazy.compactMap { $0?.string }.first { !$0.isEmpty }
    var error = ErrorObject(
      type: type(of: fields), code: code(of: fields, message: message),
      message: message ?? "The voice provider reported an error without a message.",
      param: fields["param"]?.string,
      // Beside the error stands the event's own id; in it, the client's.
      eventID: event["error"]?["event_id"]?.string)
    for (key, value) in event["error"]?.object ?? [:] where !known.contains(key) { error.unknown.fields[key] = value }
    return error
  }

  private static let known: Set<String> = ["type", "code", "message", "param", "event_id"]

  private static func type(of fields: JSONObject) -> String {
    guard let type = fields["type"]?.string, !type.isEmpty, type != "error" else { return "server_error" }
    return type
  }

  private static func code(of fields: JSONObject, message: String?) -> String? {
    if let code = fields["code"]?.string, !code.isEmpty { return code }
    if let known = message.flatMap({ text in codes.first { text.hasPrefix($0.beginning) } }) { return known.code }
    return fields["code"]?.number?.text
  }

  /// A message without a `type`, as Inworld sends it where it has no capacity.
  private static func error(ofKind kind: String, message: String?) -> ErrorObject {
    guard kind == "SESSION_RESOURCES_EXHAUSTED" else {
      return ErrorObject(
        type: "server_error", code: kind.lowercased(), message: message ?? "The voice provider reported an error.")
    }
    return ErrorObject(
      type: "rate_limit_error", code: "upstream_capacity", message: "The voice provider has no free session.")
  }
}
