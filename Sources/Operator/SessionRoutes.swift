public import Envelope
import Hummingbird

/// The sessions that run, for their operator.
public protocol SessionDesk: Sendable {
  /// All, those that began first at the front.
  func sessions() async -> [JSONObject]
  /// Nil where there is no such session.
  func session(_ id: String) async -> JSONObject?
  /// Ends a session with an `error` event and close code 1000. False where there is no such session.
  func end(_ id: String) async -> Bool
}

/// `/sessions`: what runs, and its end.
struct SessionRoutes: Sendable {
  let desk: any SessionDesk

  func add(to book: AdminBook) {
    book.get("/sessions") { request, _ in
      _ = try QueryFields(request, known: [])
      let sessions = await desk.sessions()
      return OperatorSurface.json(
        .ok,
        JSONValue.object([
          "sessions": .array(sessions.map { .object($0) }), "count": .number(JSONNumber(sessions.count)),
        ]).text)
    }
    book.get("/sessions/{id}") { request, context in
      _ = try QueryFields(request, known: [])
      guard let session = await desk.session(context.piece("id")) else { throw Self.missing }
      return OperatorSurface.json(.ok, JSONValue.object(session).text)
    }
    book.delete("/sessions/{id}") { request, context in
      _ = try QueryFields(request, known: [])
      let id = context.piece("id")
      guard await desk.end(id) else { throw Self.missing }
      return OperatorSurface.json(
        .ok, JSONValue.object(["id": .string(id), "object": "session", "ended": .bool(true)]).text)
    }
  }

  private static var missing: HTTPFault {
    HTTPFault.notFound("There is no running session of this id.", code: "session_not_found", param: "id")
  }
}
