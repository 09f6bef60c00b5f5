import Envelope
import OpenAIWire
import Testing
import Translation

@testable import AzureProvider

/// An update of a fresh session with one of the services, and what becomes of it.
struct Update {
  static func service(
    _ api: AzureAPI, path: String = "", credential: AzureCredential = .key(Redacted("k")), model: String = "my-voice"
  ) -> AzureService {
    let versions: [AzureAPI: String] = [.preview: "2025-04-01-preview", .voiceLive: "2026-04-10"]
    return AzureService(
      endpoint: UpstreamEndpoint(isSecure: true, host: "res.example.test", port: 443, basePath: path),
      credential: credential, model: model, api: api, apiVersion: versions[api])
  }

  /// As a client is told of it.
  var session: RealtimeSession
  /// Without a counterpart.
  var missing: [String]
  /// As the service is told of it.
  var wire: JSONValue

  /// - Parameter fields: the `session` of a `session.update`.
  init(_ api: AzureAPI, _ fields: String, after earlier: String = "{}") throws {
    let service = Self.service(api)
    session = RealtimeSession.defaults(id: "sess_1", model: "my-voice", voice: "marin", expiresAt: 0)
    service.begin(&session)
    session = try Self.patch(earlier).applied(to: session)
    _ = try service.makeEffective(&session)
    let patch = try Self.patch(fields)
    session = try patch.applied(to: session)
    missing = try service.makeEffective(&session)
    let shown = JSONCoding.encode(session).object ?? [:]
    wire = .object(service.wireSession(Self.pick(shown, patch.fields), of: session))
  }

  private static func patch(_ fields: String) throws -> SessionPatch {
    SessionPatch(try #require(try JSONValue(parsing: fields).object)).nestingFlatFields()
  }

  /// The values that the session has for the fields of an update.
  private static func pick(_ values: JSONObject, _ paths: JSONObject) -> JSONObject {
    var result = JSONObject()
    for (key, path) in paths where key != "type" {
      if ["audio", "input", "output"].contains(key), let inner = path.object {
        result[key] = .object(pick(values[key]?.object ?? [:], inner))
      } else {
        result[key] = values[key] ?? (path.isNull ? .null : nil)
      }
    }
    return result
  }

  /// The fault that an update meets with.
  static func fault(_ api: AzureAPI, _ fields: String) throws -> EventFault {
    do {
      _ = try Update(api, fields)
    } catch let fault as EventFault {
      return fault
    }
    throw Accepted()
  }

  struct Accepted: Error {}
}
