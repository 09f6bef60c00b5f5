/// Whose doing an error is that a client was told.
public enum ErrorSource: String, Sendable, Hashable, CaseIterable {
  /// The client's own: an event that cannot be carried out, or one too many.
  case downstream
  /// The provider's, or that of the way to it.
  case upstream
  /// The gateway's, which goes down or has no room.
  case gateway

  private static let own: Set<String> = ["session_ended_by_operator", "internal_error"]

  /// - Parameters:
  ///   - type: of the error event.
  ///   - code: of the error event; those of the gateway's own faults begin with `gateway_`.
  public init(type: String, code: String?) {
    switch (type, code) {
    case (_, let code?) where code.hasPrefix("upstream_"): self = .upstream
    case (_, let code?) where code.hasPrefix("gateway_") || Self.own.contains(code): self = .gateway
    case ("invalid_request_error", _), ("rate_limit_error", _): self = .downstream
    default: self = .upstream
    }
  }
}

/// How many errors a client was told, by their source.
public struct ErrorTally: Sendable, Hashable {
  private var downstream = 0
  private var upstream = 0
  private var gateway = 0

  public init() {}

  public subscript(source: ErrorSource) -> Int {
    switch source {
    case .downstream: downstream
    case .upstream: upstream
    case .gateway: gateway
    }
  }

  public mutating func count(_ source: ErrorSource) {
    switch source {
    case .downstream: downstream &+= 1
    case .upstream: upstream &+= 1
    case .gateway: gateway &+= 1
    }
  }
}
