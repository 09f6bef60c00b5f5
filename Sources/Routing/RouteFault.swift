/// One mistake in a configuration file. Prints as `routes.json:7: providers.gemini.ulr: unknown key; did you mean "url"?`.
///
/// No text of it holds a value that could be a secret: of strings only names, addresses without user part, paths and
/// kinds are shown.
public struct RouteFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// Every way a file can be wrong (fault row 60).
  public enum Cause: Sendable, Hashable {
    case unreadable(FileFault)
    case invalidJSON(column: Int, String)
    case duplicateKey(firstLine: Int?)
    case unknownKey(nearest: String?, known: [String])
    case wrongKind(expected: String, found: String)
    case missingKey
    case outOfRange(found: String, range: String)
    case badURL(URLFault)
    case badHost
    case badPath(String)
    case badName(String)
    case badText(String)
    case unknownProviderKind(String, nearest: String?, known: [String])
    case notOfThisKind(kind: String)
    case undeclaredProvider(String, nearest: String?, known: [String])
    /// Without a line, where the first does not stand in a file.
    case duplicate(what: String, firstLine: Int?)
    case bareSecret
    case keyNeeded(host: String)
    case missingSecret(SecretFault)
    case unreadableFile(FileFault)
    case publicWithoutKeys(host: String)
    case empty(String)
  }

  /// As the operator named the file; `RouteTable.patchName` for the runtime configuration, the variable's name for one of
  /// the environment.
  public let file: String
  /// Counted from 1; nil where the file could not be read, and for what stands in none.
  public let line: Int?
  /// Counted from 1, in Unicode scalars; 0 where there is no line.
  public let column: Int
  /// `providers.gemini.url`, `gateway.providers.gemini.url` in the runtime configuration; empty for the whole file.
  public let path: String
  public let cause: Cause

  public var description: String {
    var text = file
    if let line { text += ":\(line)" }
    text += ": "
    if !path.isEmpty { text += "\(path): " }
    return text + cause.message
  }
}

/// All mistakes of one file, in the order of the file. Prints one line each.
public struct RouteFaults: Error, Sendable, Hashable, CustomStringConvertible {
  public let faults: [RouteFault]

  public var description: String { faults.map(\.description).joined(separator: "\n") }
}

extension RouteFault.Cause {
  /// What is wrong, and where it helps, what would be right.
  public var message: String {
    switch self {
    case .unreadable(let fault): "the file cannot be read: \(fault)"
    case .invalidJSON(let column, let text): "invalid JSON at column \(column): \(text)"
    case .duplicateKey(let line): "the key is already given\(Self.inLine(line))"
    case .unknownKey(let nearest, let known): "unknown key; \(Self.suggestion(nearest, known))"
    case .wrongKind(let expected, let found): "expected \(expected), found \(found)"
    case .missingKey: "missing required key"
    case .outOfRange(let found, let range): "\(found) is out of range; allowed: \(range)"
    case .badURL(let fault): "bad URL: \(fault)"
    case .badHost: "expected an IP address or a host name without port"
    case .badPath(let text): "bad path: \(text)"
    case .badName(let text): "bad name: \(text)"
    case .badText(let text): text
    case .unknownProviderKind(let found, let nearest, let known):
      "unknown provider kind \(quoted(found)); \(Self.suggestion(nearest, known))"
    case .notOfThisKind(let kind): "not a setting of kind \"\(kind)\""
    case .undeclaredProvider(let found, let nearest, let known):
      known.isEmpty
        ? "provider \(quoted(found)) is not declared; none is"
        : "provider \(quoted(found)) is not declared; \(Self.suggestion(nearest, known))"
    case .duplicate(let what, let line): "this \(what) is already given\(Self.inLine(line))"
    case .bareSecret:
      "a secret must be a reference, env:NAME or file:PATH; the value itself does not belong in this file"
    case .keyNeeded(let host): "missing required key; only a provider on a loopback address may do without, not \(host)"
    case .missingSecret(let fault): "\(fault)"
    case .unreadableFile(let fault): "the file cannot be read: \(fault)"
    case .publicWithoutKeys(let host): "\(host) is not a loopback address, which needs at least one key in access.keys"
    case .empty(let what): "at least one \(what) is needed"
    }
  }

  private static func inLine(_ line: Int?) -> String { line.map { " in line \($0)" } ?? "" }

  private static func suggestion(_ nearest: String?, _ known: [String]) -> String {
    if let nearest { return "did you mean \"\(nearest)\"?" }
    return "known: \(known.joined(separator: ", "))"
  }
}
