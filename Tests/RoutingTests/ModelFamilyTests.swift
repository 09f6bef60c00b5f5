import Testing

@testable import Routing

/// One provider of each kind of the OpenAI wire, `iw` being a second of Inworld's, and the voice engine as the default.
/// `/iw` is Inworld's route, `/vowel` vowel's.
private func table(_ openAIKey: String = "env:K", _ azureKey: String = "env:K") throws -> RouteTable {
  try decode(
    #"""
    {"default": "local", "providers": {
      "local": {"kind": "local"},
      "azure": {"kind": "azure", "url": "wss://r.example", "key": "\#(azureKey)", "model": "my-deployment"},
      "openai": {"kind": "openai", "url": "wss://h.example", "key": "\#(openAIKey)", "model": "gpt-realtime"},
      "grok": {"kind": "xai", "key": "env:K"}, "inworld": {"kind": "inworld", "key": "env:K"},
      "iw": {"kind": "inworld", "key": "env:K"},
      "vowel": {"kind": "vowel", "url": "wss://v.example", "key": "env:K", "model": "kimi"}},
     "routes": [{"path": "/v1/realtime"}, {"path": "/iw", "provider": "iw"}, {"path": "/vowel", "provider": "vowel"}]}
    """#)
}

private struct FamilyCase: Sendable, CustomTestStringConvertible {
  let target: String
  let provider: String
  let model: String?
  let isForeign: Bool
  var testDescription: String { target }

  init(_ target: String, _ provider: String, _ model: String?, foreign isForeign: Bool = false) {
    self.target = target
    self.provider = provider
    self.model = model
    self.isForeign = isForeign
  }
}

private let cases: [FamilyCase] = [
  // The model's name.
  .init("/v1/realtime?model=grok-voice-latest", "grok", "grok-voice-latest"),
  .init("/v1/realtime?model=xai/grok-voice-latest", "grok", "grok-voice-latest"),
  .init("/v1/realtime?model=grok/grok-voice-latest", "grok", "grok-voice-latest"),
  .init("/v1/realtime?model=gpt-realtime", "openai", "gpt-realtime"),
  .init("/v1/realtime?model=azure/my-deployment", "azure", "my-deployment"),
  .init("/v1/realtime?model=inworld/latency-optimizer-ab-test", "inworld", "inworld/latency-optimizer-ab-test"),
  .init("/v1/realtime?model=iw/openai/gpt-4.1-nano", "iw", "openai/gpt-4.1-nano"),
  .init("/v1/realtime?model=openai/gpt-4.1-nano", "openai", "gpt-4.1-nano"),
  .init("/v1/realtime?model=anthropic/claude-sonnet-4-6", "local", "anthropic/claude-sonnet-4-6"),
  // R168, R215, R282: Inworld has the models of others under their names, and gets every name unchanged.
  .init("/v1/realtime?provider=inworld&model=openai/gpt-4o-mini", "inworld", "openai/gpt-4o-mini"),
  .init("/v1/realtime?provider=inworld&model=anthropic/claude-sonnet-4-6", "inworld", "anthropic/claude-sonnet-4-6"),
  .init("/v1/realtime?provider=inworld&model=gpt-realtime", "inworld", "gpt-realtime"),
  .init("/v1/realtime?provider=inworld&model=inworld/r", "inworld", "inworld/r"),
  .init("/v1/realtime?provider=iw&modelId=inworld/r", "iw", "inworld/r"),
  .init("/v1/realtime?provider=inworld", "inworld", nil),
  .init("/iw?model=openai/gpt-4.1-nano", "iw", "openai/gpt-4.1-nano"),
  .init("/iw?model=grok/x", "iw", "grok/x"),
  .init("/iw?model=inworld/r", "iw", "inworld/r"),
  .init("/iw?model=gpt-realtime", "openai", "gpt-realtime"),
  // Q16: what only another service can have becomes the provider's own model.
  .init("/v1/realtime?provider=grok&model=gpt-realtime", "grok", "gpt-realtime", foreign: true),
  .init("/v1/realtime?provider=openai&model=grok-voice-latest", "openai", "grok-voice-latest", foreign: true),
  .init("/v1/realtime?provider=azure&model=gpt-realtime", "azure", "gpt-realtime"),
  .init("/v1/realtime?provider=azure&model=openai/gpt-realtime", "azure", "gpt-realtime"),
  .init("/v1/realtime?provider=azure&model=grok-3", "azure", "grok-3", foreign: true),
  .init("/v1/realtime?provider=vowel&model=gpt-realtime", "vowel", "gpt-realtime", foreign: true),
  .init("/v1/realtime?provider=vowel&model=openai/gpt-oss-20b", "vowel", "openai/gpt-oss-20b"),
  .init("/v1/realtime?provider=vowel&model=vowel/kimi", "vowel", "kimi"),
]

@Suite("Whose model a name is")
struct ModelFamilyTests {
  @Test("R168, R215, R282, Q16: models of the OpenAI wire's services", arguments: cases)
  fileprivate func family(_ expected: FamilyCase) throws {
    let choice = try table().choose(RequestTarget(expected.target))
    #expect(choice.provider.name == expected.provider)
    #expect(choice.model == expected.model)
    #expect(choice.isForeignModel == expected.isForeign)
  }

  @Test("R171: a model of OpenAI's goes to OpenAI, else to Azure, whichever has its key, and else to the engine")
  func azureInPlaceOfOpenAI() throws {
    let request = RequestTarget("/v1/realtime?model=gpt-realtime")
    #expect(try table().choose(request).provider.name == "openai")
    #expect(try table("env:NONE").choose(request).provider.name == "azure")
    #expect(try table("env:K", "env:NONE").choose(request).provider.name == "openai")
    #expect(try table("env:NONE", "env:NONE").choose(request).provider.name == "local")
  }
}
