public import AsyncHTTPClient
public import Routing

import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Translation
import VoiceEngine

/// How connections leave this process: through which proxies, to which addresses, with which trust and which tokens.
/// Made once at start, and handed to whatever connects.
public struct Outgoing: Sendable {
  let proxies: ProxySettings
  let addresses: AddressLookup
  let contexts = TLSContexts()
  let tokens: AccessTokens

  public init(proxies: ProxySettings = .none) {
    self.init(proxies: proxies, addresses: .system)
  }

  init(proxies: ProxySettings = .none, addresses: AddressLookup = .system, tokens: AccessTokens? = nil) {
    self.proxies = proxies
    self.addresses = addresses
    self.tokens =
      tokens ?? AccessTokens(exchange: TokenExchange(client: { WebClients.client(for: $0, .account, proxies) }))
  }

  /// For requests of the voice engine's stages to this URL.
  public func stageClient(for url: String) -> HTTPClient { WebClients.client(for: url, .stage, proxies) }

  /// For requests on behalf of a provider's account to this URL.
  public func accountClient(for url: String) -> HTTPClient { WebClients.client(for: url, .account, proxies) }
}

/// The clients of HTTP: one for each purpose and each way out, for as long as the process lives, because a client must not
/// go before its requests have.
private enum WebClients {
  enum Purpose: Hashable {
    /// Access tokens, and what an account has.
    case account
    /// Stages of the voice engine.
    case stage
  }

  private struct Key: Hashable {
    var purpose: Purpose
    var proxy: HTTPClient.Configuration.Proxy?
  }

  private static let clients = Mutex<[Key: HTTPClient]>([:])

  static func client(for url: String, _ purpose: Purpose, _ proxies: ProxySettings) -> HTTPClient {
    let proxy = proxy(for: url, proxies)
    return clients.withLock { clients in
      let key = Key(purpose: purpose, proxy: proxy)
      if let client = clients[key] { return client }
      var configuration = purpose == .account ? TokenExchange.configuration : .remoteStages
      configuration.proxy = proxy
      let client = HTTPClient(
        eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: configuration)
      clients[key] = client
      return client
    }
  }

  /// Nil also for what is no URL: the request says what is wrong with it.
  private static func proxy(for text: String, _ proxies: ProxySettings) -> HTTPClient.Configuration.Proxy? {
    guard let url = URL(string: text), let host = url.host(percentEncoded: false) else { return nil }
    let isSecure = url.scheme?.lowercased() == "https"
    guard let proxy = proxies.proxy(isSecure: isSecure, host: host, port: url.port ?? (isSecure ? 443 : 80)) else {
      return nil
    }
    return .server(
      host: proxy.host, port: proxy.port,
      authorization: proxy.basicCredentials.map { .basic(credentials: $0.reveal()) })
  }
}
