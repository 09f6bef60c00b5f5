import ParleyTesting
import Crypto
import Envelope
import JWTKit
import Routing
import Testing
import Translation

@testable import Access

/// What jwt-kit, as an oracle, reads and writes of our claims.
private struct OraclePayload: JWTPayload {
  var iss: String
  var aud: String
  var jti: String
  var iat: Int
  var nbf: Int
  var exp: Int

  func verify(using algorithm: some JWTAlgorithm) throws {}
}

private let privateBytes = [UInt8](1...32)

private func edSettings() throws -> TokenSettings {
  var settings = tokenSettings()
  settings.signingKey = ("ed", Redacted(privateBytes))
  return settings
}

@Suite("Signed tokens")
struct SignedTokenTests {
  @Test("R065: the token begins as the documentation shows it, a thousand times")
  func beginning() throws {
    for seed in 0..<1_000 {
      let token = try tokenRing().mint(claims(seed: UInt64(seed))).reveal()
      guard token.hasPrefix("ek_eyJhbGciOiJIUzI1NiIs") else {
        Issue.record("\(token.prefix(30))")
        break
      }
    }
  }

  @Test("jwt-kit accepts what is minted here, and this what jwt-kit mints", arguments: ["HS256", "EdDSA"])
  func oracle(algorithm: String) async throws {
    let settings = algorithm == "HS256" ? tokenSettings() : try edSettings()
    let ring = tokenRing(settings)
    let minted = try ring.mint(claims())
    let name = try #require(ring.signer(of: minted))
    let keys = JWTKeyCollection()
    if algorithm == "HS256" {
      await keys.add(hmac: HMACKey(from: tokenSecret), digestAlgorithm: .sha256, kid: JWKIdentifier(string: name))
    } else {
      let key = try Curve25519.Signing.PrivateKey(rawRepresentation: privateBytes)
      await keys.add(
        eddsa: try EdDSA.PrivateKey(d: Self.base64(privateBytes), curve: .ed25519), kid: JWKIdentifier(string: name))
      #expect(key.publicKey.rawRepresentation.count == 32)
    }
    let payload = try await keys.verify(String(minted.reveal().dropFirst(3)), as: OraclePayload.self)
    #expect(payload.iss == "parley" && payload.exp == now + 300 && payload.iat == now)

    let theirs = try await keys.sign(payload, kid: JWKIdentifier(string: name))
    let read = try ring.verify(Redacted("ek_" + theirs), at: now)
    #expect(read.id == payload.jti && read.expiresAt == payload.exp)
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    let text = Base64URL.encoded(bytes).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
    return String(text) + String(repeating: "=", count: (4 - text.count % 4) % 4)
  }

  @Test("a token cut or changed at any byte is refused", arguments: ["HS256", "EdDSA"])
  func everyByte(algorithm: String) throws {
    let ring = tokenRing(algorithm == "HS256" ? tokenSettings() : try edSettings())
    let token = Array(try ring.mint(claims { $0.provider = "gemini" }).reveal().utf8)
    #expect(try ring.verify(Redacted(String(decoding: token, as: UTF8.self)), at: now).provider == "gemini")
    func isTaken(_ bytes: some Collection<UInt8>) -> Bool {
      (try? ring.verify(Redacted(String(decoding: bytes, as: UTF8.self)), at: now)) != nil
    }
    for position in token.indices {
      #expect(!isTaken(token[..<position]), "cut at \(position)")
      for replacement in [token[position] ^ 1, UInt8(ascii: "A"), UInt8(ascii: "."), UInt8(ascii: "=")] {
        guard replacement != token[position] else { continue }
        var changed = token
        changed[position] = replacement
        #expect(!isTaken(changed), "\(replacement) at \(position)")
      }
      var longer = token
      longer.insert(UInt8(ascii: "A"), at: position)
      #expect(!isTaken(longer), "longer at \(position)")
    }
    #expect(!isTaken(token + [UInt8(ascii: "A")]) && !isTaken([0x20] + token) && !isTaken(token + [0x0A]))
  }

  @Test("base64url there and back, one spelling each")
  func base64url() {
    var random = SplitMix64(seed: 3)
    for count in 0..<70 {
      let bytes = KeyRecord.bytes(count, &random)
      let text = Base64URL.encoded(bytes)
      #expect(Base64URL.decoded(text[...]) == bytes)
      #expect(!text.contains("=") && !text.contains("+") && !text.contains("/"))
    }
    for text in ["A", "AA=", "AA==", "AB", "AAB", "A A", "+A", "/A", "AAAAA", "\u{E4}A"] {
      #expect(Base64URL.decoded(text[...]) == nil, "\(text)")
    }
    // "AB" has bits behind its byte; "AA" is the spelling of that byte.
    #expect(Base64URL.decoded("AA") == [0])
  }

  @Test("a token that would not travel is not made, and the fault says how long it would be")
  func tooLong() throws {
    let ring = tokenRing()
    func mint(_ count: Int) throws -> Redacted<String> {
      try ring.mint(claims { $0.session = ["instructions": .string(String(repeating: "x", count: count))] })
    }
    #expect(try mint(5_000).reveal().utf8.count <= 7_900)
    do {
      _ = try mint(8_000)
      Issue.record("it was made")
    } catch TokenFault.tooLong(let bytes) {
      #expect(bytes > 10_000 && bytes < 12_000)
    }
  }
}
