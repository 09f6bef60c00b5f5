public import AsyncHTTPClient
import Envelope
import NIOCore
import NIOHTTP1

/// A model server that was found on this computer.
public struct FoundServer: Sendable, Hashable {
  /// `ollama`, `llama.cpp`, `lm-studio`, `vllm`, `vllm-omni`.
  public var name: String
  /// With `/v1`.
  public var baseURL: String
  /// The models that can converse, as the server lists them; at least one.
  public var models: [String]
  /// The model that hears and speaks itself, if there is one.
  public var omniModel: String?

  public init(name: String, baseURL: String, models: [String], omniModel: String? = nil) {
    self.name = name
    self.baseURL = baseURL
    self.models = models
    self.omniModel = omniModel
  }
}

/// The usual model servers, looked for on the loopback interface and nowhere else.
public enum LocalServers {
  /// Where a server usually listens.
  public struct Candidate: Sendable, Hashable {
    public var name: String
    public var port: Int

    public init(name: String, port: Int) {
      self.name = name
      self.port = port
    }
  }

  public static let candidates = [
    Candidate(name: "ollama", port: 11434), Candidate(name: "llama.cpp", port: 8080),
    Candidate(name: "lm-studio", port: 1234), Candidate(name: "vllm", port: 8000),
    Candidate(name: "vllm-omni", port: 8091),
  ]

  /// Asks all candidates at once for their models; those that name one within `patience`, in the candidates' order.
  ///
  /// The client's own settings do not count: nothing is redirected, nothing goes through a proxy.
  public static func find(
    client: HTTPClient, among candidates: [Candidate] = candidates, patience: Duration = .milliseconds(300)
  ) async -> [FoundServer] {
    let client = HTTPClient(eventLoopGroupProvider: .shared(client.eventLoopGroup), configuration: .remoteStages)
    let found = await withTaskGroup(of: (Int, FoundServer?).self) { group in
      for (place, candidate) in candidates.enumerated() {
        group.addTask { (place, await ask(candidate, client, patience)) }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    try? await client.shutdown()
    return found.sorted { $0.0 < $1.0 }.compactMap(\.1)
  }

  private static func ask(_ candidate: Candidate, _ client: HTTPClient, _ patience: Duration) async -> FoundServer? {
    var limits = RemoteLimits()
    limits.total = patience
    limits.bytes = 1 << 20
    let base = "http://127.0.0.1:\(candidate.port)/v1"
    let exchange = RemoteExchange(
      stage: .llm, client: client, service: candidate.name, limits: limits, discretion: Discretion([]))
    let reply = try? await exchange.run(HTTPClientRequest(url: base + "/models")) { try await $0.json() }
    return reply.flatMap { server(candidate.name, base, listing: $0) }
  }

  /// What a list of models tells of a server; nil if none of them can converse.
  static func server(_ name: String, _ base: String, listing: JSONValue) -> FoundServer? {
    let models = (listing["data"]?.array ?? []).compactMap { $0["id"]?.string }
    let conversing = models.filter { model in
      let model = model.lowercased()
      return !model.isEmpty && !["whisper", "embed", "rerank", "tts", "kokoro"].contains { model.contains($0) }
    }
    guard !conversing.isEmpty else { return nil }
    return FoundServer(
      name: name, baseURL: base, models: conversing, omniModel: conversing.first { $0.contains("Omni") })
  }
}
