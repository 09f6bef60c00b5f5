import AsyncHTTPClient
import Synchronization
import Testing
import Translation

@testable import VoiceEngine

@Suite("Transcription servers", .timeLimit(.minutes(2))) struct RemoteTranscriberTests {
  typealias Reply = LoopbackServer.Reply

  static func transcriber(
    _ server: LoopbackServer, _ client: HTTPClient, path: String = "/v1",
    change: (inout TranscriptionServer) -> Void = { _ in }
  ) -> OpenAITranscriber {
    var service = TranscriptionServer(
      baseURL: "http://127.0.0.1:\(server.port)\(path)", model: "whisper-1", key: Redacted("sk-test-0123456789"))
    change(&service)
    return OpenAITranscriber(client: client, server: service, limits: .endless)
  }

  static let samples: [Int16] = [0, 1, -1, 256]

  /// Text, or the fault, of a turn to which the server replies so; and what was heard before the end.
  static func text(_ reply: Reply) async throws -> (text: String?, fault: StageFault?, partials: [String]) {
    try await withLoopback(reply) { server, client in
      let partials = Mutex<[String]>([])
      let turn = transcriber(server, client).begin(.init()) { text in partials.withLock { $0.append(text) } }
      turn.append(samples)
      do {
        return (try await turn.finish(), nil, partials.withLock(\.self))
      } catch let fault as StageFault {
        return (nil, fault, partials.withLock(\.self))
      }
    }
  }

  @Test("the request: path, key, and each part of the form")
  func exactRequest() async throws {
    try await withLoopback(.json(#"{"text":" Hello.\n"}"#)) { server, client in
      let turn = Self.transcriber(server, client).begin(.init(language: "en-US", prompt: "Parley")) { _ in }
      turn.append([0, 1])
      turn.append([-1, 256])
      #expect(try await turn.finish() == "Hello.")
      let seen = try #require(server.requests.first)
      #expect(seen.line == "POST /v1/audio/transcriptions HTTP/1.1")
      #expect(seen.headers["authorization"] == "Bearer sk-test-0123456789")
      let parts = try Self.parts(of: seen)
      let names = parts.map(\.name)
      #expect(names == ["file", "model", "language", "prompt", "response_format"])
      #expect(
        parts.dropFirst().map { String(decoding: $0.body, as: UTF8.self) } == ["whisper-1", "en", "Parley", "json"])
      #expect(parts[0].head.contains(#"filename="audio.wav""#) && parts[0].head.contains("Content-Type: audio/wav"))
      let wav = parts[0].body
      #expect(wav.count == 44 + 8)
      #expect(wav.prefix(4).elementsEqual("RIFF".utf8))
      #expect(wav[24...27].elementsEqual([0x80, 0x3E, 0, 0]))
      #expect(wav.suffix(8).elementsEqual([0, 0, 1, 0, 0xFF, 0xFF, 0, 1]))
    }
  }

  struct Part {
    var head: String
    var name: String
    var body: [UInt8]
  }

  /// Takes a form apart as strictly as a server does.
  static func parts(of request: LoopbackServer.Request) throws -> [Part] {
    let type = try #require(request.headers["content-type"])
    let boundary = try #require(type.split(separator: "boundary=").last)
    #expect(type.hasPrefix("multipart/form-data; boundary="))
    let mark = Array("--\(boundary)".utf8)
    var rest = request.body
    #expect(rest.starts(with: mark))
    rest.removeFirst(mark.count)
    var parts: [Part] = []
    while rest.starts(with: Array("\r\n".utf8)) {
      rest.removeFirst(2)
      let headEnd = try #require(rest.firstPlace(of: Array("\r\n\r\n".utf8)))
      let end = try #require(rest.firstPlace(of: Array("\r\n".utf8) + mark))
      let head = String(decoding: rest[..<headEnd], as: UTF8.self)
      let name = head.split(separator: "name=\"")[1].prefix { $0 != "\"" }
      parts.append(Part(head: head, name: String(name), body: Array(rest[(headEnd + 4)..<end])))
      rest.removeFirst(end + 2 + mark.count)
    }
    #expect(rest == Array("--\r\n".utf8))
    return parts
  }

  @Test(
    "paths",
    arguments: [
      ("/inference", "/inference"), ("", "/v1/audio/transcriptions"), ("/openai/v1", "/openai/v1/audio/transcriptions"),
      ("/x/audio/transcriptions", "/x/audio/transcriptions"),
    ])
  func paths(_ path: String, _ called: String) async throws {
    try await withLoopback(.json(#"{"text":"x"}"#)) { server, client in
      let turn = Self.transcriber(server, client, path: path).begin(.init()) { _ in }
      turn.append(Self.samples)
      _ = try await turn.finish()
      #expect(server.requests.first?.line == "POST \(called) HTTP/1.1")
    }
  }

  @Test("a streamed text is told as it comes", arguments: [1, 4, 1_000])
  func streamed(_ size: Int) async throws {
    let (text, fault, partials) = try await Self.text(
      .events(
        [
          #"{"type":"transcript.text.delta","delta":"Hel"}"#, #"{"type":"transcript.text.delta","delta":"lo"}"#,
          #"{"type":"transcript.text.done","text":"Hello."}"#,
        ], cut: size))
    #expect(text == "Hello." && fault == nil && partials == ["Hel", "Hello"])
  }

  @Test("plain text is a text")
  func plain() async throws {
    #expect(try await Self.text(Reply(type: "text/plain", pieces: [Array(" Hello \n".utf8)])).text == "Hello")
  }

  @Test("stream is asked for only if configured")
  func asksForStream() async throws {
    try await withLoopback(.json(#"{"text":"x"}"#)) { server, client in
      let turn = Self.transcriber(server, client) { $0.streams = true }.begin(.init()) { _ in }
      turn.append(Self.samples)
      _ = try await turn.finish()
      #expect(try Self.parts(of: #require(server.requests.first)).last?.name == "stream")
    }
  }

  @Test("R124: nothing that was said is nothing that is sent")
  func nothing() async throws {
    try await withLoopback(.silent) { server, client in
      let text = try await Self.transcriber(server, client).begin(.init()) { _ in }.finish()
      #expect(text == "")
      #expect(server.requests.isEmpty)
    }
  }

  @Test(
    "errors",
    arguments: [
      (Reply.json(#"{"error":"no 'file' field in the request"}"#), "stt_refused", "no 'file' field"),
      (.json(#"{"error":{"message":"bad audio"}}"#, status: "400 Bad Request"), "stt_refused", "400: bad audio"),
      (.json(#"{"detail":"no model"}"#, status: "404 Not Found"), "stt_refused", "404: no model"),
      (.json("{}", status: "429 Too Many Requests"), "rate_limit_exceeded", "429"),
      (Reply(status: "500 Oops", type: "text/plain", pieces: [Array("it broke".utf8)]), "stt_refused", "it broke"),
      (.json("{}"), "stt_protocol_error", "without a text"), (.json("<html>"), "stt_protocol_error", "not JSON"),
      (.events([#"{"type":"transcript.text.delta","delta":"x"}"#]), "stt_protocol_error", "middle of the text"),
      (.events([#"{"error":{"message":"lost"}}"#]), "stt_refused", "lost"),
    ])
  func errors(_ reply: Reply, _ code: String, _ words: String) async throws {
    let fault = try #require(try await Self.text(reply).fault)
    #expect(fault.stage == .stt && fault.code == code && fault.message.contains(words), "\(fault)")
  }

  @Test("a cancelled turn closes its connection")
  func cancelled() async throws {
    try await withLoopback(.silent) { server, client in
      let turn = Self.transcriber(server, client).begin(.init()) { _ in }
      turn.append(Self.samples)
      let finish = Task { try await turn.finish() }
      while server.requests.isEmpty { await Task.yield() }
      turn.cancel()
      await server.connectionCloses()
      await #expect(throws: CancellationError.self) { try await finish.value }
    }
  }

  @Test("a cancelled task closes the connection as well, and a cancelled turn sends nothing")
  func cancelledTask() async throws {
    try await withLoopback(.silent) { server, client in
      let turn = Self.transcriber(server, client).begin(.init()) { _ in }
      turn.append(Self.samples)
      let finish = Task { try await turn.finish() }
      while server.requests.isEmpty { await Task.yield() }
      finish.cancel()
      await server.connectionCloses()
      let other = Self.transcriber(server, client).begin(.init()) { _ in }
      other.append(Self.samples)
      other.cancel()
      await #expect(throws: CancellationError.self) { try await other.finish() }
      #expect(server.requests.count == 1)
    }
  }
}
