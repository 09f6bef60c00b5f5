import AsyncHTTPClient
import Audio
import Envelope
import NIOCore
import Testing
import Translation

@testable import VoiceEngine

@Suite("Speech servers", .timeLimit(.minutes(2))) struct RemoteSpeechTests {
  typealias Reply = LoopbackServer.Reply

  static let samples: [Int16] = [1, -2, 300, -400, 5_000, -6_000, 32_767, -32_768]

  static var pcm: [UInt8] { Array(WAV.file(samples, rate: 24_000).dropFirst(WAV.headerByteCount)) }

  static func bytes(_ bytes: [UInt8], cut size: Int, type: String = "audio/pcm") -> Reply {
    Reply(type: type, pieces: bytes.cut(size))
  }

  static func base64(_ bytes: [UInt8]) -> String {
    var buffer = ByteBuffer()
    bytes.withUnsafeBytes { Base64.encode($0, into: &buffer) }
    return String(buffer: buffer)
  }

  static func synthesizer(
    _ server: LoopbackServer, _ client: HTTPClient, change: (inout SpeechServer) -> Void = { _ in }
  ) -> OpenAISynthesizer {
    var speech = SpeechServer(baseURL: server.base, model: "tts-1", key: Redacted("sk-test-0123456789"))
    change(&speech)
    return OpenAISynthesizer(client: client, server: speech, limits: .endless)
  }

  /// What is heard when the server replies so; all rates must be the same.
  static func speech(_ reply: Reply) async throws -> (samples: [Int16], rate: Int?, fault: StageFault?) {
    try await withLoopback(reply) { server, client in
      let (chunks, fault) = try await collect(synthesizer(server, client).speak("Hi.", voice: "alloy", speed: 1))
      #expect(Set(chunks.map(\.rate)).count <= 1)
      #expect(chunks.allSatisfy { !$0.samples.isEmpty })
      return (chunks.flatMap(\.samples), chunks.first?.rate, fault)
    }
  }

  @Test("the request, field by field")
  func exactRequest() async throws {
    try await withLoopback(Self.bytes(Self.pcm, cut: 5)) { server, client in
      let synthesizer = Self.synthesizer(server, client) {
        $0.streaming = .audio
        $0.extraFields = ["language": "en"]
      }
      _ = try await collect(synthesizer.speak("Hello.", voice: "nova", speed: 1.25))
      let seen = try #require(server.requests.first)
      #expect(seen.line == "POST /v1/audio/speech HTTP/1.1")
      #expect(seen.headers["authorization"] == "Bearer sk-test-0123456789")
      let expected: JSONValue = [
        "model": "tts-1", "input": "Hello.", "voice": "nova", "response_format": "pcm", "speed": 1.25,
        "stream_format": "audio", "language": "en",
      ]
      let body = try JSONValue(parsing: seen.text)
      #expect(body == expected)
    }
  }

  @Test("an unknown voice is the default one; without voices none is named")
  func voices() {
    var server = SpeechServer(baseURL: "http://x", model: "m", voices: ["a", "b"])
    #expect(server.body("x", voice: "c", speed: 9)["voice"] == "a")
    #expect(server.body("x", voice: "b", speed: 9)["voice"] == "b")
    #expect(server.body("x", voice: "b", speed: 9)["speed"] == 4)
    server.voices = []
    #expect(server.body("x", voice: "b", speed: 1)["voice"] == nil)
  }

  @Test("plain PCM, cut through samples; an odd byte at the end is nothing", arguments: [1, 2, 3, 5, 7, 1_000])
  func pcm(_ size: Int) async throws {
    let speech = try await Self.speech(Self.bytes(Self.pcm + [7], cut: size))
    #expect(speech.samples == Self.samples && speech.rate == 24_000 && speech.fault == nil)
  }

  @Test("a WAV tells its own rate, whatever was asked for", arguments: [1, 3, 11, 44, 1_000])
  func wav(_ size: Int) async throws {
    let whole = WAV.file(Self.samples, rate: 44_100)
    let stream = WAV.streamingHeader(rate: 44_100) + Self.pcm
    for bytes in [whole, stream] {
      let speech = try await Self.speech(Self.bytes(bytes, cut: size, type: "audio/wav"))
      #expect(speech.samples == Self.samples && speech.rate == 44_100 && speech.fault == nil)
    }
  }

  @Test("events with base64 in them", arguments: [1, 9, 1_000])
  func events(_ size: Int) async throws {
    let pieces = Self.pcm.cut(3).map { #"{"type":"speech.audio.delta","audio":"\#(Self.base64($0))"}"# }
    let done = #"{"type":"speech.audio.done","usage":{"total_tokens":3}}"#
    let speech = try await Self.speech(.events(pieces + [done], cut: size))
    #expect(speech.samples == Self.samples && speech.fault == nil)
  }

  @Test(
    "errors",
    arguments: [
      (
        Reply.json(#"{"detail":{"error":"validation_error","message":"no voice"}}"#, status: "400 Bad Request"),
        "tts_refused", "no voice"
      ),
      (.json(#"{"error":{"message":"no"}}"#), "tts_refused", "no"),
      (.json(#"{"audio":"x"}"#), "tts_protocol_error", "JSON instead of speech"),
      (.json("{}", status: "429 Too Many Requests"), "rate_limit_exceeded", "429"),
      (.events([#"{"type":"speech.audio.error","error":{"message":"lost"}}"#]), "tts_refused", "lost"),
      (.events([#"{"type":"speech.audio.delta","audio":"!!!"}"#]), "tts_protocol_error", "not base64"),
      (.events([#"{"type":"speech.audio.delta","audio":"AAAA"}"#]), "tts_protocol_error", "middle of the speech"),
      (Reply(type: "audio/mpeg", pieces: [[0xFF, 0xFB]]), "audio_format_unsupported", "audio/mpeg"),
      (Reply(type: "audio/pcm", pieces: [Array("ID3\u{4}xx".utf8)]), "audio_format_unsupported", "MP3"),
      (Reply(type: "audio/wav", pieces: [Array("RIFFxxxxAVI ".utf8)]), "audio_format_unsupported", "WAV"),
      (Reply(type: "audio/wav", pieces: [Array("RIFFxxxxWAVE".utf8)]), "audio_format_unsupported", "ends before"),
      (Reply(type: "audio/pcm", pieces: [[0, 0, 0, 0]], ending: .cut), "tts_protocol_error", "broke the connection"),
    ])
  func errors(_ reply: Reply, _ code: String, _ words: String) async throws {
    let fault = try #require(try await Self.speech(reply).fault)
    #expect(fault.stage == .tts && fault.code == code && fault.message.contains(words), "\(fault)")
  }

  @Test("going away closes the connection in the middle of the speech")
  func cancellation() async throws {
    var reply = Self.bytes(Self.pcm, cut: 8)
    reply.ending = .hold
    try await withLoopback(reply) { server, client in
      let synthesizer = Self.synthesizer(server, client)
      for try await chunk in synthesizer.speak("Hi.", voice: "alloy", speed: 1) {
        #expect(!chunk.samples.isEmpty)
        break
      }
      await server.connectionCloses()
      #expect(server.requests.count == 1)
    }
  }

  // MARK: Deepgram

  static func deepgram(_ server: LoopbackServer, _ client: HTTPClient) -> DeepgramSynthesizer {
    var settings = DeepgramSynthesizer.Settings(key: Redacted("dg-secret-0123456789"))
    settings.baseURL = "http://127.0.0.1:\(server.port)"
    return DeepgramSynthesizer(client: client, settings: settings)
  }

  @Test("R125: Deepgram's request has exactly a text, and raw 24 kHz is asked for")
  func deepgramRequest() async throws {
    try await withLoopback(Self.bytes(Self.pcm, cut: 3)) { server, client in
      let synthesizer = Self.deepgram(server, client)
      #expect(synthesizer.voices.first == "aura-2-thalia-en")
      let (chunks, fault) = try await collect(synthesizer.speak("Hello.", voice: "unknown", speed: 1))
      #expect(fault == nil && chunks.flatMap(\.samples) == Self.samples && chunks.first?.rate == 24_000)
      let seen = try #require(server.requests.first)
      let query = "model=aura-2-thalia-en&encoding=linear16&container=none&sample_rate=24000"
      #expect(seen.line == "POST /v1/speak?\(query) HTTP/1.1")
      #expect(seen.headers["authorization"] == "Token dg-secret-0123456789")
      #expect(seen.text == #"{"text":"Hello."}"#)
      _ = try await collect(synthesizer.speak("Hello.", voice: "aura-2-zeus-en", speed: 1))
      #expect(server.requests.last?.line.contains("model=aura-2-zeus-en&") ?? false)
    }
  }

  @Test("a long text goes in pieces of at most 2000 characters")
  func longText() async throws {
    try await withLoopback(Self.bytes(Self.pcm, cut: 16)) { server, client in
      let text = Array(repeating: "twelve chars", count: 400).joined(separator: " ")
      let (chunks, _) = try await collect(Self.deepgram(server, client).speak(text, voice: "", speed: 1))
      let texts = try server.requests.map { try JSONValue(parsing: $0.text)["text"]?.string ?? "" }
      #expect(texts.joined(separator: " ") == text && texts.count == 3)
      #expect(texts.allSatisfy { $0.count <= 2_000 })
      #expect(chunks.flatMap(\.samples) == Self.samples + Self.samples + Self.samples)
    }
  }

  @Test("cutting a text: no piece is too long or blank, no word is lost")
  func pieces() {
    #expect(TextPieces.of("  one two  three ", limit: 7) == ["one two", "three"])
    #expect(TextPieces.of("abcdefgh", limit: 3) == ["abc", "def", "gh"])
    #expect(TextPieces.of(" \n ", limit: 3) == [])
    for limit in 1...20 {
      let pieces = TextPieces.of("a bb ccc dddd eeeee ffffff", limit: limit)
      #expect(pieces.allSatisfy { !$0.isEmpty && $0.count <= limit })
      #expect(pieces.joined().filter { $0 != " " } == "abbcccddddeeeeeffffff")
    }
  }

  @Test("Deepgram's errors", arguments: [("401 Unauthorized", "tts_refused"), ("429 Slow", "rate_limit_exceeded")])
  func deepgramErrors(_ status: String, _ code: String) async throws {
    let reply = Reply.json(
      #"{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials.","request_id":"x"}"#, status: status)
    try await withLoopback(reply) { server, client in
      let (chunks, fault) = try await collect(Self.deepgram(server, client).speak("Hi.", voice: "", speed: 1))
      #expect(chunks.isEmpty && fault?.code == code)
      #expect(fault?.message == "Deepgram answered with status \(status.prefix(3)): Invalid credentials.")
    }
  }
}
