import Crypto
import Envelope
import Routing
import Testing
import Translation

@testable import Access

private let privateBytes = [UInt8](1...32)
private let publicHead: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]

/// A ring with two secrets, and a private key that signs.
private let ring: TokenKeyRing = {
  var settings = TokenSettings()
  settings.secrets = [("one", Redacted(tokenSecret)), ("two", Redacted(otherTokenSecret))]
  settings.signingKey = ("ed", Redacted(privateBytes))
  return tokenRing(settings)
}()

private func publicKey() throws -> [UInt8] {
  Array(try Curve25519.Signing.PrivateKey(rawRepresentation: privateBytes).publicKey.rawRepresentation)
}

private func base64(_ bytes: [UInt8]) -> String {
  let text = String(Base64URL.encoded(bytes).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
  return text + String(repeating: "=", count: (4 - text.count % 4) % 4)
}

private func part(_ text: String) -> String { Base64URL.encoded(text.utf8) }
private let body = part(JSONValue.object(claims().json).text)

private func hmac<Hash: HashFunction>(_ text: String, _ key: [UInt8], _ hash: Hash.Type) -> [UInt8] {
  Array(HMAC<Hash>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
}

/// A token of a header's text, signed by the first secret in the way of HS256, unless something else is said.
private func forged(
  _ header: String, body: String = body, sign: (String) -> [UInt8] = { hmac($0, Array(tokenSecret.utf8), SHA256.self) }
) -> String {
  let signed = part(header) + "." + body
  return "ek_\(signed).\(Base64URL.encoded(sign(signed)))"
}

private let good = #"{"alg":"HS256","typ":"JWT","kid":"one"}"#

private struct Forgery: Sendable, CustomTestStringConvertible {
  var name: String
  var make: @Sendable () throws -> String

  init(_ name: String, _ make: @escaping @Sendable () throws -> String) {
    self.name = name
    self.make = make
  }

  var testDescription: String { name }
}

private let algorithms: [Forgery] =
  ["none", "None", "NONE", "nOnE", "", "HS384", "HS512", "RS256", "ES256", "PS256", "hs256", "HS256 ", "EdDSA"].map {
    alg in
    Forgery("alg \(alg) with a valid HMAC") { forged(#"{"alg":"\#(alg)","typ":"JWT","kid":"one"}"#) }
  } + [
    Forgery("alg none, empty signature") { forged(#"{"alg":"none","typ":"JWT","kid":"one"}"#) { _ in [] } },
    Forgery("alg none without kid, empty signature") { forged(#"{"alg":"none"}"#) { _ in [] } },
    Forgery("no alg") { forged(#"{"typ":"JWT","kid":"one"}"#) },
    Forgery("alg null") { forged(#"{"alg":null,"typ":"JWT","kid":"one"}"#) },
    Forgery("alg a list") { forged(#"{"alg":["HS256"],"typ":"JWT","kid":"one"}"#) },
    Forgery("two alg keys") { forged(#"{"alg":"HS256","alg":"none","typ":"JWT","kid":"one"}"#) },
    Forgery("two alg keys, the right one last") { forged(#"{"alg":"none","alg":"HS256","typ":"JWT","kid":"one"}"#) },
    Forgery("HS384 with our secret") {
      forged(#"{"alg":"HS384","typ":"JWT","kid":"one"}"#) { hmac($0, Array(tokenSecret.utf8), SHA384.self) }
    },
    Forgery("HS512 with our secret") {
      forged(#"{"alg":"HS512","typ":"JWT","kid":"one"}"#) { hmac($0, Array(tokenSecret.utf8), SHA512.self) }
    },
    Forgery("HS512 of our secret under HS256") { forged(good) { hmac($0, Array(tokenSecret.utf8), SHA512.self) } },
    Forgery("HS256 signed with the bytes of our public key") {
      let key = try publicKey()
      return forged(#"{"alg":"HS256","typ":"JWT","kid":"ed"}"#) { hmac($0, key, SHA256.self) }
    },
    Forgery("HS256 signed with the DER of our public key") {
      let key = publicHead + (try publicKey())
      return forged(#"{"alg":"HS256","typ":"JWT","kid":"ed"}"#) { hmac($0, key, SHA256.self) }
    },
    Forgery("HS256 signed with the PEM of our public key") {
      let der = base64(publicHead + (try publicKey()))
      let pem = "-----BEGIN PUBLIC KEY-----\n\(der)\n-----END PUBLIC KEY-----\n"
      return forged(#"{"alg":"HS256","typ":"JWT","kid":"ed"}"#) { hmac($0, Array(pem.utf8), SHA256.self) }
    },
    Forgery("EdDSA header with an HMAC") { forged(#"{"alg":"EdDSA","typ":"JWT","kid":"ed"}"#) },
    Forgery("EdDSA by a key of somebody else") {
      let key = Curve25519.Signing.PrivateKey()
      return forged(#"{"alg":"EdDSA","typ":"JWT","kid":"ed"}"#) {
        (try? key.signature(for: Array($0.utf8))).map(Array.init) ?? []
      }
    },
  ]

private let names: [Forgery] = [
  Forgery("unknown kid") { forged(#"{"alg":"HS256","typ":"JWT","kid":"three"}"#) },
  Forgery("kid of the other secret") { forged(#"{"alg":"HS256","typ":"JWT","kid":"two"}"#) },
  Forgery("no kid where there are several keys") { forged(#"{"alg":"HS256","typ":"JWT"}"#) },
  Forgery("empty kid") { forged(#"{"alg":"HS256","typ":"JWT","kid":""}"#) },
  Forgery("kid with a path") {
    forged(#"{"alg":"HS256","typ":"JWT","kid":"../../dev/null"}"#) { hmac($0, [], SHA256.self) }
  },
  Forgery("kid with a path, our secret") { forged(#"{"alg":"HS256","typ":"JWT","kid":"../../dev/null"}"#) },
  Forgery("kid of 10 KB") { forged(#"{"alg":"HS256","typ":"JWT","kid":"\#(String(repeating: "a", count: 10_240))"}"#) },
  Forgery("kid a number") { forged(#"{"alg":"HS256","typ":"JWT","kid":1}"#) },
  Forgery("kid null") { forged(#"{"alg":"HS256","typ":"JWT","kid":null}"#) },
  Forgery("kid a list") { forged(#"{"alg":"HS256","typ":"JWT","kid":["one"]}"#) },
  Forgery("kid with an injection") { forged(#"{"alg":"HS256","typ":"JWT","kid":"one' OR '1'='1"}"#) },
]

private let members: [Forgery] =
  [
    #""jwk":{"kty":"oct","k":"AAAA"}"#, #""jku":"http://evil.example/jwks""#, #""x5u":"http://evil.example/cert""#,
    #""x5c":["MIIB"]"#, #""x5t":"AAAA""#, #""crit":["exp"]"#, #""crit":[]"#, #""b64":false"#, #""b64":true"#,
    #""zip":"DEF""#, #""enc":"A128GCM""#, #""cty":"JWT""#, #""other":1"#,
  ].map { member in
    Forgery("header with \(member)") { forged(#"{"alg":"HS256","typ":"JWT","kid":"one",\#(member)}"#) }
  }
  + ["at+jwt", "jwt", "JWS", ""].map { type in
    Forgery("typ \(type)") { forged(#"{"alg":"HS256","typ":"\#(type)","kid":"one"}"#) }
  } + [
    Forgery("typ a number") { forged(#"{"alg":"HS256","typ":1,"kid":"one"}"#) },
    Forgery("a header that is no object") { forged(#"["HS256"]"#) },
    Forgery("a header that is no JSON") { forged("alg=HS256") },
    Forgery("an empty header") { forged("") },
    Forgery("claims that are no object") { forged(good, body: part("[]")) },
    Forgery("claims with a key twice") {
      let text = JSONValue.object(claims().json).text.dropLast()
      return forged(good, body: part(text + #","exp":9999999999}"#))
    },
  ]

private let signatures: [Forgery] = [
  Forgery("signed by another secret") { forged(good) { hmac($0, Array("x".utf8), SHA256.self) } },
  Forgery("signed by an empty secret") { forged(good) { hmac($0, [], SHA256.self) } },
  Forgery("signature of another token") {
    let other = part(JSONValue.object(claims(seed: 2).json).text)
    return forged(good) { _ in hmac(part(good) + "." + other, Array(tokenSecret.utf8), SHA256.self) }
  },
  Forgery("signature of 31 bytes") { forged(good) { hmac($0, Array(tokenSecret.utf8), SHA256.self).dropLast() } },
  Forgery("signature of 33 bytes") { forged(good) { hmac($0, Array(tokenSecret.utf8), SHA256.self) + [0] } },
  Forgery("no signature") { forged(good) { _ in [] } },
  Forgery("padded") { forged(good) + "=" },
  Forgery("the alphabet of standard base64") {
    // A body whose spelling has a letter that the alphabets do not share.
    for seed in 0..<1_000 {
      let token = forged(good, body: part(JSONValue.object(claims(seed: UInt64(seed)).json).text))
      if token.dropFirst(3).contains("-") || token.dropFirst(3).contains("_") {
        return "ek_" + String(token.dropFirst(3).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
      }
    }
    return ""
  },
  Forgery("bits behind the last byte") {
    // 32 bytes end in a letter with two bits too many: A, E, I ... are the only ones that leave them zero.
    let token = forged(good)
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    guard let last = token.last, let index = alphabet.firstIndex(of: last) else { return "" }
    return token.dropLast() + String(alphabet[index + 1])
  },
  Forgery("two parts") { String(forged(good).prefix { $0 != "." }) + "." + body },
  Forgery("one part") { String(forged(good).prefix { $0 != "." }) },
  Forgery("four parts") { forged(good) + "." },
  Forgery("five parts") { forged(good) + ".AAAA.AAAA" },
  Forgery("an empty part") { "ek_.." },
  Forgery("white space before") { " " + forged(good) },
  Forgery("white space behind") { forged(good) + " " },
  Forgery("a line break within") { String(forged(good).replacing(".", with: ".\n")) },
  Forgery("no prefix") { String(forged(good).dropFirst(3)) },
  Forgery("the prefix twice") { "ek_" + forged(good) },
]

@Suite("Forged tokens")
struct TokenForgeryTests {
  @Test("fault row 15: no forged token opens anything", arguments: algorithms + names + members + signatures)
  private func forgery(_ forgery: Forgery) throws {
    let token = try forgery.make()
    #expect(!token.isEmpty)
    #expect(throws: TokenFault.self) { try ring.verify(Redacted(token), at: now) }
    #expect(ring.signer(of: Redacted(token)) == nil || forgery.name.hasPrefix("claims"))
  }

  @Test("what the forgeries are made of is good where nothing is forged")
  func unforged() throws {
    #expect(try ring.verify(Redacted(forged(good)), at: now).id == claims().id)
    #expect(
      try ring.verify(
        Redacted(forged(#"{"kid":"two","alg":"HS256"}"#) { hmac($0, Array(otherTokenSecret.utf8), SHA256.self) }),
        at: now
      ).id == claims().id)
    let key = try Curve25519.Signing.PrivateKey(rawRepresentation: privateBytes)
    let token = forged(#"{"alg":"EdDSA","typ":"JWT","kid":"ed"}"#) {
      (try? key.signature(for: Array($0.utf8))).map(Array.init) ?? []
    }
    #expect(try ring.verify(Redacted(token), at: now).id == claims().id)
    // One key leaves no doubt, also where the token names none.
    #expect(try tokenRing().verify(Redacted(forged(#"{"alg":"HS256","typ":"JWT"}"#)), at: now).id == claims().id)
  }
}
