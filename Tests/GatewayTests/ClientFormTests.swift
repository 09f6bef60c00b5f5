import NIOCore
import Testing
import WebSocketWire

@testable import Gateway

@Suite("What clients say in the upgrade, and what becomes of it, live", .timeLimit(.minutes(2)))
struct ClientFormTests {
  private static let clientKey = "hyb_client-7e57ab1e"
  private static let providerKey = "sk-provider-0ddba11"

  private func gateway(_ upstream: ScriptedUpstream, routes: String = "") async throws -> TestGateway {
    try await TestGateway.routes(
      #"""
      {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "main",
       "providers": {"main": {"kind": "openai", "url": "ws://127.0.0.1:\#(upstream.port)/v1/realtime",
         "key": "env:PROVIDER", "model": "gpt-realtime"}},
       "access": {"keys": [{"name": "app", "key": "env:CLIENT"}], "origins": ["http://page.example"]}\#(routes)}
      """#, environment: ["PROVIDER": Self.providerKey, "CLIENT": Self.clientKey])
  }

  static let forms: [(path: String, fields: [String])] = [
    ("/v1/realtime?model=gpt-realtime", ["Authorization: Bearer \(clientKey)", "OpenAI-Beta: realtime=v1"]),
    (
      "/v1/realtime/?model=gpt-realtime",
      ["Authorization: bearer \(clientKey)", "openai-beta: assistants=v2, Realtime=v1"]
    ),
    ("/realtime?model=gpt-realtime&token=\(clientKey)", ["OpenAI-Beta: realtime=v1"]),
    (
      "/openai/realtime?api-version=2024-10-01-preview&deployment=gpt-realtime",
      ["api-key: \(clientKey)", "OpenAI-Beta: realtime=v1"]
    ),
    ("/openai/v1/realtime/?model=gpt-realtime&dialect=beta", ["api-key: \(clientKey)"]),
    ("/api/v1/inference/realtime?modelId=gpt-realtime&dialect=beta", ["X-API-Key: \(clientKey)"]),
    (
      "/v1/realtime?model=gpt-realtime",
      ["Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.\(clientKey), openai-beta.realtime-v1"]
    ),
  ]

  @Test(
    "R005, R011, R173, R178: every form is served; neither the beta marker nor the client's key goes upstream",
    arguments: forms)
  func everyForm(_ path: String, _ fields: [String]) async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let gateway = try await gateway(upstream)
    let socket = try await gateway.connect()
    let others = ["OpenAI-Organization: org-1", "Cookie: a=\(Self.clientKey)", "Origin: http://page.example"]
    #expect(try await socket.upgrade(path: path, fields: fields + others))
    // R099: what marks the client's dialect is heard.
    let greeting = await socket.message() ?? ""
    #expect(greeting.contains(#""type":"session.created""#) && greeting.contains(#""modalities":"#))
    #expect(!greeting.contains(#""output_modalities":"#))
    var requests = upstream.requests.makeAsyncIterator()
    let head = try #require(await requests.next())
    #expect(head.hasPrefix("GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\n"))
    #expect(head.contains("\r\nAuthorization: Bearer \(Self.providerKey)\r\n"))
    let lowercased = head.lowercased()
    for part in [
      Self.clientKey, "openai-beta", "realtime-v1", "realtime=v1", "api-key", "api-version", "deployment", "cookie",
      "origin", "org-1", "dialect", "token",
    ] {
      #expect(!lowercased.contains(part), "\(part)")
    }
    await gateway.stop()
    await upstream.stop()
  }

  @Test("R099: without a sign the greeting is GA's")
  func unmarked() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let gateway = try await gateway(upstream)
    for path in ["/v1/realtime", "/openai/v1/realtime", "/v1/realtime?dialect=ga"] {
      let socket = try await gateway.connect()
      #expect(try await socket.upgrade(path: path, fields: ["Authorization: Bearer \(Self.clientKey)"]))
      #expect(await socket.message()?.contains(#""output_modalities":"#) ?? false)
    }
    await gateway.stop()
    await upstream.stop()
  }

  @Test(
    "a value that a parameter has not is a 400 that names it",
    arguments: [
      ("dialect", "gamma"), ("delta_field", "audio"), ("vendor_events", "maybe"), ("intent", "translation"),
    ])
  func badValues(_ name: String, _ value: String) async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let gateway = try await gateway(upstream)
    let socket = try await gateway.connect()
    try await socket.send(
      TestSocket.upgradeRequest(
        path: "/v1/realtime?\(name)=\(value)", fields: ["Authorization: Bearer \(Self.clientKey)"]))
    let answer = try #require(await socket.response())
    #expect(answer.head.hasPrefix("HTTP/1.1 400 "))
    #expect(answer.body.contains(#""param":"\#(name)""#) && answer.body.contains(#""code":"invalid_value""#))
    await gateway.stop()
    await upstream.stop()
  }

  @Test("R176: a POST to a path of sessions is a 405 in JSON that says what is allowed, a GET without an upgrade a 426")
  func otherMethods() async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let gateway = try await gateway(upstream)
    for path in ["/v1/realtime", "/v1/realtime/", "/api/v1/inference/realtime?model=m"] {
      let posting = try await gateway.connect()
      try await posting.send("POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}")
      let answer = try #require(await posting.response())
      #expect(answer.head.hasPrefix("HTTP/1.1 405 ") && answer.head.contains("\r\nAllow: GET\r\n"))
      #expect(answer.head.contains("\r\nContent-Type: application/json\r\n"))
      #expect(answer.body.contains(#""code":"method_not_allowed""#))
      let asking = try await gateway.connect()
      try await asking.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(try #require(await asking.response()).head.hasPrefix("HTTP/1.1 426 "))
    }
    await gateway.stop()
    await upstream.stop()
  }

  /// A provider that begins to speak by itself.
  private static let speech = [
    #"{"type":"session.created","event_id":"e1","session":{"id":"s1","object":"realtime.session","type":"realtime","model":"gpt-realtime","output_modalities":["audio"]}}"#,
    #"{"type":"response.created","event_id":"e2","response":{"id":"r1","object":"realtime.response","status":"in_progress","output":[]}}"#,
    #"{"type":"response.output_item.added","event_id":"e3","response_id":"r1","output_index":0,"item":{"id":"i1","object":"realtime.item","type":"message","status":"in_progress","role":"assistant","content":[]}}"#,
    #"{"type":"response.content_part.added","event_id":"e4","response_id":"r1","item_id":"i1","output_index":0,"content_index":0,"part":{"type":"audio","transcript":""}}"#,
    #"{"type":"response.output_audio.delta","event_id":"e5","response_id":"r1","item_id":"i1","output_index":0,"content_index":0,"delta":"AAAA"}"#,
  ]

  @Test(
    "R034, Q1: audio stands in `audio` too on the managed path, on request, and for keys that begin with hyb_",
    arguments: [
      ("/v1/realtime?dialect=ga", true), ("/v1/realtime?dialect=ga&delta_field=delta", false),
      ("/api/v1/inference/realtime?dialect=ga&delta_field=both", true), ("/d?dialect=ga&delta_field=both", true),
    ])
  func deltaField(_ path: String, _ isBoth: Bool) async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: Self.speech))
    let gateway = try await gateway(
      upstream,
      routes: #", "routes": [{"path": "/v1/realtime"}, {"path": "/api/v1/inference/realtime"}, {"path": "/d"}]"#)
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: path, fields: ["Authorization: Bearer \(Self.clientKey)"]))
    try await socket.sendFrames {
      $0.send(.text, ByteBuffer(string: #"{"type":"session.update","session":{"type":"realtime"}}"#).readableBytesView)
    }
    var delta: String?
    while delta == nil, let message = await socket.message() {
      if message.contains(#""type":"response.output_audio.delta""#) { delta = message }
    }
    #expect(delta?.contains(#""delta":"AAAA""#) ?? false)
    #expect(delta?.contains(#""audio":"AAAA""#) == isBoth)
    await gateway.stop()
    await upstream.stop()
  }
}
