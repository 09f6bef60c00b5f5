import JWTKit
import Translation

/// What a Google service account shows for an access token: an assertion that its key signs (RFC 7523 section 2.1,
/// Google's "Using OAuth 2.0 for Server to Server Applications").
enum GoogleAssertion {
  static let scope = "https://www.googleapis.com/auth/cloud-platform"
  static let grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"
  /// How long an assertion holds: as long as Google lets it.
  static let seconds = 3_600

  private struct Claims: JWTPayload {
    var iss: String
    var scope: String
    var aud: String
    var iat: Int
    var exp: Int

    /// It is made here; nobody gives us one.
    func verify(using algorithm: some JWTAlgorithm) throws {}
  }

  /// - Parameter unixTime: seconds; Google refuses an assertion that is some minutes off.
  static func request(
    for account: GoogleServiceAccount, unixTime: Int
  ) async throws(TokenFault) -> TokenRequest {
    let assertion = try await assertion(of: account, unixTime: unixTime)
    let grant = grantType.replacing(":", with: "%3A")
    return TokenRequest(
      url: account.tokenURL, headers: [],
      body: Redacted("grant_type=\(grant)&assertion=\(assertion.reveal())"),
      contentType: "application/x-www-form-urlencoded", tokenPath: ["access_token"], lifetimePath: ["expires_in"])
  }

  static func assertion(
    of account: GoogleServiceAccount, unixTime: Int
  ) async throws(TokenFault) -> Redacted<String> {
    let claims = Claims(
      iss: account.email, scope: scope, aud: account.tokenURL, iat: unixTime, exp: unixTime + seconds)
    do {
      let key = try Insecure.RSA.PrivateKey(pem: account.privateKey.reveal())
      let keys = JWTKeyCollection()
      let id = account.keyID.map { JWKIdentifier(string: $0) }
      await keys.add(rsa: key, digestAlgorithm: .sha256, kid: id)
      return Redacted(try await keys.sign(claims, kid: id))
    } catch {
      throw .unusableKey
    }
  }
}
