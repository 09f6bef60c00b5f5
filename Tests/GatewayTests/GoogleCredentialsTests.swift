import AsyncHTTPClient
import Foundation
import JWTKit
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Translation
import WebSocketWire

@testable import Gateway

/// Two clocks that stand still until a test moves them.
final class ManualMoments: Sendable {
  static let start = 1_800_000_000
  private let elapsed = Mutex(0)

  func advance(seconds: Int) {
    elapsed.withLock { $0 += seconds }
  }

  var now: AccessTokens.Moment {
    let seconds = elapsed.withLock { $0 }
    return .init(
      unixTime: Self.start + seconds, uptime: Instant(nanoseconds: 1_000_000_000_000) + .seconds(seconds))
  }
}

/// As a service account's.
extension AccessTokens {
  func ready(for account: GoogleServiceAccount) -> Redacted<String>? {
    ready(for: .googleServiceAccount(account))
  }

  func token(for account: GoogleServiceAccount) async -> Result<Redacted<String>, TokenFault> {
    await token(for: .googleServiceAccount(account))
  }
}

@Suite("Google's access tokens", .timeLimit(.minutes(2))) struct GoogleCredentialsTests {
  /// Lives as long as the process, like the real one.
  static let client = HTTPClient(
    eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
    configuration: TokenExchange.configuration)

  static func pem() throws -> String {
    try String(contentsOfFile: ScriptedUpstream.certificatePath("account-key"), encoding: .utf8)
  }

  static func account(_ endpoint: TokenEndpoint, pem: String? = nil) throws -> GoogleServiceAccount {
    GoogleServiceAccount(
      email: "caller@p1.iam.example", keyID: "id1", privateKey: Redacted(try pem ?? Self.pem()), tokenURL: endpoint.url)
  }

  private static func credentials(
    _ moments: ManualMoments = ManualMoments(), timeout: Duration = .seconds(20)
  ) -> AccessTokens {
    AccessTokens(exchange: TokenExchange(client: { _ in client }, timeout: timeout), now: { moments.now })
  }

  private struct Claims: JWTPayload, Equatable {
    var iss: String
    var scope: String
    var aud: String
    var iat: Int
    var exp: Int

    func verify(using algorithm: some JWTAlgorithm) throws {}
  }

  @Test("gemini 1.2: the assertion has Google's claims and the signature of the account's key")
  func assertion() async throws {
    let endpoint = try await TokenEndpoint { _ in TokenEndpoint.token("ya29.one") }
    let result = await Self.credentials().token(for: try Self.account(endpoint))
    #expect(try result.get().reveal() == "ya29.one")
    let request = try #require(endpoint.requests.first)
    #expect(request.head.hasPrefix("POST /token HTTP/1.1\r\n"))
    #expect(request.head.lowercased().contains("content-type: application/x-www-form-urlencoded\r\n"))
    #expect(request.field("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer")
    let assertion = try #require(request.field("assertion"))

    let keys = JWTKeyCollection()
    let key = try Insecure.RSA.PrivateKey(pem: try Self.pem())
    await keys.add(rsa: key.publicKey, digestAlgorithm: .sha256, kid: "id1")
    let claims = try await keys.verify(assertion, as: Claims.self)
    #expect(
      claims
        == Claims(
          iss: "caller@p1.iam.example", scope: "https://www.googleapis.com/auth/cloud-platform", aud: endpoint.url,
          iat: ManualMoments.start, exp: ManualMoments.start + 3600))
    let header = try #require(assertion.split(separator: ".").first).replacing("-", with: "+").replacing("_", with: "/")
    let padded = String(header) + String(repeating: "=", count: (4 - header.count % 4) % 4)
    let fields = try JSONDecoder().decode([String: String].self, from: try #require(Data(base64Encoded: padded)))
    #expect(fields == ["alg": "RS256", "typ": "JWT", "kid": "id1"])
    // The same claims under another's signature do not pass.
    let damaged = assertion.dropLast(8) + "AAAAAAAA"
    await #expect(throws: JWTError.self) { try await keys.verify(String(damaged), as: Claims.self) }
    await endpoint.stop()
  }

  @Test("a token serves until five minutes before its end, then a new one is fetched while it still serves")
  func renewal() async throws {
    let endpoint = try await TokenEndpoint { TokenEndpoint.token("ya29.\($0)") }
    let account = try Self.account(endpoint)
    let moments = ManualMoments()
    let credentials = Self.credentials(moments)
    #expect(credentials.ready(for: account) == nil)
    func token() async throws -> String { try await credentials.token(for: account).get().reveal() }
    #expect(try await token() == "ya29.1")
    moments.advance(seconds: 3299)
    #expect(try await token() == "ya29.1")
    #expect(endpoint.requests.count == 1)

    var arrivals = endpoint.arrivals.makeAsyncIterator()
    _ = await arrivals.next()
    moments.advance(seconds: 1)
    #expect(try await token() == "ya29.1")
    _ = await arrivals.next()  // The new one is asked for without anybody waiting for it.
    while try await token() == "ya29.1" { await Task.yield() }
    #expect(try await token() == "ya29.2")
    #expect(endpoint.requests.count == 2)
    await endpoint.stop()
  }

  @Test("a token that is over, or almost, is not used; a failed renewal leaves the old one in use until then")
  func expiry() async throws {
    let endpoint = try await TokenEndpoint { count in
      count == 1 ? TokenEndpoint.token("ya29.1") : TokenEndpoint.answer("{}", status: "503 Service Unavailable")
    }
    let account = try Self.account(endpoint)
    let moments = ManualMoments()
    let credentials = Self.credentials(moments)
    _ = try await credentials.token(for: account).get()
    moments.advance(seconds: 3569)
    #expect(try await credentials.token(for: account).get().reveal() == "ya29.1")
    moments.advance(seconds: 1)
    let result = await credentials.token(for: account)
    #expect(throws: TokenFault.refused(status: 503, retryAfterSeconds: nil, reason: "")) { try result.get() }
    await endpoint.stop()
  }

  @Test("all that ask at once wait for one exchange")
  func singleFlight() async throws {
    let endpoint = try await TokenEndpoint { TokenEndpoint.token("ya29.\($0)") }
    let account = try Self.account(endpoint)
    let credentials = Self.credentials()
    let tokens = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<50 { group.addTask { try await credentials.token(for: account).get().reveal() } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(tokens == Array(repeating: "ya29.1", count: 50))
    #expect(endpoint.requests.count == 1)
    // Another account has its own.
    var other = account
    other.email = "other@p1.iam.example"
    #expect(try await credentials.token(for: other).get().reveal() == "ya29.2")
    #expect(credentials.ready(for: account)?.reveal() == "ya29.1")
    // Another key under the same name has none yet: what the old key brought is not given out for it.
    other = account
    other.privateKey = Redacted("another")
    #expect(credentials.ready(for: other) == nil)
    await endpoint.stop()
  }

  @Test(
    "fault rows 42, 43: what the exchange fails with is told like the provider's own failure",
    arguments: [
      (
        TokenEndpoint.answer(#"{"error": "invalid_grant", "error_description": "x"}"#, status: "400 Bad Request"),
        UpstreamEnd.refused(status: 401, retryAfterSeconds: nil)
      ),
      (TokenEndpoint.answer("", status: "401 Unauthorized"), .refused(status: 401, retryAfterSeconds: nil)),
      (TokenEndpoint.answer("{}", status: "403 Forbidden"), .refused(status: 403, retryAfterSeconds: nil)),
      (
        TokenEndpoint.answer("{}", status: "429 Too Many Requests", headers: "Retry-After: 7\r\n"),
        .refused(status: 429, retryAfterSeconds: 7)
      ),
      (TokenEndpoint.answer("<html>", status: "500 Oh"), .refused(status: 500, retryAfterSeconds: nil)),
      (
        TokenEndpoint.answer("", status: "307 Temporary Redirect", headers: "Location: http://127.0.0.1:1/\r\n"),
        .refused(status: 307, retryAfterSeconds: nil)
      ),
      (TokenEndpoint.answer("no JSON"), .badHandshake),
      (TokenEndpoint.answer(#"{"expires_in": 3600}"#), .badHandshake),
      (TokenEndpoint.answer(#"{"access_token": "a\r\nb", "expires_in": 3600}"#), .badHandshake),
      (TokenEndpoint.answer(#"{"access_token": "a", "token_type": "mac"}"#), .badHandshake),
      (TokenEndpoint.answer("\"" + String(repeating: "x", count: 70_000) + "\""), .badHandshake),
    ])
  func faults(_ answer: String, _ end: UpstreamEnd) async throws {
    let endpoint = try await TokenEndpoint { _ in answer }
    let result = await Self.credentials().token(for: try Self.account(endpoint))
    guard case .failure(let fault) = result else {
      Issue.record("a token out of \(answer)")
      return
    }
    #expect(fault.end == end)
    #expect(endpoint.requests.count == 1)
    await endpoint.stop()
  }

  @Test("an exchange that is not answered ends in time; one that nobody listens to, too")
  func silence() async throws {
    let endpoint = try await TokenEndpoint { _ in nil }
    let account = try Self.account(endpoint)
    let late = await Self.credentials(timeout: .milliseconds(200)).token(for: account)
    #expect(throws: TokenFault.timedOut) { try late.get() }
    #expect(TokenFault.timedOut.end == .timedOut(.credentials))
    await endpoint.stop()
    let gone = await Self.credentials().token(for: account)
    #expect(throws: TokenFault.unreachable) { try gone.get() }
  }

  @Test(
    "a key that cannot sign is a refused credential, and nothing is asked",
    arguments: ["", "-----BEGIN PRIVATE KEY-----"])
  func unusableKey(_ pem: String) async throws {
    let endpoint = try await TokenEndpoint { _ in TokenEndpoint.token("t") }
    let result = await Self.credentials().token(for: try Self.account(endpoint, pem: pem))
    #expect(throws: TokenFault.unusableKey) { try result.get() }
    #expect(TokenFault.unusableKey.end == .refused(status: 401, retryAfterSeconds: nil))
    #expect(endpoint.requests.isEmpty)
    await endpoint.stop()
  }

  @Test("a token without a lifetime serves once")
  func noLifetime() async throws {
    let endpoint = try await TokenEndpoint { TokenEndpoint.answer(#"{"access_token": "t\#($0)"}"#) }
    let account = try Self.account(endpoint)
    let credentials = Self.credentials()
    #expect(try await credentials.token(for: account).get().reveal() == "t1")
    #expect(try await credentials.token(for: account).get().reveal() == "t2")
    await endpoint.stop()
  }

  @Test("fault row 68: neither key nor token prints")
  func redaction() async throws {
    let endpoint = try await TokenEndpoint { _ in TokenEndpoint.token("ya29.secret") }
    let account = try Self.account(endpoint)
    let credentials = Self.credentials()
    let result = await credentials.token(for: account)
    let secret = try #require(try Self.pem().split(separator: "\n").dropFirst().first)
    let values: [Any] = [
      account, credentials, result, TokenExchange.Token(text: Redacted("ya29.secret"), lifetime: .zero),
    ]
    for value in values {
      var text = "\(value) " + String(reflecting: value)
      dump(value, to: &text)
      #expect(!text.contains(secret) && !text.contains("ya29.secret"))
    }
    await endpoint.stop()
  }

  // MARK: Dialling

  /// What a dial ends with; nil: it opened.
  func dial(
    _ upstream: ScriptedUpstream, _ account: GoogleServiceAccount, _ credentials: AccessTokens
  ) async throws -> UpstreamEnd? {
    try await upstream.dialled(
      with: .googleServiceAccount(account), [.init("x-goog-user-project", Redacted("p1"))], tokens: credentials)
  }

  @Test("gemini 1.2: the upgrade request bears the token, and the next dial bears it without asking again")
  func dials() async throws {
    let endpoint = try await TokenEndpoint { TokenEndpoint.token("ya29.\($0)") }
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let account = try Self.account(endpoint)
    let credentials = Self.credentials()
    var requests = upstream.requests.makeAsyncIterator()
    for _ in 0..<2 {
      #expect(try await dial(upstream, account, credentials) == nil)
      let head = try #require(await requests.next())
      #expect(head.contains("\r\nAuthorization: Bearer ya29.1\r\n"))
      #expect(head.contains("\r\nx-goog-user-project: p1\r\n"))
    }
    #expect(endpoint.requests.count == 1)
    await upstream.stop()
    await endpoint.stop()
  }

  @Test("a token that the provider refuses is not shown again")
  func refusedToken() async throws {
    let endpoint = try await TokenEndpoint { TokenEndpoint.token("ya29.\($0)") }
    let upstream = try await ScriptedUpstream.start(.answer("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"))
    let account = try Self.account(endpoint)
    let credentials = Self.credentials()
    for count in 1...2 {
      #expect(try await dial(upstream, account, credentials) == .refused(status: 401, retryAfterSeconds: nil))
      #expect(endpoint.requests.count == count)
    }
    await upstream.stop()
    await endpoint.stop()
  }

  @Test("without a token nothing is dialled")
  func noToken() async throws {
    let endpoint = try await TokenEndpoint { count in
      count == 1
        ? TokenEndpoint.answer(#"{"error": "invalid_grant"}"#, status: "400 Bad Request")
        : TokenEndpoint.token("ya29.\(count)")
    }
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let account = try Self.account(endpoint)
    let credentials = Self.credentials()
    #expect(try await dial(upstream, account, credentials) == .refused(status: 401, retryAfterSeconds: nil))
    #expect(try await dial(upstream, account, credentials) == nil)
    // The first request that came is the second dial's.
    var requests = upstream.requests.makeAsyncIterator()
    #expect(await requests.next()?.contains("\r\nAuthorization: Bearer ya29.2\r\n") == true)
    await upstream.stop()
    await endpoint.stop()
  }

  @Test("fault row 52: a dial that is abandoned during the exchange reports nothing and opens nothing")
  func abandoned() async throws {
    let endpoint = try await TokenEndpoint { _ in TokenEndpoint.token("ya29.1") }
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let account = try Self.account(endpoint)
    let credentials = Self.credentials()
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let target = UpstreamTarget(
      endpoint: UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: upstream.port), pathAndQuery: "/abandoned",
      headers: [], authorization: .googleServiceAccount(account))
    let reports = Mutex(0)
    try await loop.submit {
      let connector = UpstreamConnector(
        target: target, limits: EdgeLimits(), outgoing: Outgoing(tokens: credentials), loop: loop
      ) { _ in reports.withLock { $0 += 1 } }
      connector.start()
      connector.abandon()
    }.get()
    // The exchange ends for those that still wait for it.
    #expect(try await credentials.token(for: account).get().reveal() == "ya29.1")
    #expect(try await dial(upstream, account, credentials) == nil)
    var requests = upstream.requests.makeAsyncIterator()
    #expect(await requests.next()?.hasPrefix("GET /ws ") == true)
    #expect(reports.withLock { $0 } == 0)
    await upstream.stop()
    await endpoint.stop()
  }

  @Test("gemini 1.1, 1.2: a session of a routes.json with a service account reaches Vertex with its token")
  func wholeGateway() async throws {
    let endpoint = try await TokenEndpoint { _ in TokenEndpoint.token("ya29.gateway") }
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let account = try JSONEncoder().encode([
      "type": "service_account", "client_email": "gateway@p1.iam.example", "private_key": try Self.pem(),
      "token_uri": endpoint.url,
    ])
    let gateway = try await TestGateway.routes(
      #"""
      {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "vertex", "providers": {"vertex": {
        "kind": "gemini-live", "url": "ws://127.0.0.1:\#(upstream.port)", "model": "gemini-3.8-live",
        "platform": "vertex", "project": "p1", "location": "us-central1", "serviceAccount": "env:ACCOUNT"}}}
      """#, environment: ["ACCOUNT": String(decoding: account, as: UTF8.self)])
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: "/v1/realtime?model=gemini-3.8-live"))
    var requests = upstream.requests.makeAsyncIterator()
    let head = try #require(await requests.next())
    #expect(
      head.hasPrefix("GET /ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent HTTP/1.1\r\n"))
    #expect(head.contains("\r\nAuthorization: Bearer ya29.gateway\r\n"))
    await gateway.stop()
    await upstream.stop()
    await endpoint.stop()
  }
}
