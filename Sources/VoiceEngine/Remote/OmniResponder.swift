public import AsyncHTTPClient
import Audio
import Envelope
import NIOCore
import NIOHTTP1
public import Translation

/// A vLLM-Omni server with a model of the Qwen Omni family.
public struct OmniServer: Sendable {
  /// With or without `/v1`; a URL without any path gets it.
  public var baseURL: String
  public var model: String
  public var key: Redacted<String>?
  /// The first is the default.
  public var speakers = ["Chelsie", "Ethan"]
  /// What the conversation may cost per request, without the speech of the turn.
  public var historyTokens = 4_000
  /// Whether tools are offered to the model; the server refuses them unless it was started for them.
  public var offersTools = false

  /// The model speaks only if its system prompt begins with these words, which its makers gave it.
  public static let systemPrompt =
    "You are Qwen, a virtual human developed by the Qwen Team, Alibaba Group, capable of perceiving auditory and "
    + "visual inputs, as well as generating text and speech."

  public init(baseURL: String, model: String, key: Redacted<String>? = nil) {
    self.baseURL = baseURL
    self.model = model
    self.key = key
  }

  /// The speaker for a voice of a session, in any letter case; the default for an unknown one.
  public func speaker(_ voice: String?) -> String? {
    speakers.first { $0.lowercased() == voice?.lowercased() } ?? speakers.first
  }

  func body(for request: ResponderRequest) -> JSONValue {
    var body: JSONObject = ["model": .string(model)]
    body["modalities"] = request.isSpoken ? ["text", "audio"] : ["text"]
    if request.isSpoken, let speaker = speaker(request.voice) { body["speaker"] = .string(speaker) }
    var system = Self.systemPrompt
    if !request.instructions.isEmpty { system += "\n" + request.instructions }
    let prompt: JSONValue = ["role": "system", "content": [["type": "text", "text": .string(system)]]]
    body["messages"] = .array([prompt] + history(request))
    body["stream"] = true
    body["stream_options"] = ["include_usage": true]
    if let limit = request.maximumTokens { body["max_tokens"] = .number(JSONNumber(limit)) }
    if offersTools, !request.tools.isEmpty {
      body["tools"] = .array(request.tools.map(ChatServer.tool))
      body["tool_choice"] = ChatServer.choice(request.toolChoice)
    }
    return .object(body)
  }

  /// The conversation. Only the last message that has speech is sent as speech: audio costs many tokens.
  private func history(_ request: ResponderRequest) -> [JSONValue] {
    var messages = request.messages
    if !offersTools {
      messages.removeAll { $0.role == .tool }
      for index in messages.indices { messages[index].calls = [] }
    }
    let heard = messages.lastIndex { $0.role == .user && !($0.speech ?? []).isEmpty }
    for index in messages.indices where index != heard { messages[index].speech = nil }
    messages.removeAll { $0.text.isEmpty && $0.calls.isEmpty && $0.speech == nil && $0.role != .tool }
    return HistoryBudget(tokens: historyTokens).trimmed(messages, instructions: request.instructions).map { message in
      guard let speech = message.speech else { return ChatServer.message(message) }
      var wav = ByteBuffer()
      WAV.file(speech, rate: 16_000).withUnsafeBytes { Base64.encode($0, into: &wav) }
      let url = "data:audio/wav;base64," + String(buffer: wav)
      return ["role": "user", "content": [["type": "audio_url", "audio_url": ["url": .string(url)]]]]
    }
  }
}

/// Lets a model answer that hears and speaks itself (`POST /chat/completions` of vLLM-Omni).
public struct OmniResponder: Responder {
  public let description: StageDescription
  public var takesSpeech: Bool { true }
  public var speakers: [String] { server.speakers }
  private let server: OmniServer
  private let exchange: RemoteExchange
  private let url: String
  private let listing: ModelListing

  public init(client: HTTPClient, server: OmniServer, limits: RemoteLimits = .init()) {
    let address = RemoteAddress(server.baseURL)
    description = StageDescription(.llm, "omni", model: server.model)
    self.server = server
    url = address.openAI("/chat/completions")
    listing = ModelListing(url: address.openAI("/models"))
    exchange = RemoteExchange(
      stage: .llm, client: client, service: "The omni server at \(address.host)", limits: limits,
      discretion: Discretion([server.key].compactMap(\.self)))
  }

  public func respond(to request: ResponderRequest) -> AsyncThrowingStream<ResponderEvent, any Error> {
    producedStream { continuation in
      var server = server
      server.model = try await listing.name(of: server.model, key: server.key, exchange)
      let post = HTTPClientRequest.json(url, body: server.body(for: request), key: server.key)
      try await exchange.omni(post) { continuation.yield($0) }
    }
  }
}

/// The names by which a server knows its models. vLLM lists them with their owner and refuses them without: it knows
/// `Qwen2.5-Omni-3B` as `Qwen/Qwen2.5-Omni-3B`.
private actor ModelListing {
  private let url: String
  private var listed: [String]?

  init(url: String) {
    self.url = url
  }

  /// The listed name that means `model`; `model` itself if it has an owner, or if the list does not help.
  func name(of model: String, key: Redacted<String>?, _ exchange: RemoteExchange) async throws -> String {
    guard !model.contains("/") else { return model }
    if listed == nil {
      var request = HTTPClientRequest(url: url)
      request.headers.authorize(key)
      do {
        let reply = try await exchange.run(request) { try await $0.json() }
        listed = (reply["data"]?.array ?? []).compactMap { $0["id"]?.string }
      } catch let fault as StageFault where fault.code != "llm_unreachable" && fault.code != "llm_timeout" {
        // A server without a list takes the name as it is, or says itself what is wrong. The next turn asks again.
      }
    }
    let names = listed ?? []
    return names.contains(model) ? model : names.first { $0.hasSuffix("/" + model) } ?? model
  }
}

/// Makes the events of an answer out of the chunks of vLLM-Omni: those of speech are taken out, the others are those of
/// any chat server.
struct OmniAssembly: Sendable {
  private var chat = ChatAssembly()
  private var hasText = false
  private var hasEnded = false

  mutating func take(_ chunk: JSONValue) throws -> [ResponderEvent] {
    if let refusal = RemoteRefusal(chunk) { throw ChatAssembly.Fault.refused(refusal) }
    var speech: [ResponderEvent] = []
    var transcript = ""
    var words: [JSONValue] = []
    // Text and speech are choices of different indices; which has what differs from release to release.
    for choice in chunk["choices"]?.array ?? [] {
      let content = choice["delta"] ?? choice["message"] ?? .null
      let isSpeech = chunk["modality"]?.string == "audio"
      let pieces = [isSpeech ? content["content"] : nil, content["audio"]?["data"]].compactMap { $0?.string }
      for piece in pieces where !piece.isEmpty { speech.append(try Self.speech(piece)) }
      transcript += content["audio"]?["transcript"]?.string ?? ""
      let hasWords = !isSpeech && content["content"]?.string ?? "" != ""
      if isSpeech || (!pieces.isEmpty && !hasWords) {
        hasEnded = hasEnded || choice["finish_reason"]?.string != nil
      } else if var word = choice.object {
        word["index"] = 0
        words.append(.object(word))
      }
    }
    var rest = chunk.object ?? [:]
    rest["choices"] = .array(words)
    var events = try chat.take(.object(rest))
    for case .text in events { hasText = true }
    // A model that only speaks says its words here.
    if !hasText, !transcript.isEmpty { events.insert(.text(transcript), at: 0) }
    return events + speech
  }

  mutating func finish(isAnnounced: Bool) throws -> [ResponderEvent] {
    try chat.finish(isAnnounced: isAnnounced || hasEnded)
  }

  /// Each piece is a WAV with its own header.
  private static func speech(_ text: String) throws -> ResponderEvent {
    guard let bytes = text.base64Bytes else { throw ChatAssembly.Fault.broken("sent speech that is not base64") }
    do {
      let (samples, rate) = try WAV.samples(of: Array(bytes.readableBytesView))
      return .audio(samples, rate: rate)
    } catch {
      throw ChatAssembly.Fault.broken("sent speech that cannot be read (\(error.description))")
    }
  }
}

extension RemoteExchange {
  /// A piece of speech may hold a whole answer, minutes of it.
  private static let lineLimit = 48 << 20

  fileprivate func omni(
    _ request: HTTPClientRequest, emit: @escaping @Sendable (ResponderEvent) -> Void
  ) async throws {
    try await run(request) { reply in
      var assembly = OmniAssembly()
      do {
        if reply.mediaType == "application/json" {
          try assembly.take(try await reply.json()).forEach(emit)
          try assembly.finish(isAnnounced: true).forEach(emit)
          return
        }
        var isDone = false
        try await reply.events(lineLimit: Self.lineLimit) { event in
          guard !event.isDone else {
            isDone = true
            return false
          }
          try assembly.take(try JSONValue(parsing: event.data)).forEach(emit)
          return true
        }
        try assembly.finish(isAnnounced: isDone).forEach(emit)
      } catch let fault as ChatAssembly.Fault {
        throw self.fault(of: fault)
      }
    }
  }
}
