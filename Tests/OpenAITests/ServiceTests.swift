import Envelope
import OpenAIWire
import SessionCore
import Testing
import Translation

@testable import OpenAIProvider

@Suite struct OpenAIServiceRules {
  static func service(path: String = "/v1/realtime", key: String? = "k") -> OpenAIService {
    OpenAIService(
      endpoint: UpstreamEndpoint(isSecure: true, host: "api.example.test", port: 443, basePath: path),
      key: key.map { Redacted($0) }, model: "m")
  }

  static func session(_ model: String = "m") -> RealtimeSession {
    RealtimeSession.defaults(id: "sess_1", model: model, voice: "marin", expiresAt: 0)
  }

  @Test("R038 R173: the service gets the model in the address and the key as a bearer token")
  func target() {
    let target = Self.service().target(Self.session("openai/gpt realtime+ä"), resuming: nil)
    #expect(target.pathAndQuery == "/v1/realtime?model=openai%2Fgpt%20realtime%2B%C3%A4")
    #expect(target.headers.map(\.name) == ["Authorization"])
    #expect(target.headers.first?.value.reveal() == "Bearer k")
    #expect(Self.service(path: "").target(Self.session(), resuming: nil).pathAndQuery == "/v1/realtime?model=m")
    #expect(Self.service(key: nil).target(Self.session(), resuming: nil).headers.isEmpty)
  }

  @Test("a transcription session names no model in the address")
  func transcription() {
    var session = Self.session()
    session.become(.transcription)
    #expect(Self.service().target(session, resuming: nil).pathAndQuery == "/v1/realtime?intent=transcription")
  }

  @Test(
    "the service's own close codes mean something to the client",
    arguments: [
      (3000, "invalid_request_error.invalid_api_key", "upstream_credentials_refused", UpstreamVerdict.Outlook.isFinal),
      (4000, "invalid_request_error.invalid_model", "model_not_found", .isFinal),
      (4000, "invalid_request_error", "upstream_request_refused", .isFinal),
      (1001, "Your session hit the maximum duration of 60 minutes.", "session_expired", .mayRecover),
    ])
  func verdicts(_ code: UInt16, _ reason: String, _ expected: String, _ outlook: UpstreamVerdict.Outlook) throws {
    let verdict = try #require(Self.service().verdict(on: .closed(code: code, reason: reason)))
    #expect(verdict.code == expected && verdict.outlook == outlook)
    #expect(!verdict.message.contains(reason), "the provider's own words are not copied to the client")
  }

  @Test("what every provider's end means is not decided here")
  func otherEnds() {
    #expect(Self.service().verdict(on: .lost) == nil)
    #expect(Self.service().verdict(on: .closed(code: 1011, reason: "")) == nil)
  }

  @Test(
    "R222 R274 R232: what other services have is taken out or mapped, and named",
    arguments: [
      (#"{"temperature":0.8}"#, ["session.temperature"]),
      (
        #"{"audio":{"output":{"voice":"Clive","model":"inworld-tts-1.5-mini","speed":1.0}}}"#,
        ["session.audio.output.model", "session.audio.output.voice"]
      ),
      (
        #"{"audio":{"input":{"transcription":{"model":"assemblyai/u3-rt-pro"}}}}"#,
        ["session.audio.input.transcription.model"]
      ),
      (#"{"audio":{"input":{"transcription":{"model":"gpt-5-transcribe"}}}}"#, []),
      (#"{"audio":{"output":{"voice":"newer-than-the-table"}}}"#, []),
      (
        #"{"audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":800}}}}"#,
        ["session.audio.input.turn_detection.idle_timeout_ms"]
      ),
      (#"{"audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":0}}}}"#, []),
      (#"{"providerData":{"user_id":"x"}}"#, ["session.providerData"]),
    ])
  func effective(_ patch: String, _ ignored: [String]) throws {
    let fields = try #require(try JSONValue(parsing: patch).object)
    var session = try SessionPatch(fields).applied(to: Self.session())
    #expect(try Self.service().makeEffective(&session) == ignored)
    let wire = Self.service().wireSession(fields, of: session)
    #expect(wire["type"] == "realtime" && wire["temperature"] == nil && wire["providerData"] == nil)
    #expect(wire["audio"]?["output"]?["model"] == nil)
  }

  @Test("R235: a transcriber that nobody has is refused, with the three fields")
  func unknownTranscriber() throws {
    let patch = SessionPatch(["audio": ["input": ["transcription": ["model": "nobodys/model"]]]])
    var session = try patch.applied(to: Self.session())
    #expect(throws: EventFault.unknownTranscriptionModel("nobodys/model")) {
      try Self.service().makeEffective(&session)
    }
  }

  @Test("a response of both modalities is spoken, and no temperature goes up")
  func response() throws {
    let event: JSONObject = [
      "type": "response.create",
      "response": ["output_modalities": ["text", "audio"], "temperature": 0.8, "metadata": ["k": "v"]],
    ]
    let told = try Self.service().wireEvent(event, of: Self.session())
    #expect(
      told == [["type": "response.create", "response": ["output_modalities": ["audio"], "metadata": ["k": "v"]]]])
  }

  @Test("Q16: another maker's model becomes the configured one; a model of the service's is its to judge")
  func models() throws {
    for (name, expected) in [("gemini-3.8-live", "m"), ("Qwen2.5-Omni-3B", "m"), ("gpt-realtime-9", "gpt-realtime-9")] {
      var session = Self.session(name)
      _ = try Self.service().makeEffective(&session)
      #expect(session.model == expected)
    }
  }
}
