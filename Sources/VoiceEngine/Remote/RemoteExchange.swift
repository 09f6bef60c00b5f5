public import AsyncHTTPClient
import Envelope
import NIOCore
import NIOHTTP1
import Synchronization
import Translation

/// How long a remote stage is waited for.
public struct RemoteLimits: Sendable, Hashable {
  /// From the request to the head of the response; connecting is part of it. Long, because a server may have to load
  /// its model.
  public var response = Duration.seconds(30)
  /// Between two pieces of the response.
  public var idle = Duration.seconds(15)
  /// The whole exchange.
  public var total = Duration.seconds(120)
  /// Bytes of a response.
  public var bytes = 64 << 20

  public init() {}
}

extension HTTPClient.Configuration {
  /// What the client of the remote stages should be made with: a dead server is told at once instead of being tried
  /// until the time is up, and no redirect takes a conversation to another host.
  public static var remoteStages: Self {
    var configuration = Self(redirectConfiguration: .disallow)
    configuration.timeout.connect = .seconds(5)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.connectionPool.idleTimeout = .seconds(45)
    return configuration
  }
}

/// One request to a service and its response, watched.
struct RemoteExchange: Sendable {
  let stage: StageName
  let client: HTTPClient
  /// What the service is called in messages, such as `The chat server at localhost:11434`.
  let service: String
  let limits: RemoteLimits
  let discretion: Discretion

  /// Sends the request and hands a successful response to `body`. Cancelling the task aborts the exchange.
  ///
  /// - Throws: `StageFault`, or `CancellationError`.
  func run<Result: Sendable>(
    _ request: HTTPClientRequest, body: @escaping @Sendable (RemoteReply) async throws -> Result
  ) async throws -> Result {
    let pulse = Pulse()
    do {
      return try await withThrowingTaskGroup(of: Result.self) { group in
        defer { group.cancelAll() }
        group.addTask { try await body(try await reply(to: request, pulse)) }
        group.addTask { throw timeout(try await pulse.stop(limits)) }
        guard let first = try await group.next() else { throw CancellationError() }
        return first
      }
    } catch {
      throw Task.isCancelled ? CancellationError() : fault(of: error, hasReply: pulse.hasReply)
    }
  }

  private func reply(to request: HTTPClientRequest, _ pulse: Pulse) async throws -> RemoteReply {
    var request = request
    for header in OutgoingTrace.headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
    let response: HTTPClientResponse
    do {
      response = try await client.execute(request, deadline: .distantFuture)
    } catch let error where Self.isStaleConnection(error) {
      // A kept connection that the server had already given up. Nothing was answered yet.
      response = try await client.execute(request, deadline: .distantFuture)
    }
    pulse.beat()
    let reply = RemoteReply(response: response, pulse: pulse, exchange: self)
    guard (200..<300).contains(response.status.code) else {
      throw refusal(response.status, response.headers, try await reply.start(limit: 64 << 10))
    }
    return reply
  }

  private static func isStaleConnection(_ error: any Error) -> Bool {
    (error as? HTTPClientError) == .remoteConnectionClosed
  }

  // MARK: Faults

  func fault(_ word: String, _ message: String) -> StageFault {
    StageFault(stage, code: word == "rate_limit_exceeded" ? word : "\(stage.rawValue)_\(word)", message: message)
  }

  func protocolError(_ what: String) -> StageFault {
    fault("protocol_error", "\(service) \(what).")
  }

  /// What the service said in the middle of a response, or with a status of success.
  func refusal(_ refusal: RemoteRefusal) -> StageFault {
    let message = discretion.clean(refusal.message)
    return fault(
      refusal.isRateLimit ? "rate_limit_exceeded" : "refused",
      message.isEmpty ? "\(service) reported an error." : "\(service) reported an error: \(message)")
  }

  private func refusal(_ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ body: ByteBuffer) -> StageFault {
    let reply = try? JSONValue(parsing: body)
    let refusal = reply.flatMap(RemoteRefusal.init)
    var message = "\(service) answered with status \(status.code)"
    let isText = headers.first(name: "content-type")?.hasPrefix("text/plain") ?? false
    let words = refusal?.message ?? reply?["message"]?.string ?? (isText ? String(buffer: body) : "")
    let detail = discretion.clean([headers.first(name: "dg-error") ?? "", words].first { !$0.isEmpty } ?? "")
    message += detail.isEmpty ? "." : ": \(detail)"
    if let seconds = headers.first(name: "retry-after").flatMap(Int.init), status.code == 429 {
      message += " It asks to wait \(seconds) s."
    }
    switch status.code {
    case 429: return fault("rate_limit_exceeded", message)
    case 408, 504: return fault("timeout", message)
    default: return fault(refusal?.isRateLimit ?? false ? "rate_limit_exceeded" : "refused", message)
    }
  }

  private func timeout(_ reason: Pulse.Stop) -> StageFault {
    switch reason {
    case .response: fault("timeout", "\(service) did not answer within \(limits.response).")
    case .idle: fault("timeout", "\(service) sent nothing more for \(limits.idle).")
    case .total: fault("timeout", "\(service) was not done within \(limits.total).")
    }
  }

  /// The words of the library are not used: some of them quote header values.
  private func fault(of error: any Error, hasReply: Bool) -> any Error {
    switch error {
    case is StageFault: return error
    case is JSONFault: return protocolError("sent something that is not JSON")
    case is ServerSentEvents.Fault: return protocolError("sent an event that is too long")
    case let error as HTTPClientError where error == .connectTimeout || error == .deadlineExceeded:
      return fault("timeout", "\(service) could not be connected to in time.")
    case let error as HTTPClientError where error == .invalidURL || error == .emptyHost || error == .emptyScheme:
      return fault("unreachable", "\(service) has an address that is no URL.")
    default:
      if hasReply { return protocolError("broke the connection off in the middle of the answer") }
      let reason = (error as? IOError).map { " (errno \($0.errnoCode))" } ?? ""
      return fault("unreachable", "\(service) cannot be reached\(reason).")
    }
  }
}

/// A successful response whose body is to be read. Single pass.
struct RemoteReply: Sendable {
  let response: HTTPClientResponse
  fileprivate let pulse: Pulse
  fileprivate let exchange: RemoteExchange

  /// The media type, in small letters and without parameters.
  var mediaType: String {
    let value = response.headers.first(name: "content-type") ?? ""
    return value.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
  }

  /// Hands each piece of the body over until there are no more or `take` returns false.
  func pieces(_ take: (ByteBuffer) throws -> Bool) async throws {
    var count = 0
    for try await piece in response.body {
      pulse.beat()
      count += piece.readableBytes
      guard count <= exchange.limits.bytes else { throw exchange.protocolError("sent too much") }
      guard try take(piece) else { return }
    }
    // The sequence may end instead of throwing when its task is cancelled.
    try Task.checkCancellation()
  }

  /// The whole body.
  func whole() async throws -> ByteBuffer {
    var whole = ByteBuffer()
    try await pieces {
      whole.writeImmutableBuffer($0)
      return true
    }
    return whole
  }

  /// At most `limit` bytes; what follows is not waited for.
  fileprivate func start(limit: Int) async throws -> ByteBuffer {
    var start = ByteBuffer()
    try await pieces { piece in
      start.writeImmutableBuffer(piece)
      return start.readableBytes < limit
    }
    return start
  }

  /// The body as one JSON value that reports no error.
  func json() async throws -> JSONValue {
    let value = try JSONValue(parsing: try await whole())
    if let refusal = RemoteRefusal(value) { throw exchange.refusal(refusal) }
    return value
  }

  /// Hands each event of the body over until there are no more or `take` returns false.
  func events(lineLimit: Int, _ take: (ServerSentEvents.Event) throws -> Bool) async throws {
    var parser = ServerSentEvents(limit: lineLimit)
    var wantsMore = true
    try await pieces { piece in
      for event in try parser.receive(piece.readableBytesView) where wantsMore { wantsMore = try take(event) }
      return wantsMore
    }
    if wantsMore, let event = try parser.finish() { _ = try take(event) }
  }
}

extension ServerSentEvents.Event {
  /// The mark behind the last event that OpenAI-compatible servers send.
  var isDone: Bool { data.utf8.count < 16 && data.trimmed == "[DONE]" }
}

/// When something was last heard of a service.
private final class Pulse: Sendable {
  enum Stop: Sendable { case response, idle, total }

  private struct State {
    var last = ContinuousClock.now
    var hasReply = false
  }

  private let begin = ContinuousClock.now
  private let state = Mutex(State())

  var hasReply: Bool { state.withLock { $0.hasReply } }

  func beat() {
    state.withLock {
      $0.last = .now
      $0.hasReply = true
    }
  }

  /// Returns when one of the limits is passed.
  func stop(_ limits: RemoteLimits) async throws -> Stop {
    while true {
      let (last, hasReply) = state.withLock { ($0.last, $0.hasReply) }
      let quiet = last + (hasReply ? limits.idle : limits.response)
      let deadline = min(quiet, begin + limits.total)
      if deadline <= .now { return quiet > deadline ? .total : hasReply ? .idle : .response }
      // The head may come while this sleeps, and then the idle limit holds.
      try await Task.sleep(until: min(deadline, .now + limits.idle), clock: .continuous)
    }
  }
}
