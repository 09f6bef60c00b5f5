import Envelope
import Translation

/// Why a token opens nothing, or cannot be made.
public enum TokenFault: Error, Sendable, Hashable {
  /// Not the form of a token, or a claim that is missing or of another kind.
  case malformed
  /// Not signed by a key that is known here, or in another way than that key signs.
  case wrongSignature
  /// Its time is over.
  case expired
  case notYetValid
  case wrongAudience
  case wrongIssuer
  /// Made for a longer life than tokens may have here.
  case livesTooLong
  /// With all that it is to carry it has more bytes than travel in a request.
  case tooLong(bytes: Int)
  /// There are only public keys here.
  case noSigningKey
}

/// A JSON Web Signature in compact form (RFC 7515 section 7.1), taken apart and not yet believed.
///
/// It is read as strictly as anything is here: three parts in the one spelling that base64url has, a header without
/// members that would change the meaning of the others, no key twice.
struct SignedToken: Sendable {
  /// Before the first part, as in the tokens of OpenAI and vowel.
  static let prefix = "ek_"
  /// Header fields and request lines have their bounds, here and in proxies: 8 KiB with what stands around the token.
  static let longestBytes = 7_900

  let algorithm: String
  let keyName: String?
  let claims: JSONObject
  /// What the signature is of.
  let signed: [UInt8]
  let signature: [UInt8]

  /// Whether a credential is meant as a token: it then is one that is good, or nothing.
  static func isMeant(by credential: Redacted<String>) -> Bool {
    let text = credential.reveal()
    return text.hasPrefix(prefix) && (text.utf8.contains(UInt8(ascii: ".")) || text.hasPrefix(prefix + "eyJ"))
  }

  init(parsing token: Redacted<String>) throws(TokenFault) {
    let text = token.reveal()
    guard text.hasPrefix(Self.prefix) else { throw .malformed }
    let parts = text.dropFirst(Self.prefix.count).split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]),
      let signature = Base64URL.decoded(parts[2])
    else { throw .malformed }
    // `crit`, `b64`, `jwk`, `jku`, `x5u` and `x5c` among others: what says how to check the token, or where to find the
    // key for it, is not left to the token (fault row 15).
    guard header.keys.allSatisfy(["alg", "typ", "kid"].contains) else { throw .wrongSignature }
    guard let algorithm = header["alg"]?.string else { throw .wrongSignature }
    guard header["typ"].map({ $0 == "JWT" }) ?? true else { throw .wrongSignature }
    if let name = header["kid"] {
      guard let name = name.string, TokenKey.isName(name) else { throw .wrongSignature }
      keyName = name
    } else {
      keyName = nil
    }
    self.algorithm = algorithm
    self.claims = claims
    self.signature = signature
    signed = Array(text[parts[0].startIndex..<parts[1].endIndex].utf8)
  }

  private static func object(_ part: Substring) -> JSONObject? {
    guard let bytes = Base64URL.decoded(part) else { return nil }
    let value = bytes.withUnsafeBytes { try? JSONValue(parsing: $0) }
    return value?.object
  }

  /// `ek_` and the token. The header begins with the algorithm, as in the documentation of vowel (R065).
  static func text(claims: JSONObject, key: TokenKey) throws(TokenFault) -> Redacted<String> {
    let header: JSONObject = ["alg": .string(key.algorithm), "typ": "JWT", "kid": .string(key.name)]
    let parts = [header, claims].map { Base64URL.encoded(JSONValue.object($0).text.utf8) }
    let signed = parts.joined(separator: ".")
    guard let signature = key.signature(of: Array(signed.utf8)) else { throw .noSigningKey }
    let text = "\(prefix)\(signed).\(Base64URL.encoded(signature))"
    guard text.utf8.count <= longestBytes else { throw .tooLong(bytes: text.utf8.count) }
    return Redacted(text)
  }
}
