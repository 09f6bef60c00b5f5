import Envelope

extension Conversation {
  /// Whether the model's last word is a call: its result is the client's to give, or has been given and is still to be
  /// answered.
  public var awaitsCallResult: Bool {
    var answered: Set<String> = []
    for item in items.reversed() {
      switch item.type {
      case .functionCallOutput:
        if answered.isEmpty, item.id == lastItemID { return true }
        if let id = item.callID { answered.insert(id) }
      case .functionCall:
        if item.status != .incomplete, let id = item.callID, !answered.contains(id) { return true }
      default:
        // What the client or the model said since: calls before it are past.
        if item.type == .message { return false }
      }
    }
    return false
  }

  /// Whether the newest item is speech of the user's whose words are not known.
  public var awaitsWords: Bool {
    guard let last = items.last, last.role == .user, case .inputAudio(_, transcript: nil, _)? = last.content?.first
    else {
      return false
    }
    return true
  }
}
