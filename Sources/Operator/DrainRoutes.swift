public import Envelope
import Hummingbird

/// Takes the gateway out of service: no more sessions, and those that run end with their turn.
public protocol DrainDesk: Sendable {
  /// Begins to drain. Where that is under way already, it only brings the end nearer: an earlier end of the grace, and the
  /// end of the process behind it.
  ///
  /// - Parameters:
  ///   - grace: for sessions that are in a turn; nil for the configured one.
  ///   - exits: whether the process ends when the sessions have.
  func begin(grace: Duration?, exits: Bool)

  /// `draining`, and while it does: `startedAt`, `deadline`, `sessions`, `midTurn`, `ended`.
  func standing() async -> JSONObject
}

/// `/drain`: out of service without a dropped call (fault row 57).
struct DrainRoutes: Sendable {
  static let longestBody = 1_024
  /// As the limit `drainGraceSeconds`.
  private static let graceBounds = 0.0...3_600

  let desk: any DrainDesk

  func add(to book: AdminBook) {
    book.get("/drain") { request, _ in
      _ = try QueryFields(request, known: [])
      return OperatorSurface.json(.ok, JSONValue.object(await desk.standing()).text)
    }
    book.post("/drain") { request, _ in
      _ = try QueryFields(request, known: [])
      let fields = try BodyFields(
        try await JSONBody.objectOrNothing(request, most: Self.longestBody, anyType: true),
        known: ["graceSeconds", "exit"])
      let grace = try fields.decimal("graceSeconds", Self.graceBounds)
      let exits = try fields.bool("exit") ?? false
      desk.begin(grace: grace.map { .milliseconds(Int($0 * 1_000)) }, exits: exits)
      return OperatorSurface.json(.ok, JSONValue.object(await desk.standing()).text)
    }
  }
}
