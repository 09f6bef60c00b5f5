import NIOCore
import Testing
import Translation

@testable import Gateway

/// What becomes of a token that was exchanged for an earlier connection and is refused at a later one.
extension GoogleCredentialsTests {
  private static let refusal = ScriptedUpstream.Script.answer("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

  private static func upstream(refusing token: String) async throws -> ScriptedUpstream {
    try await ScriptedUpstream.start(
      .asked { $0.contains("\r\nAuthorization: Bearer \(token)\r\n") ? refusal : .open(texts: []) })
  }

  /// The tokens of the next requests.
  private func tokens(_ count: Int, _ heads: inout AsyncStream<String>.Iterator) async -> [[String]] {
    var tokens: [[String]] = []
    while tokens.count < count, let head = await heads.next() {
      tokens.append(
        head.split(separator: "\r\n").filter { $0.hasPrefix("Authorization: ") }.map { String($0.dropFirst(22)) })
    }
    return tokens
  }

  @Test("gemini 1.2: a kept token that was revoked is exchanged for another, and the connection opens")
  func revokedToken() async throws {
    let endpoint = try await TokenEndpoint { TokenEndpoint.token("ya29.\($0)") }
    let upstream = try await Self.upstream(refusing: "ya29.1")
    let account = try Self.account(endpoint)
    let credentials = AccessTokens(exchange: TokenExchange(client: { _ in Self.client }))
    _ = try await credentials.token(for: account).get()
    for _ in 0..<2 { #expect(try await dial(upstream, account, credentials) == nil) }
    var heads = upstream.requests.makeAsyncIterator()
    // The request of the second attempt bears the new token alone, and the next dial bears it at once.
    #expect(await tokens(3, &heads) == [["ya29.1"], ["ya29.2"], ["ya29.2"]])
    #expect(endpoint.requests.count == 2)
    await upstream.stop()
    await endpoint.stop()
  }

  @Test("fault row 44: an account that is refused with a new token too is refused, after one more attempt and no other")
  func refusedAccount() async throws {
    let endpoint = try await TokenEndpoint { TokenEndpoint.token("ya29.\($0)") }
    let upstream = try await ScriptedUpstream.start(Self.refusal)
    let account = try Self.account(endpoint)
    let credentials = AccessTokens(exchange: TokenExchange(client: { _ in Self.client }))
    _ = try await credentials.token(for: account).get()
    for _ in 0..<2 {
      #expect(try await dial(upstream, account, credentials) == .refused(status: 401, retryAfterSeconds: nil))
    }
    var heads = upstream.requests.makeAsyncIterator()
    #expect(await tokens(3, &heads) == [["ya29.1"], ["ya29.2"], ["ya29.3"]])
    #expect(endpoint.requests.count == 3)
    await upstream.stop()
    await endpoint.stop()
  }

  @Test(
    "fault row 43: where a revoked token cannot be exchanged for another, the exchange's failure is told, and no refusal",
    arguments: [
      (TokenEndpoint.answer("{}", status: "503 Oh"), UpstreamEnd.refused(status: 503, retryAfterSeconds: nil)),
      (TokenEndpoint.answer("no JSON"), .badHandshake),
    ])
  func failedExchange(_ answer: String, _ end: UpstreamEnd) async throws {
    let endpoint = try await TokenEndpoint { $0 == 1 ? TokenEndpoint.token("ya29.1") : answer }
    let upstream = try await Self.upstream(refusing: "ya29.1")
    let account = try Self.account(endpoint)
    let credentials = AccessTokens(exchange: TokenExchange(client: { _ in Self.client }))
    _ = try await credentials.token(for: account).get()
    #expect(try await dial(upstream, account, credentials) == end)
    #expect(endpoint.requests.count == 2)
    await upstream.stop()
    await endpoint.stop()
  }
}
