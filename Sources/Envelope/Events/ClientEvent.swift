/// An event of the client: what it asks for, its id, and the fields that this vocabulary does not know.
public struct ClientEvent: Sendable, Equatable {
  /// The longest `event_id`, in Unicode scalars.
  public static let maximumEventIDLength = 512

  /// Comes back in `error.event_id` and nowhere else.
  public var eventID: String?
  public var body: Body
  /// Top-level fields that are in neither `body` nor `eventID`, explicit nulls of optional fields among them.
  public var unknown: JSONObject

  public init(eventID: String? = nil, _ body: Body, unknown: JSONObject = JSONObject()) {
    self.eventID = eventID
    self.body = body
    self.unknown = unknown
  }

  public enum Body: Sendable, Equatable {
    case sessionUpdate(SessionPatch)
    /// `audio` is base64, not yet checked.
    case inputAudioBufferAppend(audio: String)
    case inputAudioBufferCommit
    case inputAudioBufferClear
    case outputAudioBufferClear
    /// No `previousItemID` and null append at the end, `"root"` puts the item first.
    case conversationItemCreate(item: Item, previousItemID: Patch<String>)
    case conversationItemRetrieve(itemID: String)
    case conversationItemTruncate(itemID: String, contentIndex: Int, audioEndMs: Int)
    case conversationItemDelete(itemID: String)
    case responseCreate(ResponseOptions?)
    case responseCancel(responseID: String?)

    public var type: ClientEventType {
      switch self {
      case .sessionUpdate: .sessionUpdate
      case .inputAudioBufferAppend: .inputAudioBufferAppend
      case .inputAudioBufferCommit: .inputAudioBufferCommit
      case .inputAudioBufferClear: .inputAudioBufferClear
      case .outputAudioBufferClear: .outputAudioBufferClear
      case .conversationItemCreate: .conversationItemCreate
      case .conversationItemRetrieve: .conversationItemRetrieve
      case .conversationItemTruncate: .conversationItemTruncate
      case .conversationItemDelete: .conversationItemDelete
      case .responseCreate: .responseCreate
      case .responseCancel: .responseCancel
      }
    }
  }
}

extension ClientEvent {
  /// The `event_id` of a message, so that an error event can name it even where the message is no valid event; nil
  /// where it has none that is valid.
  public static func eventID(of value: JSONValue) -> String? {
    guard let id = value["event_id"]?.string, id.unicodeScalars.count <= maximumEventIDLength else { return nil }
    return id
  }

  /// Reads and checks an event (fault row 39). The fields of a `session.update` are checked by
  /// `SessionPatch.applied(to:)`.
  public static func decode(_ value: JSONValue) throws(EventFault) -> ClientEvent {
    let header = try EventHeader(of: value)
    let body = try Body(header.type, CheckedField(value: value, path: ""))
    let known = body.fields()
    var unknown = JSONObject()
    for (key, field) in value.object ?? JSONObject() where key != "type" && known[key] == nil {
      // An event_id that is left is null.
      if key != "event_id" || header.eventID == nil {
        unknown[key] = field
      }
    }
    return ClientEvent(eventID: header.eventID, body, unknown: unknown)
  }

  /// The event as JSON: `type` and `event_id` first.
  public func encoded() -> JSONValue {
    var object = JSONObject()
    object.set("type", body.type.rawValue)
    object.set("event_id", ifPresent: eventID)
    object.merge(body.fields())
    object.merge(unknown)
    return .object(object)
  }
}

extension ClientEvent.Body {
  fileprivate init(_ type: ClientEventType, _ event: CheckedField) throws(EventFault) {
    switch type {
    case .sessionUpdate:
      let session = try event.requiredMember("session")
      guard let fields = session.value.object else { throw session.mismatch("an object") }
      self = .sessionUpdate(SessionPatch(fields))
    case .inputAudioBufferAppend:
      self = .inputAudioBufferAppend(audio: try event.requiredMember("audio").string())
    case .inputAudioBufferCommit: self = .inputAudioBufferCommit
    case .inputAudioBufferClear: self = .inputAudioBufferClear
    case .outputAudioBufferClear: self = .outputAudioBufferClear
    case .conversationItemCreate:
      let item = try event.requiredMember("item").checkedNewItem()
      self = .conversationItemCreate(item: item, previousItemID: try event.text("previous_item_id"))
    case .conversationItemRetrieve:
      self = .conversationItemRetrieve(itemID: try event.requiredMember("item_id").string())
    case .conversationItemTruncate:
      self = .conversationItemTruncate(
        itemID: try event.requiredMember("item_id").string(),
        contentIndex: try event.requiredMember("content_index").integer(0...Int.max),
        audioEndMs: try event.requiredMember("audio_end_ms").integer(0...Int.max))
    case .conversationItemDelete:
      self = .conversationItemDelete(itemID: try event.requiredMember("item_id").string())
    case .responseCreate:
      guard let response = try event.member("response"), !response.value.isNull else {
        self = .responseCreate(nil)
        return
      }
      self = .responseCreate(try ResponseOptions(checking: response))
    case .responseCancel:
      self = .responseCancel(responseID: try event.text("response_id").orNil)
    }
  }

  /// All fields but `type` and `event_id`.
  fileprivate func fields() -> JSONObject {
    var object = JSONObject()
    switch self {
    case .sessionUpdate(let patch):
      object["session"] = .object(patch.fields)
    case .inputAudioBufferAppend(let audio):
      object.set("audio", audio)
    case .inputAudioBufferCommit, .inputAudioBufferClear, .outputAudioBufferClear:
      break
    case .conversationItemCreate(let item, let previousItemID):
      switch previousItemID {
      case .absent: break
      case .null: object["previous_item_id"] = JSONValue.null
      case .value(let id): object.set("previous_item_id", id)
      }
      object["item"] = JSONCoding.encode(item)
    case .conversationItemRetrieve(let itemID), .conversationItemDelete(let itemID):
      object.set("item_id", itemID)
    case .conversationItemTruncate(let itemID, let contentIndex, let audioEndMs):
      object.set("item_id", itemID)
      object.set("content_index", contentIndex)
      object.set("audio_end_ms", audioEndMs)
    case .responseCreate(let options):
      if let options {
        object["response"] = JSONCoding.encode(options)
      }
    case .responseCancel(let responseID):
      object.set("response_id", ifPresent: responseID)
    }
    return object
  }
}

extension CheckedField {
  /// A string that may be absent or null.
  fileprivate func text(_ key: String) throws(EventFault) -> Patch<String> {
    guard let field = try member(key) else { return .absent }
    return field.value.isNull ? .null : .value(try field.string())
  }
}
