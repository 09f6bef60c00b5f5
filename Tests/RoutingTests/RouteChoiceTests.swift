import Testing

@testable import Routing

/// `openai` is the default, `/g` is gemini's route; `azure` is a second of kind openai, `absent` has no secret.
private func table(_ defaultProvider: String = "openai", without removed: [String] = []) throws -> RouteTable {
  let providers = [
    ("openai", "openai", "env:K"), ("gemini", "gemini-live", "env:K"), ("absent", "openai", "env:NONE"),
    ("azure", "openai", "env:K"), ("shut", "gemini-live", "file:closed"),
  ].filter { !removed.contains($0.0) }
  let entries = providers.map {
    #""\#($0.0)": {"kind": "\#($0.1)", "url": "wss://h.example", "key": "\#($0.2)", "model": "m"}"#
  }
  let routes =
    removed.contains("gemini") ? "" : #", {"path": "/g", "provider": "gemini"}, {"path": "/a", "provider": "azure"}"#
  return try decode(
    #"""
    {"default": "\#(defaultProvider)", "providers": {\#(entries.joined(separator: ", "))},
     "routes": [{"path": "/v1/realtime"}\#(routes)], "contact": "Ask ops@example.org."}
    """#)
}

private struct ChoiceCase: Sendable {
  let target: String
  let provider: String
  let model: String?
  let isForeign: Bool

  init(_ target: String, _ provider: String, _ model: String?, foreign isForeign: Bool = false) {
    self.target = target
    self.provider = provider
    self.model = model
    self.isForeign = isForeign
  }
}

private let choices: [ChoiceCase] = [
  // The default and the route.
  .init("/v1/realtime", "openai", nil),
  .init("/v1/realtime/", "openai", nil),
  .init("/g", "gemini", nil),
  .init("/g/?intent=transcription&x", "gemini", nil),
  .init("/v1/realtime?provider=&model=", "openai", nil),
  // The query wins over everything.
  .init("/v1/realtime?provider=gemini", "gemini", nil),
  .init("/g?provider=azure", "azure", nil),
  .init("/v1/realtime?provider=gemini&model=gpt-realtime", "gemini", "gpt-realtime", foreign: true),
  .init("/v1/realtime?provider=azure&model=gemini-3.8-live", "azure", "gemini-3.8-live", foreign: true),
  .init("/v1/realtime?provider=azure&model=my-deployment", "azure", "my-deployment"),
  .init("/v1/realtime?provider=gemini&provider=gemini", "gemini", nil),
  .init("/v1/realtime?%70rovider=gemin%69", "gemini", nil),
  // The model's name.
  .init(
    "/v1/realtime?model=gemini-2.5-flash-native-audio-preview-12-2025", "gemini",
    "gemini-2.5-flash-native-audio-preview-12-2025"),
  .init("/v1/realtime?model=models%2Fgemini-3.8-live", "gemini", "models/gemini-3.8-live"),
  .init("/v1/realtime?model=models/gemini-3.8-live", "gemini", "models/gemini-3.8-live"),
  .init("/g?model=gpt-realtime", "openai", "gpt-realtime"),
  .init("/a?model=gpt-realtime", "azure", "gpt-realtime"),
  .init("/g?model=openai/gpt-realtime", "openai", "gpt-realtime"),
  .init("/v1/realtime?model=gemini%2Fgemini-3.8-live", "gemini", "gemini-3.8-live"),
  .init("/v1/realtime?model=azure/gpt-realtime", "azure", "gpt-realtime"),
  .init("/v1/realtime?model=azure/a/b", "azure", "a/b"),
  .init("/v1/realtime?model=azure/", "openai", "azure/"),
  .init("/v1/realtime?model=/x", "openai", "/x"),
  .init("/g?model=custom", "gemini", "custom"),
  .init("/v1/realtime?model=meta/llama", "openai", "meta/llama"),
  // R282: the query picks; its own prefix is dropped, another's is passed on.
  .init("/v1/realtime?provider=gemini&model=gemini/gemini-3.8-live", "gemini", "gemini-3.8-live"),
  .init("/v1/realtime?provider=azure&model=azure/x", "azure", "x"),
  .init("/v1/realtime?provider=azure&model=azure/", "azure", "azure/"),
  .init("/v1/realtime?provider=gemini&model=openai/gpt-4o-mini", "gemini", "openai/gpt-4o-mini", foreign: true),
]

@Suite("Which provider serves a request")
struct RouteChoiceTests {
  @Test("R013, R014, R017, R282: query, then model, then route, then default", arguments: choices)
  fileprivate func choice(_ expected: ChoiceCase) throws {
    let choice = try table().choose(RequestTarget(expected.target))
    #expect(choice.provider.name == expected.provider)
    #expect(choice.model == expected.model)
    #expect(choice.isForeignModel == expected.isForeign)
  }

  @Test("Every default path is served, with and without a slash at its end", arguments: RouteTable.defaultPaths)
  func defaultPaths(_ path: String) throws {
    let table = try decode(smallFile())
    #expect(try table.choose(RequestTarget(path)).route.path == path)
    #expect(try table.choose(RequestTarget(path + "/?x")).route.path == path)
  }

  @Test("R015: an unknown provider is a 400 that lists the known ones")
  func unknownProvider() throws {
    let refusal = try refusal("/v1/realtime?provider=nope")
    #expect(refusal.status == 400)
    #expect(refusal.code == "invalid_value")
    #expect(refusal.parameter == "provider")
    #expect(
      refusal.message(contact: "Ask ops.")
        == #"Unknown provider "nope". Known providers: openai, gemini, absent, azure, shut. Ask ops."#)
  }

  @Test("fault row 62: a provider's name from the client cannot forge a line and is cut")
  func forgedName() throws {
    let forged = try refusal("/v1/realtime?provider=a%0D%0Ab%22")
    #expect(forged.message(contact: "").hasPrefix(#"Unknown provider "a\u{d}\u{a}b\"". "#))
    let long = try refusal("/v1/realtime?provider=" + String(repeating: "x", count: 5_000))
    #expect(long.message(contact: "").utf8.count < 200)
  }

  @Test("R171, R172: a provider without its key is a 503 with cause and the operator's contact, and no path of ours")
  func unavailable() throws {
    let table = try table()
    let byVariable = try refusal("/v1/realtime?provider=absent")
    #expect(byVariable.status == 503)
    #expect(byVariable.code == "provider_unavailable")
    #expect(
      byVariable.message(contact: table.contact)
        == #"Provider "absent" is configured but not available: environment variable NONE is not set. Ask ops@example.org."#
    )
    let byFile = try refusal("/v1/realtime?provider=shut")
    #expect(
      byFile.message(contact: "")
        == #"Provider "shut" is configured but not available: its key file cannot be read."#)
    let byModel = try refusal("/v1/realtime?model=absent/gpt-realtime")
    #expect(byModel == byVariable)
  }

  @Test("R171: the default without its key is refused too, and never replaced in silence")
  func unavailableDefault() throws {
    let table = try table("absent")
    for target in ["/v1/realtime", "/v1/realtime?model=gpt-realtime"] {
      #expect(throws: RouteRefusal.providerUnavailable(name: "absent", .variableNotSet("NONE"))) {
        try table.choose(RequestTarget(target))
      }
    }
    #expect(try table.choose(RequestTarget("/v1/realtime?model=gemini-x")).provider.name == "gemini")
    // pipecat appends "?model=" to whatever address it is given.
    let appended = try table.choose(RequestTarget("/v1/realtime?provider=gemini?model=gpt-realtime"))
    #expect(appended.provider.name == "gemini" && appended.model == "gpt-realtime")
  }

  @Test("A model of a kind that several providers serve goes to one that has its key")
  func availableFirst() throws {
    let table = try table("gemini", without: ["openai"])
    #expect(try table.choose(RequestTarget("/v1/realtime?model=gpt-realtime")).provider.name == "azure")
  }

  @Test("A model that no declared provider serves stays with the default and is marked")
  func foreignModel() throws {
    let table = try table(without: ["gemini", "shut"])
    let choice = try table.choose(RequestTarget("/v1/realtime?model=gemini-3.8-live"))
    #expect(choice.provider.name == "openai")
    #expect(choice.isForeignModel)
  }

  @Test(
    "An unknown path is a 404", arguments: ["/", "/v1", "/v1/realtime//", "/V1/realtime", "/v1/%72ealtime", "", "*"])
  func unknownPath(_ path: String) throws {
    let refusal = try refusal(path + "?provider=nope")
    #expect(refusal == .unknownPath)
    #expect(refusal.status == 404)
  }

  @Test("Contradicting or malformed parameters are a 400 and no guess")
  func malformed() throws {
    let twice = try refusal("/v1/realtime?provider=gemini&provider=openai")
    #expect(twice == .ambiguousParameter("provider"))
    #expect(twice.status == 400 && twice.code == "invalid_value" && twice.parameter == "provider")
    let broken = ["%", "%4", "%zz", "%FF", "a%20b", "a%00", "%0d%0ax", String(repeating: "m", count: 257)]
    for model in broken {
      #expect(try refusal("/v1/realtime?model=\(model)") == .malformedParameter("model"))
    }
    #expect(try refusal("/v1/realtime?provider=%C3") == .malformedParameter("provider"))
    let longest = String(repeating: "m", count: 256)
    #expect(try table().choose(RequestTarget("/v1/realtime?model=\(longest)")).model == longest)
  }

  @Test(
    "fault row 61: whatever a client names, the address is one of the table",
    arguments: [
      "model=wss://evil.example/x", "provider=openai&model=@evil.example", "host=evil.example&url=ws://evil.example",
      "model=..%2F..%2Fevil", "model=openai/wss://evil.example",
    ])
  func addressFromTableOnly(_ query: String) throws {
    let table = try table()
    let choice = try table.choose(RequestTarget("/v1/realtime?" + query))
    #expect(choice.provider.remote?.endpoint.description == "wss://h.example:443")
  }

  private func refusal(_ target: String) throws -> RouteRefusal {
    let table = try table()
    return try #require(throws: RouteRefusal.self) { try table.choose(RequestTarget(target)) }
  }
}
