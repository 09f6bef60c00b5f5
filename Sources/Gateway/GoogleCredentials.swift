import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Translation

/// Access tokens of service accounts: one for each account, for all its sessions, renewed before it ends.
final class GoogleCredentials: Sendable {
  /// The two times that a token needs: one that its issuer reads, and one that never jumps.
  struct Moment: Sendable {
    var unixTime: Int
    var uptime: Instant
  }

  /// How long before its end a token is renewed. Until a new one is there, the old one serves.
  static let renewal = Duration.seconds(300)
  /// A token with less than this is not used: a connection has to be opened with it yet.
  static let margin = Duration.seconds(30)

  /// The process's, which lives as long as it does.
  static let shared = GoogleCredentials(
    exchange: GoogleTokenExchange(
      client: HTTPClient(
        eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
        configuration: GoogleTokenExchange.configuration)))

  private typealias Flight = Task<Result<Redacted<String>, GoogleCredentialFault>, Never>

  private struct Entry {
    var account: GoogleServiceAccount
    var token: (text: Redacted<String>, endsAt: Instant)?
    /// The exchange in progress.
    var flight: Flight?
  }

  /// An account, apart from its secret.
  private struct Name: Hashable {
    var email: String
    var keyID: String?
    var tokenURL: String

    init(_ account: GoogleServiceAccount) {
      email = account.email
      keyID = account.keyID
      tokenURL = account.tokenURL
    }
  }

  private let exchange: GoogleTokenExchange
  private let now: @Sendable () -> Moment
  private let entries = Mutex<[Name: Entry]>([:])

  init(exchange: GoogleTokenExchange, now: @escaping @Sendable () -> Moment = { .current }) {
    self.exchange = exchange
    self.now = now
  }

  /// The token, if there is one to use at once; where it ends soon, a new one is on its way from then on.
  func ready(for account: GoogleServiceAccount) -> Redacted<String>? {
    let moment = now()
    return entries.withLock { entries in
      guard let entry = entries[Name(account)], entry.account == account, let token = entry.token else { return nil }
      let left = token.endsAt - moment.uptime
      guard left > Self.margin else { return nil }
      if left <= Self.renewal { _ = flight(for: account, at: moment, in: &entries) }
      return token.text
    }
  }

  /// The token, or a new one. All that ask at once wait for one exchange.
  func token(for account: GoogleServiceAccount) async -> Result<Redacted<String>, GoogleCredentialFault> {
    if let token = ready(for: account) { return .success(token) }
    let moment = now()
    return await entries.withLock { flight(for: account, at: moment, in: &$0) }.value
  }

  /// Drops a token that the provider has refused.
  func forget(_ token: Redacted<String>, of account: GoogleServiceAccount) {
    entries.withLock { entries in
      guard entries[Name(account)]?.token?.text.reveal() == token.reveal() else { return }
      entries[Name(account)]?.token = nil
    }
  }

  /// The exchange in progress, or a new one. It ends whoever waits for it or not.
  private func flight(
    for account: GoogleServiceAccount, at moment: Moment, in entries: inout [Name: Entry]
  ) -> Flight {
    let name = Name(account)
    // A configuration that was read again may have another key under the same name.
    if entries[name]?.account != account { entries[name] = Entry(account: account) }
    if let flight = entries[name]?.flight { return flight }
    let flight = Flight { [self] in
      let result: Result<GoogleTokenExchange.Token, GoogleCredentialFault>
      do throws(GoogleCredentialFault) {
        result = .success(try await exchange.token(for: account, unixTime: moment.unixTime))
      } catch {
        result = .failure(error)
      }
      return landed(result, for: account, begunAt: moment)
    }
    entries[name]?.flight = flight
    return flight
  }

  private func landed(
    _ result: Result<GoogleTokenExchange.Token, GoogleCredentialFault>, for account: GoogleServiceAccount,
    begunAt moment: Moment
  ) -> Result<Redacted<String>, GoogleCredentialFault> {
    entries.withLock { entries in
      let name = Name(account)
      guard entries[name]?.account == account else { return result.map(\.text) }
      entries[name]?.flight = nil
      if case .success(let token) = result {
        entries[name]?.token = (token.text, moment.uptime + token.lifetime)
      }
      return result.map(\.text)
    }
  }
}

extension GoogleCredentials.Moment {
  static var current: Self {
    Self(unixTime: Int(Date().timeIntervalSince1970), uptime: Instant(NIODeadline.now()))
  }
}
