import Access
import Envelope
import NIOCore
import Routing
import Translation

extension FuzzTarget {
  /// A credential, or the claims of a token that is signed as it has to be.
  static let tokens = FuzzTarget("tokens") { bytes in
    var findings = Findings()
    let text = String(decoding: bytes, as: UTF8.self)
    // As it comes: nobody but the holder of the secret makes a token that is taken.
    for shown in [text, "ek_" + text] where !shown.contains(minted) {
      findings.expect((try? tokenKeys.verify(Redacted(shown), at: tokenTime)) == nil, "taken: \(shown)")
      let signer = tokenKeys.read(Redacted(shown))?.signer
      findings.expect(signer == nil, "signed by \(signer ?? ""): \(shown)")
    }
    // As claims: what is taken means the same when it is written again.
    guard let object = (try? JSONValue(parsing: ByteBuffer(bytes: bytes)))?.object,
      let claims = try? TokenClaims(json: object)
    else { return findings.violations }
    findings.expect((try? TokenClaims(json: claims.json)) == claims, "claims, written and read: \(claims.json)")
    if let token = try? tokenKeys.mint(claims) {
      findings.expect((try? tokenKeys.claims(of: token)) == claims, "minted and read: \(claims.json)")
      let holds = (try? claims.check(at: tokenTime, settings: TokenSettings())) != nil
      findings.expect(((try? tokenKeys.verify(token, at: tokenTime)) != nil) == holds, "verified and checked differ")
    }
    return findings.violations
  }

  private static let tokenTime = 1_767_229_435
  private static let tokenKeys: TokenKeyRing = {
    var settings = TokenSettings()
    settings.secrets = [
      ("one", Redacted("a secret of the fuzzer, 32 bytes long")),
      ("two", Redacted("another secret of the fuzzer, as long")),
    ]
    var random = SystemRandomNumberGenerator()
    return TokenKeyRing(settings, random: &random)
  }()
  /// The beginning of everything that is minted here: mutations of the corpus may hold such a token whole.
  private static let minted = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Im9uZSJ9"
}
