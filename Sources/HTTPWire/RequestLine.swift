/// The first line of a request: method, target and version (RFC 9112 section 3).
struct RequestLine: Sendable, Hashable {
  var method: String
  /// The authority of a target in absolute form; nil in origin form.
  var authority: String?
  var path: String
  var query: String?

  /// Checks and takes apart `line`, which has no line end and no control characters.
  init(_ line: [UInt8]) throws(HeadFault) {
    let parts = line.split(separator: .space, omittingEmptySubsequences: false)
    guard parts.count == 3, let method = parts.first, let version = parts.last, !method.isEmpty,
      method.allSatisfy(\.isToken)
    else { throw .malformedFirstLine }
    if line.elementsEqual("PRI * HTTP/2.0".utf8) { throw .http2OnPlainPort }
    try Self.check(version: version)
    self.method = String(decoding: method, as: UTF8.self)
    let target = parts[1]
    guard target.allSatisfy({ (0x21...0x7E).contains($0) && $0 != .backslash && $0 != .numberSign }) else {
      throw .malformedTarget
    }
    let text = String(decoding: target, as: UTF8.self)
    let (authority, rest) = try Self.splitAuthority(text)
    self.authority = authority
    let pieces = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = pieces.first.map(String.init) ?? "/"
    query = pieces.count == 2 ? String(pieces[1]) : nil
    try Self.check(path: path)
    if text.contains("%00") { throw .malformedTarget }
  }

  private static func check(version: ArraySlice<UInt8>) throws(HeadFault) {
    let text = String(decoding: version, as: UTF8.self)
    guard text.utf8.count == 8, text.hasPrefix("HTTP/") else { throw .malformedFirstLine }
    let numbers = Array(text.utf8.dropFirst(5))
    guard numbers[0].isDigit, numbers[1] == .dot, numbers[2].isDigit else { throw .malformedFirstLine }
    if text == "HTTP/1.1" { return }
    throw text == "HTTP/1.0" || numbers[0] == .zero ? .obsoleteVersion : .unsupportedVersion
  }

  /// Splits `http://authority/path` and leaves `/path` as it is; the other two forms of RFC 9112 section 3.2 are for
  /// proxies and for `OPTIONS *`, which this server does not serve.
  private static func splitAuthority(_ target: String) throws(HeadFault) -> (authority: String?, rest: String) {
    if target.hasPrefix("//") { throw .malformedTarget }
    if target.hasPrefix("/") { return (nil, target) }
    let scheme = target.prefix(8).lowercased()
    let schemeBytes = scheme.hasPrefix("http://") ? 7 : scheme.hasPrefix("https://") ? 8 : 0
    guard schemeBytes > 0 else { throw .malformedTarget }
    let afterScheme = target.dropFirst(schemeBytes)
    let end = afterScheme.firstIndex { $0 == "/" || $0 == "?" } ?? afterScheme.endIndex
    guard end > afterScheme.startIndex else { throw .malformedTarget }
    let rest = afterScheme[end...]
    return (String(afterScheme[..<end]), rest.hasPrefix("/") ? String(rest) : "/" + rest)
  }

  /// A path has no dot segments, plain or encoded, no empty first segment, and only whole percent escapes.
  private static func check(path: String) throws(HeadFault) {
    if path.hasPrefix("//") { throw .malformedTarget }
    var rest = path.utf8[...]
    while let percent = rest.firstIndex(of: .percent) {
      let digits = rest[rest.index(after: percent)...].prefix(2)
      guard digits.count == 2, digits.allSatisfy(\.isHexDigit) else { throw .malformedTarget }
      rest = rest[digits.endIndex...]
    }
    for segment in path.lowercased().split(separator: "/") {
      let plain = segment.split(separator: "%2e", omittingEmptySubsequences: false).joined(separator: ".")
      if plain == "." || plain == ".." { throw .malformedTarget }
    }
  }
}
