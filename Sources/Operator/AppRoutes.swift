import Access
import Envelope
import Hummingbird
import Routing

/// `/api/v1/apps`: what keys and tokens have in common.
struct AppRoutes: Sendable {
  private static let names = ["name", "providers", "models", "limits", "dialect", "deltaField", "origins", "metadata"]

  let directory: KeyDirectory

  func add(to book: AdminBook) {
    book.get("/api/v1/apps") { request, _ in try await list(request) }
    book.post("/api/v1/apps") { request, _ in try await put(request) }
    book.delete("/api/v1/apps/{name}") { request, context in try await remove(context.piece("name"), request) }
  }

  private static func shown(_ app: App, isConfigured: Bool) -> JSONValue {
    var object = app.json
    object["source"] = .string((isConfigured ? KeyRecord.Source.configuration : .store).rawValue)
    return .object(object)
  }

  private func list(_ request: Request) async throws -> Response {
    _ = try QueryFields(request, known: [])
    let apps = try await directory.apps().map { Self.shown($0.app, isConfigured: $0.isConfigured) }
    return OperatorSurface.json(.ok, JSONValue.object(["object": "list", "data": .array(apps)]).text)
  }

  private func put(_ request: Request) async throws -> Response {
    _ = try QueryFields(request, known: [])
    let body = try await JSONBody.object(request, most: KeyRoutes.longestBody)
    let fields = try BodyFields(body, known: Self.names)
    _ = try fields.requiredString("name", most: 64)
    let app = try Self.app(body)
    try checkIsStored(app.name)
    let store = try directory.present()
    let isNew = try await Storage.asked { try await store.put(app) }
    await directory.changed()
    return OperatorSurface.json(isNew ? .created : .ok, Self.shown(app, isConfigured: false).text)
  }

  /// The members that apps have and keys have too.
  static func app(_ body: JSONObject) throws(HTTPFault) -> App {
    do {
      return try App(json: body)
    } catch {
      throw HTTPFault(error)
    }
  }

  private func checkIsStored(_ name: String) throws(HTTPFault) {
    guard !directory.configuredApps.contains(where: { $0.name == name }) else {
      throw .conflict(
        "app_is_configured", "This app stands in the configuration file; it is changed there.", param: "name")
    }
  }

  private func remove(_ name: String, _ request: Request) async throws -> Response {
    _ = try QueryFields(request, known: [])
    try checkIsStored(name)
    let missing = HTTPFault.notFound("There is no app of this name.", code: "app_not_found", param: "name")
    guard let store = directory.store else { throw missing }
    guard try await !directory.keys().contains(where: { $0.app == name && $0.revokedAt == nil }) else {
      throw HTTPFault.conflict("app_has_keys", "Keys belong to this app. Revoke them first.", param: "name")
    }
    guard try await Storage.asked({ try await store.removeApp(name) }) else { throw missing }
    await directory.changed()
    let answer: JSONObject = ["name": .string(name), "object": "app", "deleted": true]
    return OperatorSurface.json(.ok, JSONValue.object(answer).text)
  }
}
