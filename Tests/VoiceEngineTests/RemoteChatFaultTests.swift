import AsyncHTTPClient
import Testing
import Translation

@testable import VoiceEngine

@Suite("Faults of chat servers", .timeLimit(.minutes(2))) struct RemoteChatFaultTests {
  typealias Reply = LoopbackServer.Reply

  /// The fault of an answer to which the server replies so.
  static func fault(_ reply: Reply, limits: RemoteLimits = .init()) async throws -> StageFault {
    try await withLoopback(reply) { server, client in
      let responder = RemoteChatTests.responder(server, client, limits: limits)
      let (events, fault) = try await collect(responder.respond(to: RemoteChatTests.request()))
      for event in events {
        if case .finished = event { Issue.record("finished") }
      }
      return try #require(fault)
    }
  }

  @Test(
    "every shape of an error before the stream",
    arguments: [
      (
        #"{"error":{"message":"no such model","type":"invalid_request_error","code":"x","param":null}}"#,
        "no such model"
      ),
      (#"{"error":"no such model"}"#, "no such model"), (#"{"detail":"no such model"}"#, "no such model"),
      (#"{"detail":[{"loc":["body","model"],"msg":"field required","type":"missing"}]}"#, "body.model: field required"),
      (#"{"detail":{"error":"validation_error","message":"no such model"}}"#, "no such model"),
      (#"{"object":"error","message":"no such model","code":404}"#, "no such model"),
      (#"{"message":"no such model"}"#, "no such model"),
    ])
  func shapes(_ body: String, _ words: String) async throws {
    let fault = try await Self.fault(.json(body, status: "404 Not Found"))
    #expect(fault.stage == .llm && fault.code == "llm_refused")
    #expect(fault.message.hasPrefix("The chat server at 127.0.0.1:"))
    #expect(fault.message.hasSuffix("answered with status 404: \(words)"))
  }

  @Test("an error page is not quoted")
  func page() async throws {
    let reply = Reply(status: "502 Bad Gateway", type: "text/html", pieces: [Array("<html>gone</html>".utf8)])
    let fault = try await Self.fault(reply)
    #expect(fault.code == "llm_refused" && fault.message.hasSuffix("answered with status 502."))
  }

  @Test("429 is a rate limit and tells how long to wait; so is a code that says it")
  func rateLimit() async throws {
    var reply = Reply.json(
      #"{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}"#,
      status: "429 Too Many Requests")
    reply.headers = [("retry-after", "8")]
    let fault = try await Self.fault(reply)
    #expect(fault.code == "rate_limit_exceeded")
    #expect(fault.message.hasSuffix("status 429: slow down It asks to wait 8 s."))
    let inside = try await Self.fault(.events([#"{"error":{"message":"slow down","code":429}}"#]))
    #expect(inside.code == "rate_limit_exceeded")
  }

  @Test("a redirect is not followed")
  func redirect() async throws {
    var reply = Reply.json("{}", status: "307 Temporary Redirect")
    reply.headers = [("location", "http://127.0.0.1:9/")]
    #expect(try await Self.fault(reply).code == "llm_refused")
  }

  @Test("keys do not get into messages, not even with their middle blanked")
  func secrets() async throws {
    for quoted in ["sk-test-0123456789", "(sk-test-0123456789)", "sk-te*********6789."] {
      let fault = try await Self.fault(
        .json(#"{"error":{"message":"Incorrect API key: \#(quoted)\nfind yours"}}"#, status: "401 Unauthorized"))
      #expect(fault.code == "llm_refused")
      #expect(fault.message.hasSuffix("Incorrect API key: <redacted> find yours"))
    }
  }

  @Test("a long message is cut")
  func longMessage() async throws {
    let long = String(repeating: "x", count: 5_000)
    let fault = try await Self.fault(.json(#"{"error":"\#(long)"}"#, status: "400 Bad Request"))
    #expect(fault.message.count < 400 && fault.message.hasSuffix("…"))
  }

  @Test("a key that is no header value is refused without being shown")
  func badKey() async throws {
    try await withLoopback(.silent) { server, client in
      let responder = RemoteChatTests.responder(server, client) { $0.key = Redacted("secret\nvalue") }
      let fault = try #require(try await collect(responder.respond(to: RemoteChatTests.request())).fault)
      #expect(fault.code == "llm_unreachable" && !fault.message.contains("secret"))
      #expect(server.requests.isEmpty)
    }
  }

  static let beginning = #"{"choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}"#

  @Test(
    "an error in the middle of a stream",
    arguments: [
      #"{"error":{"message":"provider failed","code":502},"choices":[{"delta":{},"finish_reason":"error"}]}"#,
      #"{"error":"provider failed"}"#, #"{"object":"error","message":"provider failed","code":500}"#,
    ])
  func middle(_ chunk: String) async throws {
    let fault = try await Self.fault(.events([Self.beginning, chunk, "[DONE]"]))
    #expect(fault.code == "llm_refused" && fault.message.hasSuffix("reported an error: provider failed"))
  }

  @Test("a stream that just ends is a fault, and so is a connection that breaks off")
  func earlyEnd() async throws {
    let ended = try await Self.fault(.events([Self.beginning]))
    #expect(ended.code == "llm_protocol_error" && ended.message.contains("ended its stream"))
    let cut = try await Self.fault(.events([Self.beginning], ending: .cut))
    #expect(cut.code == "llm_protocol_error" && cut.message.contains("broke the connection off"))
  }

  @Test("a chunk that is not JSON, and one that is no object", arguments: ["{nope", "[1]", "<html>"])
  func noJSON(_ chunk: String) async throws {
    #expect(try await Self.fault(.events([chunk])).code == "llm_protocol_error")
  }

  @Test("a reply beyond the limit is broken off")
  func tooMuch() async throws {
    var limits = RemoteLimits()
    limits.bytes = 100
    let fault = try await Self.fault(.events([Self.beginning, Self.beginning]), limits: limits)
    #expect(fault.code == "llm_protocol_error" && fault.message.hasSuffix("sent too much."))
  }

  @Test("a server that says nothing, and one that says nothing more")
  func timeouts() async throws {
    var limits = RemoteLimits()
    limits.response = .milliseconds(50)
    let silent = try await Self.fault(.silent, limits: limits)
    #expect(silent.code == "llm_timeout" && silent.message.contains("did not answer within 0.05 seconds"))
    limits = RemoteLimits()
    limits.idle = .milliseconds(50)
    let stuck = try await Self.fault(.events([Self.beginning], ending: .hold), limits: limits)
    #expect(stuck.code == "llm_timeout" && stuck.message.contains("sent nothing more"))
    limits = RemoteLimits()
    limits.total = .milliseconds(50)
    let endless = try await Self.fault(.events([Self.beginning], ending: .hold), limits: limits)
    #expect(endless.code == "llm_timeout" && endless.message.contains("was not done"))
  }

  @Test("a server that hangs up without a word is asked once more, because the connection may have been an old one")
  func hangUp() async throws {
    let silence = Reply(ending: .cut, isSilent: true)
    try await withLoopback(silence, RemoteChatTests.hello) { server, client in
      let responder = RemoteChatTests.responder(server, client)
      let fault = try await collect(responder.respond(to: RemoteChatTests.request())).fault
      #expect(fault == nil && server.requests.count == 2)
    }
    try await withLoopback(silence) { server, client in
      let responder = RemoteChatTests.responder(server, client)
      let fault = try await collect(responder.respond(to: RemoteChatTests.request())).fault
      #expect(fault?.code == "llm_unreachable" && server.requests.count == 2)
    }
  }

  @Test("short keys, as local servers are given, do not blank other words")
  func shortKeys() {
    #expect(Discretion([Redacted("x")]).clean("an x in an axe") == "an <redacted> in an axe")
    #expect(Discretion([Redacted("ollama")]).clean("no ollama/m\u{7}\nthere") == "no <redacted> there")
    #expect(Discretion([Redacted("")]).clean(" a  b\u{7} ") == "a b")
  }

  @Test("a port where nobody listens is told at once; a base URL that is none, too")
  func unreachable() async throws {
    try await withLoopback(.silent) { server, client in
      // A port that was just free may be another test's by now; this one belongs to a service that is long gone.
      let responder = RemoteChatTests.responder(server, client) { $0.baseURL = "http://127.0.0.1:1" }
      let fault = try #require(try await collect(responder.respond(to: RemoteChatTests.request())).fault)
      #expect(fault.code == "llm_unreachable" && fault.message.contains("127.0.0.1:1 "))
    }
    try await withLoopback(.silent) { server, client in
      for base in ["", "http://", "ftp://x", "http://[/v1"] {
        let responder = RemoteChatTests.responder(server, client) { $0.baseURL = base }
        let fault = try await collect(responder.respond(to: RemoteChatTests.request())).fault
        #expect(fault?.code == "llm_unreachable", "\(base)")
      }
    }
  }
}
