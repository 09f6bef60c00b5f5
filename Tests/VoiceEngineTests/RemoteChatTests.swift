import AsyncHTTPClient
import Envelope
import Testing
import Translation

@testable import VoiceEngine

@Suite("Chat servers", .timeLimit(.minutes(2))) struct RemoteChatTests {
  typealias Reply = LoopbackServer.Reply

  static let key = Redacted("sk-test-0123456789")

  static func responder(
    _ server: LoopbackServer, _ client: HTTPClient, limits: RemoteLimits = .init(),
    change: (inout ChatServer) -> Void = { _ in }
  ) -> ChatResponder {
    var chat = ChatServer(baseURL: server.base, model: "m", key: key)
    change(&chat)
    return ChatResponder(client: client, server: chat, limits: limits)
  }

  static func request(_ text: String = "Hi") -> ResponderRequest {
    var request = ResponderRequest()
    request.messages = [ChatMessage(role: .user, text: text)]
    return request
  }

  static let hello = Reply.events([
    #"{"choices":[{"index":0,"delta":{"content":"Grüß "},"finish_reason":null}]}"#,
    #"{"choices":[{"index":0,"delta":{"content":"dich 🦜"},"finish_reason":null}]}"#,
    #"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#, "[DONE]",
  ])

  @Test("an answer in pieces, however they are cut", arguments: [1, 2, 3, 5, 64, 10_000])
  func answer(_ size: Int) async throws {
    var reply = Self.hello
    reply.pieces = reply.pieces.flatMap(\.self).cut(size)
    try await withLoopback(reply) { server, client in
      let (events, fault) = try await collect(Self.responder(server, client).respond(to: Self.request()))
      #expect(fault == nil)
      #expect(
        events == [
          .text("Grüß "), .text("dich 🦜"), .usage(inputTokens: 3, outputTokens: 4), .finished(.complete),
        ])
    }
  }

  @Test("the request: path, headers, and every field")
  func exactRequest() async throws {
    try await withLoopback(Self.hello) { server, client in
      var request = Self.request("What is the weather?")
      request.instructions = "Be brief."
      var calling = ChatMessage(role: .assistant, text: "")
      calling.calls = [.init(id: "call_1", name: "weather", arguments: #"{"city":"Paris"}"#)]
      var result = ChatMessage(role: .tool, text: "sunny")
      result.callID = "call_1"
      request.messages += [calling, result, ChatMessage(role: .assistant, text: "Sunny.")]
      request.tools = [
        ChatTool(name: "weather", summary: "Tells it.", parameters: #"{"type":"object"}"#), ChatTool(name: "bare"),
      ]
      request.toolChoice = .function("weather")
      let responder = Self.responder(server, client) { $0.temperature = 0.5 }
      _ = try await collect(responder.respond(to: request))
      let seen = try #require(server.requests.first)
      #expect(seen.line == "POST /v1/chat/completions HTTP/1.1")
      #expect(seen.headers["authorization"] == "Bearer sk-test-0123456789")
      #expect(seen.headers["content-type"] == "application/json")
      let expected: JSONValue = [
        "model": "m", "stream": true, "stream_options": ["include_usage": true], "temperature": 0.5, "max_tokens": 200,
        "messages": [
          ["role": "system", "content": "Be brief."], ["role": "user", "content": "What is the weather?"],
          [
            "role": "assistant", "content": nil,
            "tool_calls": [
              [
                "id": "call_1", "type": "function",
                "function": ["name": "weather", "arguments": #"{"city":"Paris"}"#],
              ]
            ],
          ],
          ["role": "tool", "content": "sunny", "tool_call_id": "call_1"],
          ["role": "assistant", "content": "Sunny."],
        ],
        "tools": [
          [
            "type": "function",
            "function": ["name": "weather", "description": "Tells it.", "parameters": ["type": "object"]],
          ],
          ["type": "function", "function": ["name": "bare", "parameters": ["type": "object", "properties": [:]]]],
        ],
        "tool_choice": ["type": "function", "function": ["name": "weather"]],
      ]
      #expect(try JSONValue(parsing: seen.text) == expected)
    }
  }

  @Test("without a key no Authorization; without tools no tool fields; a written answer has no limit of ours")
  func bareRequest() async throws {
    try await withLoopback(Self.hello) { server, client in
      var request = Self.request()
      request.isSpoken = false
      _ = try await collect(Self.responder(server, client) { $0.key = nil }.respond(to: request))
      let seen = try #require(server.requests.first)
      #expect(seen.headers["authorization"] == nil)
      let body = try JSONValue(parsing: seen.text)
      #expect(body.object?.keys.sorted() == ["messages", "model", "stream", "stream_options"])
    }
  }

  @Test("messages without words are left out")
  func noWords() {
    var request = ResponderRequest()
    request.messages = [ChatMessage(role: .user, text: ""), ChatMessage(role: .user, text: "Hi")]
    let messages = ChatServer(baseURL: "http://x", model: "m").body(for: request)["messages"]
    #expect(messages == [["role": "user", "content": "Hi"]])
  }

  @Test("the answer is over at [DONE], even if the server then keeps the connection busy")
  func doneIsDone() async throws {
    var reply = Self.hello
    reply.ending = .hold
    try await withLoopback(reply) { server, client in
      let responder = Self.responder(server, client, limits: .endless)
      let (events, fault) = try await collect(responder.respond(to: Self.request()))
      #expect(fault == nil && events.last == .finished(.complete))
    }
  }

  @Test("the client's limit goes before ours; tool choices by word")
  func limit() throws {
    var request = Self.request()
    request.maximumTokens = 7
    request.tools = [ChatTool(name: "f")]
    let server = ChatServer(baseURL: "http://x", model: "m")
    #expect(server.body(for: request)["max_tokens"] == 7)
    for (choice, word) in [(ChatToolChoice.auto, "auto"), (.none, "none"), (.required, "required")] {
      request.toolChoice = choice
      #expect(server.body(for: request)["tool_choice"]?.string == word)
    }
  }

  @Test("R122, R123: Groq and OpenRouter are base URLs, models and headers")
  func clouds() {
    let groq = ChatServer.groq(key: Self.key)
    #expect(groq.model == "openai/gpt-oss-20b" && groq.baseURL == "https://api.groq.com/openai/v1")
    #expect(groq.body(for: Self.request())["reasoning_effort"] == "low")
    let router = ChatServer.openRouter(key: Self.key, model: "a/b", referer: "https://x", title: "Parley")
    #expect(router.baseURL == "https://openrouter.ai/api/v1")
    #expect(router.headers.map(\.name) == ["HTTP-Referer", "X-Title"])
  }

  @Test("extra headers go with the request")
  func extraHeaders() async throws {
    try await withLoopback(Self.hello) { server, client in
      let responder = Self.responder(server, client) { $0.headers = [("X-Title", Redacted("Parley"))] }
      _ = try await collect(responder.respond(to: Self.request()))
      #expect(server.requests.first?.headers["x-title"] == "Parley")
    }
  }

  @Test(
    "base URLs",
    arguments: [
      ("http://h:1", "http://h:1/v1/chat/completions"), ("http://h:1/", "http://h:1/v1/chat/completions"),
      ("http://h:1/v1", "http://h:1/v1/chat/completions"), ("https://h/api/v1/", "https://h/api/v1/chat/completions"),
      ("https://h/openai", "https://h/openai/chat/completions"), ("h:1", "http://h:1/v1/chat/completions"),
      ("https://h/d/x?v=1", "https://h/d/x/chat/completions?v=1"),
      ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
    ])
  func bases(_ base: String, _ url: String) {
    #expect(RemoteAddress(base).openAI("/chat/completions") == url)
  }

  @Test("what a message calls a server has no password in it")
  func hostInMessages() {
    #expect(RemoteAddress("https://user:secret@h:1/v1?key=secret").host == "h:1")
  }

  @Test("a second answer uses the same connection")
  func reuse() async throws {
    try await withLoopback(Self.hello) { server, client in
      let responder = Self.responder(server, client)
      for _ in 0..<2 {
        let fault = try await collect(responder.respond(to: Self.request())).fault
        #expect(fault == nil)
      }
      #expect(server.requests.count == 2)
    }
  }

  @Test("going away closes the connection in the middle of an answer")
  func cancellation() async throws {
    let reply = Reply.events([#"{"choices":[{"delta":{"content":"Once"}}]}"#], ending: .hold)
    try await withLoopback(reply) { server, client in
      let responder = Self.responder(server, client, limits: .endless)
      for try await event in responder.respond(to: Self.request()) {
        #expect(event == .text("Once"))
        break
      }
      await server.connectionCloses()
      #expect(server.requests.count == 1)
    }
  }

  @Test("a cancelled task closes the connection before there was an answer")
  func cancelledTask() async throws {
    try await withLoopback(.silent) { server, client in
      let responder = Self.responder(server, client, limits: .endless)
      let task = Task { try await collect(responder.respond(to: Self.request())).elements }
      while server.requests.isEmpty { await Task.yield() }
      task.cancel()
      await server.connectionCloses()
      let events = try await task.value
      #expect(events.isEmpty)
    }
  }
}
