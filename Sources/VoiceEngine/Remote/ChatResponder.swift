public import AsyncHTTPClient
import Envelope
import NIOCore
import NIOHTTP1
import Translation

/// Answers with an OpenAI-compatible chat server (`POST /chat/completions`, streamed).
public struct ChatResponder: Responder {
  public let description: StageDescription
  private let server: ChatServer
  private let exchange: RemoteExchange
  private let url: String

  public init(client: HTTPClient, server: ChatServer, limits: RemoteLimits = .init()) {
    let address = RemoteAddress(server.baseURL)
    description = StageDescription(.llm, server.name, model: server.model)
    self.server = server
    url = address.openAI("/chat/completions")
    // What names the application is no secret, and its words may be those of any message.
    let secret = server.headers.filter { !["http-referer", "x-title"].contains($0.name.lowercased()) }
    exchange = RemoteExchange(
      stage: .llm, client: client, service: "The chat server at \(address.host)", limits: limits,
      discretion: Discretion([server.key].compactMap(\.self) + secret.map(\.value)))
  }

  public func respond(to request: ResponderRequest) -> AsyncThrowingStream<ResponderEvent, any Error> {
    producedStream { continuation in
      var post = HTTPClientRequest.json(url, body: server.body(for: request), key: server.key)
      for header in server.headers { post.headers.add(name: header.name, value: header.value.reveal()) }
      try await exchange.chat(post) {
        continuation.yield($0)
      } ended: {
        continuation.finish()
      }
    }
  }
}

extension HTTPClientRequest {
  /// A POST of JSON. `key` goes into `Authorization`.
  static func json(
    _ url: String, body: JSONValue, key: Redacted<String>?, scheme: String = "Bearer"
  ) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    request.headers.authorize(key, scheme: scheme)
    var buffer = ByteBuffer()
    body.write(into: &buffer)
    request.body = .bytes(buffer)
    return request
  }
}

extension HTTPHeaders {
  mutating func authorize(_ key: Redacted<String>?, scheme: String = "Bearer") {
    if let key, !key.reveal().isEmpty { add(name: "Authorization", value: "\(scheme) \(key.reveal())") }
  }
}

extension RemoteExchange {
  /// Runs a chat completion.
  ///
  /// - Parameter ended: called behind the last event, before what may still come is read away.
  fileprivate func chat(
    _ request: HTTPClientRequest, emit: @escaping @Sendable (ResponderEvent) -> Void,
    ended: @escaping @Sendable () -> Void
  ) async throws {
    try await run(request) { reply in
      var assembly = ChatAssembly()
      do {
        if reply.mediaType == "application/json" {
          try assembly.take(try await reply.json()).forEach(emit)
          try assembly.finish(isAnnounced: true).forEach(emit)
          return
        }
        var isDone = false
        try await reply.events(lineLimit: 4 << 20) { event in
          // What follows `[DONE]` is read, so that the connection can be used again, and not looked at.
          guard !isDone else { return true }
          isDone = event.isDone
          guard isDone else {
            try assembly.take(try JSONValue(parsing: event.data)).forEach(emit)
            return true
          }
          try assembly.finish(isAnnounced: true).forEach(emit)
          ended()
          return true
        }
        if !isDone { try assembly.finish(isAnnounced: false).forEach(emit) }
      } catch let fault as ChatAssembly.Fault {
        throw self.fault(of: fault)
      }
    }
  }

  func fault(of fault: ChatAssembly.Fault) -> StageFault {
    switch fault {
    case .refused(let refusal): self.refusal(refusal)
    case .broken(let what): protocolError(what)
    }
  }
}

extension StringProtocol {
  /// Without white space at both ends.
  var trimmed: String {
    let start = drop { $0.isWhitespace }
    return String(start.reversed().drop { $0.isWhitespace }.reversed())
  }
}
