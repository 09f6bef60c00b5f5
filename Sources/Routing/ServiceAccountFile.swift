import Translation

/// The JSON file that Google Cloud gives out with a service account's key.
extension SecretSources {
  /// The largest that is taken, in bytes. Google's are below 3,000.
  static let longestServiceAccountBytes = 65_536

  /// Where Google exchanges assertions for tokens, if the file does not say.
  static let usualTokenURL = "https://oauth2.googleapis.com/token"

  /// The account behind `reference`.
  ///
  /// - Parameter directory: the folder that a relative path starts from; empty for the working directory.
  func serviceAccount(
    _ reference: SecretReference, directory: String
  ) throws(SecretFault) -> GoogleServiceAccount {
    let bytes = try content(reference, directory: directory, limitBytes: Self.longestServiceAccountBytes)
    do throws(AccountFault) {
      return try Self.account(bytes)
    } catch {
      throw .notAServiceAccount(reference, error.text)
    }
  }

  /// Says what is wrong without a word of the file.
  private struct AccountFault: Error {
    var text: String
  }

  private static func account(_ bytes: [UInt8]) throws(AccountFault) -> GoogleServiceAccount {
    guard let value = try? PositionedParser.parse(bytes), case .object(let members) = value.content else {
      throw AccountFault(text: "it is not a JSON object")
    }
    func text(_ key: String) -> String? {
      guard let member = members.first(where: { $0.key == key }), case .string(let text) = member.value.content
      else { return nil }
      return text.isEmpty ? nil : text
    }
    guard text("type") == "service_account" else { throw AccountFault(text: "its \"type\" is not \"service_account\"") }
    guard let email = text("client_email"), ModelName.isValid(email), email.contains("@") else {
      throw AccountFault(text: "it has no \"client_email\"")
    }
    guard let key = text("private_key"), key.contains("-----BEGIN "), key.contains("PRIVATE KEY-----") else {
      throw AccountFault(text: "it has no \"private_key\" in PEM")
    }
    let keyID = text("private_key_id")
    guard keyID.map(ModelName.isValid) ?? true else { throw AccountFault(text: "its \"private_key_id\" is malformed") }
    let tokenURL = text("token_uri") ?? usualTokenURL
    guard TokenURL.isUsable(tokenURL) else {
      throw AccountFault(text: "its \"token_uri\" is not an https address, nor an http one on this machine")
    }
    return GoogleServiceAccount(email: email, keyID: keyID, privateKey: Redacted(key), tokenURL: tokenURL)
  }
}

/// The rule for addresses that a credential is sent to for a token.
enum TokenURL {
  /// Over TLS, or without leaving the machine; anywhere if `withoutTLS`.
  static func isUsable(_ text: String, withoutTLS: Bool = false) -> Bool {
    for (scheme, socketScheme) in [("https://", "wss://"), ("http://", "ws://")] where text.hasPrefix(scheme) {
      guard let endpoint = try? Endpoint(url: socketScheme + text.dropFirst(scheme.count)) else { return false }
      return endpoint.isSecure || endpoint.isLoopback || withoutTLS
    }
    return false
  }
}
