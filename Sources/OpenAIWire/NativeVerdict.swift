public import Translation

/// What the close codes of the OpenAI service mean: 3000 is for credentials and 4000 for the shape of the request, after an
/// `error` event that the translator keeps back.
public enum NativeVerdict {
  public static func on(_ end: UpstreamEnd) -> UpstreamVerdict? {
    guard case .closed(let code, let reason) = end else { return nil }
    switch code {
    case 3000:
      return UpstreamVerdict(
        code: "upstream_credentials_refused", message: "The provider refused the gateway's credentials.",
        outlook: .isFinal)
    case 4000:
      let isModel = reason.contains("invalid_model") || reason.contains("missing_model")
      return UpstreamVerdict(
        type: "invalid_request_error", code: isModel ? "model_not_found" : "upstream_request_refused",
        message: isModel ? "The provider does not offer this model." : "The provider refused the session's request.",
        param: isModel ? "session.model" : nil, outlook: .isFinal)
    case 1001:
      return UpstreamVerdict(
        code: "session_expired", message: "The provider ended the session at its maximum duration.",
        outlook: .mayRecover)
    default:
      return nil
    }
  }
}
