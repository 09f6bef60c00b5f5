public import Access
import Envelope

extension HTTPFault {
  /// Who may not, at the upgrade or over HTTP, is told the same.
  public init(_ refusal: AccessRefusal, contact: String) {
    self.init(
      status: refusal.status, type: refusal.type, code: refusal.code, message: refusal.message(contact: contact),
      param: refusal.parameter)
    if let challenge = refusal.challenge { fields.append(Field(name: "WWW-Authenticate", value: challenge)) }
    if let seconds = refusal.retryAfterSeconds { fields.append(Field(name: "Retry-After", value: String(seconds))) }
  }

  init(_ fault: KeyFault) {
    self.init(.invalidValue(param: fault.parameter, because: fault.message + "."))
  }
}
