import Envelope
import HTTPTypes
import Routing
import Testing

@testable import Operator

@Suite("The routes of OpenAI at which tokens are made")
struct TokenRoutesTests {
  private let surface = TestSurface()

  private func post(_ path: String, _ body: String, fields: HTTPFields = [:]) async throws -> TestSurface.Answer {
    try await surface.ask(.post, path, body, key: FakeTokenDesk.key, fields: fields)
  }

  @Test("a client secret has OpenAI's shape, and lives 600 seconds")
  func clientSecret() async throws {
    let answer = try await post(
      "/v1/realtime/client_secrets",
      #"{"session":{"type":"realtime","model":"gemini/gemini-3.8-live","instructions":"Be kind."}}"#)
    #expect(answer.status == 200)
    #expect(answer.json["value"] == "ek_eyJ.e30.c2ln")
    #expect(answer.json["expires_at"]?.int == FakeTokenDesk.issuedAt + 600)
    #expect(answer.json["session"]?["type"] == "realtime")
    #expect(answer.json["session"]?["object"] == "realtime.session")
    #expect(answer.json["session"]?["expires_at"] == 0)
    #expect(answer.headers[.cacheControl] == "no-store")
    let order = try #require(surface.desk.order)
    #expect(order.model == "gemini/gemini-3.8-live")
    #expect(order.session == ["instructions": "Be kind."], "what names the session is no part of how it begins")
    #expect(order.preference.dialect == nil, "a client of the SDK says itself what it speaks")
  }

  @Test(
    "a secret can be had under every base URL, and without a body",
    arguments: ["/v1/realtime", "/realtime", "/openai/v1/realtime"])
  func bases(base: String) async throws {
    for route in ["client_secrets", "sessions", "transcription_sessions"] {
      #expect(try await surface.ask(.post, "\(base)/\(route)", key: FakeTokenDesk.key).status == 200)
    }
  }

  @Test(
    "a secret lives as long as is asked for, from 10 to 7,200 seconds",
    arguments: [(9, nil), (10, 10), (7_200, 7_200), (7_201, nil), (-1, nil)] as [(Int, Int?)])
  func lifetimes(seconds: Int, lives: Int?) async throws {
    let expiry = #"{"anchor":"created_at","seconds":\#(seconds)}"#
    for (path, body, param) in [
      ("client_secrets", #"{"expires_after":\#(expiry)}"#, "expires_after.seconds"),
      ("sessions", #"{"client_secret":{"expires_after":\#(expiry)}}"#, "client_secret.expires_after.seconds"),
      (
        "transcription_sessions", #"{"client_secret":{"expires_at":\#(expiry)}}"#, "client_secret.expires_at.seconds"
      ),
    ] {
      let answer = try await post("/v1/realtime/\(path)", body)
      if let lives {
        #expect(answer.status == 200)
        let told = answer.json["expires_at"]?.int.flatMap { $0 == 0 ? nil : $0 }
        #expect((told ?? answer.json["client_secret"]?["expires_at"]?.int) == FakeTokenDesk.issuedAt + lives)
      } else {
        #expect(answer.status == 400)
        #expect(answer.param == param)
      }
    }
  }

  @Test("what OpenAI's shapes have no word for stands beside the session")
  func extras() async throws {
    let answer = try await post(
      "/v1/realtime/client_secrets?provider=openai",
      """
      {"session":{"type":"transcription"},"app":"shop","route":"/v1/realtime","origins":["https://app.example"],
       "max_sessions":3,"limits":{"maxMinutesPerSession":1.5,"idleSeconds":20}}
      """)
    #expect(answer.status == 200)
    #expect(answer.json["session"]?["type"] == "transcription")
    let order = try #require(surface.desk.order)
    #expect(order.provider == "openai" && order.app == "shop" && order.route == "/v1/realtime")
    #expect(order.purpose == .transcription)
    #expect(order.origins?.map(\.description) == ["https://app.example"])
    #expect(order.maxSessions == 3 && order.maxMinutesPerSession == 1.5 && order.idleSeconds == 20)
  }

  @Test("the old session route takes flat fields and vowel's words, and answers with both")
  func betaSession() async throws {
    let answer = try await post(
      "/v1/realtime/sessions",
      """
      {"model":"gpt-4o-realtime-preview","voice":"echo","modalities":["text","audio"],"temperature":0.7,
       "turn_detection":{"type":"server_vad"},"speakingRate":1.2,"maxCallDurationMs":60000,"maxIdleDurationMs":5000}
      """, fields: [HTTPField.Name("OpenAI-Beta")!: "assistants=v2"])
    #expect(answer.status == 200, "\(answer.text)")
    #expect(answer.json["object"] == "realtime.session")
    #expect(answer.json["voice"] == "echo")
    #expect(answer.json["temperature"] == 0.7)
    #expect(answer.json["client_secret"]?["value"] == "ek_eyJ.e30.c2ln")
    #expect(answer.json["client_secret"]?["expires_at"]?.int == FakeTokenDesk.issuedAt + 60)
    #expect(answer.json["value"] == "ek_eyJ.e30.c2ln" && answer.json["token"] == "ek_eyJ.e30.c2ln")
    #expect(answer.json["expires_in"] == 60)
    let order = try #require(surface.desk.order)
    #expect(order.model == "gpt-4o-realtime-preview")
    #expect(order.session["audio"]?["output"]?["voice"] == "echo")
    #expect(order.session["audio"]?["output"]?["speed"] == 1.2)
    #expect(order.session["output_modalities"] == ["audio"])
    #expect(order.maxMinutesPerSession == 1 && order.idleSeconds == 5)
  }

  @Test("the old transcription route answers with a transcription session of its vocabulary")
  func betaTranscription() async throws {
    let answer = try await post(
      "/v1/realtime/transcription_sessions",
      """
      {"input_audio_format":"g711_ulaw","input_audio_transcription":{"model":"whisper-1"},"modalities":["text"],
       "include":["item.input_audio_transcription.logprobs"],"turn_detection":null}
      """)
    #expect(answer.status == 200)
    #expect(answer.json["object"] == "realtime.transcription_session")
    #expect(answer.json["client_secret"]?["expires_at"]?.int == FakeTokenDesk.issuedAt + 60)
    #expect(answer.json["value"] == nil)
    let order = try #require(surface.desk.order)
    #expect(order.purpose == .transcription && order.model == nil)
    #expect(order.session["output_modalities"] == nil)
    #expect(order.session["audio"]?["input"]?["turn_detection"]?.isNull == true)
    #expect(order.session["audio"]?["input"]?["format"] == ["type": "audio/pcmu"])
  }

  @Test("what is wrong with a flat session is told by its flat name")
  func flatParam() async throws {
    let flat = try await post("/v1/realtime/sessions", #"{"voice":"nobody"}"#)
    #expect(flat.status == 400 && flat.param == "voice")
    let nested = try await post(
      "/v1/realtime/client_secrets", #"{"session":{"audio":{"output":{"voice":"nobody"}}}}"#)
    #expect(nested.status == 400 && nested.param == "session.audio.output.voice")
  }

  @Test("who may not have a token is told so before the body is read")
  func refused() async throws {
    for path in ["/v1/realtime/client_secrets", "/v1/realtime/sessions", "/vowel/api/generateToken"] {
      let missing = try await surface.ask(.post, path, "{", key: nil)
      #expect(missing.status == 401 && missing.code == "missing_api_key")
      #expect(missing.headers[.wwwAuthenticate] == "Bearer")
      let wrong = try await surface.ask(.post, path, "{", key: "hyb_bad")
      #expect(wrong.status == 401 && wrong.code == "invalid_api_key")
    }
  }

  @Test(
    "pages of other sites may ask and read every answer (R105)",
    arguments: ["/v1/realtime/client_secrets", "/v1/realtime/sessions", "/vowel/api/generateToken"])
  func crossOrigin(path: String) async throws {
    let fields: HTTPFields = [.origin: "https://app.example"]
    let preflight = try await surface.ask(.options, path, key: nil, fields: fields)
    #expect(preflight.status == 204 && preflight.text.isEmpty)
    #expect(preflight.headers[.accessControlAllowOrigin] == "https://app.example")
    #expect(preflight.headers[.accessControlAllowMethods] == "POST, OPTIONS")
    #expect(preflight.headers[.accessControlAllowHeaders]?.contains("x-api-key") == true)
    #expect(preflight.headers[.vary] == "Origin")
    #expect(preflight.headers[.accessControlMaxAge] == "600")
    for key in [FakeTokenDesk.key, nil] {
      let answer = try await surface.ask(.post, path, #"{"appId":"default"}"#, key: key, fields: fields)
      #expect(answer.headers[.accessControlAllowOrigin] == "https://app.example")
      #expect(answer.headers[.accessControlAllowCredentials] == nil)
    }
    let two = try await surface.ask(
      .options, path, key: nil, fields: HTTPFields([fields.first { _ in true }!, HTTPField(name: .origin, value: "b")]))
    #expect(two.headers[.accessControlAllowOrigin] == nil)
  }
}
