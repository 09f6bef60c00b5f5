public import Envelope
import Foundation
import HTTPTypes
import Hummingbird
import LocalVoiceProvider
import VoiceEngine

/// Whether this process can serve, and with what: for health checks of containers and load balancers (R073, R074, R107).
public struct HealthStanding: Sendable {
  public enum Status: String, Sendable, CaseIterable {
    case ok
    /// It is about to stop, and takes no new session.
    case draining
    /// As many sessions as may be, or no memory for another.
    case full
    /// No provider of the configuration can be used.
    case unavailable

    var answer: HTTPResponse.Status { self == .ok ? .ok : .serviceUnavailable }
  }

  public enum ProviderState: String, Sendable, CaseIterable {
    case available
    /// Its secret is absent, or the engine is.
    case unavailable
    /// Sessions of late could not be begun there.
    case failing
  }

  public var status: Status
  /// What the voice engine consists of, by stage; nil where there is none.
  public var engine: JSONValue?
  /// In the order of the configuration.
  public var providers: [(name: String, state: ProviderState)]
  /// How many there are.
  public var sessions: Int

  public init(
    status: Status, engine: JSONValue? = nil, providers: [(name: String, state: ProviderState)] = [], sessions: Int = 0
  ) {
    self.status = status
    self.engine = engine
    self.providers = providers
    self.sessions = sessions
  }
}

/// Knows how the process stands. It is asked at each health check, and answers at once, from memory.
public protocol HealthDesk: Sendable {
  func standing() async -> HealthStanding
}

/// `GET /health`, `/health/ready` and `/health/live`, open to everybody.
struct HealthRoutes: Sendable {
  let desk: any HealthDesk
  let now: @Sendable () -> Date

  func add(to book: RouteBook) {
    for path in ["/health", "/health/ready"] {
      book.get(path) { _, _ in
        let standing = await desk.standing()
        return answer(standing.status.answer, shown(standing))
      }
    }
    // Whoever answers lives; what it can do at the moment is another question.
    book.get("/health/live") { _, _ in answer(.ok, ["status": "ok", "timestamp": stamp]) }
  }

  private var stamp: JSONValue {
    .string(now().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
  }

  private func shown(_ standing: HealthStanding) -> JSONObject {
    var object: JSONObject = ["status": .string(standing.status.rawValue), "timestamp": stamp]
    if let engine = standing.engine, !engine.isNull { object["engine"] = engine }
    var providers = JSONObject()
    for provider in standing.providers { providers[provider.name] = ["state": .string(provider.state.rawValue)] }
    object["providers"] = .object(providers)
    object["sessions"] = .number(JSONNumber(standing.sessions))
    return object
  }

  private func answer(_ status: HTTPResponse.Status, _ object: JSONObject) -> Response {
    var response = OperatorSurface.json(status, JSONValue.object(object).text)
    response.headers[.cacheControl] = "no-store"
    return response
  }
}

/// Where nobody knows more than that there is a process, and which engine it has.
struct BareHealth: HealthDesk {
  let engine: VoiceEngine

  func standing() async -> HealthStanding {
    HealthStanding(status: .ok, engine: engine.isPresent ? engine.profile.description : nil)
  }
}
