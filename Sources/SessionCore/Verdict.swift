import Translation

/// What an upstream's end means to the client where the provider's own rules say nothing (fault table, section 6, and its
/// rows 21 and 42-46): 1013 where trying again may help, 1014 where it cannot, 1000 where all was said.
enum UpstreamVerdicts {
  static func on(_ end: UpstreamEnd) -> UpstreamVerdict {
    switch end {
    case .unreachable:
      verdict("upstream_unreachable", "The provider could not be reached.", .mayRecover)
    case .nameNotFound:
      verdict("upstream_unreachable", "The provider's address could not be resolved.", .mayRecover)
    case .addressRefused:
      verdict("upstream_unreachable", "The provider could not be reached.", .isFinal)
    case .proxyFailed:
      verdict("upstream_unreachable", "The provider could not be reached.", end.isFinal ? .isFinal : .mayRecover)
    case .tlsRefused:
      verdict("upstream_tls_failed", "The provider's certificate could not be verified.", .isFinal)
    case .timedOut(let phase):
      verdict("upstream_timeout", "The provider did not answer in time (\(phase.rawValue)).", .mayRecover)
    case .refused(let status, let retryAfter):
      refused(status, retryAfter)
    case .badHandshake, .framingBroken:
      verdict("upstream_protocol_error", "The provider broke the WebSocket protocol.", .isFinal)
    case .closed(let code, _):
      closed(code)
    case .lost:
      verdict("upstream_lost", "The connection to the provider was lost.", .mayRecover)
    }
  }

  /// The provider said goodbye in the middle of a turn (fault row 46).
  static let cutShort = verdict(
    "upstream_closed", "The provider ended the session in the middle of a response.", .mayRecover)

  static func on(_ fault: TranslationFault) -> UpstreamVerdict {
    switch fault {
    case .malformedMessage, .unexpectedMessage:
      verdict("upstream_protocol_error", "The provider sent a message that is not part of its protocol.", .isFinal)
    case .refused(let verdict):
      verdict
    }
  }

  private static func refused(_ status: Int, _ retryAfter: Int?) -> UpstreamVerdict {
    switch status {
    case 401, 403:
      return verdict("upstream_credentials_refused", "The provider refused the gateway's credentials.", .isFinal)
    case 404:
      return verdict("upstream_not_found", "The provider has no such endpoint or model.", .isFinal)
    case 429:
      let wait = retryAfter.map { " Retry after \($0) seconds." } ?? ""
      return verdict("rate_limit_exceeded", "The provider's rate limit is reached." + wait, .isFinal)
    case 500...599:
      return verdict("upstream_refused", "The provider is not available (\(status)).", .mayRecover)
    default:
      return verdict("upstream_refused", "The provider refused the connection (\(status)).", .isFinal)
    }
  }

  private static func closed(_ code: UInt16) -> UpstreamVerdict {
    switch code {
    case 1000:
      verdict("upstream_closed", "The provider ended the session.", .isComplete)
    case 1001, 1005, 1011, 1012, 1013:
      verdict("upstream_closed", "The provider closed the connection (\(code)).", .mayRecover)
    default:
      verdict("upstream_closed", "The provider closed the connection (\(code)).", .isFinal)
    }
  }

  private static func verdict(_ code: String, _ message: String, _ outlook: UpstreamVerdict.Outlook) -> UpstreamVerdict
  {
    UpstreamVerdict(code: code, message: message, outlook: outlook)
  }
}

extension UpstreamVerdict.Outlook {
  /// The close code that the client gets.
  var closeCode: UInt16 {
    switch self {
    case .mayRecover: 1013
    case .isFinal: 1014
    case .isComplete: 1000
    }
  }
}
