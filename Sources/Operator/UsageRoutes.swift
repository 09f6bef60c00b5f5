import Envelope
import Foundation
import HTTPTypes
import Hummingbird
import Metering
import Routing

/// `/api/v1/usage/summary` and `/api/v1/usage/events`: what voice and text have cost, from one place (R004, R041 to
/// R043).
struct UsageRoutes: Sendable {
  /// Nil with `"ledger": "none"`.
  let store: (any UsageStore)?
  let now: @Sendable () -> Date

  func add(to book: AdminBook) {
    book.get("/api/v1/usage/summary") { request, _ in try await summary(request) }
    book.get("/api/v1/usage/events") { request, _ in try await events(request) }
    book.post("/api/v1/usage/events") { request, _ in try await post(request) }
  }

  private func summary(_ request: Request) async throws -> Response {
    _ = try QueryFields(request, known: UsageQuery.parameters)
    let query = try Self.query(request) { (values) throws(UsageQueryFault) in try UsageQuery(parsing: values) }
    let store = try present()
    let summary = try await Storage.asked { try await store.summary(query) }
    return OperatorSurface.json(.ok, JSONValue.object(summary.json).text)
  }

  /// A bare array with the newest last, as `jq '.[-1]'` wants it (R018, R041); where the older ones are stands in
  /// header fields.
  private func events(_ request: Request) async throws -> Response {
    _ = try QueryFields(request, known: EventQuery.parameters)
    let query = try Self.query(request) { (values) throws(UsageQueryFault) in try EventQuery(parsing: values) }
    let store = try present()
    let page = try await Storage.asked { try await store.events(query) }
    let moment = Timestamp(milliseconds: Int(now().timeIntervalSince1970 * 1000))
    let events = JSONValue.array(page.records.map { .object($0.read(at: moment).json) })
    var response = OperatorSurface.json(.ok, events.text)
    if let cursor = page.older?.text, let name = HTTPField.Name("X-Next-Cursor"), let link = HTTPField.Name("Link") {
      response.headers[name] = cursor
      response.headers[link] = "<\(Self.next(request, cursor))>; rel=\"next\""
    }
    return response
  }

  /// The address of the next page: this one's, with another cursor.
  private static func next(_ request: Request, _ cursor: String) -> String {
    let rest = (request.uri.query ?? "").split(separator: "&").filter { !$0.hasPrefix("cursor=") }
    return request.uri.path + "?" + (rest.map(String.init) + ["cursor=\(cursor)"]).joined(separator: "&")
  }

  private func post(_ request: Request) async throws -> Response {
    _ = try QueryFields(request, known: [])
    let body = try await JSONBody.read(request, most: PostedUsage.longestBody)
    let moment = Timestamp(milliseconds: Int(now().timeIntervalSince1970 * 1000))
    let records = try PostedUsage.records(body, at: moment)
    let store = try present()
    let count = try await Storage.asked { try await store.insert(records) }
    let answer: JSONObject = [
      "object": "list", "accepted": .number(JSONNumber(count.accepted)),
      "duplicates": .number(JSONNumber(count.duplicates)), "ids": .array(records.map { .string($0.id) }),
    ]
    return OperatorSurface.json(.created, JSONValue.object(answer).text)
  }

  private func present() throws(HTTPFault) -> any UsageStore {
    guard let store else {
      throw HTTPFault(
        status: 501, type: "server_error", code: "no_ledger",
        message: "This server keeps no usage: its configuration says \"ledger\": \"none\".")
    }
    return store
  }

  private static func query<Query>(
    _ request: Request, _ read: (@escaping (String) -> [String?]) throws(UsageQueryFault) -> Query
  ) throws(HTTPFault) -> Query {
    let target = RequestTarget(request.uri.string)
    do {
      return try read { target.values(of: $0) }
    } catch {
      throw HTTPFault(status: 400, code: "invalid_value", message: error.message, param: error.param)
    }
  }
}
