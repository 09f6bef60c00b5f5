import Envelope
import Testing

@testable import Routing

/// `/b` speaks beta, `/n` says the defaults aloud, `/s` is strict and open to the provider's own events.
private func table() throws -> RouteTable {
  try decode(
    smallFile(
      more: #"""
        , "routes": [
          {"path": "/v1/realtime"}, {"path": "/openai/v1/realtime"}, {"path": "/openai/realtime"},
          {"path": "/api/v1/inference/realtime"}, {"path": "/b", "dialect": "beta", "deltaField": "both"},
          {"path": "/x/openai/realtime", "dialect": "auto"}, {"path": "/s", "strict": true, "vendorEvents": true}]
        """#))
}

private struct Asked: Sendable, CustomTestStringConvertible {
  var target: String
  var beta: [String] = []
  var offered: [String] = []
  var key = WirePreference()
  var testDescription: String { "\(target) \(beta) \(offered) \(key)" }
}

private let ga = DialectChoice.fixed(.ga)
private let beta = DialectChoice.fixed(.beta)
private let keyGA = WirePreference(dialect: .fixed(.ga), deltaFields: .delta)

private let dialects: [(Asked, DialectChoice)] = [
  (Asked(target: "/v1/realtime"), .auto),
  (Asked(target: "/v1/realtime?dialect="), .auto),
  // Header and subprotocol, in any case and among others.
  (Asked(target: "/v1/realtime", beta: ["assistants=v2", "Realtime=V1"]), beta),
  (Asked(target: "/v1/realtime", beta: ["assistants=v2", "realtime=v2"]), .auto),
  (Asked(target: "/v1/realtime", offered: ["realtime", "openai-beta.realtime-v1"]), beta),
  (Asked(target: "/v1/realtime", offered: ["realtime", "openai-beta.responses-v1"]), .auto),
  (Asked(target: "/v1/realtime?dialect=ga", beta: ["realtime=v1"]), beta),
  (Asked(target: "/openai/v1/realtime?dialect=ga", offered: ["OpenAI-Beta.realtime-v1"], key: keyGA), beta),
  // The query.
  (Asked(target: "/v1/realtime?dialect=beta", key: keyGA), beta),
  (Asked(target: "/b?dialect=ga"), ga),
  (Asked(target: "/b?dialect=auto"), .auto),
  // The key.
  (Asked(target: "/b", key: keyGA), ga),
  (Asked(target: "/v1/realtime", key: WirePreference(dialect: .fixed(.beta))), beta),
  (Asked(target: "/b", key: WirePreference(dialect: .auto)), .auto),
  // The route, before the path of Azure's clients.
  (Asked(target: "/b"), beta),
  (Asked(target: "/x/openai/realtime?api-version=2024-10-01-preview"), .auto),
  // The path of Azure's clients.
  (Asked(target: "/openai/v1/realtime?model=m"), ga),
  (Asked(target: "/openai/v1/realtime/"), ga),
  (Asked(target: "/openai/realtime/?api-version=2024-10-01-preview&deployment=m"), beta),
  (Asked(target: "/openai/realtime?deployment=m"), .auto),
  (Asked(target: "/openai/realtime?api-version="), .auto),
  (Asked(target: "/openai/realtime?api-version=2024-10-01-preview&dialect=ga"), ga),
  (Asked(target: "/v1/realtime?api-version=2024-10-01-preview"), .auto),
]

private let both = WirePreference(deltaFields: .deltaAndAudio)

private let fields: [(Asked, AudioDeltaWriter.Fields)] = [
  (Asked(target: "/v1/realtime"), .delta),
  (Asked(target: "/api/v1/inference/realtime"), .deltaAndAudio),
  (Asked(target: "/api/v1/inference/realtime/"), .deltaAndAudio),
  (Asked(target: "/api/v1/inference/realtime?delta_field=delta"), .delta),
  (Asked(target: "/api/v1/inference/realtime", key: keyGA), .delta),
  (Asked(target: "/v1/realtime?delta_field=both"), .deltaAndAudio),
  (Asked(target: "/v1/realtime", key: both), .deltaAndAudio),
  (Asked(target: "/v1/realtime?delta_field=delta", key: both), .delta),
  (Asked(target: "/b"), .deltaAndAudio),
  (Asked(target: "/b", key: keyGA), .delta),
]

@Suite("How a client is talked to")
struct ClientSideTests {
  private func choice(_ asked: Asked) throws -> RouteChoice {
    try table().choose(
      RequestTarget(asked.target), openAIBeta: asked.beta, subprotocols: asked.offered, key: asked.key)
  }

  @Test(
    "R099, Q2: header and subprotocol, then query, key, route, the path of Azure's clients; else the first event tells",
    arguments: dialects)
  fileprivate func dialect(_ asked: Asked, _ expected: DialectChoice) throws {
    #expect(try choice(asked).dialect == expected)
  }

  @Test("R034, Q1: what carries audio is said by the query, the key, or the route", arguments: fields)
  fileprivate func deltaFields(_ asked: Asked, _ expected: AudioDeltaWriter.Fields) throws {
    #expect(try choice(asked).deltaFields == expected)
  }

  @Test("Q19: events that only the provider knows are asked for by the query, or allowed by the route")
  func vendorEvents() throws {
    for (target, expected) in [
      ("/v1/realtime", false), ("/v1/realtime?vendor_events=true", true), ("/s", true),
      ("/s?vendor_events=false", false), ("/v1/realtime?vendor_events=", false),
    ] {
      #expect(try choice(Asked(target: target)).passesVendorEvents == expected)
    }
  }

  @Test("intent=transcription asks for a session that only transcribes")
  func purpose() throws {
    #expect(try choice(Asked(target: "/v1/realtime?intent=transcription")).purpose == .transcription)
    #expect(try choice(Asked(target: "/v1/realtime?intent=realtime")).purpose == .realtime)
    #expect(try choice(Asked(target: "/v1/realtime?model=m")).purpose == .realtime)
  }

  @Test("Q23: strictness is the route's; there a foreign model is left to the provider to refuse (Q16)")
  func strict() throws {
    #expect(try choice(Asked(target: "/s")).route.isStrict)
    #expect(try !choice(Asked(target: "/v1/realtime")).route.isStrict)
    #expect(try choice(Asked(target: "/v1/realtime?provider=openai&model=gemini-3.8-live")).isForeignModel)
    let strict = try choice(Asked(target: "/s?provider=openai&model=gemini-3.8-live"))
    #expect(!strict.isForeignModel && strict.model == "gemini-3.8-live")
  }

  @Test(
    "a value that is none of a parameter's is a 400 that names it",
    arguments: [
      ("dialect", "GA"), ("dialect", "v1"), ("delta_field", "audio"), ("vendor_events", "yes"),
      ("vendor_events", "1"), ("intent", "translate"), ("dialect", "%FF"),
    ])
  func badValues(_ name: String, _ value: String) throws {
    let table = try table()
    let refusal = try #require(throws: RouteRefusal.self) {
      try table.choose(RequestTarget("/v1/realtime?\(name)=\(value)"))
    }
    #expect(refusal == .malformedParameter(name))
    #expect(refusal.status == 400 && refusal.parameter == name)
    #expect(throws: RouteRefusal.ambiguousParameter(name)) {
      try table.choose(RequestTarget("/v1/realtime?\(name)=a&\(name)=b"))
    }
  }

  @Test(
    "the model is in model, modelId or, of Azure's clients, deployment",
    arguments: [
      ("modelId=m%2Fx", "m/x"), ("deployment=my-deployment&api-version=v", "my-deployment"), ("model=&modelId=m", "m"),
      ("model=m&modelId=m&deployment=m", "m"), ("model=m", "m"),
    ])
  func model(_ query: String, _ model: String) throws {
    #expect(try choice(Asked(target: "/openai/realtime?" + query)).model == model)
  }

  @Test("two names of a model that differ are a 400 and no guess")
  func contradictingModels() throws {
    let table = try table()
    for (query, name) in [("model=a&modelId=b", "modelId"), ("model=a&deployment=b", "deployment")] {
      #expect(throws: RouteRefusal.ambiguousParameter(name)) {
        try table.choose(RequestTarget("/v1/realtime?" + query))
      }
    }
    #expect(throws: RouteRefusal.malformedParameter("modelId")) {
      try table.choose(RequestTarget("/v1/realtime?modelId=a%20b"))
    }
  }

  @Test("routes and keys of the file arrive as written, and their dump says what is not usual")
  func dumped() throws {
    let table = try decode(
      smallFile(
        more: #"""
          , "routes": [{"path": "/b", "dialect": "beta", "deltaField": "both", "strict": true, "vendorEvents": true},
            {"path": "/v1/realtime", "dialect": "auto", "strict": false}, {"path": "/api/v1/inference/realtime"},
            {"path": "/d", "deltaField": "delta"}],
          "access": {"keys": [{"name": "old", "key": "env:K", "dialect": "beta", "deltaField": "both"},
            {"name": "new", "key": "env:K2"}]}
          """#))
    #expect(
      table.accessKeys.map(\.preference) == [
        WirePreference(dialect: beta, deltaFields: .deltaAndAudio), WirePreference(),
      ])
    let lines = RedactedDump(table).description.split(separator: "\n").map(String.init)
    for line in [
      "  /b -> openai  dialect beta  deltaField both  strict  vendorEvents", "  /v1/realtime -> openai  dialect auto",
      "  /api/v1/inference/realtime -> openai  deltaField both", "  /d -> openai",
      "  old  key env:K <redacted>  dialect beta  deltaField both", "  new  key env:K2 <redacted>",
    ] {
      #expect(lines.contains(line), "\(line)")
    }
  }

  @Test("fault row 60: wrong values are refused with their place")
  func wrong() {
    #expect(
      faultLines(
        smallFile(
          more: #"""
            , "routes": [{"path": "/b", "dialect": "Beta", "deltaField": "audio", "strict": 1}],
              "access": {"keys": [{"name": "a", "key": "env:K", "dialect": "v1"}]}
            """#)) == [
          #"routes.json:6: routes[0].dialect: expected one of "auto", "ga", "beta""#,
          #"routes.json:6: routes[0].deltaField: expected one of "delta", "both""#,
          "routes.json:6: routes[0].strict: expected a boolean, found a number",
          #"routes.json:7: access.keys[0].dialect: expected one of "auto", "ga", "beta""#,
        ])
  }
}
