/// What every event of the client has, whatever else is right or wrong with it.
public struct EventHeader: Sendable, Hashable {
  public let type: ClientEventType
  public let eventID: String?

  public init(type: ClientEventType, eventID: String?) {
    self.type = type
    self.eventID = eventID
  }

  /// Reads `type` and `event_id` and nothing else (fault row 39).
  public init(of value: JSONValue) throws(EventFault) {
    guard value.object != nil else {
      throw .invalidEvent("The message is \(value.kind.phrase); expected a JSON object with a 'type'.")
    }
    let root = CheckedField(value: value, path: "")
    guard let name = try root.member("type") else { throw .missingEventType() }
    guard let type = ClientEventType(rawValue: try name.string()) else {
      throw .unknownEventType(try name.string())
    }
    var eventID: String?
    if let id = try root.member("event_id"), !id.value.isNull {
      try id.bound(ClientEvent.maximumEventIDLength)
      eventID = try id.string()
    }
    self.type = type
    self.eventID = eventID
  }
}
