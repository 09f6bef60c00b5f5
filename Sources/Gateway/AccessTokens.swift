import Foundation
import NIOCore
import Synchronization
import Translation

/// Access tokens of providers that do not take the configured secret itself: one for all sessions with the same
/// credential, renewed before it ends, or a new one for each connection where a token serves once.
final class AccessTokens: Sendable {
  typealias Authorization = UpstreamTarget.Authorization

  /// The two times that a token needs: one that its issuer reads, and one that never jumps.
  struct Moment: Sendable {
    var unixTime: Int
    var uptime: Instant
  }

  /// How long before its end a token is renewed, and at most a quarter of its life. Until a new one is there, the old one
  /// serves.
  static let renewal = Duration.seconds(300)
  /// A token with less than this is not used: a connection has to be opened with it yet.
  static let margin = Duration.seconds(30)

  private typealias Flight = Task<Result<Redacted<String>, TokenFault>, Never>

  private struct Entry {
    var authorization: Authorization
    var token: (text: Redacted<String>, renewAt: Instant, endsAt: Instant)?
    /// The exchange in progress.
    var flight: Flight?
  }

  private let exchange: TokenExchange
  private let now: @Sendable () -> Moment
  /// A configuration has a handful of credentials, and their names hold secrets: they are looked for one by one.
  private let entries = Mutex<[Entry]>([])

  init(exchange: TokenExchange, now: @escaping @Sendable () -> Moment = { .current }) {
    self.exchange = exchange
    self.now = now
  }

  /// The token, if there is one to use at once; where it ends soon, a new one is on its way from then on.
  func ready(for authorization: Authorization) -> Redacted<String>? {
    let moment = now()
    return entries.withLock { entries in
      guard let index = Self.index(of: authorization, in: entries), let token = entries[index].token,
        token.endsAt - moment.uptime > Self.margin
      else { return nil }
      if token.renewAt <= moment.uptime { _ = flight(for: authorization, at: moment, in: &entries) }
      return token.text
    }
  }

  /// The token, or a new one. All that ask at once wait for one exchange, unless a token serves once.
  func token(for authorization: Authorization) async -> Result<Redacted<String>, TokenFault> {
    let moment = now()
    if case .minted(let request) = authorization, request.lifetimePath == nil {
      return await exchanged(authorization, at: moment).map(\.text)
    }
    if let token = ready(for: authorization) { return .success(token) }
    return await entries.withLock { flight(for: authorization, at: moment, in: &$0) }.value
  }

  /// Drops a token that the provider has refused.
  func forget(_ token: Redacted<String>, of authorization: Authorization) {
    entries.withLock { entries in
      guard let index = Self.index(of: authorization, in: entries),
        entries[index].token?.text.reveal() == token.reveal()
      else { return }
      entries[index].token = nil
    }
  }

  private static func index(of authorization: Authorization, in entries: [Entry]) -> Int? {
    entries.firstIndex { $0.authorization == authorization }
  }

  /// The exchange in progress, or a new one. It ends whoever waits for it or not.
  private func flight(
    for authorization: Authorization, at moment: Moment, in entries: inout [Entry]
  ) -> Flight {
    let index: Int
    if let known = Self.index(of: authorization, in: entries) {
      index = known
    } else {
      // What a configuration before this one had is not kept.
      entries.removeAll { $0.flight == nil && ($0.token?.endsAt ?? moment.uptime) <= moment.uptime }
      index = entries.endIndex
      entries.append(Entry(authorization: authorization))
    }
    if let flight = entries[index].flight { return flight }
    let flight = Flight { [self] in
      landed(await exchanged(authorization, at: moment), for: authorization, begunAt: moment)
    }
    entries[index].flight = flight
    return flight
  }

  private func exchanged(
    _ authorization: Authorization, at moment: Moment
  ) async -> Result<TokenExchange.Token, TokenFault> {
    do throws(TokenFault) {
      return .success(try await exchange.token(for: authorization, unixTime: moment.unixTime))
    } catch {
      return .failure(error)
    }
  }

  private func landed(
    _ result: Result<TokenExchange.Token, TokenFault>, for authorization: Authorization, begunAt moment: Moment
  ) -> Result<Redacted<String>, TokenFault> {
    entries.withLock { entries in
      if let index = Self.index(of: authorization, in: entries) {
        entries[index].flight = nil
        if case .success(let token) = result {
          let endsAt = moment.uptime + token.lifetime
          let early = min(Self.renewal, token.lifetime / 4)
          entries[index].token = (token.text, moment.uptime + (token.lifetime - early), endsAt)
        }
      }
      return result.map(\.text)
    }
  }
}

/// Its client keeps what it sends and receives for as long as a request lasts: none of that is for anybody's eyes.
extension AccessTokens: CustomReflectable {
  var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

extension AccessTokens.Moment {
  static var current: Self {
    Self(unixTime: Int(Date().timeIntervalSince1970), uptime: Instant(NIODeadline.now()))
  }
}
