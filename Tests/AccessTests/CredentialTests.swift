import Routing
import Testing
import Translation

@testable import Access

private let good = "hyb_right"
private let other = "hyb_other"

private struct CredentialCase: Sendable, CustomTestStringConvertible {
  var headers: [(name: String, value: String)]
  var target: String
  var key: String?
  var source: Credential.Source?
  var fault: CredentialFault?

  init(_ headers: [(String, String)], _ query: String, _ key: String?, _ source: Credential.Source?) {
    self.headers = headers.map { (name: $0.0, value: $0.1) }
    target = "/v1/realtime" + query
    self.key = key
    self.source = source
  }

  init(_ headers: [(String, String)], _ query: String, fault: CredentialFault) {
    self.init(headers, query, nil, nil)
    self.fault = fault
  }

  var testDescription: String { "\(headers) \(target)" }
}

private let protocols = "Sec-WebSocket-Protocol"

private let cases: [CredentialCase] = [
  .init([], "", nil, nil),
  .init([("Host", "h"), ("Cookie", "token=\(good)")], "?provider=x", nil, nil),
  // R178: the bearer header.
  .init([("Authorization", "Bearer \(good)")], "", good, .authorization),
  .init([("AUTHORIZATION", "bearer   \(good) ")], "", good, .authorization),
  .init([("Authorization", "Bearer a+/=~.-_")], "", "a+/=~.-_", .authorization),
  // R177: the query.
  .init([], "?token=\(good)", good, .query),
  .init([], "?access_token=\(good)", good, .query),
  .init([], "?model=m&api_key=\(good)", good, .query),
  .init([], "?token=a%2Bb%2F=", "a+b/=", .query),
  .init([], "?token=a+b", "a+b", .query),
  .init([], "?%74oken=\(good)", good, .query),
  .init([], "?api_key=\(other)&token=\(good)", good, .query),
  .init([], "?Token=\(good)", nil, nil),
  .init([], "?x=1#token=\(good)", nil, nil),
  // Azure's header.
  .init([("api-key", good)], "", good, .apiKeyHeader),
  .init([("Api-Key", " \(good)\t")], "?token=\(other)", good, .apiKeyHeader),
  // The header of many other services.
  .init([("X-API-Key", " \(good)")], "?token=\(other)", good, .otherKeyHeader),
  .init([("x-api-key", other), ("api-key", good)], "", good, .apiKeyHeader),
  .init([("X-API-Key", "")], "", fault: .empty),
  // R280: the subprotocol.
  .init([(protocols, "realtime, openai-insecure-api-key.\(good)")], "", good, .subprotocol),
  .init(
    [(protocols, "realtime"), (protocols, "openai-insecure-api-key.a.b,openai-beta.realtime-v1")], "", "a.b",
    .subprotocol),
  .init([(protocols, "xai-client-secret.\(good)")], "", good, .subprotocol),
  .init([(protocols, "realtime, openai-beta.realtime-v1")], "", nil, nil),
  // R179: the header wins over the query, and this over the subprotocol.
  .init([("Authorization", "Bearer \(good)")], "?token=\(other)", good, .authorization),
  .init([("Authorization", "Bearer \(good)"), ("api-key", other)], "", good, .authorization),
  .init(
    [("Authorization", "Bearer \(good)"), (protocols, "openai-insecure-api-key.\(other)")], "", good, .authorization),
  .init([(protocols, "openai-insecure-api-key.\(other)")], "?token=\(good)", good, .query),
  .init([("Authorization", "Bearer \(good)"), ("Authorization", "Bearer \(good)")], "", good, .authorization),
  // What is unusable is not passed over.
  .init([("Authorization", "Basic \(good)")], "?token=\(good)", fault: .unknownScheme),
  .init([("Authorization", "")], "?token=\(good)", fault: .unknownScheme),
  .init([("Authorization", "Bearer")], "?token=\(good)", fault: .empty),
  .init([("Authorization", "Bearer ")], "", fault: .empty),
  .init([("Authorization", "Bearer a b")], "", fault: .malformed),
  .init([("Authorization", "Bearer ä")], "", fault: .malformed),
  .init([("Authorization", "Bearer \(good)"), ("authorization", "Bearer \(other)")], "", fault: .severalValues),
  .init([("api-key", "")], "", fault: .empty),
  .init([], "?token=", fault: .empty),
  .init([], "?token", fault: .empty),
  .init([], "?token=%", fault: .malformed),
  .init([], "?token=%FF", fault: .malformed),
  .init([], "?token=a%0Ab", fault: .malformed),
  .init([], "?token=\(good)&token=\(other)", fault: .severalValues),
  .init([(protocols, "openai-insecure-api-key.")], "", fault: .empty),
  .init(
    [(protocols, "openai-insecure-api-key.\(good), openai-insecure-api-key.\(other)")], "", fault: .severalValues),
  .init([("Authorization", "Bearer " + String(repeating: "k", count: 8_193))], "", fault: .malformed),
]

@Suite("Where the key of a request stands")
struct CredentialTests {
  @Test("R177, R178, R179, R280: places of a key, their order, and unusable ones", arguments: cases)
  fileprivate func place(_ expected: CredentialCase) throws {
    let target = RequestTarget(expected.target)
    if let fault = expected.fault {
      #expect(throws: fault) { try Credential.extract(headers: expected.headers, target: target) }
      return
    }
    let credential = try Credential.extract(headers: expected.headers, target: target)
    #expect(credential?.key.reveal() == expected.key)
    #expect(credential?.source == expected.source)
  }

  @Test("The longest key is taken")
  func longest() throws {
    let key = String(repeating: "k", count: Credential.longestKeyBytes)
    let headers = [(name: "authorization", value: "Bearer \(key)")]
    #expect(try Credential.extract(headers: headers, target: RequestTarget("/"))?.key.reveal() == key)
  }

  @Test("fault row 17: a credential does not print its key")
  func printing() throws {
    let headers = [(name: "authorization", value: "Bearer \(good)")]
    let credential = try #require(try Credential.extract(headers: headers, target: RequestTarget("/")))
    var dumped = ""
    dump(credential, to: &dumped)
    for text in ["\(credential)", String(reflecting: credential), dumped] {
      #expect(!text.contains(good))
      #expect(text.contains("authorization"))
    }
  }
}
