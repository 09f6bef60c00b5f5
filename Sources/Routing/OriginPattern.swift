/// Web pages by their origin (RFC 6454): `https://app.example`, `http://localhost:3000`, `https://*.example.com` for every
/// name below that one but not itself, or `*` for every page.
public struct OriginPattern: Sendable, Hashable, CustomStringConvertible {
  private enum Form: Sendable, Hashable {
    case any
    case one(Origin)
    /// The scheme and port of the origin; its host is what stands behind the asterisk, without the dot.
    case below(Origin)
  }

  private let form: Form
  /// As it was written.
  public let description: String

  /// Nil if the text is no origin: one with a path or a slash at its end, a name that is not ASCII (browsers send
  /// `xn--…`), an asterisk elsewhere than before the first dot.
  public init?(_ text: String) {
    description = text
    if text == "*" {
      form = .any
    } else if let asterisk = text.firstRange(of: "://*.") {
      guard let origin = Origin(text[..<asterisk.lowerBound] + "://" + text[asterisk.upperBound...]),
        IPAddress(origin.host) == nil
      else { return nil }
      form = .below(origin)
    } else {
      guard let origin = Origin(text[...]) else { return nil }
      form = .one(origin)
    }
  }

  /// Whether the field `Origin` of a request says one of these pages. It is compared whole: a page at another port, of
  /// another scheme, or whose host only begins or ends alike is another (fault row 19).
  public func admits(_ origin: String) -> Bool {
    if case .any = form { return true }
    guard let origin = Origin(origin[...]) else { return false }
    return switch form {
    case .any: true
    case .one(let one): origin == one
    case .below(let parent):
      origin.scheme == parent.scheme && origin.port == parent.port && origin.host.hasSuffix("." + parent.host)
    }
  }

  /// An origin's parts as they are compared: scheme and host in lower case, the port also where it is the scheme's own.
  private struct Origin: Sendable, Hashable {
    var scheme: String
    var host: String
    var port: Int?

    init?(_ text: Substring) {
      guard text.utf8.count <= 512, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
        let separator = text.firstRange(of: "://")
      else { return nil }
      scheme = text[..<separator.lowerBound].lowercased()
      let extra = Set("+-.".utf8)
      guard let first = scheme.utf8.first, first.isLetter,
        scheme.utf8.allSatisfy({ $0.isLetter || $0.isDigit || extra.contains($0) })
      else { return nil }
      let authority = text[separator.upperBound...]
      let rest: Substring
      if authority.hasPrefix("[") {
        guard let end = authority.firstIndex(of: "]") else { return nil }
        host = authority[authority.index(after: authority.startIndex)..<end].lowercased()
        rest = authority[authority.index(after: end)...]
        guard NetworkAddress.isIPv6(host) else { return nil }
      } else {
        host = authority.prefix { $0 != ":" }.lowercased()
        rest = authority[authority.index(authority.startIndex, offsetBy: host.count)...]
        guard NetworkAddress.isHost(host), !NetworkAddress.isIPv6(host) else { return nil }
      }
      let usual = ["http": 80, "ws": 80, "https": 443, "wss": 443][scheme]
      if rest.isEmpty {
        port = usual
      } else {
        let digits = rest.dropFirst()
        guard rest.hasPrefix(":"), (1...5).contains(digits.count), digits.utf8.allSatisfy(\.isDigit),
          let number = Int(digits), (1...65_535).contains(number)
        else { return nil }
        port = number
      }
    }
  }
}
