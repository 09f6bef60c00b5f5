/// An account of Google Cloud that a program signs in with. Only the edge signs: here it is a value like another.
public struct GoogleServiceAccount: Sendable {
  /// `client_email` of the account's file.
  public var email: String
  /// `private_key_id`; nil where the file has none.
  public var keyID: String?
  /// `private_key`: an RSA key as PEM.
  public var privateKey: Redacted<String>
  /// `token_uri`: where assertions are exchanged for access tokens.
  public var tokenURL: String

  public init(email: String, keyID: String?, privateKey: Redacted<String>, tokenURL: String) {
    self.email = email
    self.keyID = keyID
    self.privateKey = privateKey
    self.tokenURL = tokenURL
  }
}

extension GoogleServiceAccount: Equatable {
  /// Both sides come from the same configuration; no attacker presents one of them.
  public static func == (left: Self, right: Self) -> Bool {
    left.email == right.email && left.keyID == right.keyID && left.tokenURL == right.tokenURL
      && left.privateKey.reveal() == right.privateKey.reveal()
  }
}
