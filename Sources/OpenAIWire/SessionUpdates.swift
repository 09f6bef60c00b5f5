import Envelope

/// The session as the service has confirmed it, and the updates of it that are under way: one that is refused leaves no
/// trace (R236).
struct SessionUpdates: Sendable {
  struct Update: Sendable {
    /// In the vocabulary, nested; nil for what only the service understands, and for a set-up of ours.
    var patch: SessionPatch?
    /// The `event_id` of the frame that carries it: the client's own, or one of ours.
    var frameID: String
    /// What the client called it; nil if it gave no id.
    var eventID: String?
    /// It waits in the port behind other content, which is not to be overtaken.
    var isHeld = false
    var isSetUp = false
    /// The connection has carried it.
    var isSent = false
  }

  /// What the service has.
  private(set) var confirmed: RealtimeSession
  /// Sent or to be sent, in order; their answers come in the same order.
  private(set) var pending: [Update] = []
  /// Every field that a client has set with success, whatever its value: what a new connection must be told.
  private(set) var touched = JSONObject()

  /// - Parameter touched: fields that are set from the start.
  init(_ session: RealtimeSession, touched: JSONObject = [:]) {
    confirmed = session
    self.touched = touched
  }

  mutating func restart(with session: RealtimeSession) {
    confirmed = session
  }

  mutating func add(_ update: Update) {
    pending.append(update)
  }

  /// The service said yes to the oldest one.
  ///
  /// - Parameter session: as it is with it.
  mutating func confirmOldest(as session: RealtimeSession) -> Update? {
    guard !pending.isEmpty else { return nil }
    let update = pending.removeFirst()
    if let patch = update.patch {
      confirmed = session
      touched = Self.merged(touched, patch.fields)
    }
    return update
  }

  /// The service said no to one.
  mutating func refuse(frameID: String) -> Update? {
    guard let index = pending.firstIndex(where: { $0.frameID == frameID }) else { return nil }
    return pending.remove(at: index)
  }

  /// The session once all of them are confirmed.
  func expected(_ apply: (SessionPatch, RealtimeSession) -> RealtimeSession?) -> RealtimeSession {
    pending.reduce(confirmed) { session, update in
      update.patch.flatMap { apply($0, session) } ?? session
    }
  }

  /// A connection is gone: what it had not answered is to be said again, and what was Parley's own is forgotten.
  mutating func connectionLost() {
    pending.removeAll { $0.isSetUp }
    for index in pending.indices { pending[index].isSent = false }
  }

  /// A connection is open: gives the updates that it is to be told at once, in order. What was held follows by itself.
  mutating func takeForSetUp(orElse own: Update) -> [Update] {
    var told: [Update] = []
    for index in pending.indices where !pending[index].isHeld && !pending[index].isSent {
      pending[index].isSent = true
      told.append(pending[index])
    }
    guard told.isEmpty else { return told }
    var own = own
    own.isSent = true
    // Its answer comes behind those of what was sent before.
    pending.insert(own, at: pending.firstIndex { $0.isHeld } ?? pending.count)
    return [own]
  }

  /// The port is empty: what waited in it has gone up.
  mutating func heldWasSent() {
    for index in pending.indices where pending[index].isHeld {
      pending[index].isHeld = false
      pending[index].isSent = true
    }
  }

  /// What the client has set so far, with what the updates on their way set.
  func touched(with update: Update?) -> JSONObject {
    guard let patch = update?.patch else { return touched }
    return Self.merged(touched, patch.fields)
  }

  /// The paths of both; the values do not matter.
  private static func merged(_ left: JSONObject, _ right: JSONObject) -> JSONObject {
    var result = left
    for (key, value) in right {
      if key == "audio" || key == "input" || key == "output", let object = value.object {
        result[key] = .object(merged(result[key]?.object ?? JSONObject(), object))
      } else {
        result[key] = value
      }
    }
    return result
  }
}

/// Cuts out of a session the fields that an update is about.
enum SessionFields {
  /// The server's own, and names that have another place in the vocabulary.
  private static let neverSent: Set<String> = ["type", "id", "object", "expires_at", "modelId", "client_secret"]

  /// The effective values of the fields that `paths` names.
  ///
  /// - Parameter paths: a partial session; only its keys count, and those in `audio.input` and `audio.output`.
  static func of(_ session: RealtimeSession, at paths: JSONObject) -> JSONObject {
    guard let all = JSONCoding.encode(session).object else { return JSONObject() }
    var fields = pick(all, paths) { key in
      guard key == "audio", let audio = paths[key]?.object else { return nil }
      let values = all[key]?.object ?? JSONObject()
      return .object(
        pick(values, audio) { side in
          guard let asked = audio[side]?.object else { return nil }
          return .object(pick(values[side]?.object ?? JSONObject(), asked) { _ in nil })
        })
    }
    if paths["modelId"] != nil, fields["model"] == nil { fields["model"] = .string(session.model) }
    // Inworld's clients write it in two ways.
    if paths["provider_data"] != nil, let value = all["providerData"] { fields["providerData"] = value }
    return fields
  }

  private static func pick(
    _ values: JSONObject, _ paths: JSONObject, nested: (String) -> JSONValue?
  ) -> JSONObject {
    var result = JSONObject()
    for (key, asked) in paths where !neverSent.contains(key) {
      if let inner = nested(key) {
        result[key] = inner
      } else if let value = values[key] {
        result[key] = value
      } else if asked.isNull {
        result[key] = .null
      }
    }
    return result
  }

  /// Paths as ``of(_:at:)`` takes them, with one more.
  static func adding(_ dotted: String, to paths: JSONObject) -> JSONObject {
    adding(dotted.split(separator: ".").map(String.init)[...], to: paths)
  }

  private static func adding(_ path: ArraySlice<String>, to object: JSONObject) -> JSONObject {
    guard let key = path.first else { return object }
    var object = object
    let rest = path.dropFirst()
    object[key] = rest.isEmpty ? true : .object(adding(rest, to: object[key]?.object ?? JSONObject()))
    return object
  }
}
