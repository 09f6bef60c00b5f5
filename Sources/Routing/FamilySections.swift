import SessionCore
import Translation

/// What the kinds of the OpenAI wire have beside the keys of all.
extension TableDecoder {
  // MARK: azure

  mutating func azureSettings(_ fields: Fields) -> AzureSettings {
    let api = choice(fields, "api", AzureSettings.API.allCases.map { ($0.rawValue, $0) }) ?? .realtime
    var version: String?
    if let text = string(fields, "apiVersion") {
      version = text.value
      if !Self.isAzureVersion(text.value) {
        report(.badText("expected a version such as \"2025-04-01-preview\""), at: text)
      }
    }
    let credential = azureCredential(fields)
    return AzureSettings(
      api: api, apiVersion: version, credential: credential, tokenURL: tokenURL(fields))
  }

  private enum AzureKeyType { case apiKey, accessToken, clientSecret }

  private mutating func azureCredential(_ fields: Fields) -> AzureSettings.Credential {
    let names: [(String, AzureKeyType)] = [
      ("api-key", .apiKey), ("access-token", .accessToken), ("client-secret", .clientSecret),
    ]
    let type = choice(fields, "keyType", names) ?? .apiKey
    guard type == .clientSecret else {
      refuse(["tenant", "clientID", "tokenURL"], fields, .badText("only with \"keyType\": \"client-secret\""))
      return type == .apiKey ? .header : .bearer
    }
    requireKey(fields)
    let tenant = applicationName(fields, "tenant")
    let clientID = applicationName(fields, "clientID")
    guard let tenant, let clientID else { return .header }
    return .entra(tenant: tenant, clientID: clientID)
  }

  /// A date, and what is behind it: it goes into an address.
  private static func isAzureVersion(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == 0x2D || $0 == 0x2E }
  }

  // MARK: inworld

  mutating func inworldSettings(_ fields: Fields) -> InworldSettings {
    InworldSettings(
      transcriptionModel: plainName(fields, "transcriptionModel", of: "a model"),
      voiceModel: plainName(fields, "voiceModel", of: "a model"), voice: voiceName(fields))
  }

  private mutating func plainName(_ fields: Fields, _ key: String, of what: String) -> String? {
    guard let name = string(fields, key) else { return nil }
    if !ModelName.isValid(name.value) {
      report(.badText("expected the name of \(what): 1 to 256 visible ASCII characters"), at: name)
    }
    return name.value
  }

  /// Cloned voices have the names that people gave them.
  private mutating func voiceName(_ fields: Fields) -> String? {
    guard let name = string(fields, "voice") else { return nil }
    let isPlain = !name.value.unicodeScalars.contains { $0.properties.generalCategory == .control }
    if !isPlain || !(1...256).contains(name.value.utf8.count) {
      report(.badText("expected the name of a voice: 1 to 256 bytes without control characters"), at: name)
    }
    return name.value
  }

  // MARK: vowel

  private enum VowelTokens { case none, engine, core }

  mutating func vowelSettings(_ fields: Fields) -> VowelSettings {
    let names: [(String, VowelTokens)] = [("none", .none), ("engine", .engine), ("core", .core)]
    let tokens = choice(fields, "tokens", names) ?? .none
    if tokens != .core { refuse(["appID"], fields, .badText("only with \"tokens\": \"core\"")) }
    var settings = VowelSettings(voice: voiceName(fields))
    guard tokens != .none else {
      refuse(["tokenURL"], fields, .badText("only with \"tokens\": \"engine\" or \"core\""))
      return settings
    }
    requireKey(fields)
    settings.tokens = .engine
    if tokens == .core {
      settings.tokens = .core(appID: applicationName(fields, "appID") ?? "")
      // Core is another server than the engine: its address does not follow from `url`.
      if fields.member("tokenURL") == nil { report(.missingKey, at: fields.place, fields.path.key("tokenURL")) }
    }
    settings.tokenURL = tokenURL(fields)
    return settings
  }

  // MARK: Of several kinds

  /// The id of an application or a tenant, which has to be there: it goes into an address or a form.
  private mutating func applicationName(_ fields: Fields, _ key: String) -> String? {
    guard let name = requiredString(fields, key) else { return nil }
    let extra = Set("-._".utf8)
    let isPlain =
      (1...128).contains(name.value.utf8.count)
      && name.value.utf8.allSatisfy { $0.isLetter || $0.isDigit || extra.contains($0) }
    guard isPlain, !name.value.hasPrefix(".") else {
      report(.badText("expected an id: 1 to 128 letters, digits, \".\", \"_\" or \"-\""), at: name)
      return nil
    }
    return name.value
  }

  /// What is exchanged for tokens has to be there, on loopback too.
  private mutating func requireKey(_ fields: Fields) {
    if fields.member("key") == nil { report(.missingKey, at: fields.place, fields.path.key("key")) }
  }

  /// Where tokens are made. A secret goes there: over TLS, or on the machine, or where the provider itself is reached
  /// without TLS.
  private mutating func tokenURL(_ fields: Fields) -> String? {
    guard let text = string(fields, "tokenURL") else { return nil }
    let isPlainProvider =
      if let url = fields.member("url"), case .string(let value) = url.value.content {
        value.lowercased().hasPrefix("ws://")
      } else {
        false
      }
    guard TokenURL.isUsable(text.value, withoutTLS: isPlainProvider) else {
      report(.badText("expected an https address, or an http one on this machine or beside a ws:// provider"), at: text)
      return nil
    }
    return text.value
  }
}
