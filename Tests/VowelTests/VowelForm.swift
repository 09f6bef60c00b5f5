import Envelope
import OpenAIWire
import ParleyTesting
import SessionCore
import Translation

@testable import VowelProvider

/// What an engine is told for what a client says.
struct VowelForm {
  var service = VowelForm.service()
  private(set) var session: RealtimeSession
  /// The fields of the last update without a counterpart.
  private(set) var missing: [String] = []

  static func service(_ change: (inout VowelService) -> Void = { _ in }) -> VowelService {
    var service = VowelService(
      endpoint: UpstreamEndpoint(isSecure: false, host: "engine.local", port: 8787), key: Redacted("secret"),
      model: "openai/gpt-oss-20b", tokens: .engine(url: nil))
    change(&service)
    return service
  }

  init(_ change: (inout VowelService) -> Void = { _ in }) throws {
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

  /// The `session` of the frame for an update.
  mutating func frame(_ fields: JSONObject) throws -> JSONObject {
    try update(fields)
    let paths = SessionPatch(fields).nestingFlatFields().fields
    return service.wireSession(Self.pick(JSONCoding.encode(session).object ?? [:], paths, depth: 0), of: session)
  }

  /// The session's values of the fields that an update names.
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

  /// An event of the client in the engine's form.
  func event(_ event: JSONObject) throws -> [JSONObject] {
    try service.wireEvent(event, of: session)
  }

  /// What a whole session says to an event that is refused, by the engine's form or before it is put into that.
  func refusal(of event: JSONObject) -> ErrorObject? {
    var call = SessionDialogue(ProviderConfiguration(name: "vowel", service: .wire(service)))
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
