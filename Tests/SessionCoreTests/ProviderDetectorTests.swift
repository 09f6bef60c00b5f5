import GeminiLiveProvider
import OpenAIProvider
import Testing
import Translation

@testable import SessionCore

/// Which providers are given a detector of turns.
struct ProviderDetectorTests {
  private struct NoTurns: TurnDetector {
    var settings = TurnDetectorSettings()
    var isAssistantHeard = false
    mutating func hear(_ samples: UnsafeBufferPointer<Int16>, rate: Int) -> [TurnEvent] { [] }
    mutating func forgetTurn() {}
  }

  private let endpoint = UpstreamEndpoint(isSecure: true, host: "example.com", port: 443, basePath: "")

  @Test("Gemini Live is given the detector of turns, and stays what it was")
  func gemini() throws {
    let kind = ProviderKind.geminiLive()
    let service = try #require(kind.service(at: endpoint, key: nil, model: "gemini-3.8-live"))
    let provider = ProviderConfiguration(name: "google", service: service).detectingTurns { NoTurns() }
    guard case .geminiLive(let configuration) = provider.service else {
      Issue.record("\(provider.service)")
      return
    }
    #expect(kind.needsTurnDetector)
    #expect(configuration.makeDetector?() is NoTurns)
    #expect(provider.name == "google")
    #expect(configuration.model == service.model)
    #expect(configuration.endpoint == endpoint)
  }

  @Test("a provider that finds turns as clients want them is left as it is")
  func openAI() throws {
    let kind = ProviderKind.openAI
    let service = try #require(kind.service(at: endpoint, key: nil, model: "gpt-realtime"))
    let provider = ProviderConfiguration(name: "openai", service: service).detectingTurns { NoTurns() }
    #expect(!kind.needsTurnDetector)
    #expect(!ProviderKind.local.needsTurnDetector)
    guard case .wire = provider.service else {
      Issue.record("\(provider.service)")
      return
    }
  }
}
