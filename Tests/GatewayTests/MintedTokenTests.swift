import AsyncHTTPClient
import NIOCore
import NIOPosix
import Testing
import Translation

@testable import Gateway

private let secret = "client-secret-7e57ab1e"

/// What Entra is asked: the answer tells how long the token holds.
private func renewable(_ endpoint: TokenEndpoint, body: String = "client_secret=\(secret)") -> TokenRequest {
  TokenRequest(
    url: endpoint.url, headers: [], body: Redacted(body), contentType: "application/x-www-form-urlencoded",
    tokenPath: ["access_token"], lifetimePath: ["expires_in"])
}

/// What an engine of vowel's is asked: a token for each connection.
private func singleUse(_ endpoint: TokenEndpoint) -> TokenRequest {
  TokenRequest(
    url: endpoint.url,
    headers: [.init("Authorization", Redacted("Bearer \(secret)")), .init("X-Extra", Redacted("1"))],
    body: Redacted(#"{"model":"m"}"#), contentType: "application/json", tokenPath: ["client_secret", "value"],
    lifetimePath: nil)
}

private func answer(_ count: Int) -> String {
  TokenEndpoint.answer(#"{"client_secret": {"value": "ek_\#(count)", "expires_at": 1}, "expires_in": 300}"#)
}

@Suite("Tokens that an address gives out", .timeLimit(.minutes(2))) struct MintedTokenTests {
  private static func tokens(
    _ moments: ManualMoments = ManualMoments(), timeout: Duration = .seconds(20)
  ) -> AccessTokens {
    AccessTokens(
      exchange: TokenExchange(client: { _ in GoogleCredentialsTests.client }, timeout: timeout), now: { moments.now })
  }

  @Test("what is posted is what was asked for, and the token is where the path leads")
  func request() async throws {
    let endpoint = try await TokenEndpoint(answer)
    let token = try await Self.tokens().token(for: .minted(singleUse(endpoint))).get()
    #expect(token.reveal() == "ek_1")
    let request = try #require(endpoint.requests.first)
    #expect(request.head.hasPrefix("POST /token HTTP/1.1\r\n"))
    let head = request.head.lowercased()
    for field in [
      "content-type: application/json", "accept: application/json", "authorization: bearer \(secret)", "x-extra: 1",
    ] {
      #expect(head.contains("\r\n\(field)\r\n"), "\(field)")
    }
    #expect(request.body == #"{"model":"m"}"#)
    await endpoint.stop()
  }

  @Test("a token without a lifetime is used once: each that asks has its own, also at once")
  func single() async throws {
    let endpoint = try await TokenEndpoint(answer)
    let tokens = Self.tokens()
    let authorization = UpstreamTarget.Authorization.minted(singleUse(endpoint))
    let texts = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<5 { group.addTask { try await tokens.token(for: authorization).get().reveal() } }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(texts.count == 5)
    #expect(tokens.ready(for: authorization) == nil)
    #expect(endpoint.requests.count == 5)
    await endpoint.stop()
  }

  @Test("a token with a lifetime is kept until shortly before its end; all that ask at once wait for one exchange")
  func kept() async throws {
    let endpoint = try await TokenEndpoint { TokenEndpoint.token("e\($0)", seconds: 3_599) }
    let moments = ManualMoments()
    let tokens = Self.tokens(moments)
    let authorization = UpstreamTarget.Authorization.minted(renewable(endpoint))
    let texts = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<50 { group.addTask { try await tokens.token(for: authorization).get().reveal() } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(texts == Array(repeating: "e1", count: 50))
    #expect(endpoint.requests.count == 1)
    #expect(endpoint.requests.first?.field("client_secret") == secret)
    // Another secret at the same address has its own.
    let other = UpstreamTarget.Authorization.minted(renewable(endpoint, body: "client_secret=other"))
    #expect(tokens.ready(for: other) == nil)
    #expect(try await tokens.token(for: other).get().reveal() == "e2")
    #expect(tokens.ready(for: authorization)?.reveal() == "e1")
    moments.advance(seconds: 3_569)
    #expect(tokens.ready(for: authorization) == nil)
    #expect(try await tokens.token(for: authorization).get().reveal() == "e3")
    await endpoint.stop()
  }

  @Test("a token of five minutes is not renewed with every use")
  func shortLife() async throws {
    let endpoint = try await TokenEndpoint { TokenEndpoint.token("e\($0)", seconds: 300) }
    let moments = ManualMoments()
    let tokens = Self.tokens(moments)
    let authorization = UpstreamTarget.Authorization.minted(renewable(endpoint))
    _ = try await tokens.token(for: authorization).get()
    moments.advance(seconds: 224)
    for _ in 0..<3 { #expect(tokens.ready(for: authorization)?.reveal() == "e1") }
    #expect(endpoint.requests.count == 1)
    var arrivals = endpoint.arrivals.makeAsyncIterator()
    _ = await arrivals.next()
    moments.advance(seconds: 1)
    #expect(tokens.ready(for: authorization)?.reveal() == "e1")
    _ = await arrivals.next()
    #expect(endpoint.requests.count == 2)
    await endpoint.stop()
  }

  @Test("a lifetime may be a number or a text of one; anything else is none, and the token serves once")
  func lifetimes() async throws {
    for (lifetime, isKept) in [("3600", true), (#""3600""#, true), (#""soon""#, false), ("null", false), ("-5", false)]
    {
      let endpoint = try await TokenEndpoint { _ in
        TokenEndpoint.answer(#"{"access_token": "e", "expires_in": \#(lifetime)}"#)
      }
      let tokens = Self.tokens()
      let authorization = UpstreamTarget.Authorization.minted(renewable(endpoint))
      #expect(try await tokens.token(for: authorization).get().reveal() == "e")
      #expect((tokens.ready(for: authorization) != nil) == isKept, "\(lifetime)")
      await endpoint.stop()
    }
  }

  @Test(
    "fault rows 42, 43: what the exchange fails with is told like the provider's own failure; redirects are not followed",
    arguments: [
      (TokenEndpoint.answer(#"{"error": {"message": "no"}}"#, status: "401 No"), 401, nil as UpstreamEnd?),
      (TokenEndpoint.answer(#"{"error": "invalid_scope"}"#, status: "400 Bad"), 401, nil),
      (TokenEndpoint.answer(#"{"message": "scope"}"#, status: "403 Forbidden"), 403, nil),
      (TokenEndpoint.answer("{}", status: "502 Bad Gateway"), 502, nil),
      (TokenEndpoint.answer("", status: "308 Moved", headers: "Location: http://127.0.0.1:1/\r\n"), 308, nil),
      (TokenEndpoint.answer(#"{"access_token": {"value": "x"}}"#), 0, .badHandshake),
      (TokenEndpoint.answer(#"{"access_token": ""}"#), 0, .badHandshake),
      (TokenEndpoint.answer("[]"), 0, .badHandshake),
    ])
  func faults(_ answer: String, _ status: Int, _ end: UpstreamEnd?) async throws {
    let endpoint = try await TokenEndpoint { _ in answer }
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let outcome = try await upstream.dialled(with: .minted(renewable(endpoint)), tokens: Self.tokens())
    #expect(outcome == end ?? .refused(status: status, retryAfterSeconds: nil))
    #expect(endpoint.requests.count == 1)
    await upstream.stop()
    await endpoint.stop()
  }

  @Test("fault row 43: an exchange that is not answered ends in time, and one that nobody can be asked for at once")
  func silence() async throws {
    let endpoint = try await TokenEndpoint { _ in nil }
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let silent = try await upstream.dialled(
      with: .minted(singleUse(endpoint)), tokens: Self.tokens(timeout: .milliseconds(200)))
    #expect(silent == .timedOut(.credentials))
    await endpoint.stop()
    #expect(
      try await upstream.dialled(with: .minted(singleUse(endpoint)), tokens: Self.tokens()) == .unreachable)
    var wrong = singleUse(endpoint)
    wrong.url = "ftp://127.0.0.1/"
    #expect(try await upstream.dialled(with: .minted(wrong), tokens: Self.tokens()) == .unreachable)
    await upstream.stop()
  }

  @Test("a kept token that was revoked is exchanged anew once, one that was made for the connection is not")
  func revoked() async throws {
    let endpoint = try await TokenEndpoint { TokenEndpoint.token("e\($0)") }
    let refusal = ScriptedUpstream.Script.answer("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
    let upstream = try await ScriptedUpstream.start(
      .asked { $0.contains("Authorization: Bearer e1\r\n") ? refusal : .open(texts: []) })
    let tokens = Self.tokens()
    let authorization = UpstreamTarget.Authorization.minted(renewable(endpoint))
    _ = try await tokens.token(for: authorization).get()
    #expect(try await upstream.dialled(with: authorization, tokens: tokens) == nil)
    #expect(endpoint.requests.count == 2)
    await endpoint.stop()
    await upstream.stop()

    let minting = try await TokenEndpoint(answer)
    let refusing = try await ScriptedUpstream.start(refusal)
    let outcome = try await refusing.dialled(with: .minted(singleUse(minting)), tokens: tokens)
    #expect(outcome == .refused(status: 401, retryAfterSeconds: nil))
    #expect(minting.requests.count == 1)
    await minting.stop()
    await refusing.stop()
  }

  @Test("fault row 68: neither what is shown nor the token prints")
  func redaction() async throws {
    let endpoint = try await TokenEndpoint { _ in TokenEndpoint.token("secret-token") }
    let tokens = Self.tokens()
    let authorization = UpstreamTarget.Authorization.minted(renewable(endpoint))
    let values: [Any] = [
      authorization, UpstreamTarget.Authorization.minted(singleUse(endpoint)),
      await tokens.token(for: authorization), tokens,
    ]
    for value in values {
      var text = "\(value) " + String(reflecting: value)
      dump(value, to: &text)
      #expect(!text.contains(secret) && !text.contains("secret-token"))
    }
    await endpoint.stop()
  }

  @Test("R174: a session of a routes.json with an application of Entra reaches Azure with its token and no secret")
  func wholeGateway() async throws {
    let endpoint = try await TokenEndpoint { _ in TokenEndpoint.token("entra.one") }
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let log = LogCapture()
    let gateway = try await TestGateway.routes(
      #"""
      {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "azure", "providers": {"azure": {
        "kind": "azure", "url": "ws://127.0.0.1:\#(upstream.port)", "model": "my-deployment", "key": "env:SECRET",
        "keyType": "client-secret", "tenant": "t1", "clientID": "c1", "tokenURL": "\#(endpoint.url)"}}}
      """#, environment: ["SECRET": secret], log: log)
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: "/v1/realtime?model=my-deployment"))
    var requests = upstream.requests.makeAsyncIterator()
    let head = try #require(await requests.next())
    #expect(head.contains("\r\nAuthorization: Bearer entra.one\r\n"))
    #expect(!head.contains(secret))
    let asked = try #require(endpoint.requests.first)
    #expect(asked.field("client_secret") == secret && asked.field("client_id") == "c1")
    #expect(asked.field("grant_type") == "client_credentials")
    #expect(!log.text.contains(secret) && !log.text.contains("entra.one"))
    await gateway.stop()
    await upstream.stop()
    await endpoint.stop()
  }
}
