import Envelope
import NIOCore
import Translation
import Testing

@testable import GeminiLiveProvider

@Suite struct GeminiLiveMapping {
  @Test("R191 R209: usage by modality; thoughts are output, tool results are input")
  func usage() throws {
    let text = #"""
      {"promptTokenCount":412,"toolUsePromptTokenCount":14,"cachedContentTokenCount":100,"responseTokenCount":30,
      "thoughtsTokenCount":12,"totalTokenCount":442,
      "promptTokensDetails":[{"modality":"TEXT","tokenCount":350},{"modality":"AUDIO","tokenCount":60},{"modality":"VIDEO","tokenCount":2}],
      "cacheTokensDetails":[{"modality":"TEXT","tokenCount":90},{"modality":"AUDIO","tokenCount":10}],
      "responseTokensDetails":[{"modality":"AUDIO","tokenCount":30}]}
      """#
    let usage = Downlink.usage(try JSONCoding.decode(UsageMetadata.self, from: JSONValue(parsing: text)))
    #expect(usage.inputTokens == 426 && usage.outputTokens == 42 && usage.totalTokens == 468)
    #expect(usage.inputTokenDetails.textTokens == 364 && usage.inputTokenDetails.audioTokens == 60)
    #expect(usage.inputTokenDetails.imageTokens == 2 && usage.inputTokenDetails.cachedTokens == 100)
    #expect(usage.outputTokenDetails.textTokens == 12 && usage.outputTokenDetails.audioTokens == 30)
  }

  @Test("usage under the names of Vertex, and without details")
  func otherUsage() throws {
    let vertex = Downlink.usage(
      try JSONCoding.decode(
        UsageMetadata.self,
        from: JSONValue(parsing: #"{"promptTokenCount":90,"candidatesTokenCount":12,"trafficType":"ON_DEMAND"}"#)))
    #expect(vertex.totalTokens == 102)
    #expect(vertex.inputTokenDetails.textTokens == 90 && vertex.outputTokenDetails.audioTokens == 12)
  }

  @Test("durations", arguments: [("0.320s", 320), ("50s", 50_000), ("s", nil), ("1", nil), ("nans", nil), (nil, nil)])
  func durations(_ text: String?, _ milliseconds: Int?) {
    #expect(Downlink.milliseconds(text) == milliseconds)
  }

  @Test("R284: the silence is always stated; thresholds are coarse; eagerness becomes sensitivity")
  func voiceDetection() {
    func input(_ detection: TurnDetection?) -> JSONValue {
      var session = RealtimeSession.defaults(id: "sess_1", model: "gemini-3.8-live", voice: "marin", expiresAt: 1)
      session.audio.input.turnDetection = detection
      let configuration = GeminiLiveConfiguration(
        endpoint: UpstreamEndpoint(isSecure: false, host: "h", port: 1), key: nil, model: "gemini-3.8-live")
      let setUp = SetUp(session, configuration, ownsTurns: detection == nil, tools: [])
      return setUp.fields["realtimeInputConfig"] ?? .null
    }
    #expect(
      input(.serverVAD(ServerVAD())) == [
        "automaticActivityDetection": ["silenceDurationMs": 500], "turnCoverage": "TURN_INCLUDES_ONLY_ACTIVITY",
      ])
    let deaf = input(.serverVAD(ServerVAD(threshold: 0.9, silenceDurationMs: 5000, interruptResponse: false)))
    #expect(
      deaf["automaticActivityDetection"]
        == ["startOfSpeechSensitivity": "START_SENSITIVITY_LOW", "silenceDurationMs": 2000])
    #expect(deaf["activityHandling"] == "NO_INTERRUPTION")
    #expect(
      input(.semanticVAD(SemanticVAD(eagerness: .high)))["automaticActivityDetection"]
        == ["endOfSpeechSensitivity": "END_SENSITIVITY_HIGH", "silenceDurationMs": 400])
    #expect(input(nil)["automaticActivityDetection"] == ["disabled": true])
  }

  @Test(
    "ways of ending",
    arguments: [
      (1007, "API key not valid. Please pass a valid API key.", "upstream_credentials_refused", 1014),
      (1011, "You exceeded your current quota, please check", "rate_limit_exceeded", 1014),
      (1008, "models/x is not found for API version v1beta, or", "model_not_found", 1014),
      (1007, "Request contains an invalid argument.", "upstream_setup_rejected", 1014),
      (1011, "Internal error occurred.", "upstream_closed", 1013),
    ])
  func verdicts(_ code: Int, _ reason: String, _ expected: String, _ close: Int) throws {
    let verdict = try #require(GeminiLiveVerdict.onClose(code: UInt16(code), reason: reason, isSetUp: true))
    #expect(verdict.code == expected)
    #expect((verdict.outlook == .mayRecover) == (close == 1013))
    #expect(!verdict.message.contains(reason), "the provider's own words are not copied to the client")
  }
}
