/// Judgements about hosts as they are written, without asking a name server.
public enum NetworkAddress {
  /// 127.0.0.0/8, ::1, the same mapped into IPv6, or `localhost`. Other names are not: what they resolve to may change.
  ///
  /// - Parameter host: an address without brackets and port, or a name.
  public static func isLoopback(_ host: String) -> Bool {
    if host.lowercased() == "localhost" { return true }
    guard let address = IPAddress(host)?.unmapped else { return false }
    return address.bytes.first == 127 && !address.isIPv6 || address == IPAddress("::1")
  }

  static func isIPv6(_ host: String) -> Bool { IPAddress(host)?.isIPv6 ?? false }

  /// An IP address or a name of letters, digits, hyphens, dots and underscores.
  public static func isHost(_ host: String) -> Bool {
    if IPAddress(host) != nil { return true }
    guard (1...253).contains(host.utf8.count) else { return false }
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    // All digits in the last label: an address with a mistake (RFC 3986 would take it for a name).
    guard let last = labels.last, !last.utf8.allSatisfy(\.isDigit) else { return false }
    return labels.allSatisfy { label in
      (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
        && label.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == 0x2D || $0 == 0x5F }
    }
  }

  /// As it stands in a URL or before a port: IPv6 in brackets.
  static func bracketed(_ host: String) -> String { isIPv6(host) ? "[\(host)]" : host }
}
