public import AsyncHTTPClient
import Audio
import Envelope
import NIOCore
import NIOHTTP1
import Synchronization
public import Translation

/// An OpenAI-compatible transcription server, or whisper.cpp's own.
public struct TranscriptionServer: Sendable {
  /// The implementation's name in descriptions.
  public var name: String
  /// With or without `/v1`; a URL without any path gets it. A path that ends with `/inference` (whisper.cpp) or with
  /// `/audio/transcriptions` is used as it is.
  public var baseURL: String
  /// Not sent if empty.
  public var model: String
  public var key: Redacted<String>?
  /// ISO 639-1; nil lets the server find out.
  public var language: String?
  /// Whether to ask for the words as they are found.
  public var streams = false

  public init(
    name: String = "openai-compatible", baseURL: String, model: String, key: Redacted<String>? = nil,
    language: String? = nil
  ) {
    self.name = name
    self.baseURL = baseURL
    self.model = model
    self.key = key
    self.language = language
  }

  public static func groq(key: Redacted<String>, model: String = "whisper-large-v3-turbo") -> TranscriptionServer {
    TranscriptionServer(name: "groq", baseURL: "https://api.groq.com/openai/v1", model: model, key: key)
  }

  /// The body of the request: the turn as a WAV of 16 kHz, which every server takes.
  func form(_ samples: [Int16], _ options: TranscriptionOptions) -> MultipartForm {
    var form = MultipartForm()
    form.add("file", file: WAV.file(samples, rate: 16_000), named: "audio.wav", type: "audio/wav")
    if !model.isEmpty { form.add("model", model) }
    // `en-US` is `en` here.
    if let language = (options.language ?? language)?.prefix(while: { $0 != "-" && $0 != "_" }), !language.isEmpty {
      form.add("language", String(language).lowercased())
    }
    if let prompt = options.prompt, !prompt.isEmpty { form.add("prompt", prompt) }
    form.add("response_format", "json")
    if streams { form.add("stream", "true") }
    return form
  }
}

/// Makes text of a turn with one request at its end.
public struct OpenAITranscriber: Transcriber {
  public let description: StageDescription
  fileprivate let server: TranscriptionServer
  fileprivate let exchange: RemoteExchange
  fileprivate let url: String

  public init(client: HTTPClient, server: TranscriptionServer, limits: RemoteLimits = .init()) {
    let address = RemoteAddress(server.baseURL)
    description = StageDescription(.stt, server.name, model: server.model)
    self.server = server
    url = address.ends(with: "/inference") ? address.asGiven : address.openAI("/audio/transcriptions")
    exchange = RemoteExchange(
      stage: .stt, client: client, service: "The transcription server at \(address.host)", limits: limits,
      discretion: Discretion([server.key].compactMap(\.self)))
  }

  public func begin(
    _ options: TranscriptionOptions, partial: @escaping @Sendable (String) -> Void
  ) -> any Transcription {
    BatchTranscription(transcriber: self, options: options, partial: partial)
  }

  fileprivate func text(
    of samples: [Int16], _ options: TranscriptionOptions, partial: @escaping @Sendable (String) -> Void
  ) async throws -> String {
    let form = server.form(samples, options)
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: form.contentType)
    request.headers.authorize(server.key)
    request.body = .bytes(form.finished())
    return try await exchange.run(request) { reply in
      switch reply.mediaType {
      case "text/event-stream":
        return try await streamed(reply, partial)
      case "text/plain":
        return String(buffer: try await reply.whole()).trimmed
      default:
        guard let text = try await reply.json()["text"]?.string else {
          throw exchange.protocolError("answered without a text")
        }
        return text.trimmed
      }
    }
  }

  private func streamed(_ reply: RemoteReply, _ partial: (String) -> Void) async throws -> String {
    var soFar = ""
    var whole: String?
    try await reply.events(lineLimit: 1 << 20) { event in
      guard !event.isDone else { return true }
      let value = try JSONValue(parsing: event.data)
      if let refusal = RemoteRefusal(value) { throw exchange.refusal(refusal) }
      switch value["type"]?.string {
      case "transcript.text.delta":
        soFar += value["delta"]?.string ?? ""
        partial(soFar.trimmed)
      case "transcript.text.done":
        whole = value["text"]?.string ?? soFar
      default:
        break
      }
      return true
    }
    guard let whole else { throw exchange.protocolError("ended its stream in the middle of the text") }
    return whole.trimmed
  }
}

/// Collects a turn and sends it when it is over.
private final class BatchTranscription: Transcription {
  private struct State {
    var samples: [Int16] = []
    var isCancelled = false
    var request: Task<String, any Error>?
  }

  private let transcriber: OpenAITranscriber
  private let options: TranscriptionOptions
  private let partial: @Sendable (String) -> Void
  private let state = Mutex(State())

  init(transcriber: OpenAITranscriber, options: TranscriptionOptions, partial: @escaping @Sendable (String) -> Void) {
    self.transcriber = transcriber
    self.options = options
    self.partial = partial
  }

  func append(_ samples: [Int16]) {
    state.withLock { state in
      if !state.isCancelled, state.request == nil { state.samples += samples }
    }
  }

  func finish() async throws -> String {
    let request = state.withLock { state -> Task<String, any Error>? in
      guard !state.isCancelled else { return nil }
      if state.request == nil {
        let samples = state.samples
        state.samples = []
        state.request = Task { [transcriber, options, partial] in
          samples.isEmpty ? "" : try await transcriber.text(of: samples, options, partial: partial)
        }
      }
      return state.request
    }
    guard let request else { throw CancellationError() }
    return try await withTaskCancellationHandler {
      try await request.value
    } onCancel: {
      request.cancel()
    }
  }

  func cancel() {
    state.withLock { state in
      state.isCancelled = true
      state.samples = []
      state.request?.cancel()
    }
  }
}
