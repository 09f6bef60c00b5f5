import AsyncHTTPClient
import Envelope
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Translation

/// Asks an address for an access token.
struct TokenExchange: Sendable {
  /// What the exchange brought.
  struct Token: Sendable {
    var text: Redacted<String>
    /// As the service says; zero where it says nothing.
    var lifetime: Duration
  }

  /// Bytes of an answer, and of a token: it goes into a header.
  private static let longestAnswer = 65_536
  private static let longestToken = 8_192
  /// More than a day is not believed.
  private static let longestLifetime = 86_400

  /// Redirects are not followed: what is shown is for the configured address.
  static let configuration: HTTPClient.Configuration = {
    var configuration = HTTPClient.Configuration(certificateVerification: .fullVerification)
    configuration.redirectConfiguration = .disallow
    configuration.timeout = .init(connect: .seconds(5), read: .seconds(10))
    configuration.httpVersion = .http1Only
    // Whether to try again is the session's to decide.
    configuration.connectionPool.retryConnectionEstablishment = false
    return configuration
  }()

  /// For requests to a URL.
  var client: @Sendable (_ url: String) -> HTTPClient
  /// For the whole exchange.
  var timeout = Duration.seconds(10)

  /// - Parameter unixTime: seconds, for what is signed.
  func token(
    for authorization: UpstreamTarget.Authorization, unixTime: Int
  ) async throws(TokenFault) -> Token {
    switch authorization {
    case .googleServiceAccount(let account):
      try await token(from: try await GoogleAssertion.request(for: account, unixTime: unixTime))
    case .minted(let request):
      try await token(from: request)
    }
  }

  private func token(from source: TokenRequest) async throws(TokenFault) -> Token {
    var request = HTTPClientRequest(url: source.url)
    request.method = .POST
    request.headers.add(name: "content-type", value: source.contentType)
    request.headers.add(name: "accept", value: "application/json")
    for header in source.headers { request.headers.add(name: header.name, value: header.value.reveal()) }
    request.body = .bytes(ByteBuffer(string: source.body.reveal()))
    let (status, retryAfter, body) = try await answer(to: request)
    guard status == 200 || status == 201 else { throw Self.refusal(status: status, retryAfter: retryAfter, body) }
    return try Self.token(in: body, of: source)
  }

  private typealias Answer = (status: Int, retryAfter: Int?, body: ByteBuffer)

  private func answer(to request: HTTPClientRequest) async throws(TokenFault) -> Answer {
    let limit = TimeAmount(timeout)
    do {
      return try await withThrowingTaskGroup(of: Answer?.self) { [client] group in
        group.addTask {
          let response = try await client(request.url).execute(request, timeout: limit)
          let retryAfter = response.headers.first(name: "retry-after").flatMap { Int($0) }
          return (Int(response.status.code), retryAfter, try await response.body.collect(upTo: Self.longestAnswer))
        }
        group.addTask { [timeout] in
          try await Task.sleep(for: timeout)
          return nil
        }
        defer { group.cancelAll() }
        guard let answer = try await group.next() ?? nil else { throw TokenFault.timedOut }
        return answer
      }
    } catch {
      throw TokenFault(error)
    }
  }

  private static func token(in body: ByteBuffer, of source: TokenRequest) throws(TokenFault) -> Token {
    guard let grant = try? JSONValue(parsing: body.readableBytesView),
      let text = value(in: grant, at: source.tokenPath)?.string,
      (1...longestToken).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
      (grant["token_type"]?.string ?? "Bearer").lowercased() == "bearer"
    else { throw .malformedAnswer }
    let lifetime = source.lifetimePath.flatMap { value(in: grant, at: $0) }
    let seconds = min(max(lifetime?.int ?? lifetime?.string.flatMap { Int($0) } ?? 0, 0), longestLifetime)
    return Token(text: Redacted(text), lifetime: .seconds(seconds))
  }

  private static func value(in answer: JSONValue, at path: [String]) -> JSONValue? {
    path.reduce(answer) { $0?[$1] }
  }

  private static func refusal(status: Int, retryAfter: Int?, _ body: ByteBuffer) -> TokenFault {
    // `invalid_grant` and its kin: short words of RFC 6749. The description beside them may name the account.
    let word = (try? JSONValue(parsing: body.readableBytesView))?["error"]?.string ?? ""
    let isPlain = word.utf8.count <= 64 && word.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F }
    return .refused(status: status, retryAfterSeconds: retryAfter, reason: isPlain ? word : "")
  }
}

/// Why there is no access token. No case holds any part of a secret.
enum TokenFault: Error, Sendable, Hashable {
  /// The account's key cannot be read, or is shorter than 2048 bits.
  case unusableKey
  case nameNotFound
  case unreachable
  case proxyFailed(status: Int?)
  case tlsRefused
  case timedOut
  /// An answer other than 200 and 201; `reason` is its `error`, where that is a plain word.
  case refused(status: Int, retryAfterSeconds: Int?, reason: String)
  case malformedAnswer

  init(_ error: any Error) {
    switch error {
    case let fault as TokenFault: self = fault
    case let error where UpstreamEnd.isLoss(error): self = .unreachable
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: self = .tlsRefused
    case let error as HTTPClientError:
      switch error {
      case .connectTimeout, .readTimeout, .deadlineExceeded, .writeTimeout, .httpProxyHandshakeTimeout: self = .timedOut
      case .proxyAuthenticationRequired: self = .proxyFailed(status: 407)
      case .invalidProxyResponse: self = .proxyFailed(status: nil)
      default: self = .unreachable
      }
    case let error as NIOConnectionError:
      let isUnknown = error.connectionErrors.isEmpty && (error.dnsAError != nil || error.dnsAAAAError != nil)
      self = isUnknown ? .nameNotFound : .unreachable
    case is NIOTooManyBytesError: self = .malformedAnswer
    default: self = .unreachable
    }
  }

  /// What the session is told: the same as if the provider itself had behaved so.
  var end: UpstreamEnd {
    switch self {
    case .unusableKey: .refused(status: 401, retryAfterSeconds: nil)
    case .nameNotFound: .nameNotFound
    case .unreachable: .unreachable
    case .proxyFailed(let status): .proxyFailed(status: status)
    case .tlsRefused: .tlsRefused
    case .timedOut: .timedOut(.credentials)
    // RFC 6749 section 5.2: a grant that is refused is a 400.
    case .refused(400, _, _), .refused(401, _, _): .refused(status: 401, retryAfterSeconds: nil)
    case .refused(let status, let retryAfter, _): .refused(status: status, retryAfterSeconds: retryAfter)
    case .malformedAnswer: .badHandshake
    }
  }
}
