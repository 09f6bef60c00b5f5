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
  private let responder: RouterResponder<OperatorContext>

  init(hasStore: Bool = true, adminKey: String? = TestSurface.admin, keys: [AccessKey] = [], apps: [App] = []) {
    let books = self.books
    let router = OperatorSurface.router(
      engine: .absent,
      sessions: SessionSurface(
        capabilities: ["object": "list"],
        catalogue: Catalogue(models: [], defaultProvider: "gemini", providers: ["gemini"]) { provider in
          Catalogue.Voices(provider: provider, source: .table, data: [])
        },
        gate: { request, _, _ in
          request.headers[.authorization] == "Bearer \(FakeTokenDesk.key)" ? nil : HTTPFault(.noCredential, contact: "")
        }),
      tokens: desk,
      admin: AdminSurface(
        gate: AdminGate(key: adminKey.map { Redacted($0) }, contact: "Ask us."),
        keys: KeyDirectory(
          configuredKeys: keys.compactMap { KeyRecord($0) }, configuredApps: apps, store: hasStore ? books : nil,
          changed: { books.countChange() }),
        usage: hasStore ? books : nil),
      now: { Date(timeIntervalSince1970: TimeInterval(Self.now)) })
    responder = router.buildResponder()
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
    fields: HTTPFields = [:]
  ) async throws -> Answer {
    var head = HTTPRequest(method: method, scheme: "http", authority: "parley.test:8787", path: target)
    head.headerFields = fields
    if let key, fields[.authorization] == nil { head.headerFields[.authorization] = "Bearer \(key)" }
    if let body {
      head.headerFields[.contentLength] = String(body.utf8.count)
      if fields[.contentType] == nil { head.headerFields[.contentType] = "application/json" }
    }
    let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
    let response = try await responder.respond(
      to: request, context: OperatorContext(coreContext: CoreRequestContextStorage(source: Source())))
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
