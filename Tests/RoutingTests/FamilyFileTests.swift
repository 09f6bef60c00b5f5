import SessionCore
import Testing
import Translation

@testable import Routing

/// A file with one provider, `p`, with these members.
private func file(_ members: String) -> String {
  smallFile(provider: #""p": {\#(members)}"#).replacing(#""default": "openai""#, with: #""default": "p""#)
}

private func entry(_ members: String) throws -> ProviderEntry {
  try #require(try decode(file(members)).providers["p"])
}

private let azure = #""kind": "azure", "url": "wss://r.example", "key": "env:K", "model": "my-deployment""#
private let entra = #""keyType": "client-secret", "tenant": "t-1.example", "clientID": "c_1""#
private let vowel = #""kind": "vowel", "url": "ws://127.0.0.1:8787/v1/realtime", "model": "m""#
private let idRule = #"expected an id: 1 to 128 letters, digits, ".", "_" or "-""#

@Suite("The kinds of the OpenAI wire in the file")
struct FamilyFileTests {
  @Test(
    "R174: Azure's three APIs, their versions and their credentials",
    arguments: [
      (azure, AzureSettings()),
      (#"\#(azure), "api": "realtime", "keyType": "api-key""#, AzureSettings(api: .realtime, credential: .header)),
      (#"\#(azure), "api": "preview""#, AzureSettings(api: .preview, apiVersion: "2025-04-01-preview")),
      (
        #"\#(azure), "api": "preview", "apiVersion": "2024-10-01-preview""#,
        AzureSettings(api: .preview, apiVersion: "2024-10-01-preview")
      ),
      (#"\#(azure), "api": "voice-live""#, AzureSettings(api: .voiceLive, apiVersion: "2026-04-10")),
      (#"\#(azure), "keyType": "access-token""#, AzureSettings(credential: .bearer)),
      (#"\#(azure), \#(entra)"#, AzureSettings(credential: .entra(tenant: "t-1.example", clientID: "c_1"))),
      (
        #"\#(azure), \#(entra), "tokenURL": "https://login.example/t/token""#,
        AzureSettings(
          credential: .entra(tenant: "t-1.example", clientID: "c_1"), tokenURL: "https://login.example/t/token")
      ),
    ])
  func azureSettings(_ members: String, _ settings: AzureSettings) throws {
    let entry = try entry(members)
    #expect(entry.kind == .azure(settings))
    #expect(entry.kind.name == "azure")
    #expect(entry.remote?.model == "my-deployment")
    #expect(entry.remote?.endpoint.description == "wss://r.example:443")
    #expect(entry.remote?.limits == AccountLimits())
  }

  @Test("R165, R166, R223: Inworld's address, model and account limits are known; xAI's address and model too")
  func usual() throws {
    let inworld = try entry(#""kind": "inworld", "key": "env:K""#)
    #expect(inworld.kind == .inworld(InworldSettings()))
    #expect(inworld.remote?.endpoint.description == "wss://api.inworld.ai:443")
    #expect(inworld.remote?.model == "google-ai-studio/gemini-2.5-flash")
    #expect(inworld.remote?.limits == AccountLimits(maxSessions: 20, maxFramesPerSecond: 1_000))
    let xai = try entry(#""kind": "xai", "key": "env:K""#)
    #expect(xai.kind == .xai)
    #expect(xai.remote?.endpoint.description == "wss://api.x.ai:443/v1/realtime")
    #expect(xai.remote?.model == "grok-voice-latest")
    #expect(xai.remote?.limits == AccountLimits())
  }

  @Test(
    "R167, R223: what is usual can be replaced, the account's limits on every provider that is reached at an address")
  func changed() throws {
    let inworld = try entry(
      #"""
      "kind": "inworld", "key": "env:K", "url": "ws://127.0.0.1:9", "model": "inworld/router-1", "maxSessions": 21,
      "transcriptionModel": "assemblyai/universal", "voiceModel": "inworld-tts-1.5-max", "voice": "Dr. Ö"
      """#)
    #expect(
      inworld.kind
        == .inworld(
          InworldSettings(
            transcriptionModel: "assemblyai/universal", voiceModel: "inworld-tts-1.5-max", voice: "Dr. Ö")))
    #expect(inworld.remote?.model == "inworld/router-1")
    #expect(inworld.remote?.endpoint.description == "ws://127.0.0.1:9")
    #expect(inworld.remote?.limits == AccountLimits(maxSessions: 21, maxFramesPerSecond: 1_000))
    let limits = #""maxSessions": 1, "maxFramesPerSecond": 1000000"#
    for members in [
      #""kind": "openai", "url": "wss://h.example", "key": "env:K", "model": "m""#,
      #""kind": "gemini-live", "key": "env:K", "model": "m""#, azure, vowel, #""kind": "xai", "key": "env:K""#,
    ] {
      #expect(
        try entry("\(members), \(limits)").remote?.limits
          == AccountLimits(maxSessions: 1, maxFramesPerSecond: 1_000_000))
    }
  }

  @Test(
    "vowel's tokens: none, of the engine, of Core",
    arguments: [
      (vowel, VowelSettings()),
      (#"\#(vowel), "voice": "Ashley""#, VowelSettings(voice: "Ashley")),
      (#"\#(vowel), "tokens": "none", "key": "env:K""#, VowelSettings()),
      (#"\#(vowel), "tokens": "engine", "key": "env:K""#, VowelSettings(tokens: .engine)),
      (
        #"\#(vowel), "tokens": "engine", "key": "env:K", "tokenURL": "http://engine:8787/x""#,
        VowelSettings(tokens: .engine, tokenURL: "http://engine:8787/x")
      ),
      (
        #"\#(vowel), "tokens": "core", "key": "env:K", "appID": "app-1", "tokenURL": "https://core.example/t""#,
        VowelSettings(tokens: .core(appID: "app-1"), tokenURL: "https://core.example/t")
      ),
    ])
  func vowelSettings(_ members: String, _ settings: VowelSettings) throws {
    #expect(try entry(members).kind == .vowel(settings))
  }

  @Test("fault row 68: the dump names what is in force, and no secret")
  func dumped() throws {
    func line(_ members: String) throws -> String {
      let text = RedactedDump(try decode(file(members))).description
      #expect(!text.contains(plantedSecret))
      return text.split(separator: "\n").first { $0.hasPrefix("  p ") }.map(String.init) ?? ""
    }
    #expect(
      try line(#"\#(azure), "api": "preview", \#(entra), "tokenURL": "https://l.example/t""#)
        == "  p  azure  wss://r.example:443  model my-deployment  api preview  apiVersion 2025-04-01-preview  "
        + "keyType client-secret  tenant t-1.example  clientID c_1  tokenURL https://l.example/t  "
        + "key env:K <redacted>: available")
    #expect(
      try line(#""kind": "inworld", "key": "env:NONE", "voice": "Olivia", "transcriptionModel": "a/b""#)
        == "  p  inworld  wss://api.inworld.ai:443  model google-ai-studio/gemini-2.5-flash  transcriptionModel a/b  "
        + #"voice "Olivia"  maxSessions 20  maxFramesPerSecond 1000  "#
        + "key env:NONE: unavailable, environment variable NONE is not set")
    #expect(
      try line(
        #"\#(vowel), "tokens": "core", "key": "env:K", "appID": "a", "tokenURL": "https://c.example/t", "voice": "V""#)
        == "  p  vowel  ws://127.0.0.1:8787/v1/realtime  model m  tokens core  appID a  "
        + #"tokenURL https://c.example/t  voice "V"  key env:K <redacted>: available"#)
  }

  @Test(
    "fault row 60: wrong sections are refused with place and cause",
    arguments: [
      WrongFile(
        "azure without its address and deployment", file(#""kind": "azure", "key": "env:K""#),
        "routes.json:4: providers.p.url: missing required key",
        "routes.json:4: providers.p.model: missing required key"),
      WrongFile(
        "unknown choices", file(#"\#(azure), "api": "ga", "keyType": "entra""#),
        #"routes.json:4: providers.p.api: expected one of "realtime", "preview", "voice-live""#,
        #"routes.json:4: providers.p.keyType: expected one of "api-key", "access-token", "client-secret""#),
      WrongFile(
        "a version that is none", file(#"\#(azure), "api": "preview", "apiVersion": "2025&x=y""#),
        #"routes.json:4: providers.p.apiVersion: expected a version such as "2025-04-01-preview""#),
      WrongFile(
        "Entra's names beside a key", file(#"\#(azure), "tenant": "t""#),
        #"routes.json:4: providers.p.tenant: only with "keyType": "client-secret""#),
      WrongFile(
        "an application without its names", file(#"\#(azure), "keyType": "client-secret", "tenant": "../x""#),
        "routes.json:4: providers.p.clientID: missing required key",
        "routes.json:4: providers.p.tenant: \(idRule)"),
      WrongFile(
        "an application without its secret, on loopback",
        file(#""kind": "azure", "url": "ws://127.0.0.1:9", "model": "m", \#(entra)"#),
        "routes.json:4: providers.p.key: missing required key"),
      WrongFile(
        "tokens from an address without TLS", file(#"\#(azure), \#(entra), "tokenURL": "http://login.example/t""#),
        "routes.json:4: providers.p.tokenURL: expected an https address, or an http one on this machine or beside a "
          + "ws:// provider"),
      WrongFile(
        "keys of other kinds",
        file(#""kind": "xai", "key": "env:K", "voice": "eve", "api": "preview", "apiVersion": "v1""#),
        #"routes.json:4: providers.p.voice: not a setting of kind "xai""#,
        #"routes.json:4: providers.p.api: not a setting of kind "xai""#,
        #"routes.json:4: providers.p.apiVersion: not a setting of kind "xai""#),
      WrongFile(
        "limits beyond their range, and of the voice engine",
        smallFile(
          provider: #"""
            "openai": {"kind": "inworld", "key": "env:K", "maxSessions": 0, "maxFramesPerSecond": 1.5},
                "here": {"kind": "local", "maxSessions": 5}
            """#),
        "routes.json:4: providers.openai.maxSessions: 0 is out of range; allowed: 1 to 1000000",
        "routes.json:4: providers.openai.maxFramesPerSecond: expected a whole number, found 1.5",
        #"routes.json:5: providers.here.maxSessions: not a setting of kind "local""#),
      WrongFile(
        "a voice that would forge a line", file(#""kind": "inworld", "key": "env:K", "voice": "a\nb""#),
        "routes.json:4: providers.p.voice: expected the name of a voice: 1 to 256 bytes without control characters"),
      WrongFile(
        "Core without its address, key and application", file(#"\#(vowel), "tokens": "core""#),
        "routes.json:4: providers.p.key: missing required key",
        "routes.json:4: providers.p.appID: missing required key",
        "routes.json:4: providers.p.tokenURL: missing required key"),
      WrongFile(
        "an application and an address without tokens",
        file(#"\#(vowel), "appID": "a", "tokenURL": "https://c.example""#),
        #"routes.json:4: providers.p.appID: only with "tokens": "core""#,
        #"routes.json:4: providers.p.tokenURL: only with "tokens": "engine" or "core""#),
      WrongFile(
        "a slip in a kind", file(#""kind": "azur", "url": "wss://h.example", "key": "env:K", "model": "m""#),
        #"routes.json:4: providers.p.kind: unknown provider kind "azur"; did you mean "azure"?"#),
      WrongFile(
        "a slip in a key", file(#""kind": "inworld", "key": "env:K", "maxSession": 5"#),
        #"routes.json:4: providers.p.maxSession: unknown key; did you mean "maxSessions"?"#),
    ])
  func wrong(_ file: WrongFile) {
    #expect(faultLines(file.text) == file.lines)
  }
}
