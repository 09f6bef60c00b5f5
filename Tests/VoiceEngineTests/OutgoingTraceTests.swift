import LocalVoiceProvider
import Testing

@testable import VoiceEngine

@Suite("The trace of a session in the engine's requests", .timeLimit(.minutes(2)))
struct OutgoingTraceTests {
  @Test("every request for a session carries its trace, those of other sessions not")
  func carried() async throws {
    try await withLoopback(RemoteChatTests.hello, RemoteChatTests.hello) { server, client in
      let parts = EngineParts.scripted(
        responder: RemoteChatTests.responder(server, client), synthesizer: ToneSynthesizer())
      let traced = OutgoingTrace.$headers.withValue([.init(name: "traceparent", value: "00-1-2-01")]) {
        PipelineCall(parts)
      }
      let plain = PipelineCall(parts)
      for call in [traced, plain] { _ = try await call.answer(.written()) }
      #expect(server.requests.map { $0.headers["traceparent"] } == ["00-1-2-01", nil])
      traced.close()
      plain.close()
    }
  }
}
