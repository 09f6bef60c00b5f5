/// A client that speaks the beta vocabulary, with what it asked for and GA does not tell back.
struct BetaDialect: Dialect {
  /// What a client asked for: of its session, or of one response.
  private struct Wishes {
    var temperature: JSONValue?
    /// As the client wrote them: the order, and that text was mentioned beside audio.
    var modalities: JSONValue?

    init(_ object: JSONObject?) {
      temperature = object?["temperature"]
      modalities = object?["modalities"]
    }

    /// What is not wished anew stays.
    mutating func update(_ newer: Wishes) {
      temperature = newer.temperature ?? temperature
      modalities = newer.modalities ?? modalities
    }
  }

  /// Wishes whose fate is not known yet.
  private struct Request {
    enum Subject { case session, response }

    let subject: Subject
    let eventID: String?
    let metadata: JSONObject?
    let wishes: Wishes
  }

  /// Far more than a client has open at once; a peer that never answers must not make memory grow.
  private static let maximumRemembered = 64

  private var session = Wishes(nil)
  private var requests: [Request] = []
  private var responses: [(id: String, wishes: Wishes)] = []

  let audioDeltaType: StaticString = "response.audio.delta"

  // MARK: From the client

  mutating func neutral(_ event: JSONValue) throws(EventFault) -> JSONValue {
    guard let object = event.object, let type = object["type"]?.string else { return event }
    let subject: Request.Subject
    let wanted: JSONObject?
    switch type {
    case "session.update", "transcription_session.update":
      (subject, wanted) = (.session, object["session"]?.object)
      if let wanted { try Self.check(wanted, BetaTable.session) }
    case "response.create":
      (subject, wanted) = (.response, object["response"]?.object)
      if let wanted { try Self.check(wanted, BetaTable.request) }
    default:
      return .object(BetaWire.clientEvent(toGA: object))
    }
    if requests.count == Self.maximumRemembered { requests.removeFirst() }
    requests.append(
      Request(
        subject: subject, eventID: object["event_id"]?.string, metadata: wanted?["metadata"]?.object,
        wishes: Wishes(wanted)))
    return .object(BetaWire.clientEvent(toGA: object))
  }

  /// Checks the fields that GA has no words for.
  private static func check(_ object: JSONObject, _ shape: BetaShape) throws(EventFault) {
    for field in shape.fields where field.form == .format {
      guard let value = object[field.beta], value.object == nil else { continue }
      let checked = CheckedField(value: value, path: "\(shape.root).\(field.beta)")
      let name = try checked.string()
      guard BetaTable.formats.contains(where: { $0.beta == name }) else {
        throw .invalidValue(name, param: checked.path, supported: BetaTable.formats.map(\.beta))
      }
    }
    if let temperature = object["temperature"], !temperature.isNull {
      _ = try CheckedField(value: temperature, path: "\(shape.root).temperature").decimal(0...2)
    }
  }

  // MARK: To the client

  mutating func told(_ event: JSONObject, _ emit: (JSONObject) -> Void) {
    guard var beta = BetaWire.serverEvent(fromGA: event) else { return }
    switch event["type"]?.string {
    case "session.created", "session.updated":
      if event["type"] == "session.updated" { confirmSession() }
      if let session = beta["session"]?.object, event["session"]?["type"] != "transcription" {
        beta["session"] = .object(shown(session, self.session))
      }
      completeSecret(of: &beta)
    case "response.created", "response.done":
      if let response = beta["response"]?.object {
        beta["response"] = .object(shown(response, wishes(for: response, isDone: event["type"] == "response.done")))
      }
    case "error":
      if let error = event["error"]?.object { forget(refusedBy: error) }
    default:
      break
    }
    emit(beta)
  }

  /// A session or response with the wishes that came true.
  private func shown(_ object: JSONObject, _ wishes: Wishes) -> JSONObject {
    var next = object
    if object["temperature"]?.number == nil {
      next["temperature"] = wishes.temperature?.number.map(JSONValue.number) ?? BetaTable.temperature
    }
    if let asked = wishes.modalities, asked.array?.contains("audio") == true,
      object["modalities"]?.array?.contains("audio") == true
    {
      next["modalities"] = asked
    }
    return next
  }

  /// The beta has the key in every session; there is never anything in it.
  private func completeSecret(of event: inout JSONObject) {
    guard var session = event["session"]?.object else { return }
    session["client_secret"] = JSONValue.null
    event["session"] = .object(session)
  }

  // MARK: Wishes

  /// Updates are confirmed one by one in their order.
  private mutating func confirmSession() {
    guard let index = requests.firstIndex(where: { $0.subject == .session }) else { return }
    session.update(requests.remove(at: index).wishes)
  }

  /// The wishes that a response was made with: remembered from its creation to its end.
  private mutating func wishes(for response: JSONObject, isDone: Bool) -> Wishes {
    guard let id = response["id"]?.string else { return session }
    if let index = responses.firstIndex(where: { $0.id == id }) {
      return isDone ? responses.remove(at: index).wishes : responses[index].wishes
    }
    var wishes = session
    // A response that turn detection made has no metadata, and nobody's wishes but the session's.
    let metadata = response["metadata"]?.object
    if let index = requests.firstIndex(where: { $0.subject == .response && $0.metadata == metadata }) {
      wishes.update(requests.remove(at: index).wishes)
    }
    if !isDone {
      if responses.count == Self.maximumRemembered { responses.removeFirst() }
      responses.append((id, wishes))
    }
    return wishes
  }

  /// What was refused is not wished any more. An error that names no event is matched by what it speaks of.
  private mutating func forget(refusedBy error: JSONObject) {
    let eventID = error["event_id"]?.string
    let param = error["param"]?.string ?? ""
    let isOfResponse = param.hasPrefix("response") || error["code"] == "conversation_already_has_active_response"
    let index = requests.firstIndex { request in
      guard request.eventID == eventID else { return false }
      guard eventID == nil else { return true }
      return request.subject == .session ? param.hasPrefix("session") : isOfResponse
    }
    if let index { requests.remove(at: index) }
  }
}
