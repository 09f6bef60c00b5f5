// Faults of the conversation and the buffers.

extension EventFault {
  /// - Parameter id: the running response.
  public static func activeResponse(_ id: String) -> EventFault {
    EventFault(
      code: "conversation_already_has_active_response",
      message:
        "Conversation already has an active response in progress: \(id). "
        + "Wait until the response is finished before creating a new one."
    )
  }

  public static func noActiveResponse() -> EventFault {
    EventFault(code: "response_cancel_not_active", message: "Cancellation failed: no active response found")
  }

  /// - Parameter milliseconds: what the buffer holds.
  public static func bufferTooSmall(milliseconds: Double) -> EventFault {
    EventFault(
      code: "input_audio_buffer_commit_empty",
      message:
        "Error committing input audio buffer: buffer too small. "
        + "Expected at least 100ms of audio, but buffer only has \(hundredths(milliseconds))ms of audio."
    )
  }

  public static func duplicateItem(_ id: String) -> EventFault {
    EventFault(
      code: "item_create_duplicate_item_id",
      message: "Error adding item: an item with id '\(excerpt(id))' already exists.", param: "item.id")
  }

  public static func unknownPreviousItem(_ id: String) -> EventFault {
    EventFault(
      code: "item_create_invalid_previous_item_id",
      message: "Error adding item: the previous item with id '\(excerpt(id))' does not exist.",
      param: "previous_item_id")
  }

  public static func deleteOfUnknownItem(_ id: String) -> EventFault {
    unknownItem(id, code: "item_delete_invalid_item_id", verb: "deleting")
  }

  public static func retrieveOfUnknownItem(_ id: String) -> EventFault {
    unknownItem(id, code: "item_retrieve_invalid_item_id", verb: "retrieving")
  }

  public static func truncateOfUnknownItem(_ id: String) -> EventFault {
    unknownItem(id, code: "item_truncate_invalid_item_id", verb: "truncating")
  }

  private static func unknownItem(_ id: String, code: String, verb: String) -> EventFault {
    EventFault(
      code: code, message: "Error \(verb) item: the item with id '\(excerpt(id))' does not exist.", param: "item_id")
  }

  public static func truncateOfOtherContent() -> EventFault {
    EventFault(
      code: "unsupported_content_type", message: "Only model output audio messages can be truncated", param: "item_id")
  }

  /// Two decimals without Foundation; negative and non-finite input gives `0.00`.
  private static func hundredths(_ value: Double) -> String {
    guard value.isFinite, value > 0, value < 1e12 else { return "0.00" }
    let total = Int((value * 100).rounded())
    let cents = total % 100
    return "\(total / 100).\(cents < 10 ? "0" : "")\(cents)"
  }
}
