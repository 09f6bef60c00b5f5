import Access
import Envelope
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Routing
import Synchronization
import Testing
import Translation
import VoiceEngine

@testable import Operator

/// A router and what is behind it, asked without a connection.
struct TestSurface {
  static let admin = "admin-key-0123456789"
  /// 2026-01-01T01:03:55Z
  static let now = FakeTokenDesk.issuedAt

  let books = FakeBooks()
  let desk = FakeTokenDesk()
  /// What its `/metrics` says.
  static let metrics = "# TYPE parley_draining gauge\nparley_draining 0\n"

  private let responder: RouterResponder<OperatorContext>
  let paths: PathTable

  /// - Parameters:
  ///   - metricsAreOpen: to everybody.
  ///   - serves: what the listener serves.
  init(
    hasStore: Bool = true, adminKey: String? = TestSurface.admin, keys: [AccessKey] = [], apps: [App] = [],
    health: (any HealthDesk)? = nil, running: FakeOperatorDesk? = nil, metricsAreOpen: Bool = false,
    serves: Set<Listener.Service> = Listener.Service.all
  ) {
    let books = self.books
    let adminGate = AdminGate(key: adminKey.map { Redacted($0) }, contact: "Ask us.")
    let admin = AdminSurface(
      gate: adminGate,
      keys: KeyDirectory(
        configuredKeys: keys.compactMap { KeyRecord($0) }, configuredApps: apps, store: hasStore ? books : nil,
        changed: { books.countChange() }),
      usage: hasStore ? books : nil, configuration: running, sessions: running, drain: running)
    let metrics: @Sendable () -> String = { Self.metrics }
    let book = OperatorSurface.book(
      engine: .absent, sessions: serves.contains(.sessions) ? Self.sessions : nil,
      tokens: serves.contains(.tokens) ? desk : nil, admin: serves.contains(.admin) ? admin : nil, health: health,
      metrics: serves.contains(.metrics) ? metrics : nil, metricsGate: metricsAreOpen ? nil : adminGate,
      now: { Date(timeIntervalSince1970: TimeInterval(Self.now)) })
    responder = book.router.buildResponder()
    paths = book.paths
  }

  private static var sessions: SessionSurface {
    SessionSurface(
      capabilities: ["object": "list"],
      catalogue: Catalogue(models: [], defaultProvider: "gemini", providers: ["gemini"]) { provider in
        Catalogue.Voices(provider: provider, source: .table, data: [])
      },
      gate: { request, _, _ in
        request.headers[.authorization] == "Bearer \(FakeTokenDesk.key)" ? nil : HTTPFault(.noCredential, contact: "")
      })
  }

  struct Answer {
    var status: Int
    var headers: HTTPFields
    var text: String

    var json: JSONValue { (try? JSONValue(parsing: ByteBuffer(string: text).readableBytesView)) ?? .null }
    var code: String? { json["error"]?["code"]?.string }
    var param: String? { json["error"]?["param"]?.string }
  }

  private struct Source: RequestContextSource {
    let logger = Logger(label: "test")
  }

  /// - Parameter fields: beside the operator's key, which is sent unless `key` says otherwise.
  func ask(
    _ method: HTTPRequest.Method, _ target: String, _ body: String? = nil, key: String? = TestSurface.admin,
    fields: HTTPFields = [:], peer: SocketAddress? = nil, authority: String = "parley.test:8787"
  ) async throws -> Answer {
    var head = HTTPRequest(method: method, scheme: "http", authority: authority, path: target)
    head.headerFields = fields
    if let key, fields[.authorization] == nil { head.headerFields[.authorization] = "Bearer \(key)" }
    if let body {
      head.headerFields[.contentLength] = String(body.utf8.count)
      if fields[.contentType] == nil { head.headerFields[.contentType] = "application/json" }
    }
    let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
    let response = try await responder.respond(
      to: request, context: OperatorContext(coreContext: CoreRequestContextStorage(source: Source()), peer: peer))
    let writer = Collector()
    try await response.body.write(writer)
    return Answer(
      status: response.status.code, headers: response.headers, text: String(buffer: writer.buffer.take()))
  }
}

/// Takes a body.
private struct Collector: ResponseBodyWriter {
  final class Store: Sendable {
    private let bytes = Mutex(ByteBuffer())
    func add(_ more: ByteBuffer) { bytes.withLock { _ = $0.writeImmutableBuffer(more) } }
    func take() -> ByteBuffer { bytes.withLock { $0 } }
  }

  let buffer = Store()

  mutating func write(_ buffer: ByteBuffer) async throws { self.buffer.add(buffer) }
  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
