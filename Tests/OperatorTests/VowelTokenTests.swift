import Envelope
import HTTPTypes
import Routing
import Testing
import Translation

@testable import Operator

@Suite("vowel's token route")
struct VowelTokenTests {
  private static let path = "/vowel/api/generateToken"
  private let surface = TestSurface()

  @Test("R065, R066: the answer has vowel's shape, and its time is UTC with whole seconds")
  func shape() async throws {
    let answer = try await surface.ask(
      .post, Self.path, #"{"appId":"default","provider":"vowel-prime"}"#, key: nil,
      fields: [HTTPField.Name("X-API-Key")!: FakeTokenDesk.publishable])
    #expect(answer.status == 200)
    #expect(answer.json["token"] == "ek_eyJ.e30.c2ln")
    #expect(answer.json["expiresAt"] == "2026-01-01T01:08:55Z")
    #expect(answer.json["wsUrl"] == "ws://parley.test:8787/v1/realtime")
    #expect(answer.json["provider"] == "vowel-prime")
    #expect(answer.json["model"] == "gemini-3.8-live")
    #expect(answer.json["metadata"]?["baseUrl"] == answer.json["wsUrl"])
    #expect(answer.json["metadata"]?["voice"] == "marin")
    #expect(answer.json["metadata"]?["audioFormat"] == "pcm16")
    #expect(answer.json["metadata"]?["sampleRate"] == 24000)
    #expect(answer.json["metadata"]?["sessionConfigDeliveredViaClient"] == true)
    #expect(answer.json["systemInstructions"] == "")
    let order = try #require(surface.desk.order)
    #expect(order.app == "default" && order.provider == "vowel-prime")
    #expect(order.preference.dialect == .fixed(.beta), "its clients speak beta (Q2)")
    #expect(order.lifetimeSeconds == nil, "the configured lifetime")
  }

  @Test("the key may stand in the body, and a key in appId is no app")
  func keyInBody() async throws {
    for body in [#"{"appId":"shop","apiKey":"vkey_page"}"#, #"{"appId":"vkey_page"}"#] {
      #expect(try await surface.ask(.post, Self.path, body, key: nil).status == 200)
    }
    #expect(surface.desk.order?.app == nil)
    let wrong = try await surface.ask(.post, Self.path, #"{"appId":"vkey_other"}"#, key: nil)
    #expect(wrong.status == 401 && !wrong.text.contains("vkey_other"))
    let header = try await surface.ask(.post, Self.path, #"{"appId":"vkey_page"}"#, key: "hyb_bad")
    #expect(header.status == 401, "a header wins, also when it is wrong (R179)")
  }

  @Test("the session's beginnings are taken from config.voiceConfig, and from beside it")
  func voiceConfig() async throws {
    let answer = try await surface.ask(
      .post, Self.path,
      """
      {"appId":"default","language":"nb","config":{"provider":"gemini","systemInstructionOverride":"Be brief.",
       "routes":[],"actions":{},"voiceConfig":{"model":"openai/gpt-oss-20b","voice":"aura-2-thalia-en",
       "turnDetectionPreset":"aggressive"}},"origin":"https://app.example"}
      """, key: FakeTokenDesk.key)
    #expect(answer.status == 200, "\(answer.text)")
    #expect(answer.json["systemInstructions"] == "Be brief.")
    #expect(answer.json["metadata"]?["voice"] == "aura-2-thalia-en")
    let order = try #require(surface.desk.order)
    #expect(order.model == "openai/gpt-oss-20b" && order.provider == "gemini")
    let input = order.session["audio"]?["input"]
    #expect(input?["transcription"]?["language"] == "nb")
    #expect(input?["turn_detection"]?["silence_duration_ms"] == 300)
    #expect(order.origins?.map(\.description) == ["https://app.example"])
  }

  @Test(
    "what no token can be made of is told by its name",
    arguments: [
      (#"{}"#, "appId"), (#"{"appId":7}"#, "appId"), (#"{"appId":"a","provider":[]}"#, "provider"),
      (#"{"appId":"a","config":"x"}"#, "config"), (#"{"appId":"a","origin":"app.example/page"}"#, "origin"),
      (#"{"appId":"a","config":{"voiceConfig":{"voice":7}}}"#, "voice"),
      (#"{"appId":"a","config":{"voiceConfig":{"stt":{"apiKey":"k"}}}}"#, "stt"),
      (#"{"appId":"a","config":{"voiceConfig":{"maxCallDurationMs":-1}}}"#, "maxCallDurationMs"),
    ])
  func wrong(body: String, param: String) async throws {
    let answer = try await surface.ask(.post, Self.path, body, key: FakeTokenDesk.key)
    #expect(answer.status == 400)
    #expect(answer.param?.hasSuffix(param) == true, "\(answer.text)")
  }
}
