public import Translation

import Envelope

/// What the service's ways of ending mean: it says its errors as close codes with a reason of at most 123 bytes.
///
/// The reason is matched, never copied to the client.
enum GeminiLiveVerdict {
  private enum Subject { case credentials, quota, model, setUp, service }

  static func onClose(code: UInt16, reason: String, isSetUp: Bool) -> UpstreamVerdict? {
    guard code != 1000, code != 1001 else { return nil }
    switch subject(code: code, reason: reason, isSetUp: isSetUp) {
    case .credentials:
      return UpstreamVerdict(
        code: "upstream_credentials_refused", message: "The provider refused the gateway's credentials or region.",
        outlook: .isFinal)
    case .quota:
      return UpstreamVerdict(
        code: "rate_limit_exceeded", message: "The provider's quota is used up.", outlook: .isFinal)
    case .model:
      return UpstreamVerdict(
        type: "invalid_request_error", code: "model_not_found",
        message: "The provider does not offer this model for live sessions.", param: "session.model", outlook: .isFinal)
    case .setUp:
      return UpstreamVerdict(
        type: "invalid_request_error", code: "upstream_setup_rejected",
        message: "The provider closed the connection during setup (\(code)).", param: "session", outlook: .isFinal)
    case .service:
      return UpstreamVerdict(
        code: "upstream_closed", message: "The provider closed the connection (\(code)).",
        outlook: code == 1011 || code == 1012 || code == 1013 ? .mayRecover : .isFinal)
    }
  }

  private static func subject(code: UInt16, reason: String, isSetUp: Bool) -> Subject {
    let reason = reason.lowercased()
    func says(_ words: String...) -> Bool { words.contains { reason.contains($0) } }
    if says("api key", "user location", "used too many times", "credential", "unauthenticated", "permission") {
      return .credentials
    }
    if says("quota", "resource exhausted", "rate limit") { return .quota }
    if code == 1008, says("is not found for api version", "model was not found", "not supported for bidi") {
      return .model
    }
    return isSetUp && code == 1007 ? .setUp : .service
  }

  /// An error as a JSON message: `{"error":{"code":…,"message":…,"status":…}}`.
  static func onErrorMessage(_ error: JSONValue) -> UpstreamVerdict {
    let status = error["code"]?.int ?? 0
    if status == 429 {
      return UpstreamVerdict(
        code: "rate_limit_exceeded", message: "The provider's quota is used up.", outlook: .isFinal)
    }
    return UpstreamVerdict(
      code: "upstream_error", message: "The provider reported an error (\(status)).",
      outlook: status >= 500 ? .mayRecover : .isFinal)
  }
}

extension GeminiLiveTranslator {
  public func verdict(on end: UpstreamEnd) -> UpstreamVerdict? {
    guard case .closed(let code, let reason) = end else { return nil }
    return GeminiLiveVerdict.onClose(code: code, reason: reason, isSetUp: connection != .ready)
  }
}
