import Envelope
import Translation

/// Where the token that the engine is opened with comes from. One is good for five minutes, and holds what the session
/// is to be: each connection has its own.
public enum VowelTokens: Sendable, Hashable {
  /// The key is one.
  case given
  /// The engine makes it, for its API key; nil: at the address of the endpoint.
  case engine(url: String?)
  /// Core makes it, for a publishable key of an application.
  case core(url: String, appID: String)
}

extension VowelService {
  /// `POST /v1/realtime/sessions`.
  var engineURL: String {
    let host = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
    return (endpoint.isSecure ? "https" : "http") + "://\(host):\(endpoint.port)\(path)/sessions"
  }

  func engineToken(_ session: RealtimeSession, at url: String, _ key: Redacted<String>) -> TokenRequest {
    var claims = voice(of: session)
    if !session.instructions.isEmpty { claims["instructions"] = .string(session.instructions) }
    return Self.request(url, [Self.bearer(key)], claims, tokenPath: ["value"])
  }

  /// `POST /vowel/api/generateToken`. Its pages name one header for the key, its code reads the other.
  func coreToken(_ session: RealtimeSession, at url: String, _ appID: String, _ key: Redacted<String>) -> TokenRequest {
    let provider: JSONValue = "vowel-prime"
    var config: JSONObject = ["provider": provider, "voiceConfig": .object(voice(of: session))]
    if !session.instructions.isEmpty { config["systemInstructionOverride"] = .string(session.instructions) }
    return Self.request(
      url, [.init("X-API-Key", key), Self.bearer(key)],
      ["appId": .string(appID), "provider": provider, "config": .object(config)], tokenPath: ["token"])
  }

  /// No greeting is among it: the engine would speak first.
  private func voice(of session: RealtimeSession) -> JSONObject {
    [
      "model": .string(session.model), "voice": .string(session.audio.output.voice.name),
      "speakingRate": .number(JSONNumber(session.audio.output.speed)),
    ]
  }

  private static func request(
    _ url: String, _ headers: [UpstreamTarget.Header], _ body: JSONObject, tokenPath: [String]
  ) -> TokenRequest {
    TokenRequest(
      url: url, headers: headers, body: Redacted(JSONValue.object(body).text), contentType: "application/json",
      tokenPath: tokenPath, lifetimePath: nil)
  }

  static func bearer(_ key: Redacted<String>) -> UpstreamTarget.Header {
    .init("Authorization", Redacted("Bearer " + key.reveal()))
  }
}
