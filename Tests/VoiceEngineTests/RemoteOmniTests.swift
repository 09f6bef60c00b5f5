import AsyncHTTPClient
import Audio
import Envelope
import Testing

@testable import VoiceEngine

@Suite("Models that hear and speak", .timeLimit(.minutes(2))) struct RemoteOmniTests {
  typealias Reply = LoopbackServer.Reply

  static func responder(_ server: LoopbackServer, _ client: HTTPClient) -> OmniResponder {
    OmniResponder(
      client: client, server: OmniServer(baseURL: server.base, model: "Qwen/Qwen2.5-Omni-3B"), limits: .endless)
  }

  static func events(_ reply: Reply) async throws -> (elements: [ResponderEvent], fault: StageFault?) {
    try await withLoopback(reply) { server, client in
      try await collect(responder(server, client).respond(to: RemoteChatTests.request()))
    }
  }

  static func piece(_ samples: [Int16], rate: Int = 24_000) -> String {
    RemoteSpeechTests.base64(WAV.file(samples, rate: rate))
  }

  static func spoken(_ text: String, _ samples: [Int16]) -> ChatMessage {
    var message = ChatMessage(role: .user, text: text)
    message.speech = samples
    return message
  }

  @Test("the request: prompt and instructions, old speech as words, the turn as a WAV, modalities and speaker")
  func exactRequest() async throws {
    try await withLoopback(.events(["[DONE]"])) { server, client in
      var request = ResponderRequest()
      request.instructions = "Be brief."
      request.voice = "ethan"
      request.messages = [
        Self.spoken("Hello there.", [9, 9]), ChatMessage(role: .assistant, text: "Hi."), Self.spoken("", [8]),
        Self.spoken("What now?", [1, -1]),
      ]
      let responder = Self.responder(server, client)
      #expect(responder.takesSpeech && responder.speakers == ["Chelsie", "Ethan"])
      _ = try await collect(responder.respond(to: request))
      let seen = try #require(server.requests.first)
      #expect(seen.line == "POST /v1/chat/completions HTTP/1.1")
      let url = "data:audio/wav;base64," + Self.piece([1, -1], rate: 16_000)
      let expected: JSONValue = [
        "model": "Qwen/Qwen2.5-Omni-3B", "modalities": ["text", "audio"], "speaker": "Ethan", "stream": true,
        "stream_options": ["include_usage": true],
        "messages": [
          [
            "role": "system",
            "content": [["type": "text", "text": .string(OmniServer.systemPrompt + "\nBe brief.")]],
          ],
          ["role": "user", "content": "Hello there."], ["role": "assistant", "content": "Hi."],
          ["role": "user", "content": [["type": "audio_url", "audio_url": ["url": .string(url)]]]],
        ],
      ]
      let body = try JSONValue(parsing: seen.text)
      #expect(body == expected)
    }
  }

  @Test("an answer that is not spoken asks for text alone")
  func textOnly() {
    var request = RemoteChatTests.request()
    request.isSpoken = false
    request.voice = "Ethan"
    let body = OmniServer(baseURL: "http://x", model: "m").body(for: request)
    #expect(body["modalities"] == ["text"] && body["speaker"] == nil)
    request.isSpoken = true
    request.voice = "marin"
    #expect(OmniServer(baseURL: "http://x", model: "m").body(for: request)["speaker"] == "Chelsie")
  }

  @Test("text and pieces of speech in a stream", arguments: [1, 13, 100_000])
  func streamed(_ size: Int) async throws {
    let (events, fault) = try await Self.events(
      .events(
        [
          #"{"modality":"text","choices":[{"index":0,"delta":{"content":"Hi "},"finish_reason":null}]}"#,
          #"{"modality":"text","choices":[{"index":0,"delta":{"content":"you."},"finish_reason":"stop"}]}"#,
          #"{"modality":"audio","choices":[{"index":0,"delta":{"content":"\#(Self.piece([1, 2]))"}}]}"#,
          #"{"modality":"audio","choices":[{"index":1,"delta":{"content":"\#(Self.piece([3], rate: 48_000))"}}]}"#,
          #"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":6}}"#, "[DONE]",
        ], cut: size))
    #expect(fault == nil)
    #expect(
      events == [
        .text("Hi "), .text("you."), .audio([1, 2], rate: 24_000), .audio([3], rate: 48_000),
        .usage(inputTokens: 5, outputTokens: 6), .finished(.complete),
      ])
  }

  @Test("a stream of speech alone ends with its reason")
  func speechAlone() async throws {
    let chunk =
      #"{"modality":"audio","choices":[{"index":0,"delta":{"content":"\#(Self.piece([1]))"},"finish_reason":"stop"}]}"#
    let (events, fault) = try await Self.events(.events([chunk]))
    #expect(events == [.audio([1], rate: 24_000), .finished(.complete)] && fault == nil)
  }

  @Test("a whole reply with text and speech in choices of their own")
  func whole() async throws {
    let (events, fault) = try await Self.events(
      .json(
        #"{"choices":[{"index":0,"message":{"content":"Hi."},"finish_reason":"stop"},"#
          + #"{"index":1,"message":{"content":null,"#
          + #""audio":{"id":"x","data":"\#(Self.piece([1, 2]))","transcript":"Hi."}},"#
          + #""finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#))
    #expect(fault == nil)
    #expect(
      events == [
        .text("Hi."), .audio([1, 2], rate: 24_000), .usage(inputTokens: 1, outputTokens: 2), .finished(.complete),
      ])
  }

  @Test("a whole reply of speech alone has its transcript as text")
  func transcript() async throws {
    let (events, _) = try await Self.events(
      .json(
        #"{"choices":[{"index":0,"message":{"audio":{"data":"\#(Self.piece([1]))","transcript":"Hi."}},"#
          + #""finish_reason":"stop"}]}"#))
    #expect(events == [.text("Hi."), .audio([1], rate: 24_000), .finished(.complete)])
  }

  @Test(
    "errors",
    arguments: [
      (Reply.events([#"{"modality":"audio","choices":[{"delta":{"content":"!"}}]}"#]), "llm_protocol_error"),
      (.events([#"{"modality":"audio","choices":[{"delta":{"content":"AAAA"}}]}"#]), "llm_protocol_error"),
      (.events([#"{"modality":"text","choices":[{"delta":{"content":"Hi"}}]}"#]), "llm_protocol_error"),
      (.events([#"{"error":{"message":"out of memory","code":500}}"#]), "llm_refused"),
      (.json(#"{"object":"error","message":"no"}"#, status: "400 Bad Request"), "llm_refused"),
    ])
  func errors(_ reply: Reply, _ code: String) async throws {
    let (events, fault) = try await Self.events(reply)
    #expect(fault?.code == code)
    #expect(!events.contains(.finished(.complete)))
  }

  @Test("going away closes the connection while the model still speaks")
  func cancellation() async throws {
    let chunk = #"{"modality":"text","choices":[{"delta":{"content":"Once"}}]}"#
    try await withLoopback(.events([chunk], ending: .hold)) { server, client in
      let responder = Self.responder(server, client)
      for try await event in responder.respond(to: RemoteChatTests.request()) {
        #expect(event == .text("Once"))
        break
      }
      await server.connectionCloses()
      #expect(server.requests.count == 1)
    }
  }
}

@Suite("Servers on this computer", .timeLimit(.minutes(2))) struct RemoteLocalServersTests {
  @Test("servers that list models are found, in the candidates' order; others are not")
  func found() async throws {
    let chat = LoopbackServer.Reply.json(#"{"object":"list","data":[{"id":"llama3"},{"id":"nomic-embed-text"}]}"#)
    let omni = LoopbackServer.Reply.json(#"{"data":[{"id":"Qwen/Qwen2.5-Omni-3B"}]}"#)
    let useless: [LoopbackServer.Reply] = [
      .json(#"{"data":[]}"#), .json(#"{"data":null}"#), .json("not found", status: "404 Not Found"), .json("<html>"),
      .json(#"{"data":[{"id":"whisper-1"}]}"#),
    ]
    try await withLoopback(chat) { first, client in
      try await withLoopback(omni) { second, _ in
        var others: [LoopbackServer] = []
        for reply in useless { others.append(try await LoopbackServer([reply])) }
        let candidates =
          [LocalServers.Candidate(name: "vllm-omni", port: second.port)]
          + others.map { LocalServers.Candidate(name: "other", port: $0.port) }
          + [LocalServers.Candidate(name: "ollama", port: first.port), .init(name: "nobody", port: 9)]
        // Patience for a busy machine; nobody here keeps silent.
        let found = await LocalServers.find(client: client, among: candidates, patience: .seconds(60))
        #expect(
          found == [
            FoundServer(
              name: "vllm-omni", baseURL: "http://127.0.0.1:\(second.port)/v1", models: ["Qwen/Qwen2.5-Omni-3B"],
              omniModel: "Qwen/Qwen2.5-Omni-3B"),
            FoundServer(name: "ollama", baseURL: "http://127.0.0.1:\(first.port)/v1", models: ["llama3"]),
          ])
        #expect(first.requests.map(\.line) == ["GET /v1/models HTTP/1.1"])
        #expect(others.allSatisfy { $0.requests.count == 1 })
        for other in others { await other.stop() }
      }
    }
  }

  @Test("a server that says nothing is not waited for")
  func silent() async throws {
    try await withLoopback(.silent) { server, client in
      let candidates = [LocalServers.Candidate(name: "x", port: server.port)]
      let found = await LocalServers.find(client: client, among: candidates, patience: .milliseconds(20))
      #expect(found.isEmpty)
    }
  }

  @Test("nobody is sent anywhere else by a redirect")
  func redirect() async throws {
    let models = LoopbackServer.Reply.json(#"{"data":[{"id":"m"}]}"#)
    try await withLoopback(models) { target, client in
      var reply = LoopbackServer.Reply.json("{}", status: "302 Found")
      reply.headers = [("location", target.base + "/models")]
      try await withLoopback(reply) { server, _ in
        let found = await LocalServers.find(
          client: client, among: [.init(name: "x", port: server.port)], patience: .seconds(60))
        #expect(found.isEmpty && server.requests.count == 1 && target.requests.isEmpty)
      }
    }
  }

  @Test("the usual ports")
  func ports() {
    #expect(LocalServers.candidates.map(\.port) == [11434, 8080, 1234, 8000, 8091])
  }
}
