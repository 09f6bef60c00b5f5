import SessionCore
import Testing
import Translation

@testable import Routing

/// A file with one provider of kind `gemini-live`, without a URL and with these members.
private func gemini(_ members: String) -> String {
  smallFile(
    provider: #""openai": {"kind": "gemini-live", "model": "gemini-3.8-live", \#(members)}"#)
}

private let vertex = #""platform": "vertex", "project": "p1", "location": "us-central1""#

@Suite("Gemini Live in the file")
struct GeminiFileTests {
  private func entry(_ members: String) throws -> ProviderEntry {
    try #require(try decode(gemini(members)).providers["openai"])
  }

  private func settings(_ members: String) throws -> GeminiLiveSettings {
    guard case .geminiLive(let settings) = try entry(members).kind else { throw WrongKind() }
    return settings
  }

  private struct WrongKind: Error {}

  @Test(
    "gemini 1.1: without a URL the address follows from the platform and the location",
    arguments: [
      (#""key": "env:K""#, "wss://generativelanguage.googleapis.com:443", "v1beta"),
      (
        #""key": "env:K", "platform": "ai-studio", "apiVersion": "v1""#,
        "wss://generativelanguage.googleapis.com:443",
        "v1"
      ),
      (
        #""key": "env:K", "keyType": "ephemeral-token""#,
        "wss://generativelanguage.googleapis.com:443", "v1alpha"
      ),
      (
        #""key": "env:K", \#(vertex)"#, "wss://us-central1-aiplatform.googleapis.com:443", "v1beta1"
      ),
      (
        #""key": "env:K", \#(vertex), "apiVersion": "v1""#,
        "wss://us-central1-aiplatform.googleapis.com:443", "v1"
      ),
      (
        #""key": "env:K", \#(vertex.replacing("us-central1", with: "global"))"#,
        "wss://aiplatform.googleapis.com:443",
        "v1beta1"
      ),
      (
        #""key": "env:K", \#(vertex.replacing("us-central1", with: "eu"))"#,
        "wss://aiplatform.eu.rep.googleapis.com:443",
        "v1beta1"
      ),
      (#""key": "env:K", "platform": "vertex""#, "wss://aiplatform.googleapis.com:443", "v1beta1"),
      (#""key": "env:K", "url": "wss://proxy.example/g""#, "wss://proxy.example:443/g", "v1beta"),
    ])
  func addresses(_ members: String, _ address: String, _ version: String) throws {
    #expect(try entry(members).remote?.endpoint.description == address)
    #expect(try settings(members).effectiveAPIVersion == version)
  }

  @Test("everything that can be said arrives as written")
  func everything() throws {
    let settings = try settings(
      #"""
      \#(vertex), "key": "env:K", "quotaProject": "q:1", "strict": true,
      "aliases": {"gpt-realtime": "gemini-3.8-live"}, "voices": {"Our Voice": "Kore", "aura-2-thalia-en": "Vega2"},
      "models": {"gemini-9": {"thinking": "level", "cue": {"userTurn": "."}, "takesImagesInTurns": false}}
      """#)
    #expect(settings.place == .vertex(project: "p1", location: "us-central1"))
    #expect(settings.keyType == .accessToken)
    #expect(settings.quotaProject == "q:1")
    #expect(settings.isStrict && settings.overridesModels)
    #expect(settings.aliases == ["gpt-realtime": "gemini-3.8-live"])
    #expect(settings.voices == ["Our Voice": "Kore", "aura-2-thalia-en": "Vega2"])
    #expect(try self.settings(#""key": "env:K""#) == GeminiLiveSettings())
  }

  @Test("a service account's file is read; no text of the table has its key")
  func serviceAccount() throws {
    let text = gemini(#"\#(vertex), "serviceAccount": "file:account.json""#)
    let table = try decode(text)
    let remote = try #require(table.providers["openai"]?.remote)
    guard case .serviceAccount(let account) = remote.credential else {
      Issue.record("no account")
      return
    }
    #expect(account.email == "caller@p1.iam.example" && account.keyID == "id1")
    #expect(account.tokenURL == "https://oauth2.example/token")
    #expect(account.privateKey.reveal().contains(plantedSecret))
    let dump = RedactedDump(table).description
    #expect(dump.contains("serviceAccount file:account.json caller@p1.iam.example: available"))
    #expect(dump.contains("vertex p1 us-central1"))
    var dumped = ""
    Swift.dump(table, to: &dumped)
    for text in [dump, "\(table)", String(reflecting: table), dumped] {
      #expect(!text.contains(plantedSecret))
    }
  }

  @Test(
    "a service account that cannot be used makes the provider unavailable, and says why without a word of the file",
    arguments: [
      ("not json", "it is not a JSON object"), ("[]", "it is not a JSON object"),
      (accountFile(["type": #""authorized_user""#]), #"its "type" is not "service_account""#),
      (accountFile(["client_email": nil]), #"it has no "client_email""#),
      (accountFile(["client_email": #""a b@c""#]), #"it has no "client_email""#),
      (accountFile(["private_key": #""\#(plantedSecret)""#]), #"it has no "private_key" in PEM"#),
      (accountFile(["private_key_id": #""a\nb""#]), #"its "private_key_id" is malformed"#),
      (
        accountFile(["token_uri": #""http://oauth2.example/token""#]),
        #"its "token_uri" is not an https address, nor an http one on this machine"#
      ),
      (
        accountFile(["token_uri": #""https://u:p@oauth2.example/token""#]),
        #"its "token_uri" is not an https address, nor an http one on this machine"#
      ),
    ])
  func wrongAccounts(_ file: String, _ cause: String) throws {
    let sources = SecretSources(
      environment: { _ in file }, file: { (_, _) throws(FileFault) in throw .notFound })
    let reference = SecretReference.environment("ACCOUNT")
    #expect(throws: SecretFault.notAServiceAccount(reference, cause)) {
      try sources.serviceAccount(reference, directory: "")
    }
    #expect(!SecretFault.notAServiceAccount(reference, cause).publicText.contains("ACCOUNT"))
  }

  @Test(
    "a token's address may be an http one on this machine, and is Google's where the file names none"
  )
  func tokenAddresses() throws {
    func url(_ value: String?) throws -> String {
      let text = accountFile(["token_uri": value])
      let sources = SecretSources(
        environment: { _ in text }, file: { (_, _) throws(FileFault) in throw .notFound })
      return try sources.serviceAccount(.environment("A"), directory: "").tokenURL
    }
    #expect(try url(#""http://127.0.0.1:9/t""#) == "http://127.0.0.1:9/t")
    #expect(try url(nil) == "https://oauth2.googleapis.com/token")
  }

  @Test("R171: an absent account is unavailability, not a fault")
  func absentAccount() throws {
    let entry = try entry(#"\#(vertex), "serviceAccount": "file:none""#)
    #expect(entry.unavailability == .fileUnreadable(path: "/conf/none", .notFound))
  }

  @Test(
    "wrong settings are faults with their place",
    arguments: [
      WrongFile(
        "a project on AI Studio", gemini(#""key": "env:K", "project": "p""#),
        #"routes.json:4: providers.openai.project: only with "platform": "vertex""#),
      WrongFile(
        "a platform that is none", gemini(#""key": "env:K", "platform": "vertx""#),
        #"routes.json:4: providers.openai.platform: expected "ai-studio" or "vertex""#),
      WrongFile(
        "a project without a location",
        gemini(#""key": "env:K", "platform": "vertex", "project": "p""#),
        "routes.json:4: providers.openai.location: missing required key"),
      WrongFile(
        "a location with a slash",
        gemini(#""key": "env:K", \#(vertex.replacing("us-central1", with: "a/b"))"#),
        "routes.json:4: providers.openai.location: expected the name of a location of Google Cloud"),
      WrongFile(
        "an account and a key",
        gemini(#"\#(vertex), "key": "env:K", "serviceAccount": "file:account.json""#),
        "routes.json:4: providers.openai.serviceAccount: there is a key already; one of the two is enough"
      ),
      WrongFile(
        "an account itself", gemini(#"\#(vertex), "serviceAccount": "account.json""#),
        "routes.json:4: providers.openai.serviceAccount: a secret must be a reference, env:NAME or file:PATH; the value "
          + "itself does not belong in this file"),
      WrongFile(
        "a type of key that is none", gemini(#""key": "env:K", "keyType": "bearer""#),
        #"routes.json:4: providers.openai.keyType: expected one of "api-key", "ephemeral-token", "access-token""#
      ),
      WrongFile(
        "an ephemeral token on Vertex",
        gemini(#""key": "env:K", "keyType": "ephemeral-token", \#(vertex)"#),
        "routes.json:4: providers.openai.keyType: not on Vertex AI in this form: a project takes an access token; an API "
          + "key stands for its own"),
      WrongFile(
        "a type without a key", gemini(#""url": "ws://127.0.0.1:1", "keyType": "api-key""#),
        "routes.json:4: providers.openai.keyType: there is no key that it could be the type of"),
      WrongFile(
        "no key for Google", gemini(#""strict": false"#),
        "routes.json:4: providers.openai.key: missing required key; only a provider on a loopback address may do without, "
          + "not generativelanguage.googleapis.com"),
      WrongFile(
        "an unknown cell", gemini(#""key": "env:K", "models": {"gemini-9": {"thinkng": "level"}}"#),
        #"routes.json:4: providers.openai.models.gemini-9.thinkng: unknown key; did you mean "thinking"?"#
      ),
      WrongFile(
        "cells of the wrong kind",
        gemini(
          #""key": "env:K", "models": {"g": {"thinking": "high", "takesImagesInTurns": "no", "cue": "userTurn", "seeding": 1}}"#
        ),
        #"routes.json:4: providers.openai.models.g.thinking: expected one of "budget", "level", "requiredLevel", "none""#,
        "routes.json:4: providers.openai.models.g.takesImagesInTurns: expected true or false",
        #"routes.json:4: providers.openai.models.g.cue: expected "emptyTurn", {"userTurn": TEXT} or "#
          + #"{"realtimeText": TEXT}"#,
        #"routes.json:4: providers.openai.models.g.seeding: expected one of "context", "announcedHistory", "#
          + #""instruction""#),
      WrongFile(
        "a voice with a slip",
        gemini(#""key": "env:K", "voices": {"alloy": "Korre", "echo": "charon"}"#),
        #"routes.json:4: providers.openai.voices.alloy: no voice of Gemini Live; did you mean "Kore"?"#,
        #"routes.json:4: providers.openai.voices.echo: no voice of Gemini Live; did you mean "Charon"?"#
      ),
      WrongFile(
        "an alias to nothing", gemini(#""key": "env:K", "aliases": {"a": ""}"#),
        "routes.json:4: providers.openai.aliases.a: expected the name of a model: 1 to 256 visible ASCII characters"
      ),
      WrongFile(
        "strict as a text", gemini(#""key": "env:K", "strict": "yes""#),
        "routes.json:4: providers.openai.strict: expected a boolean, found a string"),
      WrongFile(
        "Gemini's settings for OpenAI",
        smallFile().replacing(#""model""#, with: #""strict": true, "voices": {}, "model""#),
        #"routes.json:4: providers.openai.strict: not a setting of kind "openai""#,
        #"routes.json:4: providers.openai.voices: not a setting of kind "openai""#),
    ])
  func wrong(_ file: WrongFile) {
    #expect(faultLines(file.text) == file.lines)
  }

  @Test(
    "Q16: a foreign model becomes the configured one, unless it is an alias or the provider is strict"
  )
  func foreignModels() throws {
    func isForeign(_ members: String) throws -> Bool {
      try decode(gemini(members)).choose(
        RequestTarget("/v1/realtime?provider=openai&model=gpt-realtime")
      ).isForeignModel
    }
    #expect(try isForeign(#""key": "env:K""#))
    #expect(try !isForeign(#""key": "env:K", "strict": true"#))
    #expect(try !isForeign(#""key": "env:K", "aliases": {"gpt-realtime": "gemini-3.8-live"}"#))
    #expect(try isForeign(#""key": "env:K", "aliases": {"gpt-4o": "gemini-3.8-live"}"#))
  }
}
