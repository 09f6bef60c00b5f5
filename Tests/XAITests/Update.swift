import Envelope
import OpenAIWire
import Testing
import Translation

@testable import XAIProvider

/// An update of a fresh session with the service, and what becomes of it.
struct Update {
  static let service = XAIService(
    endpoint: UpstreamEndpoint(isSecure: true, host: "api.example.test", port: 443, basePath: "/v1/realtime"),
    key: Redacted("k"), model: "grok-voice-latest")

  /// As a client is told of it.
  var session: RealtimeSession
  /// Without a counterpart.
  var missing: [String]
  /// As the service is told of it.
  var wire: JSONValue

  /// - Parameter fields: the `session` of a `session.update`.
  init(_ fields: String, after earlier: String = "{}") throws {
    session = RealtimeSession.defaults(id: "sess_1", model: "grok-voice-latest", voice: "marin", expiresAt: 0)
    Self.service.begin(&session)
    session = try Self.patch(earlier).applied(to: session)
    _ = try Self.service.makeEffective(&session)
    let patch = try Self.patch(fields)
    session = try patch.applied(to: session)
    missing = try Self.service.makeEffective(&session)
    let shown = JSONCoding.encode(session).object ?? [:]
    wire = .object(Self.service.wireSession(Self.pick(shown, patch.fields), of: session))
  }

  private static func patch(_ fields: String) throws -> SessionPatch {
    SessionPatch(try #require(try JSONValue(parsing: fields).object)).nestingFlatFields()
  }

  /// The values that the session has for the fields of an update.
  private static func pick(_ values: JSONObject, _ paths: JSONObject) -> JSONObject {
    var result = JSONObject()
    for (key, path) in paths {
      if ["audio", "input", "output"].contains(key), let inner = path.object {
        result[key] = .object(pick(values[key]?.object ?? [:], inner))
      } else {
        result[key] = values[key] ?? (path.isNull ? .null : nil)
      }
    }
    return result
  }

  /// The fault that an update meets with.
  static func fault(_ fields: String) throws -> EventFault {
    do {
      _ = try Update(fields)
    } catch let fault as EventFault {
      return fault
    }
    throw Accepted()
  }

  struct Accepted: Error {}
}

/// What every update tells the service beside its own fields.
let resumption: JSONValue = ["enabled": true]
