import ParleyTesting
import AsyncHTTPClient
import Envelope
import Foundation
import Metering
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing
import Translation

@testable import Ledger

/// A receiver that answers as it is told.
final class Receiver: Sendable {
  struct Request: Sendable {
    var uri: String
    var headers: HTTPHeaders
    var body: String
  }

  struct Answer: Sendable {
    var status: HTTPResponseStatus
    var headers: HTTPHeaders = [:]
  }

  private let requests = Mutex<[Request]>([])
  private let channel: any Channel
  let url: String

  var all: [Request] { requests.withLock { $0 } }

  init(_ answer: @escaping @Sendable (Int) -> Answer?) async throws {
    let seen = Mutex<(@Sendable (Request) -> Int)?>(nil)
    let note: @Sendable (Request) -> Int = { request in seen.withLock { $0 }?(request) ?? 0 }
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
          try channel.pipeline.syncOperations.addHandler(Handler(note: note, answer: answer))
        }
      }.bind(host: "127.0.0.1", port: 0).get()
    url = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)/usage"
    seen.withLock { seen in
      seen = { [weak self] request in
        self?.requests.withLock { requests in
          requests.append(request)
          return requests.count
        } ?? 0
      }
    }
  }

  func stop() async throws { try await channel.close() }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let note: @Sendable (Request) -> Int
    private let answer: @Sendable (Int) -> Answer?
    private var request = Request(uri: "", headers: [:], body: "")

    init(note: @escaping @Sendable (Request) -> Int, answer: @escaping @Sendable (Int) -> Answer?) {
      self.note = note
      self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): request = Request(uri: head.uri, headers: head.headers, body: "")
      case .body(let bytes): request.body += String(buffer: bytes)
      case .end:
        guard let answer = answer(note(request)) else { return }
        var headers = answer.headers
        headers.add(name: "content-length", value: "0")
        context.write(
          wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers))),
          promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      }
    }
  }
}

@Suite struct WebhookTests {
  static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }()

  private func webhook(_ receiver: Receiver, key: String? = "hook-key") -> Webhook {
    Webhook(url: receiver.url, key: key.map { Redacted($0) }, client: Self.client)
  }

  private func write(_ webhook: Webhook, _ records: [UsageRecord]) async throws {
    try await webhook.write(records, within: .seconds(20))
  }

  /// CloudEvents 1.0.2, "Context Attributes": what must be there, of what form, and what its batches are sent as.
  @Test("records are a batch of CloudEvents 1.0")
  func cloudEvents() async throws {
    let receiver = try await Receiver { _ in .init(status: .accepted) }
    var random = SplitMix64(seed: 13)
    let records = (0..<20).map { Records.random("r\($0)", using: &random) } + [Records.make("live", state: .live)]
    try await write(webhook(receiver), records)
    let request = try #require(receiver.all.first)
    #expect(request.uri == "/usage")
    #expect(request.headers["content-type"] == ["application/cloudevents-batch+json; charset=utf-8"])
    #expect(request.headers["authorization"] == ["Bearer hook-key"])
    let events = try #require(try JSONValue(parsing: request.body).array)
    #expect(events.count == records.count)
    for (event, record) in zip(events, records) {
      let fields = try #require(event.object)
      #expect(fields["specversion"] == "1.0")
      #expect(fields["id"]?.string == "\(record.id):\(record.sequence)")
      #expect(fields["source"]?.string?.isEmpty == false)
      #expect(fields["type"]?.string == (record.id == "live" ? "dev.parley.usage.updated" : "dev.parley.usage.ended"))
      #expect(fields["time"]?.string.flatMap { Timestamp($0) } == record.updatedAt)
      #expect(fields["datacontenttype"] == "application/json")
      #expect(try UsageRecord(json: try #require(fields["data"]?.object)) == record)
      // "MUST consist of lower-case letters or digits".
      for name in fields.keys { #expect(name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber) }) }
    }
    #expect(Set(events.compactMap { $0["id"]?.string }).count == events.count)
    try await receiver.stop()
  }

  @Test(
    "an answer that another try may change is tried again; one about the records is final",
    arguments: [
      (200, nil), (201, nil), (204, nil), (400, SinkFault.rejected("the webhook answers 400")),
      (413, .rejected("the webhook answers 413")), (422, .rejected("the webhook answers 422")),
      (401, .unavailable("the webhook answers 401")), (404, .unavailable("the webhook answers 404")),
      (408, .unavailable("the webhook answers 408")), (500, .unavailable("the webhook answers 500")),
      (503, .unavailable("the webhook answers 503")),
    ] as [(Int, SinkFault?)])
  func statuses(_ status: Int, _ fault: SinkFault?) async throws {
    let receiver = try await Receiver { _ in .init(status: .init(statusCode: status)) }
    if let fault {
      await #expect(throws: fault) { try await write(webhook(receiver), [Records.make("a")]) }
    } else {
      try await write(webhook(receiver), [Records.make("a")])
    }
    try await receiver.stop()
  }

  @Test(
    "429 waits as long as it is told, within an hour",
    arguments: [("7", 7), ("0", 0), ("99999999", 3_600), ("-5", 0), ("soon", nil)] as [(String, Int?)])
  func retryAfter(_ header: String, _ seconds: Int?) async throws {
    let receiver = try await Receiver { _ in .init(status: .tooManyRequests, headers: ["retry-after": header]) }
    let wanted = SinkFault.unavailable("the webhook answers 429", retryAfter: seconds.map { .seconds($0) })
    await #expect(throws: wanted) { try await write(webhook(receiver), [Records.make("a")]) }
    try await receiver.stop()
  }

  @Test("a redirect is not followed: neither records nor key go to another address")
  func redirect() async throws {
    let other = try await Receiver { _ in .init(status: .ok) }
    let url = other.url
    let receiver = try await Receiver { _ in .init(status: .temporaryRedirect, headers: ["location": url]) }
    await #expect(throws: SinkFault.unavailable("the webhook answers 307")) {
      try await write(webhook(receiver), [Records.make("a")])
    }
    #expect(other.all.isEmpty)
    try await receiver.stop()
    try await other.stop()
  }

  @Test("no answer is given up in time")
  func silence() async throws {
    let receiver = try await Receiver { _ in nil }
    let begin = ContinuousClock.now
    await #expect(throws: SinkFault.unavailable("it does not answer")) {
      try await webhook(receiver).write([Records.make("a")], within: .milliseconds(300))
    }
    #expect(begin.duration(to: .now) < .seconds(5))
    try await receiver.stop()
  }

  @Test("nobody there is no fault but a wait, and nothing of the key is said")
  func nobody() async throws {
    let webhook = Webhook(url: "http://127.0.0.1:1/", key: Redacted("hook-key"), client: Self.client)
    let fault = await #expect(throws: SinkFault.self) { try await write(webhook, [Records.make("a")]) }
    #expect(fault == .unavailable("it does not answer"))
    #expect(!"\(webhook)".contains("hook-key"))
  }
}
