import Envelope
public import Routing
public import Translation

/// Who a session belongs to.
public enum Principal: Sendable, Hashable {
  /// A client on loopback of a server without access keys.
  case anonymous
  /// The holder of the access key of this name.
  case key(name: String)
}

/// A client that is let in.
public struct Admittance: Sendable, Hashable {
  public let principal: Principal
  /// How it is talked to, as far as its key says.
  public let preference: WirePreference
}

/// Why a client is not let in. Decided before the 101.
public enum AccessRefusal: Error, Sendable, Hashable {
  case noCredential
  case badCredential(CredentialFault)
  /// Not one of the keys. Nothing tells which, or how close (fault row 14).
  case wrongKey
  /// No access keys are configured, and the client is on another machine.
  case remoteWithoutKeys
  /// No access keys are configured, and a web page of another site asks.
  case foreignOrigin

  /// HTTP status of the answer. A 401 carries `WWW-Authenticate: Bearer` (RFC 9110 section 11.6.1).
  public var status: Int {
    switch self {
    case .noCredential, .badCredential, .wrongKey: 401
    case .remoteWithoutKeys, .foreignOrigin: 403
    }
  }

  /// `error.code` of the answer.
  public var code: String {
    switch self {
    case .noCredential: "missing_api_key"
    case .badCredential, .wrongKey: "invalid_api_key"
    case .remoteWithoutKeys: "access_denied"
    case .foreignOrigin: "origin_not_allowed"
    }
  }

  /// `error.message` of the answer, with the operator's contact text behind it (R172).
  public func message(contact: String) -> String {
    let text =
      switch self {
      case .noCredential: "No API key was given. Send it as \"Authorization: Bearer KEY\"."
      case .badCredential(.empty): "The API key is empty."
      case .badCredential(.malformed): "The API key is malformed."
      case .badCredential(.unknownScheme): "The Authorization header must have the scheme Bearer."
      case .badCredential(.severalValues): "Several different API keys were given."
      case .wrongKey: "The API key is not valid."
      case .remoteWithoutKeys: "This server has no access keys and serves its own machine only."
      case .foreignOrigin: "Without access keys, web pages of other sites are not served."
      }
    return contact.isEmpty ? text : "\(text) \(contact)"
  }
}

/// The static keys of the configuration.
public struct KeyStore: Sendable {
  private struct Entry: Sendable {
    let name: String
    let preference: WirePreference
    /// The key, padded with zeros to the length that all comparisons have.
    let padded: Redacted<[UInt8]>
    let length: Int
  }

  private let entries: [Entry]

  /// - Parameter keys: of `RouteTable.accessKeys`. An empty one, and one of more than
  ///   `AccessKey.longestKeyBytes` bytes, never match.
  public init(keys: [AccessKey]) {
    entries = keys.map { key in
      let bytes = Array(key.key.reveal().utf8)
      // No presented key has a length of -1.
      let length = (1...AccessKey.longestKeyBytes).contains(bytes.count) ? bytes.count : -1
      return Entry(
        name: key.name, preference: key.preference.otherwise(Self.preference(of: key.key)),
        padded: Redacted(Self.padded(bytes)), length: length)
    }
  }

  /// Decides on a request.
  ///
  /// Without keys in the store a client on loopback is let in whatever it shows, because clients of the OpenAI API always
  /// show a key; one elsewhere never is. With keys everybody has to show one, on loopback too.
  ///
  /// - Parameters:
  ///   - headers: all fields of the request; names in any case.
  ///   - target: of the request line.
  ///   - peerIsLoopback: of the TCP connection, not of a forwarded address.
  public func admit(
    headers: some Sequence<(name: String, value: String)>, target: RequestTarget, peerIsLoopback: Bool
  ) throws(AccessRefusal) -> Admittance {
    if entries.isEmpty {
      guard peerIsLoopback else { throw .remoteWithoutKeys }
      for (name, value) in headers where name.lowercased() == "origin" && !OriginPolicy.isLocal(value) {
        throw .foreignOrigin
      }
      // What it shows opens nothing here, but may say how its holder wants to be talked to.
      let shown = (try? Credential.extract(headers: headers, target: target)).flatMap { $0 }
      return Admittance(
        principal: .anonymous, preference: shown.map { Self.preference(of: $0.key) } ?? WirePreference())
    }
    let credential: Credential?
    do {
      credential = try Credential.extract(headers: headers, target: target)
    } catch {
      throw .badCredential(error)
    }
    guard let credential else { throw .noCredential }
    guard let entry = entry(of: credential.key) else { throw .wrongKey }
    return Admittance(principal: .key(name: entry.name), preference: entry.preference)
  }

  /// What a key's own form says: holders of those that begin so look for audio in `audio` (Q1).
  private static func preference(of key: Redacted<String>) -> WirePreference {
    WirePreference(deltaFields: key.reveal().hasPrefix("hyb_") ? .deltaAndAudio : nil)
  }

  /// The name of a key, or nil.
  public func name(of presented: Redacted<String>) -> String? {
    entry(of: presented)?.name
  }

  /// The entry of a key, or nil.
  ///
  /// All keys are compared over `AccessKey.longestKeyBytes` bytes without a branch on their content, so that the time
  /// tells neither how much of a key is right, nor which key it is, nor how long it is.
  private func entry(of presented: Redacted<String>) -> Entry? {
    let bytes = Array(presented.reveal().utf8)
    let padded = Self.padded(bytes)
    var match = -1
    for (index, entry) in entries.enumerated() {
      let mask = Self.equalityMask(padded, entry.padded.reveal(), bytes.count ^ entry.length)
      match = (match & ~mask) | (index & mask)
    }
    return match >= 0 ? entries[match] : nil
  }

  /// All ones if the arrays and the lengths agree, else 0.
  private static func equalityMask(_ left: [UInt8], _ right: [UInt8], _ lengthDifference: Int) -> Int {
    var difference = lengthDifference
    for index in 0..<AccessKey.longestKeyBytes { difference |= Int(left[index] ^ right[index]) }
    // The sign bit of `difference | -difference` is set for every value but 0.
    return ~((difference | (0 &- difference)) >> (Int.bitWidth - 1))
  }

  /// Exactly `AccessKey.longestKeyBytes` bytes. The length, compared beside them, keeps a longer key apart from its start.
  private static func padded(_ bytes: [UInt8]) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: AccessKey.longestKeyBytes)
    for index in 0..<min(bytes.count, result.count) { result[index] = bytes[index] }
    return result
  }
}
