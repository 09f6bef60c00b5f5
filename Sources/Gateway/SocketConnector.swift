public import NIOCore
public import Translation
public import VoiceEngine

import Foundation
import WebSocketWire

/// WebSockets for everything that is not a session: the engine's services, and `parley say`. The same handshake, framing
/// and limits as towards a provider.
public struct SocketConnector: SocketDialer {
  private let group: any EventLoopGroup
  private let limits: EdgeLimits
  private let contexts = TLSContexts()

  public init(group: any EventLoopGroup, limits: EdgeLimits = EdgeLimits()) {
    self.group = group
    self.limits = limits
  }

  public func open(_ url: String, headers: [(String, Redacted<String>)]) async throws -> any Socket {
    guard let target = UpstreamTarget(url: url, headers: headers) else {
      throw SocketRefusal(status: 0, body: "not a WebSocket address")
    }
    let loop = group.next()
    let attempt = SocketAttempt(target: target, limits: limits, contexts: contexts, loop: loop)
    return try await withTaskCancellationHandler {
      try await attempt.open()
    } onCancel: {
      attempt.abandon()
    }
  }
}

extension UpstreamTarget {
  /// Of a `ws`, `wss`, `http` or `https` URL without user, password or fragment.
  fileprivate init?(url: String, headers: [(String, Redacted<String>)]) {
    guard let scheme = url.range(of: "://") else { return nil }
    let isSecure: Bool
    switch url[..<scheme.lowerBound] {
    case "wss", "https": isSecure = true
    case "ws", "http": isSecure = false
    default: return nil
    }
    let rest = url[scheme.upperBound...]
    let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    var host = rest[..<end]
    var port = isSecure ? 443 : 80
    guard !host.isEmpty, !host.contains("@"), !rest.contains("#") else { return nil }
    if let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") {
      guard let number = Int(host[host.index(after: colon)...]), (1...65_535).contains(number) else { return nil }
      port = number
      host = host[..<colon]
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    let path = rest[end...]
    self.init(
      endpoint: UpstreamEndpoint(isSecure: isSecure, host: String(host), port: port),
      pathAndQuery: path.hasPrefix("/") ? String(path) : "/" + path,
      headers: headers.map { Header($0.0, $0.1) })
  }
}

/// One attempt to open a socket. Its parts are touched on its loop only.
private final class SocketAttempt: Sendable {
  private struct State {
    var connector: UpstreamConnector?
    var isAbandoned = false
  }

  private let target: UpstreamTarget
  private let limits: EdgeLimits
  private let contexts: TLSContexts
  private let loop: any EventLoop
  private let state: NIOLoopBoundBox<State>

  init(target: UpstreamTarget, limits: EdgeLimits, contexts: TLSContexts, loop: any EventLoop) {
    self.target = target
    self.limits = limits
    self.contexts = contexts
    self.loop = loop
    state = .makeBoxSendingValue(State(), eventLoop: loop)
  }

  func open() async throws -> any Socket {
    let promise = loop.makePromise(of: LegSocket.self)
    loop.execute { [self] in
      guard !state.value.isAbandoned else { return promise.fail(CancellationError()) }
      let connector = UpstreamConnector(target: target, limits: limits, contexts: contexts, loop: loop) { [self] outcome in
        state.value.connector = nil
        switch outcome {
        case .opened(let leg):
          promise.succeed(LegSocket(leg, loop: loop))
        case .failed(.refused(let status, _)):
          promise.fail(SocketRefusal(status: status))
        case .failed(let end):
          promise.fail(SocketFailure(end: end))
        }
      }
      state.value.connector = connector
      connector.start()
    }
    return try await promise.futureResult.get()
  }

  func abandon() {
    loop.execute { [self] in
      state.value.isAbandoned = true
      state.value.connector?.abandon()
      state.value.connector = nil
    }
  }
}

/// The server could not be reached, or did not speak WebSocket.
public struct SocketFailure: Error, Sendable, CustomStringConvertible {
  public var end: UpstreamEnd

  public var description: String { end.faultName }
}

/// A leg as a socket for asynchronous code.
private final class LegSocket: Socket, FrameLegOwner {
  private let leg: NIOLoopBound<FrameLeg>
  private let loop: any EventLoop
  let messages: AsyncThrowingStream<SocketMessage, any Error>
  private let arrivals: AsyncThrowingStream<SocketMessage, any Error>.Continuation

  /// On the loop. The leg keeps its owner, so the socket lives as long as the connection.
  init(_ leg: FrameLeg, loop: any EventLoop) {
    self.leg = NIOLoopBound(leg, eventLoop: loop)
    self.loop = loop
    (messages, arrivals) = AsyncThrowingStream.makeStream(of: SocketMessage.self)
    leg.setOwner(self)
  }

  func send(text: String) {
    let message = ByteBuffer(string: text)
    loop.execute { [leg] in
      leg.value.send(.text, message.readableBytesView)
      leg.value.flush()
    }
  }

  func send(binary: [UInt8]) {
    let message = ByteBuffer(bytes: binary)
    loop.execute { [leg] in
      leg.value.send(.binary, message.readableBytesView)
      leg.value.flush()
    }
  }

  func close() {
    loop.execute { [leg] in leg.value.close(.normal, reason: "") }
  }

  func leg(_ leg: FrameLeg, receivedText message: ByteBuffer) {
    arrivals.yield(.text(String(buffer: message)))
  }

  func leg(_ leg: FrameLeg, receivedBinary message: ByteBuffer) {
    arrivals.yield(.binary(Array(message.readableBytesView)))
  }

  func legFinishedBurst(_ leg: FrameLeg) {
    leg.flush()
  }

  func leg(_ leg: FrameLeg, becameWritable isWritable: Bool) {}

  func leg(_ leg: FrameLeg, ended end: LegEnd) {
    switch UpstreamEnd(end) {
    case .closed(1000, _): arrivals.finish()
    case .closed(let code, let reason): arrivals.finish(throwing: SocketClosed(code: code, reason: reason))
    default: arrivals.finish(throwing: SocketClosed(code: 1006, reason: ""))
    }
  }

  func legShouldStop(_ leg: FrameLeg) {
    leg.close(.goingAway, reason: "")
  }
}
