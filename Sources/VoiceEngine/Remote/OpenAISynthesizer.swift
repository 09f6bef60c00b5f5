public import AsyncHTTPClient
import Audio
public import Envelope
import NIOCore
import NIOHTTP1
public import Translation

/// An OpenAI-compatible speech server.
public struct SpeechServer: Sendable {
  public enum Format: String, Sendable, Hashable {
    /// Without a header; the rate must be known beforehand.
    case pcm
    /// With a header that says the rate.
    case wav
  }

  /// How the server is asked to send speech while it is made; servers that know only one way are not asked.
  public enum Streaming: String, Sendable, Hashable {
    case audio, sse
  }

  /// The implementation's name in descriptions.
  public var name: String
  /// With or without `/v1`; a URL without any path gets it, any other path is used as it is.
  public var baseURL: String
  public var model: String
  public var key: Redacted<String>?
  /// The first is the default; none are offered if it is empty, and the server's own default speaks.
  public var voices: [String]
  public var format = Format.pcm
  /// Hertz of `pcm`.
  public var pcmRate = 24_000
  public var streaming: Streaming?
  /// More fields for the request, such as `instructions` or `language`. They win over the ones made here.
  public var extraFields: JSONObject = [:]

  /// The voices of OpenAI's own server.
  public static let openAIVoices = [
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse",
  ]

  public init(
    name: String = "openai-compatible", baseURL: String, model: String, key: Redacted<String>? = nil,
    voices: [String] = openAIVoices
  ) {
    self.name = name
    self.baseURL = baseURL
    self.model = model
    self.key = key
    self.voices = voices
  }

  func body(_ text: String, voice: String, speed: Double) -> JSONValue {
    var body: JSONObject = ["model": .string(model), "input": .string(text)]
    if let voice = voices.contains(voice) ? voice : voices.first { body["voice"] = .string(voice) }
    body["response_format"] = .string(format.rawValue)
    body["speed"] = .number(JSONNumber(min(4, max(0.25, speed))))
    if let streaming { body["stream_format"] = .string(streaming.rawValue) }
    for (name, value) in extraFields { body[name] = value }
    return .object(body)
  }
}

/// Speaks with an OpenAI-compatible server (`POST /audio/speech`).
public struct OpenAISynthesizer: Synthesizer {
  public let description: StageDescription
  private let server: SpeechServer
  private let exchange: RemoteExchange
  private let url: String

  /// The longest input of one request, characters.
  static let maximumCharacters = 4_096

  public init(client: HTTPClient, server: SpeechServer, limits: RemoteLimits = .init()) {
    let address = RemoteAddress(server.baseURL)
    description = StageDescription(.tts, server.name, model: server.model)
    self.server = server
    url = address.openAI("/audio/speech")
    exchange = RemoteExchange(
      stage: .tts, client: client, service: "The speech server at \(address.host)", limits: limits,
      discretion: Discretion([server.key].compactMap(\.self)))
  }

  public var voices: [String] { server.voices }

  public func speak(_ text: String, voice: String, speed: Double) -> AsyncThrowingStream<SpeechChunk, any Error> {
    producedStream { continuation in
      for piece in TextPieces.of(text, limit: Self.maximumCharacters) {
        let body = server.body(piece, voice: voice, speed: speed)
        try await exchange.speech(.json(url, body: body, key: server.key), rate: server.pcmRate) {
          continuation.yield($0)
        }
      }
    }
  }
}

/// Speaks with Deepgram (`POST /v1/speak`). The speed cannot be chosen.
public struct DeepgramSynthesizer: Synthesizer {
  public struct Settings: Sendable {
    public var key: Redacted<String>
    /// A voice is a model here; this one is the default.
    public var model = "aura-2-thalia-en"
    /// `api.eu.deepgram.com` is the European host.
    public var baseURL = "https://api.deepgram.com"
    /// Hertz.
    public var rate = 24_000

    public init(key: Redacted<String>) {
      self.key = key
    }
  }

  /// English voices of Aura 2.
  public static let voices = [
    "thalia", "andromeda", "helena", "apollo", "arcas", "aries", "asteria", "athena", "hera", "hermes", "luna", "orion",
    "orpheus", "zeus",
  ].map { "aura-2-\($0)-en" }

  public let description: StageDescription
  public let voices: [String]
  private let settings: Settings
  private let exchange: RemoteExchange

  /// The longest text of one request, characters.
  static let maximumCharacters = 2_000

  public init(client: HTTPClient, settings: Settings, limits: RemoteLimits = .init()) {
    description = StageDescription(.tts, "deepgram", model: settings.model)
    voices = [settings.model] + Self.voices.filter { $0 != settings.model }
    self.settings = settings
    exchange = RemoteExchange(
      stage: .tts, client: client, service: "Deepgram", limits: limits, discretion: Discretion([settings.key]))
  }

  public func speak(_ text: String, voice: String, speed: Double) -> AsyncThrowingStream<SpeechChunk, any Error> {
    producedStream { continuation in
      for piece in TextPieces.of(text, limit: Self.maximumCharacters) {
        let request = HTTPClientRequest.json(
          url(voice), body: ["text": .string(piece)], key: settings.key, scheme: "Token")
        try await exchange.speech(request, rate: settings.rate) { continuation.yield($0) }
      }
    }
  }

  private func url(_ voice: String) -> String {
    let address = RemoteAddress(settings.baseURL)
    let query = RemoteAddress.query([
      ("model", voices.contains(voice) ? voice : settings.model), ("encoding", "linear16"), ("container", "none"),
      ("sample_rate", "\(settings.rate)"),
    ])
    return address.url("/v1/speak") + query
  }
}

extension RemoteExchange {
  /// Reads speech: bytes, or events with base64 in them.
  fileprivate func speech(
    _ request: HTTPClientRequest, rate: Int, emit: @escaping @Sendable (SpeechChunk) -> Void
  ) async throws {
    try await run(request) { reply in
      var pieces = SpeechPieces(rate: rate)
      do {
        switch reply.mediaType {
        case "text/event-stream":
          try await speechEvents(reply, &pieces, emit)
        case "application/json":
          // Speech is not JSON; an error is.
          _ = try await reply.json()
          throw protocolError("sent JSON instead of speech")
        case "audio/mpeg", "audio/mp3", "audio/ogg", "audio/opus", "audio/aac", "audio/flac":
          throw SpeechPieces.Fault.unsupported(reply.mediaType)
        default:
          try await reply.pieces { bytes in
            if let chunk = try pieces.take(bytes) { emit(chunk) }
            return true
          }
        }
        if let chunk = try pieces.finish() { emit(chunk) }
      } catch SpeechPieces.Fault.unsupported(let what) {
        throw StageFault(
          stage, code: "audio_format_unsupported", message: "\(service) sent \(what) instead of PCM or WAV.")
      }
    }
  }

  private func speechEvents(
    _ reply: RemoteReply, _ pieces: inout SpeechPieces, _ emit: (SpeechChunk) -> Void
  ) async throws {
    var isDone = false
    try await reply.events(lineLimit: 16 << 20) { event in
      guard !event.isDone else { return true }
      let value = try JSONValue(parsing: event.data)
      if let refusal = RemoteRefusal(value) { throw self.refusal(refusal) }
      switch value["type"]?.string {
      case "speech.audio.delta":
        guard let bytes = (value["audio"] ?? value["delta"])?.string?.base64Bytes else {
          throw protocolError("sent speech that is not base64")
        }
        if let chunk = try pieces.take(bytes) { emit(chunk) }
      case "speech.audio.done":
        isDone = true
      default:
        break
      }
      return true
    }
    if !isDone { throw protocolError("ended its stream in the middle of the speech") }
  }
}

extension String {
  /// What the text stands for in base64, of either alphabet and with or without padding; nil if it is none.
  var base64Bytes: ByteBuffer? {
    var text = self
    return text.withUTF8 { letters in
      var standard = ByteBuffer()
      var bytes = ByteBuffer()
      guard Base64.normalise(UnsafeRawBufferPointer(letters), into: &standard) != nil,
        standard.withUnsafeReadableBytes({ Base64.decode($0, into: &bytes) }) != nil
      else { return nil }
      return bytes
    }
  }
}
