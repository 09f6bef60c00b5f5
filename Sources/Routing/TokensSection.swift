import Foundation
import Envelope
import Translation

/// Section `tokens` of the file.
extension TableDecoder {
  /// The settings, and whether anything is configured that signs or verifies: one with a fault is no missing one.
  mutating func tokens(_ root: Fields) -> (settings: TokenSettings, isConfigured: Bool) {
    var settings = TokenSettings()
    let path = ValuePath.root.key("tokens")
    let fields = root.member("tokens").flatMap {
      self.fields($0.value, path, known: ConfigurationReference.tokens.names)
    }
    var isConfigured = false
    if let fields, let list = fields.member("secrets") {
      settings.secrets = tokenSecrets(list.value, fields.path.key("secrets"))
      isConfigured = true
    } else if let secret = usualSecret("JWT_SECRET", at: path.key("secrets")) {
      if isLongEnough(secret, .environment("JWT_SECRET"), at: .file(0), path.key("secrets")) {
        settings.secrets = [(nil, secret)]
      }
      isConfigured = true
    }
    if let fields {
      if let list = fields.member("keys") {
        tokenKeys(list.value, fields.path.key("keys"), &settings)
        isConfigured = true
      }
      times(fields, &settings)
      settings.issuer = tokenName(fields, "issuer") ?? settings.issuer
      settings.audience = tokenName(fields, "audience") ?? settings.audience
    }
    settings.publicURL = publicURL(fields, path)
    return (settings, isConfigured)
  }

  private mutating func times(_ fields: Fields, _ settings: inout TokenSettings) {
    func whole(_ key: String, _ lowest: Int, _ highest: Int, _ decoder: inout TableDecoder) -> Int? {
      fields.member(key).flatMap { member in
        decoder.number(
          member.value, fields.path.key(key), Double(lowest)...Double(highest),
          rangeText: "\(lowest) to \(highest) seconds", isWhole: true
        ).map { Int($0) }
      }
    }
    settings.longestSeconds =
      whole("longestSeconds", 1, TokenSettings.longestLifetimeSeconds, &self) ?? settings.longestSeconds
    settings.lifetimeSeconds =
      whole("lifetimeSeconds", 1, settings.longestSeconds, &self)
      ?? min(settings.lifetimeSeconds, settings.longestSeconds)
    settings.skewSeconds = whole("skewSeconds", 0, 60, &self) ?? settings.skewSeconds
  }

  // MARK: secrets and keys

  private mutating func tokenSecrets(
    _ value: PositionedValue, _ path: ValuePath
  ) -> [(kid: String?, secret: Redacted<String>)] {
    guard let elements = elements(value, path) else { return [] }
    if elements.isEmpty { report(.empty("secret"), at: value.place, path) }
    var secrets: [(kid: String?, secret: Redacted<String>)] = []
    var places: [String: Place] = [:]
    for element in elements {
      guard let fields = fields(element.value, element.path, known: ConfigurationReference.tokenSecret.names) else {
        continue
      }
      let kid = fields.member("kid") == nil ? nil : keyName(fields, &places)
      guard let text = requiredString(fields, "secret"), let reference = reference(text),
        let secret = secret(reference, text), isLongEnough(secret, reference, at: text.place, text.path)
      else { continue }
      secrets.append((kid, secret))
    }
    return secrets
  }

  private mutating func isLongEnough(
    _ secret: Redacted<String>, _ reference: SecretReference, at place: Place, _ path: ValuePath
  ) -> Bool {
    let shortest = TokenSettings.shortestSecretBytes
    if secret.reveal().utf8.count >= shortest { return true }
    report(.badText("\(reference) holds fewer than \(shortest) bytes: its tokens could be forged"), at: place, path)
    return false
  }

  /// `kid`: what a token says of the key that signed it.
  private mutating func keyName(_ fields: Fields, _ places: inout [String: Place]) -> String? {
    guard let kid = requiredString(fields, "kid") else { return nil }
    checkName(kid)
    checkUnique(kid, "kid", among: &places)
    return kid.value
  }

  private mutating func tokenKeys(_ value: PositionedValue, _ path: ValuePath, _ settings: inout TokenSettings) {
    guard let elements = elements(value, path) else { return }
    if elements.isEmpty { report(.empty("key"), at: value.place, path) }
    var places: [String: Place] = [:]
    for element in elements {
      guard let fields = fields(element.value, element.path, known: ConfigurationReference.tokenKey.names) else {
        continue
      }
      let kid = keyName(fields, &places)
      guard let member = fields.member("privateKey") else {
        guard let key = ed25519Key(fields, "publicKey", isPrivate: false), let kid else { continue }
        settings.verifyingKeys.append((kid, key.reveal()))
        continue
      }
      if let other = fields.member("publicKey") {
        report(
          .badText("there is a privateKey already; it verifies too"), at: other.keyPlace, fields.path.key("publicKey"))
      }
      guard let key = ed25519Key(fields, "privateKey", isPrivate: true), let kid else { continue }
      if settings.signingKey != nil {
        report(.badText("one private key signs; give the public one of the other"), at: member.keyPlace, fields.path)
      }
      settings.signingKey = (kid, key)
    }
  }

  private mutating func ed25519Key(_ fields: Fields, _ key: String, isPrivate: Bool) -> Redacted<[UInt8]>? {
    guard let text = requiredString(fields, key), let reference = reference(text) else { return nil }
    do {
      let bytes = try sources.content(
        reference, directory: directory, limitBytes: SecretSources.longestSecretBytes)
      if let key = Ed25519PEM.key(in: String(decoding: bytes, as: UTF8.self), isPrivate: isPrivate) {
        return Redacted(key)
      }
      report(
        .badText("\(reference) is not the PEM of \(isPrivate ? "a private" : "a public") key of Ed25519"), at: text)
    } catch {
      report(.missingSecret(error), at: text)
    }
    return nil
  }

  // MARK: names and address

  private mutating func tokenName(_ fields: Fields, _ key: String) -> String? {
    guard let text = string(fields, key) else { return nil }
    if !(1...128).contains(text.value.utf8.count) || !text.value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
      report(.badText("expected 1 to 128 visible ASCII characters"), at: text)
    }
    return text.value
  }

  private mutating func publicURL(_ fields: Fields?, _ path: ValuePath) -> String? {
    let url: Located<String>
    if let fields, fields.member("publicURL") != nil {
      guard let text = string(fields, "publicURL") else { return nil }
      url = text
    } else {
      guard let value = sources.environment("PUBLIC_WS_URL"), !value.isEmpty else { return nil }
      url = Located(value: value, place: .file(0), path: path.key("publicURL"))
    }
    do {
      _ = try Endpoint(url: url.value)
    } catch {
      report(.badURL(error), at: url)
    }
    return url.value
  }
}

/// Keys of Ed25519 as `openssl genpkey -algorithm ed25519` writes them (RFC 8410 section 10).
enum Ed25519PEM {
  private static let publicHead: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
  private static let privateHead: [UInt8] = [
    0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
  ]

  /// The 32 bytes of the key; nil where the text is anything else.
  static func key(in text: String, isPrivate: Bool) -> [UInt8]? {
    let label = isPrivate ? "PRIVATE KEY" : "PUBLIC KEY"
    var lines = text.split(whereSeparator: \.isNewline)[...]
    guard lines.popFirst() == "-----BEGIN \(label)-----", lines.popLast() == "-----END \(label)-----" else {
      return nil
    }
    let head = isPrivate ? privateHead : publicHead
    guard let bytes = Data(base64Encoded: lines.joined()), bytes.count == head.count + 32, bytes.starts(with: head)
    else {
      return nil
    }
    return Array(bytes.dropFirst(head.count))
  }
}
