import HTTPWire
import NIOCore
import NIOPosix
import NIOSSL
import Routing
import Translation

/// Opens one WebSocket to a provider: access token; name, TCP and the proxy's tunnel; TLS; upgrade; each with its own
/// deadline, all on the session's event loop. Reports once, unless abandoned.
final class UpstreamConnector {
  enum Outcome {
    /// The WebSocket is open. The leg's owner must be set before the report returns: frames may follow at once.
    case opened(FrameLeg)
    case failed(UpstreamEnd)
  }

  private let target: UpstreamTarget
  private let outgoing: Outgoing
  /// Nil where the connection goes straight to the host.
  private let proxy: ProxyServer?
  /// What was made for `target.authorization`.
  private var token: Redacted<String>?
  /// The token was kept from an earlier connection: it may have been revoked since, and a new one may still be good.
  private var tokenIsOlder = false
  private let limits: EdgeLimits
  private let loop: any EventLoop
  private var report: ((Outcome) -> Void)?
  private var channel: (any Channel)?

  init(
    target: UpstreamTarget, limits: EdgeLimits, outgoing: Outgoing, loop: any EventLoop,
    report: @escaping (Outcome) -> Void
  ) {
    self.target = target
    self.outgoing = outgoing
    let endpoint = target.endpoint
    proxy = outgoing.proxies.proxy(isSecure: endpoint.isSecure, host: endpoint.host, port: endpoint.port)
    self.limits = limits
    self.loop = loop
    self.report = report
  }

  func start() {
    guard let authorization = target.authorization else { return connect() }
    guard let token = outgoing.tokens.ready(for: authorization) else { return authorize(authorization) }
    tokenIsOlder = true
    authorized(.success(token))
  }

  private func authorize(_ authorization: UpstreamTarget.Authorization) {
    let connector = NIOLoopBound(self, eventLoop: loop)
    Task { [tokens = outgoing.tokens, loop] in
      let result = await tokens.token(for: authorization)
      loop.execute { connector.value.authorized(result) }
    }
  }

  private func authorized(_ result: Result<Redacted<String>, TokenFault>) {
    guard report != nil else { return }
    switch result {
    case .success(let token):
      self.token = token
      connect()
    case .failure(let fault):
      finish(.failed(fault.end))
    }
  }

  private func connect() {
    let tls: NIOSSLContext?
    do {
      tls =
        target.endpoint.isSecure
        ? try outgoing.contexts.context(authorityFile: target.endpoint.authorityFile) : nil
    } catch {
      return finish(.failed(.tlsRefused))
    }
    let limits = self.limits
    let deadline = loop.now + TimeAmount(limits.upstreamConnect)
    let resolver =
      proxy == nil
      ? CheckedResolver(outgoing.addresses, on: loop, for: target.endpoint)
      : CheckedResolver(outgoing.addresses, on: loop)
    ClientBootstrap(group: loop)
      .resolver(resolver)
      .connectTimeout(TimeAmount(limits.upstreamConnect))
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(UnsentBytes.option, value: UnsentBytes.most)
      .channelOption(.socketOption(.so_rcvbuf), value: ReceiveBuffers.mostOfKernel)
      .channelOption(.recvAllocator, value: ReceiveBuffers.allocator)
      .channelOption(
        .writeBufferWaterMark, value: .init(low: limits.writeLowWaterBytes, high: limits.writeHighWaterBytes)
      )
      .connect(host: proxy?.host ?? target.endpoint.host, port: proxy?.port ?? target.endpoint.port)
      .assumeIsolated()
      .whenComplete { [self] result in
        switch result {
        case .success(let channel): connected(channel, tls, deadline)
        case .failure(let error): finish(.failed(end(of: error, resolver)))
        }
      }
  }

  /// Gives up; nothing is reported any more (fault row 52).
  func abandon() {
    report = nil
    channel?.close(promise: nil)
  }

  private func connected(_ channel: any Channel, _ tls: NIOSSLContext?, _ deadline: NIODeadline) {
    guard report != nil else {
      channel.close(promise: nil)
      return
    }
    self.channel = channel
    guard let proxy else { return speak(on: channel, tls) }
    let tunnel = ProxyTunnel(to: target.endpoint, through: proxy, limits: HeadLimits(), deadline: deadline) {
      [self] end in
      if let end { finish(.failed(end)) } else { speak(on: channel, tls) }
    }
    do {
      try channel.pipeline.syncOperations.addHandler(tunnel)
    } catch {
      channel.close(promise: nil)
      finish(.failed(.proxyFailed(status: nil)))
    }
  }

  /// From here on the other side is the provider.
  private func speak(on channel: any Channel, _ tls: NIOSSLContext?) {
    var target = self.target
    if let token { target.headers.append(.init("Authorization", Redacted("Bearer " + token.reveal()))) }
    let handshake = UpstreamHandshake(target: target, limits: limits) { [self] outcome in finish(outcome) }
    do {
      if let tls {
        try channel.pipeline.syncOperations.addHandler(
          try NIOSSLClientHandler(context: tls, serverHostname: serverName))
      }
      try channel.pipeline.syncOperations.addHandler(handshake)
    } catch {
      channel.close(promise: nil)
      finish(.failed(.tlsRefused))
    }
  }

  /// The name that the provider may choose its certificate by; nil for an address, which cannot be told (RFC 6066).
  private var serverName: String? {
    let host = target.endpoint.host
    return (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
  }

  private func finish(_ outcome: Outcome) {
    guard let report else { return }
    // The credential lost its rights, or the token was revoked: the next attempt asks again.
    if case .failed(.refused(401, _)) = outcome, let token, let authorization = target.authorization {
      outgoing.tokens.forget(token, of: authorization)
      if tokenIsOlder {
        // A refusal ends a call, and a revoked token says nothing about the credential: once, a new one is tried first.
        tokenIsOlder = false
        self.token = nil
        channel = nil
        return authorize(authorization)
      }
    }
    self.report = nil
    report(outcome)
  }

  private func end(of error: any Error, _ resolver: CheckedResolver) -> UpstreamEnd {
    if case ChannelError.connectTimeout = error { return .timedOut(.connect) }
    guard proxy == nil else { return .proxyFailed(status: nil) }
    guard let error = error as? NIOConnectionError else { return .unreachable }
    if !error.connectionErrors.isEmpty {
      let isTimeout = error.connectionErrors.allSatisfy {
        if case ChannelError.connectTimeout = $0.error { true } else { false }
      }
      return isTimeout ? .timedOut(.connect) : .unreachable
    }
    if resolver.hasRefused { return .addressRefused }
    return error.dnsAError != nil || error.dnsAAAAError != nil ? .nameNotFound : .unreachable
  }
}

/// How much memory a connection keeps for what it receives: little while idle, at most 64 KiB.
enum ReceiveBuffers {
  /// What the kernel may take from a provider that is not being read. Left to itself it takes megabytes: minutes of audio
  /// that the provider could have dropped when the client interrupts.
  static let mostOfKernel: ChannelOptions.Types.SocketOption.Value = 128 * 1024

  static let allocator = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 1024, maximum: 64 * 1024)
}
