import Access
import Envelope
import Foundation
import Hummingbird
import Routing
import Translation

/// `/api/v1/keys`: who may connect. A key is told once, in the answer to the request that makes it.
struct KeyRoutes: Sendable {
  static let longestBody = 16_384
  private static let names = [
    "name", "prefix", "app", "expires_at", "expires_in", "publishable", "providers", "models", "origins", "limits",
    "dialect", "deltaField", "metadata",
  ]
  /// Seconds of `expires_in`: a second to a hundred years.
  static let lifetimes = 1...3_155_760_000

  let directory: KeyDirectory
  let now: @Sendable () -> Date

  private var unixTime: Int { Int(now().timeIntervalSince1970) }

  func add(to book: AdminBook) {
    book.get("/api/v1/keys") { request, _ in try await list(request) }
    book.post("/api/v1/keys") { request, _ in try await make(request) }
    book.delete("/api/v1/keys/{id}") { request, context in try await revoke(context.piece("id"), request) }
  }

  private func list(_ request: Request) async throws -> Response {
    let app = try QueryFields(request, known: ["app"]).value("app")
    let keys = try await directory.keys().filter { app == nil || $0.app == app }
    return OperatorSurface.json(
      .ok, JSONValue.object(["object": "list", "data": .array(keys.map { .object($0.json) })]).text)
  }

  private func make(_ request: Request) async throws -> Response {
    _ = try QueryFields(request, known: [])
    let body = try await JSONBody.object(request, most: Self.longestBody)
    let order = try order(body)
    let store = try directory.present()
    guard try await directory.apps().contains(where: { $0.app.name == order.app }) else {
      throw HTTPFault(.invalidValue(param: "app", because: "there is no app of this name."))
    }
    let time = unixTime
    guard try await !directory.keys().contains(where: { $0.name == order.name && $0.revokedAt == nil }) else {
      throw HTTPFault.conflict("name_taken", "There is a key of this name. Revoke it first.", param: "name")
    }
    var random = SystemRandomNumberGenerator()
    let made: (record: KeyRecord, key: Redacted<String>)
    do {
      made = try KeyRecord.make(order, unixTime: time, random: &random)
    } catch {
      throw HTTPFault(error)
    }
    try await Storage.asked { try await store.insert(made.record) }
    await directory.changed()
    var answer = made.record.json
    answer["key"] = .string(made.key.reveal())
    var response = OperatorSurface.json(.created, JSONValue.object(answer).text)
    response.headers[.cacheControl] = "no-store"
    return response
  }

  func order(_ body: JSONObject) throws(HTTPFault) -> KeyOrder {
    let fields = try BodyFields(body, known: Self.names)
    var order = KeyOrder(name: try fields.requiredString("name", most: 64))
    order.prefix = try fields.string("prefix", most: 16) ?? order.prefix
    order.app = try fields.string("app", most: 64) ?? order.app
    order.isPublishable = try fields.bool("publishable") ?? order.isPublishable
    order.expiresAt = try fields.integer("expires_at", 0...253_402_300_799)
    if let seconds = try fields.integer("expires_in", Self.lifetimes) {
      guard order.expiresAt == nil else {
        throw fields.invalid("expires_in", "it is given beside 'expires_at'.")
      }
      order.expiresAt = unixTime + seconds
    }
    // What keys and apps have in common.
    let shared = try AppRoutes.app(body)
    order.providers = shared.providers
    order.models = shared.models
    order.origins = shared.origins
    order.limits = shared.limits
    order.preference = shared.preference
    order.metadata = shared.metadata
    return order
  }

  private func revoke(_ id: String, _ request: Request) async throws -> Response {
    _ = try QueryFields(request, known: [])
    guard !directory.configuredKeys.contains(where: { $0.id == id }) else {
      throw HTTPFault.conflict(
        "key_is_configured", "This key stands in the configuration file; it is taken out there.", param: "id")
    }
    let missing = HTTPFault.notFound("There is no key of this id.", code: "key_not_found", param: "id")
    guard let store = directory.store else { throw missing }
    let time = unixTime
    guard let record = try await Storage.asked({ try await store.revoke(id: id, at: time) }) else { throw missing }
    await directory.changed()
    let answer: JSONObject = [
      "id": .string(record.id), "object": "key", "revoked_at": .number(JSONNumber(record.revokedAt ?? time)),
    ]
    return OperatorSurface.json(.ok, JSONValue.object(answer).text)
  }
}
