import Testing
import Translation

@testable import Routing

private let long = "a-secret-of-the-tests-with-32-bytes"
private let publicPEM = """
  -----BEGIN PUBLIC KEY-----
  MCowBQYDK2VwAyEAebVWLo/mVPlAeLES6KmLp5AfhTrmlb7X4OORC60ElmQ=
  -----END PUBLIC KEY-----

  """
private let privatePEM = """
  -----BEGIN PRIVATE KEY-----
  MC4CAQAwBQYDK2VwBCIEIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g
  -----END PRIVATE KEY-----
  """
private let files = ["/conf/public.pem": publicPEM, "/conf/private.pem": privatePEM]
private let environment = ["L": long, "L2": long + "-2", "SHORT": "x", "PEM": publicPEM]

private func tokens(_ section: String, _ more: [String: String] = [:]) throws -> TokenSettings {
  try fileTable("\"tokens\": {\(section)}", environment.merging(more) { $1 }, files).access.tokens
}

@Suite("Ephemeral tokens in the file")
struct TokensFileTests {
  @Test("all that can be said")
  func full() throws {
    let settings = try tokens(
      #"""
      "secrets": [{"kid": "2026", "secret": "env:L"}, {"secret": "env:L2"}],
      "keys": [{"kid": "a", "publicKey": "file:public.pem"}, {"kid": "b", "privateKey": "file:private.pem"}],
      "lifetimeSeconds": 60, "longestSeconds": 120, "skewSeconds": 0, "issuer": "me", "audience": "you",
      "publicURL": "wss://voice.example/v1/realtime"
      """#)
    #expect(settings.secrets.map(\.kid) == ["2026", nil])
    #expect(settings.secrets.map { $0.secret.reveal() } == [long, long + "-2"])
    #expect(settings.verifyingKeys.map(\.kid) == ["a"])
    #expect(settings.verifyingKeys.first?.publicKey.prefix(4) == [0x79, 0xB5, 0x56, 0x2E])
    #expect(settings.signingKey?.kid == "b" && settings.signingKey?.privateKey.reveal() == [UInt8](1...32))
    #expect(settings.lifetimeSeconds == 60 && settings.longestSeconds == 120 && settings.skewSeconds == 0)
    #expect(settings.issuer == "me" && settings.audience == "you")
    #expect(settings.publicURL == "wss://voice.example/v1/realtime")
    #expect(settings.isConfigured)
  }

  @Test("what the file does not say is usual, and comes from the environment where it is secret")
  func defaults() throws {
    let usual = try tokens("")
    #expect(usual.secrets.isEmpty && usual.verifyingKeys.isEmpty && usual.signingKey == nil && !usual.isConfigured)
    #expect(usual.lifetimeSeconds == 300 && usual.longestSeconds == 7_200 && usual.skewSeconds == 30)
    #expect(usual.issuer == "parley" && usual.audience == "parley" && usual.publicURL == nil)
    let ofEnvironment = try tokens("", ["JWT_SECRET": long, "PUBLIC_WS_URL": "ws://h.example:80"])
    #expect(ofEnvironment.secrets.map { $0.secret.reveal() } == [long] && ofEnvironment.secrets.first?.kid == nil)
    #expect(ofEnvironment.publicURL == "ws://h.example:80")
    #expect(try tokens("", ["JWT_SECRET": "", "PUBLIC_WS_URL": ""]).secrets.isEmpty)
    let written = try tokens(
      #""secrets": [{"secret": "env:L2"}], "publicURL": "wss://a.example""#,
      ["JWT_SECRET": long, "PUBLIC_WS_URL": "wss://b.example"])
    #expect(written.secrets.map { $0.secret.reveal() } == [long + "-2"] && written.publicURL == "wss://a.example")
    // The usual lifetime is within a bound that is below it.
    #expect(try tokens(#""longestSeconds": 10"#).lifetimeSeconds == 10)
  }

  @Test("a short secret is refused")
  func shortSecret() throws {
    #expect(
      fileFaults(#""tokens": {"secrets": [{"secret": "env:SHORT"}]}"#, environment) == [
        "routes.json:6: tokens.secrets[0].secret: env:SHORT holds fewer than 32 bytes: its tokens could be forged"
      ])
    #expect(
      fileFaults(#""contact": """#, ["JWT_SECRET": "short"]) == [
        "routes.json:1: tokens.secrets: env:JWT_SECRET holds fewer than 32 bytes: its tokens could be forged"
      ])
  }

  @Test(
    "fault row 60: a wrong section is refused with place and cause",
    arguments: [
      (#""secret": []"#, #"tokens.secret: unknown key; did you mean "secrets"?"#),
      (#""secrets": []"#, "tokens.secrets: at least one secret is needed"),
      (#""secrets": [{"kid": "a"}]"#, "tokens.secrets[0].secret: missing required key"),
      (#""secrets": [{"secret": "bare-secret-in-the-file"}]"#, "a secret must be a reference"),
      (#""secrets": [{"secret": "env:NONE"}]"#, "environment variable NONE is not set"),
      (#""secrets": [{"kid": "a/b", "secret": "env:L"}]"#, "tokens.secrets[0].kid: bad name"),
      (
        #""secrets": [{"kid": "a", "secret": "env:L"}, {"kid": "a", "secret": "env:L2"}]"#,
        "this kid is already given in line 6"
      ),
      (#""keys": []"#, "tokens.keys: at least one key is needed"),
      (#""keys": [{"kid": "a"}]"#, "tokens.keys[0].publicKey: missing required key"),
      (#""keys": [{"publicKey": "env:PEM"}]"#, "tokens.keys[0].kid: missing required key"),
      (#""keys": [{"kid": "a", "publicKey": "env:L"}]"#, "env:L is not the PEM of a public key of Ed25519"),
      (#""keys": [{"kid": "a", "privateKey": "file:public.pem"}]"#, "is not the PEM of a private key of Ed25519"),
      (#""keys": [{"kid": "a", "publicKey": "file:private.pem"}]"#, "is not the PEM of a public key of Ed25519"),
      (
        #""keys": [{"kid": "a", "privateKey": "file:private.pem", "publicKey": "file:public.pem"}]"#,
        "there is a privateKey already"
      ),
      (
        #""keys": [{"kid": "a", "privateKey": "file:private.pem"}, {"kid": "b", "privateKey": "file:private.pem"}]"#,
        "one private key signs"
      ),
      (#""lifetimeSeconds": 0"#, "lifetimeSeconds: 0 is out of range; allowed: 1 to 7200 seconds"),
      (#""lifetimeSeconds": 11, "longestSeconds": 10"#, "11 is out of range; allowed: 1 to 10 seconds"),
      (#""longestSeconds": 86401"#, "allowed: 1 to 86400 seconds"),
      (#""skewSeconds": 61"#, "allowed: 0 to 60 seconds"),
      (#""skewSeconds": 1.5"#, "expected a whole number, found 1.5"),
      (#""issuer": """#, "tokens.issuer: expected 1 to 128 visible ASCII characters"),
      (#""audience": "a b""#, "tokens.audience: expected 1 to 128 visible ASCII characters"),
      (#""publicURL": "https://a.example""#, "tokens.publicURL: bad URL: it must begin with ws:// or wss://"),
      (#""publicURL": "wss://a.example?token=x""#, "tokens.publicURL: bad URL: a query (?) is not allowed"),
    ])
  func wrong(section: String, message: String) {
    let lines = fileFaults("\"tokens\": {\(section)}", environment, files)
    #expect(lines.count == 1, "\(lines)")
    #expect(lines.first?.contains(message) == true, "\(lines)")
    #expect(!lines.joined().contains("bare-secret") && !lines.joined().contains(long))
  }

  @Test("a PEM that is cut or changed is none")
  func pem() throws {
    #expect(Ed25519PEM.key(in: privatePEM, isPrivate: true) == [UInt8](1...32))
    #expect(Ed25519PEM.key(in: privatePEM.replacing("\n", with: "\r\n"), isPrivate: true) == [UInt8](1...32))
    for change in ["MC4CAQAwBQYDK2Vx", "MC4CAQAwBQYDK2V", "MC4CAQAwBQYDK2Vw=", "MC4CAQAwBQYDK2V*"] {
      #expect(Ed25519PEM.key(in: privatePEM.replacing("MC4CAQAwBQYDK2Vw", with: change), isPrivate: true) == nil)
    }
    #expect(Ed25519PEM.key(in: "", isPrivate: true) == nil)
    #expect(Ed25519PEM.key(in: privatePEM.replacing("-----END PRIVATE KEY-----", with: ""), isPrivate: true) == nil)
  }
}
