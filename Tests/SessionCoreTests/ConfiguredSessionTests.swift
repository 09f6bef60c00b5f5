import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

/// Sessions that begin as their token says.
@Suite struct ConfiguredSessions {
  static let kinds: [ProviderKind] = [.openAI, .geminiLive(), .azure(), .xai, .inworld(), .vowel()]

  static let patch = SessionPatch([
    "instructions": "Be brief.",
    "tools": [["type": "function", "name": "get_time", "description": "The time.", "parameters": ["type": "object"]]],
    "audio": ["input": ["turn_detection": .null]],
  ])

  static func parameters(
    _ kind: ProviderKind, _ patch: SessionPatch = patch, dialect: DialectChoice = .auto, isStrict: Bool = false,
    purpose: SessionType = .realtime
  ) throws -> SessionParameters {
    let endpoint = UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: 9)
    let service = try #require(kind.service(at: endpoint, key: nil, model: "gemini-3.8-live"))
    let provider = ProviderConfiguration(name: "p", service: service).detectingTurns { LevelTurnDetector() }
    var parameters = SessionParameters(
      provider: provider, requestedModel: "gemini-3.8-live", purpose: purpose, dialect: dialect, isStrict: isStrict,
      unixTime: 1, seed: 3)
    parameters.configured = patch
    return parameters
  }

  @Test("R072: a configured session is told to the provider, and shown", arguments: kinds)
  func told(_ kind: ProviderKind) throws {
    var call = SessionDialogue(try Self.parameters(kind))
    let hello = call.begin()
    #expect(hello.types == ["session.created"], "nobody has asked for a session.updated")
    let shown = try #require(hello.event("session.created")?["session"])
    #expect(shown["instructions"] == "Be brief.")
    #expect(shown["tools"]?[0]?["name"] == "get_time")
    #expect(shown["audio"]?["input"]?["turn_detection"]?.isNull == true)
    // Content: no more configuration is awaited.
    var step = call.client(#"{"type":"response.create"}"#) + call.upstreamOpens()
    if call.speaksOpenAIWire { step = step + call.upstream(#"{"type":"session.created","session":{}}"#) }
    let told = step.upstream.map(\.text).joined()
    #expect(told.contains("Be brief.") && told.contains("get_time"), "\(step)")
    #expect(!step.types.contains("error"))
  }

  @Test("R072: so it is with the voice engine of the process")
  func engine() throws {
    var parameters = SessionParameters(
      provider: ProviderConfiguration(name: "local", service: .local(SessionDialogue.engine)), requestedModel: nil,
      unixTime: 1, seed: 3)
    parameters.configured = Self.patch
    var call = SessionDialogue(parameters)
    let shown = try #require(call.begin().event("session.created")?["session"])
    #expect(shown["instructions"] == "Be brief." && shown["tools"]?[0]?["name"] == "get_time")
    #expect(shown["audio"]?["input"]?["turn_detection"]?.isNull == true)
  }

  @Test("what is shown before a session is what it begins with", arguments: kinds, SessionType.allCases)
  func preview(_ kind: ProviderKind, _ purpose: SessionType) throws {
    let parameters = try Self.parameters(
      kind, SessionPatch(["audio": ["input": ["turn_detection": .null]]]), purpose: purpose)
    let effective = JSONCoding.encode(try SessionPreview.effective(parameters))
    var call = SessionDialogue(parameters)
    var created = try #require(call.begin().event("session.created")?["session"]?.object)
    // The greeting of a client whose vocabulary is not known has the voice twice.
    created.removeValue(forKey: "voice")
    #expect(effective == .object(created))
    #expect(effective["id"] == .string(parameters.sessionID))
  }

  @Test(
    "a session that no provider can have is refused whole, by the name of what is wrong",
    arguments: [
      (["audio": ["output": ["speed": 9]]], "session.audio.output.speed"),
      (["instructions": 7], "session.instructions"),
      (["instructions": "x", "audio": ["output": ["voice": 7]]], "session.audio.output.voice"),
      (["tools": [["type": "function"]]], "session.tools[0].name"),
    ] as [(JSONObject, String)])
  func refused(_ fields: JSONObject, _ param: String) throws {
    for kind in Self.kinds {
      let parameters = try Self.parameters(kind, SessionPatch(fields))
      #expect(throws: EventFault.self) { try SessionPreview.effective(parameters) }
      do {
        _ = try SessionPreview.effective(parameters)
      } catch {
        #expect(error.param == param)
      }
      var call = SessionDialogue(parameters)
      #expect(call.begin().event("session.created")?["session"]?["instructions"] != "x", "never half of it")
    }
  }

  @Test("what the token says is a beginning: the client may change it, and still decides what it speaks (trap of Q2)")
  func changed() throws {
    var call = SessionDialogue(try Self.parameters(.openAI))
    _ = call.begin()
    _ = call.client(#"{"type":"session.update","session":{"modalities":["text"],"instructions":"Be long."}}"#)
    _ = call.upstreamOpens()
    var step = call.upstream(#"{"type":"session.created","session":{}}"#)
    let confirmed = #"{"type":"realtime","instructions":"Be long.","output_modalities":["text"]}"#
    step = step + call.upstream(#"{"type":"session.updated","session":\#(confirmed)}"#)
    let updated = try #require(step.event("session.updated")?["session"])
    #expect(updated["instructions"] == "Be long." && updated["modalities"] == ["text"], "flat, as the client")
  }

  @Test("a pinned model cannot be changed", arguments: [false, true])
  func pinned(_ isStrict: Bool) throws {
    var parameters = try Self.parameters(.geminiLive(), isStrict: isStrict)
    parameters.modelRule = ModelRule(pinned: "gemini-3.8-live")
    var call = SessionDialogue(parameters)
    _ = call.begin()
    let step = call.client(#"{"type":"session.update","session":{"type":"realtime","model":"gemini-9"}}"#)
    if isStrict {
      #expect(step.event("error")?["error"]?["code"] == "model_not_allowed")
      #expect(step.event("error")?["error"]?["param"] == "session.model")
    } else {
      let updated = (step + call.wait(.seconds(1)) + call.upstreamOpens() + call.upstream(#"{"setupComplete":{}}"#))
        .event("session.updated")
      #expect(updated?["session"]?["model"] == "gemini-3.8-live")
    }
  }
}
