public import NIOCore
public import Translation
public import VoiceEngine

import Foundation
import Synchronization
import WebSocketWire

/// WebSockets for everything that is not a session: the engine's services, and `parley say`. The same handshake, framing
/// and limits as towards a provider.
public struct SocketConnector: SocketDialer {
  private let group: any EventLoopGroup
  private let limits: EdgeLimits
  private let outgoing: Outgoing

  public init(group: any EventLoopGroup, limits: EdgeLimits = EdgeLimits(), outgoing: Outgoing) {
    self.group = group
    self.limits = limits
    self.outgoing = outgoing
  }

  public func open(_ url: String, headers: [(String, Redacted<String>)]) async throws -> any Socket {
    guard let target = UpstreamTarget(url: url, headers: headers) else {
      throw SocketRefusal(status: 0, body: "not a WebSocket address")
    }
    let loop = group.next()
    let attempt = SocketAttempt(target: target, limits: limits, outgoing: outgoing, loop: loop)
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
      // Where services are is for the engine's configuration to say, or the command line: beside this server as a rule.
      endpoint: UpstreamEndpoint(isSecure: isSecure, host: String(host), port: port, allowsPrivateAddresses: true),
      pathAndQuery: path.hasPrefix("/") ? String(path) : "/" + path,
      headers: headers.map { Header($0.0, $0.1) })
  }
}

/// One attempt to open a socket. Its parts are touched on its loop only.
private final class SocketAttempt: Sendable {
  private struct State {
    var connector: UpstreamConnector?
    /// Whoever keeps its promise takes it away first, so that it is kept once.
    var promise: EventLoopPromise<LegSocket>?
    var isAbandoned = false
  }

  private let target: UpstreamTarget
  private let limits: EdgeLimits
  private let outgoing: Outgoing
  private let loop: any EventLoop
  private let state: NIOLoopBoundBox<State>

  init(target: UpstreamTarget, limits: EdgeLimits, outgoing: Outgoing, loop: any EventLoop) {
    self.target = target
    self.limits = limits
    self.outgoing = outgoing
    self.loop = loop
    state = .makeBoxSendingValue(State(), eventLoop: loop)
  }

  func open() async throws -> any Socket {
    let promise = loop.makePromise(of: LegSocket.self)
    loop.execute { [self] in
      guard !state.value.isAbandoned else { return promise.fail(CancellationError()) }
      let connector = UpstreamConnector(
        target: target, limits: limits, outgoing: outgoing, loop: loop, report: { [self] in finish($0) })
      state.value.promise = promise
      state.value.connector = connector
      connector.start()
    }
    return try await promise.futureResult.get()
  }

  /// Ends `open` at once: the connector reports nothing any more. Nothing happens to a socket that is open.
  func abandon() {
    loop.execute { [self] in
      state.value.isAbandoned = true
      state.value.connector?.abandon()
      takePromise()?.fail(CancellationError())
    }
  }

  private func finish(_ outcome: UpstreamConnector.Outcome) {
    guard let promise = takePromise() else { return }
    switch outcome {
    case .opened(let leg): promise.succeed(LegSocket(leg, loop: loop))
    case .failed(.refused(let status, _)): promise.fail(SocketRefusal(status: status))
    case .failed(let end): promise.fail(SocketFailure(end: end))
    }
  }

  private func takePromise() -> EventLoopPromise<LegSocket>? {
    defer {
      state.value.promise = nil
      state.value.connector = nil
    }
    return state.value.promise
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
  private let inbox: Inbox
  let messages: AsyncThrowingStream<SocketMessage, any Error>

  /// On the loop. The leg keeps its owner, so the socket lives as long as the connection.
  init(_ leg: FrameLeg, loop: any EventLoop) {
    self.leg = NIOLoopBound(leg, eventLoop: loop)
    self.loop = loop
    let inbox = Inbox(leg, loop: loop)
    self.inbox = inbox
    messages = AsyncThrowingStream(unfolding: { try await inbox.next() })
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

  /// What comes behind this is discarded: the closing leg reads on, whoever reads from the socket or not.
  func close() {
    inbox.shut()
    loop.execute { [leg] in leg.value.close(.normal, reason: "") }
  }

  func leg(_ leg: FrameLeg, receivedText message: ByteBuffer) {
    inbox.take(.text(String(buffer: message)))
  }

  func leg(_ leg: FrameLeg, receivedBinary message: ByteBuffer) {
    inbox.take(.binary(Array(message.readableBytesView)))
  }

  func legFinishedBurst(_ leg: FrameLeg) {
    leg.flush()
  }

  func leg(_ leg: FrameLeg, becameWritable isWritable: Bool) {}

  func leg(_ leg: FrameLeg, ended end: LegEnd) {
    switch UpstreamEnd(end) {
    case .closed(1000, _): inbox.finish(nil)
    case .closed(let code, let reason): inbox.finish(SocketClosed(code: code, reason: reason))
    default: inbox.finish(SocketClosed(code: 1006, reason: ""))
    }
  }

  func legShouldStop(_ leg: FrameLeg) {
    leg.close(.goingAway, reason: "")
  }
}

/// What has come and was not read from the socket. Beyond a bound the connection is not read either, so that a server
/// that says more than anybody listens to waits.
private final class Inbox: Sendable {
  /// Bytes. What one read from the connection brings comes on top, and one long message.
  private static let most = 1 << 20
  /// What a message weighs beside its bytes.
  private static let overhead = 64

  private struct State {
    var byteCount = 0
    var isShut = false
  }

  private let leg: NIOLoopBound<FrameLeg>
  private let loop: any EventLoop
  private let state = Mutex(State())
  private let arrived: AsyncThrowingStream<SocketMessage, any Error>
  private let arrivals: AsyncThrowingStream<SocketMessage, any Error>.Continuation

  /// On the loop.
  init(_ leg: FrameLeg, loop: any EventLoop) {
    self.leg = NIOLoopBound(leg, eventLoop: loop)
    self.loop = loop
    (arrived, arrivals) = AsyncThrowingStream.makeStream(of: SocketMessage.self)
  }

  /// On the loop.
  func take(_ message: SocketMessage) {
    let (isWanted, isFull) = state.withLock { state in
      guard !state.isShut else { return (false, false) }
      state.byteCount += Self.weight(of: message)
      return (true, state.byteCount > Self.most)
    }
    guard isWanted else { return }
    arrivals.yield(message)
    if isFull { leg.value.pauseReading(.sessionIsFull) }
  }

  func finish(_ error: SocketClosed?) {
    arrivals.finish(throwing: error)
  }

  func shut() {
    state.withLock { $0.isShut = true }
  }

  func next() async throws -> SocketMessage? {
    for try await message in arrived {
      let isRoomAgain = state.withLock { state in
        let wasFull = state.byteCount > Self.most
        state.byteCount -= Self.weight(of: message)
        return wasFull && state.byteCount <= Self.most
      }
      if isRoomAgain { loop.execute { self.readOn() } }
      return message
    }
    return nil
  }

  /// On the loop, where reading is paused too: whoever comes last of the two knows how it is.
  private func readOn() {
    if state.withLock({ $0.byteCount <= Self.most }) { leg.value.resumeReading(.sessionIsFull) }
  }

  private static func weight(of message: SocketMessage) -> Int {
    switch message {
    case .text(let text): text.utf8.count + overhead
    case .binary(let bytes): bytes.count + overhead
    }
  }
}
