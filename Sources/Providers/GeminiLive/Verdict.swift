public import Translation

import Envelope

/// What the service's ways of ending mean: it says its errors as close codes with a reason of at most 123 bytes.
///
/// The reason is matched, never copied to the client.
enum GeminiLiveVerdict {
  private enum Subject { case credentials, quota, model, modality, field(String), setUp, service }

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
    case .modality:
      return UpstreamVerdict(
        type: "invalid_request_error", code: "upstream_setup_rejected",
        message: "The model cannot answer in what was asked for.", param: "session.output_modalities",
        outlook: .isFinal)
    case .field(let name):
      return UpstreamVerdict(
        type: "invalid_request_error", code: "upstream_setup_rejected",
        message: "The provider does not know the field '\(name)'.", param: "session", outlook: .isFinal)
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
    guard isSetUp, code == 1007 else { return .service }
    if says("response modalities") { return .modality }
    return unknownField(in: reason).map { .field($0) } ?? .setUp
  }

  /// `Unknown name "x" at 'y': Cannot find field.`; only what can be no secret.
  private static func unknownField(in reason: String) -> String? {
    guard reason.contains("cannot find field") else { return nil }
    let parts = reason.split(separator: "\"", omittingEmptySubsequences: false)
    guard parts.count >= 3, (1...64).contains(parts[1].utf8.count),
      parts[1].utf8.allSatisfy({ $0 == UInt8(ascii: "_") || ("a"..."z").contains(Character(Unicode.Scalar($0))) })
    else { return nil }
    return String(parts[1])
  }

  /// Statuses in place of the 101: the service says 400 to a key that it does not know.
  static func onRefusal(status: Int) -> UpstreamVerdict? {
    guard status == 400 else { return nil }
    return UpstreamVerdict(
      code: "upstream_credentials_refused", message: "The provider refused the gateway's credentials or region.",
      outlook: .isFinal)
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
    if case .refused(let status, _) = end { return GeminiLiveVerdict.onRefusal(status: status) }
    guard case .closed(let code, let reason) = end else { return nil }
    // The call is not over when another connection cannot be had.
    let goodbye = UpstreamVerdict(
      code: "upstream_closed", message: "The provider closed the connection (\(code)).", outlook: .mayRecover)
    if renewal.isUnderWay, code == 1000 || code == 1001 { return goodbye }
    var verdict = GeminiLiveVerdict.onClose(code: code, reason: reason, isSetUp: connection != .ready)
    // The client's own values: it may know by which of its events it gave them.
    if connection != .ready, verdict?.param != nil { verdict?.eventID = renewal.updateEventID }
    return verdict
  }
}
