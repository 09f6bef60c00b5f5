import Envelope
import OpenAIWire
import ParleyTesting
import SessionCore
import Translation

@testable import InworldProvider

/// What Inworld is told for what a client says.
struct InworldForm {
  var service = InworldForm.service()
  private(set) var session: RealtimeSession
  /// The fields of the last update without a counterpart.
  private(set) var missing: [String] = []

  static func service(_ change: (inout InworldService) -> Void = { _ in }) -> InworldService {
    var service = InworldService(
      endpoint: UpstreamEndpoint(isSecure: true, host: "api.inworld.ai", port: 443), key: Redacted("QUJD=="),
      model: "google-ai-studio/gemini-2.5-flash")
    service.passVendorEvents()
    change(&service)
    return service
  }

  init(_ change: (inout InworldService) -> Void = { _ in }) throws {
    service = Self.service(change)
    var session = RealtimeSession.defaults(id: "sess_1", model: service.model, voice: "marin", expiresAt: 1)
    service.begin(&session)
    _ = try service.makeEffective(&session)
    self.session = session
  }

  /// The session after an update.
  mutating func update(_ fields: JSONObject) throws {
    var next = try SessionPatch(fields).nestingFlatFields().applied(to: session)
    missing = try service.makeEffective(&next)
    session = next
  }

  /// The `session` of the frame for an update in mid-session.
  mutating func frame(_ fields: JSONObject) throws -> JSONObject {
    try update(fields)
    return service.wireSession(effective(at: SessionPatch(fields).nestingFlatFields().fields), of: session)
  }

  /// The `session` of a connection's first frame.
  mutating func firstFrame(_ fields: JSONObject) throws -> JSONObject {
    try update(fields)
    var paths = SessionPatch(fields).nestingFlatFields().fields
    for field in service.traits.setUpFields.sorted() {
      paths = Self.adding(field.split(separator: ".").map(String.init)[...], to: paths)
    }
    return service.wireSession(effective(at: paths), of: session)
  }

  private static func adding(_ path: ArraySlice<String>, to object: JSONObject) -> JSONObject {
    guard let key = path.first else { return object }
    var object = object
    let rest = path.dropFirst()
    object[key] = rest.isEmpty ? true : .object(adding(rest, to: object[key]?.object ?? [:]))
    return object
  }

  /// The session's values of the fields that an update names.
  private func effective(at paths: JSONObject) -> JSONObject {
    Self.pick(JSONCoding.encode(session).object ?? [:], paths, depth: 0)
  }

  private static func pick(_ values: JSONObject, _ paths: JSONObject, depth: Int) -> JSONObject {
    var result = JSONObject()
    for (key, path) in paths where !["type", "modelId"].contains(key) || depth > 0 {
      let isSide = depth == 0 && key == "audio" || depth == 1
      if isSide, let value = values[key]?.object, let path = path.object {
        result[key] = .object(pick(value, path, depth: depth + 1))
      } else if let value = values[key] {
        result[key] = value
      }
    }
    if depth == 0, paths["modelId"] != nil { result["model"] = values["model"] }
    return result
  }

  /// An event of the client in Inworld's form.
  func event(_ event: JSONObject) throws -> [JSONObject] {
    try service.wireEvent(event, of: session)
  }

  /// The fault that an update is refused with.
  func fault(_ fields: JSONObject) -> EventFault? {
    var copy = self
    do {
      try copy.update(fields)
      return nil
    } catch {
      return error as? EventFault
    }
  }

  /// What a whole session says to an event that is refused, by the service's form or before it is put into that.
  func refusal(of event: JSONObject) -> ErrorObject? {
    var call = SessionDialogue(ProviderConfiguration(name: "inworld", service: .wire(service)))
    _ = call.begin()
    _ = call.upstreamOpens()
    return call.client(JSONValue.object(event).text).event("error")?["error"].flatMap {
      try? JSONCoding.decode(ErrorObject.self, from: $0)
    }
  }

  /// The fault that an event is refused with.
  func fault(ofEvent event: JSONObject) -> EventFault? {
    do {
      _ = try self.event(event)
      return nil
    } catch {
      return error as? EventFault
    }
  }
}
