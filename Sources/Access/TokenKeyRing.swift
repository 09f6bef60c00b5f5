import Crypto
public import Envelope
public import Routing
public import Translation

/// A key that tokens are signed with. It says how: what a token's header says of that has to agree, and never decides
/// (fault row 15).
enum TokenKey: Sendable {
  case hmac(name: String, SymmetricKey)
  case ed25519(name: String, Curve25519.Signing.PrivateKey)
  case ed25519Public(name: String, Curve25519.Signing.PublicKey)

  var name: String {
    switch self {
    case .hmac(let name, _), .ed25519(let name, _), .ed25519Public(let name, _): name
    }
  }

  /// RFC 7518 section 3.1, RFC 8037 section 3.1.
  var algorithm: String {
    switch self {
    case .hmac: "HS256"
    case .ed25519, .ed25519Public: "EdDSA"
    }
  }

  /// Nil of a public key.
  func signature(of bytes: [UInt8]) -> [UInt8]? {
    switch self {
    case .hmac(_, let key): Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
    case .ed25519(_, let key): (try? key.signature(for: bytes)).map { Array($0) }
    case .ed25519Public: nil
    }
  }

  /// In a time that does not depend on how much of an HMAC is right.
  func verifies(_ token: SignedToken) -> Bool {
    switch self {
    case .hmac(_, let key):
      token.signature.count == SHA256.byteCount
        && HMAC<SHA256>.isValidAuthenticationCode(token.signature, authenticating: token.signed, using: key)
    case .ed25519(_, let key): key.publicKey.isValidSignature(token.signature, for: token.signed)
    case .ed25519Public(_, let key): key.isValidSignature(token.signature, for: token.signed)
    }
  }

  /// 1 to 64 letters, digits, ".", "_" and "-": a name is looked up and never opened as a file.
  static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { KeyOrder.isLetterOrDigit($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D }
  }
}

/// The keys of section `tokens`: makes and checks ephemeral tokens. Nothing is kept of a token anywhere, so that every
/// replica with the same secret takes what another has made (R103, R104).
public struct TokenKeyRing: Sendable {
  private let keys: [TokenKey]
  private let signing: TokenKey?
  public private(set) var settings: TokenSettings
  /// No key is configured: this process has made one, and its tokens end with it.
  public let isOfThisProcess: Bool

  /// - Parameter random: makes a secret where none is configured.
  public init(_ settings: TokenSettings, random: inout some RandomNumberGenerator) {
    self.settings = settings
    isOfThisProcess = !settings.isConfigured
    var keys = settings.secrets.map { kid, secret in
      let bytes = Array(secret.reveal().utf8)
      return TokenKey.hmac(name: kid ?? Self.name(of: bytes), SymmetricKey(data: bytes))
    }
    if isOfThisProcess {
      let bytes = KeyRecord.bytes(32, &random)
      keys = [.hmac(name: Self.name(of: bytes), SymmetricKey(data: bytes))]
    }
    var signing = keys.first
    if let (kid, key) = settings.signingKey,
      let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: key.reveal())
    {
      signing = .ed25519(name: kid, key)
      keys.append(.ed25519(name: kid, key))
    }
    for (kid, key) in settings.verifyingKeys {
      guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key) else { continue }
      keys.append(.ed25519Public(name: kid, key))
    }
    self.keys = keys
    self.signing = signing
  }

  /// The ring of changed settings. Where neither these nor the old ones name a key, the one that this process has made
  /// goes on, and with it the tokens that are out.
  public func renewed(_ settings: TokenSettings, random: inout some RandomNumberGenerator) -> TokenKeyRing {
    guard isOfThisProcess, !settings.isConfigured else { return TokenKeyRing(settings, random: &random) }
    var ring = self
    ring.settings = settings
    return ring
  }

  /// The name of a secret that was given none: the same in every replica, and of no use for finding the secret.
  private static func name(of secret: [UInt8]) -> String {
    KeyDigest.hex(SHA256.hash(data: Array("parley kid".utf8) + secret).prefix(4))
  }

  /// Whether tokens can be made here, rather than only checked.
  public var mints: Bool { signing != nil }

  /// The name of the key that a token was signed with; nil where it is not good. For whoever looks into a token.
  public func signer(of token: Redacted<String>) -> String? { read(token)?.signer }

  /// What stands in a token, believed or not, and the name of the key of the ring that has signed it, if one has. Nil
  /// where the text has not the form of a token.
  public func read(_ token: Redacted<String>) -> (claims: JSONObject, signer: String?)? {
    guard let parsed = try? SignedToken(parsing: token) else { return nil }
    return (parsed.claims, (try? key(of: parsed))?.name)
  }

  /// What a token says, if it was signed by a key of the ring and holds now.
  public func verify(_ token: Redacted<String>, at unixTime: Int) throws(TokenFault) -> TokenClaims {
    let claims = try claims(of: token)
    try claims.check(at: unixTime, settings: settings)
    return claims
  }

  /// What a token says, if it was signed by a key of the ring, whether or not it holds.
  public func claims(of token: Redacted<String>) throws(TokenFault) -> TokenClaims {
    let parsed = try SignedToken(parsing: token)
    _ = try key(of: parsed)
    return try TokenClaims(json: parsed.claims)
  }

  private func key(of token: SignedToken) throws(TokenFault) -> TokenKey {
    let named = token.keyName.map { name in keys.filter { $0.name == name } } ?? keys
    // A token that names no key has to leave no doubt which is meant.
    guard token.keyName != nil || named.count == 1 else { throw .wrongSignature }
    guard let key = named.first(where: { $0.algorithm == token.algorithm && $0.verifies(token) }) else {
      throw .wrongSignature
    }
    return key
  }

  /// Signs a token.
  ///
  /// - Parameter claims: with their times, see `TokenClaims.date`.
  /// - Throws: `.noSigningKey`, `.tooLong`.
  public func mint(_ claims: TokenClaims) throws(TokenFault) -> Redacted<String> {
    guard let signing else { throw .noSigningKey }
    return try SignedToken.text(claims: claims.json, key: signing)
  }
}
