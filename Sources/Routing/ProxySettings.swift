public import Translation

import Foundation

/// An HTTP proxy that connections go through by CONNECT.
public struct ProxyServer: Sendable {
  /// A name or an IP address, without brackets.
  public let host: String
  public let port: Int
  /// `user:password`, as it is before base64 (RFC 7617); nil where the URL has none.
  public let credentials: Redacted<String>?

  public init(host: String, port: Int, credentials: Redacted<String>? = nil) {
    self.host = host
    self.port = port
    self.credentials = credentials
  }

  /// `host:port`, for the log.
  public var address: String { "\(NetworkAddress.bracketed(host)):\(port)" }
}

/// Through which proxies connections leave: the variables that command lines share (`HTTPS_PROXY` and its kin), read once.
public struct ProxySettings: Sendable {
  /// Every connection goes straight to its host.
  public static let none = ProxySettings()

  /// For `wss` and `https`.
  public private(set) var secure: ProxyServer?
  /// For `ws` and `http`.
  public private(set) var plain: ProxyServer?
  private var exceptions: [Exception] = []

  private init() {}

  /// Lower case wins over upper case, an empty variable is none, and `ALL_PROXY` stands in for what is absent.
  ///
  /// - Parameter environment: the process's. `HTTP_PROXY` does not count where `REQUEST_METHOD` is set: a web server's
  ///   scripts get a client's `Proxy` header in it.
  /// - Throws: if a proxy that would be used cannot be.
  public init(environment: [String: String]) throws(ProxyFault) {
    func variable(_ names: String...) -> (name: String, value: String)? {
      names.lazy.compactMap { name in environment[name].map { (name, $0) } }.first { !$0.value.isEmpty }
    }
    let everything = variable("all_proxy", "ALL_PROXY")
    let isScript = environment["REQUEST_METHOD"] != nil
    let http = isScript ? variable("http_proxy") : variable("http_proxy", "HTTP_PROXY")
    if let setting = variable("https_proxy", "HTTPS_PROXY") ?? everything {
      secure = try ProxyServer(url: setting.value, variable: setting.name)
    }
    if let setting = http ?? everything { plain = try ProxyServer(url: setting.value, variable: setting.name) }
    let list = variable("no_proxy", "NO_PROXY")?.value ?? ""
    exceptions = list.split { $0 == "," || $0.isWhitespace }.map { Exception(String($0)) }
  }

  /// The proxy of a connection; nil if it goes straight. Loopback always does.
  public func proxy(isSecure: Bool, host: String, port: Int) -> ProxyServer? {
    guard let proxy = isSecure ? secure : plain, !NetworkAddress.isLoopback(host) else { return nil }
    let name = Exception.plain(host)
    let address = IPAddress(name)?.unmapped
    return exceptions.contains { $0.covers(name, address, port: port) } ? nil : proxy
  }
}

extension ProxySettings {
  /// An entry of `NO_PROXY`.
  private struct Exception: Sendable {
    private enum Hosts: Sendable {
      case all
      /// The name and the names below it.
      case domain(String)
      /// The names below it.
      case subdomains(String)
      case network(IPAddress, bits: Int)
    }

    private var hosts: Hosts
    /// Nil: each.
    private var port: Int?

    /// `*`, `name`, `.name` or `*.name`, an address or a network in CIDR notation; `:port` behind it, but for a network.
    init(_ text: String) {
      if text == "*" {
        hosts = .all
        return
      }
      if let slash = text.lastIndex(of: "/"), let address = IPAddress(String(text[..<slash])),
        let bits = Int(text[text.index(after: slash)...]), (0...address.bytes.count * 8).contains(bits)
      {
        hosts = .network(address, bits: bits)
        return
      }
      var host = text[...]
      if IPAddress(text) == nil, let colon = text.lastIndex(of: ":"), let number = Int(text[colon...].dropFirst()) {
        port = number
        host = text[..<colon]
      }
      if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
      if let address = IPAddress(String(host))?.unmapped {
        hosts = .network(address, bits: address.bytes.count * 8)
      } else {
        if host.hasPrefix("*.") { host = host.dropFirst() }
        hosts = host.hasPrefix(".") ? .subdomains(Self.plain(host)) : .domain(Self.plain(host))
      }
    }

    /// Names are compared in lower case, without the dot of the root.
    static func plain(_ name: some StringProtocol) -> String {
      let name = name.lowercased()
      return name.hasSuffix(".") ? String(name.dropLast()) : name
    }

    func covers(_ name: String, _ address: IPAddress?, port: Int) -> Bool {
      guard self.port == nil || self.port == port else { return false }
      return switch hosts {
      case .all: true
      case .domain(let domain): name == domain || name.hasSuffix("." + domain)
      case .subdomains(let suffix): name.hasSuffix(suffix)
      case .network(let network, let bits): address?.hasPrefix(network, bits) ?? false
      }
    }
  }
}

/// Why a variable names no proxy that can be used. It does not show the value, which may hold a password.
public struct ProxyFault: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Cause: Sendable, Hashable {
    case scheme, host, port, credentials, path
  }

  public let variable: String
  public let cause: Cause

  public var description: String {
    let what =
      switch cause {
      case .scheme: "only proxies with http:// can be used"
      case .host: "it names no host"
      case .port: "the port must be 1 to 65535"
      case .credentials: "user and password must be percent-encoded, without control characters"
      case .path: "only a slash may follow the host"
      }
    return "\(variable): \(what)"
  }
}

extension ProxyServer {
  /// Of `http://[user[:password]@]host[:port][/]`, or the same without the scheme.
  fileprivate init(url: String, variable: String) throws(ProxyFault) {
    func fault(_ cause: ProxyFault.Cause) -> ProxyFault { ProxyFault(variable: variable, cause: cause) }
    var rest = url[...]
    if let scheme = url.firstRange(of: "://") {
      guard url[..<scheme.lowerBound].lowercased() == "http" else { throw fault(.scheme) }
      rest = url[scheme.upperBound...]
    }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    guard !rest.contains(where: { "/?#".contains($0) }) else { throw fault(.path) }
    if let at = rest.lastIndex(of: "@") {
      let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let plain = parts.compactMap { $0.removingPercentEncoding }
      guard plain.count == parts.count, let user = plain.first, !user.contains(":") else { throw fault(.credentials) }
      let pair = user + ":" + (plain.dropFirst().first ?? "")
      guard !pair.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
        throw fault(.credentials)
      }
      credentials = Redacted(pair)
      rest = rest[rest.index(after: at)...]
    } else {
      credentials = nil
    }
    if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]"), IPAddress(String(rest)) == nil {
      let digits = rest[colon...].dropFirst()
      guard digits.utf8.allSatisfy(\.isDigit), let number = Int(digits), (1...65_535).contains(number) else {
        throw fault(.port)
      }
      port = number
      rest = rest[..<colon]
    } else {
      port = 80
    }
    if rest.hasPrefix("["), rest.hasSuffix("]") { rest = rest.dropFirst().dropLast() }
    guard NetworkAddress.isHost(String(rest)) else { throw fault(.host) }
    host = String(rest)
  }
}
