import Access
import HTTPWire
import Metering
import Routing

// What a client is told for whom there is no place.

extension FaultResponse {
  /// There is no place for one more session: in this gateway, or for this address.
  static func isFull(_ full: Overload.Full, contact: String) -> Refusal {
    switch full {
    case .gateway:
      tooMany(
        503, "gateway_overloaded", "The gateway serves as many sessions as it can. Try again later.", after: 10, contact
      )
    case .tooManyAtOnce:
      tooMany(
        503, "gateway_overloaded", "More connect at once than the gateway takes. Try again in a second.", after: 1,
        contact)
    case .holder(.address, let most):
      tooMany(
        429, "rate_limit_exceeded",
        "An address may have \(most) sessions at a time, and yours has them. End one, or try again later.", after: 10,
        contact)
    }
  }

  /// A limit of the provider, the app, the key or the token (R165, R286).
  static func isFull(_ refusal: LimitRefusal, contact: String) -> Refusal {
    if refusal.isTokenUsedUp { return self.refusal(for: AccessRefusal.tokenUsedUp, contact: contact) }
    let most = LimitDefinition.plain(refusal.most)
    let (who, has) =
      switch refusal.holder {
      case .provider(let name): ("Provider \"\(name)\"", "serves")
      case .app: ("This app", "may have")
      case .key: ("This API key", "may have")
      case .token: ("This token", "may have")
      }
    let code: String
    let text: String
    switch refusal.name {
    case .maxConnectsPerSecond:
      (code, text) = ("rate_limit_exceeded", "\(who) \(has) \(most) new sessions a second. Try again in a second.")
    case .maxMinutesPerDay, .maxMinutesPerSession:
      (code, text) = ("minutes_exhausted", "\(who) \(has) \(most) minutes a day, and they are used.")
    case .maxSessions, .maxEventsPerSecond:
      (code, text) = (
        "rate_limit_exceeded", "\(who) \(has) at most \(most) sessions at a time, and all are taken. Try again later."
      )
    }
    var answer = tooMany(429, code, text, after: refusal.retryAfterSeconds, contact)
    answer.param = refusal.name.rawValue
    return answer
  }

  private static func tooMany(
    _ status: Int, _ code: String, _ text: String, after seconds: Int, _ contact: String
  ) -> Refusal {
    Refusal(
      status: status, type: status == 429 ? "rate_limit_error" : "server_error", code: code,
      message: contact.isEmpty ? text : "\(text) \(contact)",
      fields: [RequestHead.Field(name: "Retry-After", value: "\(seconds)")])
  }
}
