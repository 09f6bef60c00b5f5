import NIOCore
import Testing
import WebSocketWire

@testable import Gateway

@Suite("The HTTP side of the port, live")
struct HTTPSurfaceTests {
  private func get(_ path: String, _ fields: String...) -> String {
    "GET \(path) HTTP/1.1\r\nHost: localhost\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
  }

  @Test("fault row 3: health is served, again and again on one connection")
  func keepAlive() async throws {
    let gateway = try await TestGateway.upstream(port: 9)
    let socket = try await gateway.connect()
    for _ in 0..<3 {
      try await socket.send(get("/health"))
      let (head, body) = try #require(await socket.response())
      #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(head.lowercased().contains("content-type: application/json"))
      #expect(body.hasPrefix(#"{"status":"ok","timestamp":"20"#))
      #expect(body.contains(#"Z","providers":{"main":{"state":"available"}"#))
    }
    await gateway.stop()
  }

  @Test("requests that come at once are answered in their order, with bodies between them")
  func pipelined() async throws {
    let gateway = try await TestGateway.upstream(port: 9)
    let socket = try await gateway.connect()
    try await socket.send(
      get("/health") + "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nGET /"
        + "POST /v1/realtime/calls HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        + get("/health", "Connection: close"))
    #expect(await socket.response()?.head.hasPrefix("HTTP/1.1 200 ") ?? false)
    #expect(await socket.response()?.head.hasPrefix("HTTP/1.1 404 ") ?? false)
    #expect(await socket.response()?.head.hasPrefix("HTTP/1.1 501 ") ?? false)
    #expect(await socket.response()?.head.hasPrefix("HTTP/1.1 200 ") ?? false)
    #expect(await socket.textToEnd() == "", "closed as asked")
    await gateway.stop()
  }

  @Test("R139: WebRTC calls are refused in JSON; so is a path that nothing knows")
  func unknown() async throws {
    let gateway = try await TestGateway.upstream(port: 9)
    let socket = try await gateway.connect()
    try await socket.send("POST /v1/realtime/calls HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    let calls = try #require(await socket.response())
    #expect(calls.head.hasPrefix("HTTP/1.1 501 "))
    #expect(calls.body.contains(#""code":"transport_not_supported""#))
    try await socket.send(get("/nothing"))
    let nothing = try #require(await socket.response())
    #expect(nothing.head.hasPrefix("HTTP/1.1 404 "))
    #expect(nothing.body.contains(#""error":{"message":"#))
    await gateway.stop()
  }

  @Test("R251: what each provider covers is told in JSON, with no secret, and to whoever may open a session")
  func capabilities() async throws {
    let gateway = try await TestGateway.upstream(port: 9)
    let socket = try await gateway.connect()
    try await socket.send(get("/v1/capabilities"))
    let (head, body) = try #require(await socket.response())
    #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(head.lowercased().contains("content-type: application/json"))
    #expect(
      body.hasPrefix(#"{"object":"list","data":[{"provider":"main","kind":"openai","available":true,"default":true,"#))
    #expect(body.contains(#"{"provider":"absent","kind":"openai","available":false,"default":false,"model":"m","#))
    #expect(!body.contains("ABSENT_KEY") && !body.contains("example.test"))
    await gateway.stop()
  }

  @Test("R008: one key opens capabilities too")
  func capabilitiesWithKey() async throws {
    let gateway = try await TestGateway.routes(
      #"""
      {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "main",
       "providers": {"main": {"kind": "openai", "url": "ws://127.0.0.1:9/v1/realtime", "model": "gpt-realtime"}},
       "access": {"keys": [{"name": "app", "key": "env:APP_KEY"}]}}
      """#, environment: ["APP_KEY": "sk-planted-secret-0123456789"])
    let socket = try await gateway.connect()
    try await socket.send(get("/v1/capabilities"))
    let refused = try #require(await socket.response())
    #expect(refused.head.hasPrefix("HTTP/1.1 401 ") && refused.body.contains(#""code":"missing_api_key""#))
    try await socket.send(get("/v1/capabilities", "Authorization: Bearer sk-planted-secret-0123456789"))
    let answer = try #require(await socket.response())
    #expect(answer.head.hasPrefix("HTTP/1.1 200 ") && !answer.body.contains("sk-planted"))
    await gateway.stop()
  }

  @Test("models are listed in OpenAI's shape, one by one too, whatever is in their names")
  func models() async throws {
    let gateway = try await TestGateway.upstream(port: 9)
    let socket = try await gateway.connect()
    try await socket.send(get("/v1/models"))
    let list = try #require(await socket.response())
    #expect(list.head.hasPrefix("HTTP/1.1 200 "))
    #expect(list.body.hasPrefix(#"{"object":"list","data":[{"id":"gpt-realtime","object":"model","created":0,"#))
    #expect(list.body.contains(#""owned_by":"openai","provider":"main","available":true,"default":true"#))
    for (path, status) in [("gpt-realtime", 200), ("gpt%2Drealtime", 200), ("some/router", 404), ("nothing", 404)] {
      try await socket.send(get("/v1/models/\(path)"))
      let answer = try #require(await socket.response())
      #expect(answer.head.hasPrefix("HTTP/1.1 \(status) "), "\(path)")
      #expect(answer.body.hasPrefix(status == 200 ? #"{"id":"gpt-realtime""# : #"{"error":{"message":"The model '"#))
    }
    await gateway.stop()
  }

  @Test("R227: the voices of a provider are listed; an unknown provider is a 404 that names the known ones")
  func voices() async throws {
    let gateway = try await TestGateway.upstream(port: 9)
    let socket = try await gateway.connect()
    for path in ["/v1/voices", "/v1/voices?provider=main", "/v1/voices?provider="] {
      try await socket.send(get(path))
      let list = try #require(await socket.response())
      #expect(list.head.hasPrefix("HTTP/1.1 200 "))
      #expect(list.body.hasPrefix(#"{"object":"list","provider":"main","source":"table","data":[{"id":"marin","#))
      #expect(list.body.contains(#"{"id":"alloy","provider":"main","default":false,"gender":"neutral"}"#))
    }
    try await socket.send(get("/v1/voices?provider=nobody%22"))
    let unknown = try #require(await socket.response())
    #expect(unknown.head.hasPrefix("HTTP/1.1 404 ") && unknown.body.contains(#""param":"provider""#))
    #expect(unknown.body.contains("The providers are: main, absent."))
    await gateway.stop()
  }

  @Test("R008: one key opens models and voices too", arguments: ["/v1/models", "/v1/models/m", "/v1/voices"])
  func cataloguesWithKey(_ path: String) async throws {
    let gateway = try await TestGateway.routes(
      #"""
      {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "main",
       "providers": {"main": {"kind": "openai", "url": "ws://127.0.0.1:9/v1/realtime", "model": "m"}},
       "access": {"keys": [{"name": "app", "key": "env:APP_KEY"}]}}
      """#, environment: ["APP_KEY": "sk-planted-secret-0123456789"])
    let socket = try await gateway.connect()
    try await socket.send(get(path))
    let refused = try #require(await socket.response())
    #expect(refused.head.hasPrefix("HTTP/1.1 401 ") && refused.body.contains(#""code":"missing_api_key""#))
    try await socket.send(get(path, "Authorization: Bearer sk-planted-secret-0123456789"))
    #expect(await socket.response()?.head.hasPrefix("HTTP/1.1 200 ") ?? false)
    await gateway.stop()
  }

  @Test("R227: Inworld's own list is asked for with the account's key, kept, and told as it is")
  func liveVoices() async throws {
    let service = try await TokenEndpoint { _ in
      TokenEndpoint.answer(
        #"{"voices":[{"voiceId":"Dennis","displayName":"Dennis","langCode":"EN_US","gender":"male"},{"voiceId":"mine__Ada","displayName":"Ada","gender":"VOICE_GENDER_FEMALE"},{"displayName":"no id"}]}"#
      )
    }
    let gateway = try await Self.inworld(port: service.port)
    let socket = try await gateway.connect()
    for _ in 0..<2 {
      try await socket.send(get("/v1/voices?provider=inworld"))
      let list = try #require(await socket.response())
      #expect(
        list.body == #"{"object":"list","provider":"inworld","source":"service","data":["#
          + #"{"id":"Dennis","provider":"inworld","default":true,"language":"en-US","gender":"male"},"#
          + #"{"id":"mine__Ada","name":"Ada","provider":"inworld","default":false,"gender":"female"}]}"# + "\n")
    }
    #expect(service.requests.count == 1, "kept")
    let head = service.requests.first?.head ?? ""
    #expect(head.hasPrefix("GET /voices/v1/voices?pageSize=2000 HTTP/1.1\r\n"))
    #expect(head.lowercased().contains("\r\nauthorization: basic cgxhbnrlzc1rzxk="))
    await gateway.stop()
    await service.stop()
  }

  @Test("R227: where Inworld does not answer with a list, the known voices are told as what they are")
  func unansweredVoices() async throws {
    for answer in [TokenEndpoint.answer("{}", status: "500 Oops"), TokenEndpoint.answer("no JSON")] {
      let service = try await TokenEndpoint { _ in answer }
      let gateway = try await Self.inworld(port: service.port)
      let socket = try await gateway.connect()
      try await socket.send(get("/v1/voices?provider=inworld"))
      let list = try #require(await socket.response())
      #expect(
        list.body.hasPrefix(
          #"{"object":"list","provider":"inworld","source":"table","data":[{"id":"Dennis","provider":"inworld","default":true,"#
        ))
      #expect(list.body.contains(#""id":"Olivia""#) && list.body.contains(#""id":"Sarah""#))
      await gateway.stop()
      await service.stop()
    }
  }

  private static func inworld(port: Int) async throws -> TestGateway {
    try await TestGateway.routes(
      #"""
      {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "inworld",
       "providers": {"inworld": {"kind": "inworld", "url": "ws://127.0.0.1:\#(port)/api/v1/realtime/session",
                                 "model": "openai/gpt-4.1-nano", "key": "env:INWORLD_KEY"}}}
      """#, environment: ["INWORLD_KEY": "cGxhbnRlZC1rZXk="])
  }

  @Test("an upgrade offered to an ordinary path is ignored (RFC 9110 section 7.8)")
  func ignoredUpgrade() async throws {
    let gateway = try await TestGateway.upstream(port: 9)
    let socket = try await gateway.connect()
    try await socket.send(get("/health", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"))
    #expect(await socket.response()?.head.hasPrefix("HTTP/1.1 200 ") ?? false)
    try await socket.send(get("/health"))
    #expect(await socket.response()?.head.hasPrefix("HTTP/1.1 200 ") ?? false)
    await gateway.stop()
  }

  @Test("a WebSocket is opened on a connection that has served requests, as proxies keep them")
  func lateUpgrade() async throws {
    let gateway = try await TestGateway.upstream(port: 9)
    let socket = try await gateway.connect()
    for _ in 0..<2 {
      try await socket.send(get("/health"))
      #expect(await socket.response()?.head.hasPrefix("HTTP/1.1 200 ") ?? false)
    }
    #expect(try await socket.upgrade())
    #expect(await socket.message()?.contains("session.created") ?? false)
    try await socket.sendFrames {
      $0.send(.text, ByteBuffer(string: #"{"type":"nonsense","event_id":"one"}"#).readableBytesView)
    }
    #expect(await socket.message()?.contains(#""event_id":"one""#) ?? false)
    await gateway.stop()
  }

  @Test("fault row 9: a malformed later request gets its answer behind the one before")
  func malformedLater() async throws {
    let gateway = try await TestGateway.upstream(port: 9)
    let socket = try await gateway.connect()
    try await socket.send(get("/health") + "GET /health HTTP/1.1\r\nHost : a\r\n\r\n" + get("/health"))
    #expect(await socket.response()?.head.hasPrefix("HTTP/1.1 200 ") ?? false)
    let rest = await socket.textToEnd()
    #expect(rest.hasPrefix("HTTP/1.1 400 "))
    #expect(rest.components(separatedBy: "HTTP/1.1 ").count == 2)
    await gateway.stop()
  }

  @Test("fault row 12: a later head has a clock too, and an idle connection is closed without a word")
  func laterClock() async throws {
    let gateway = try await TestGateway.upstream(port: 9) { $0.headIdle = .seconds(4) }
    let socket = try await gateway.connect()
    try await socket.send(get("/health"))
    #expect(await socket.response() != nil)
    try await socket.send("GET /hea")
    #expect(await socket.textToEnd().hasPrefix("HTTP/1.1 408 "))
    await gateway.stop()

    let idle = try await TestGateway.upstream(port: 9) { $0.keepAliveTimeout = .milliseconds(500) }
    let other = try await idle.connect()
    try await other.send(get("/health"))
    #expect(await other.response() != nil)
    #expect(await other.textToEnd() == "")
    await idle.stop()
  }
}
