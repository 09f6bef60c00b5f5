import Crypto
import Routing
import Testing
import Translation

@testable import Access

private let privateBytes = [UInt8](1...32)

@Suite("Keys that sign tokens")
struct TokenKeyRingTests {
  @Test("two secrets overlap; the first signs")
  func rotation() throws {
    let old = tokenRing(tokenSettings([tokenSecret]))
    let both = tokenRing(tokenSettings([otherTokenSecret, tokenSecret]))
    let new = tokenRing(tokenSettings([otherTokenSecret]))
    let ofOld = try old.mint(claims())
    let ofBoth = try both.mint(claims())
    #expect(try both.verify(ofOld, at: now) == claims())
    #expect(try new.verify(ofBoth, at: now) == claims())
    #expect(both.signer(of: ofBoth) == new.signer(of: ofBoth))
    #expect(throws: TokenFault.wrongSignature) { try old.verify(ofBoth, at: now) }
    #expect(throws: TokenFault.wrongSignature) { try new.verify(ofOld, at: now) }
  }

  @Test("kids of replicas agree")
  func names() throws {
    let (one, other) = (tokenRing(seed: 1), tokenRing(seed: 2))
    let token = try one.mint(claims())
    let name = try #require(one.signer(of: token))
    #expect(other.signer(of: token) == name)
    #expect(name.utf8.count == 8 && !KeyDigest(of: Redacted(tokenSecret)).hex.hasPrefix(name))
    #expect(tokenRing(tokenSettings([otherTokenSecret])).signer(of: token) == nil)
    var named = TokenSettings()
    named.secrets = [("2026", Redacted(tokenSecret))]
    #expect(tokenRing(named).signer(of: try tokenRing(named).mint(claims())) == "2026")
  }

  @Test("without a secret tokens are this process's")
  func ofThisProcess() throws {
    let one = tokenRing(TokenSettings(), seed: 1)
    let other = tokenRing(TokenSettings(), seed: 2)
    #expect(one.isOfThisProcess && one.mints && !tokenRing().isOfThisProcess)
    let token = try one.mint(claims())
    #expect(try one.verify(token, at: now) == claims())
    #expect(throws: TokenFault.wrongSignature) { try other.verify(token, at: now) }
  }

  @Test("a private key signs in place of the secret, its public key checks, and public keys alone mint nothing")
  func ed25519() throws {
    var settings = tokenSettings()
    settings.signingKey = ("ed", Redacted(privateBytes))
    let signing = tokenRing(settings)
    let token = try signing.mint(claims())
    #expect(signing.signer(of: token) == "ed")
    #expect(token.reveal().hasPrefix("ek_eyJhbGciOiJFZERTQSIs"))
    #expect(try signing.verify(tokenRing().mint(claims()), at: now) == claims())

    var checking = TokenSettings()
    let key = try Curve25519.Signing.PrivateKey(rawRepresentation: privateBytes)
    checking.verifyingKeys = [("ed", Array(key.publicKey.rawRepresentation))]
    let ring = tokenRing(checking)
    #expect(try ring.verify(token, at: now) == claims())
    #expect(!ring.mints && !ring.isOfThisProcess)
    #expect(throws: TokenFault.noSigningKey) { try ring.mint(claims()) }
    var renamed = checking
    renamed.verifyingKeys = [("other", Array(key.publicKey.rawRepresentation))]
    #expect(throws: TokenFault.wrongSignature) { try tokenRing(renamed).verify(token, at: now) }
  }

  @Test("fault row 68: a ring does not print its secrets")
  func printing() {
    var settings = tokenSettings()
    settings.signingKey = ("ed", Redacted(privateBytes))
    var dumped = ""
    dump(tokenRing(settings), to: &dumped)
    #expect(!dumped.contains(tokenSecret) && !dumped.contains("- 97\n"))
    #expect(dumped.contains("parley"))
  }
}
