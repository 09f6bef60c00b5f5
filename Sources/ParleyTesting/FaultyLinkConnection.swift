import NIOCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// One client and its connection to the target, on the event loop of their link.
final class FaultyLinkConnection {
  /// A side that was told the end and does not end itself is left after this long.
  private static let grace = TimeAmount.seconds(5)

  let number: Int
  private let client: any Channel
  private let relay: FaultyLinkRelay
  private let toTarget: FaultyLinkFlow
  private let toClient: FaultyLinkFlow
  private var target: (any Channel)?
  private var strikes: [FaultyLinkStrike]
  private var isVanished = false
  private var isOver = false
  /// Channels that are not closed.
  private var openChannels = 0

  init(
    number: Int, client: any Channel, seed: UInt64, behaviours: [FaultyLink.Direction: FaultyLink.Behaviour],
    strikes: [FaultyLinkStrike], relay: FaultyLinkRelay
  ) {
    self.number = number
    self.client = client
    self.relay = relay
    self.strikes = strikes
    toTarget = FaultyLinkFlow(
      behaviour: behaviours[.toTarget] ?? .init(), jitter: .init(seed: seed, connection: number, .toTarget),
      loop: client.eventLoop)
    toClient = FaultyLinkFlow(
      behaviour: behaviours[.toClient] ?? .init(), jitter: .init(seed: seed, connection: number, .toClient),
      loop: client.eventLoop)
  }

  var ends: [EventLoopFuture<Void>] { [client.closeFuture] + (target.map { [$0.closeFuture] } ?? []) }
  var passed: [FaultyLink.Direction: Int] { [.toTarget: toTarget.passed, .toClient: toClient.passed] }

  func passedBytes(_ direction: FaultyLink.Direction) -> Int { flow(direction).passed }

  private func flow(_ direction: FaultyLink.Direction) -> FaultyLinkFlow {
    direction == .toTarget ? toTarget : toClient
  }

  /// Nil when the client is gone.
  var clientPort: Int? { client.isActive ? client.remoteAddress?.port : nil }

  // MARK: What the channels tell

  /// Takes note of a channel's end.
  ///
  /// NIO tells no handler of the end of a channel that is closed before it is active, or in the callback of its
  /// connection: `closeFuture` knows of every end.
  func follow(_ channel: any Channel) {
    openChannels += 1
    channel.closeFuture.assumeIsolated().whenComplete { _ in
      self.openChannels -= 1
      guard self.openChannels == 0 else { return }
      self.isOver = true
      self.toTarget.stop()
      self.toClient.stop()
      self.relay.forget(self)
    }
  }

  /// The target is there: bytes may pass.
  func begin(_ target: any Channel) {
    self.target = target
    follow(target)
    guard client.isActive, !isOver else {
      Self.lingerNot(target)
      return target.close(promise: nil)
    }
    toTarget.begin(from: client, to: target) { [weak self] in self?.flowAdvanced(.toTarget) }
    toClient.begin(from: target, to: client) { [weak self] in self?.flowAdvanced(.toClient) }
  }

  func hear(_ bytes: ByteBuffer, _ direction: FaultyLink.Direction) {
    flow(direction).hear(bytes)
  }

  /// The side that speaks in this direction will say no more.
  func hearEnd(_ direction: FaultyLink.Direction) {
    if isVanished {
      // It gave the other side up; there is nobody to tell.
      speaker(direction)?.close(promise: nil)
    } else {
      flow(direction).hearEnd()
    }
  }

  /// The side that speaks in this direction is closed.
  func lose(_ direction: FaultyLink.Direction, byReset: Bool) {
    guard !isOver, !isVanished else { return }
    if !byReset, flow(direction.opposite).isEnded {
      // It had been told the end, and has now said the end itself.
      flow(direction).hearEnd()
    } else {
      reset()
    }
  }

  private func speaker(_ direction: FaultyLink.Direction) -> (any Channel)? {
    direction == .toTarget ? client : target
  }

  /// Something was passed on, or all of it.
  private func flowAdvanced(_ direction: FaultyLink.Direction) {
    let due = strikes.filter { $0.direction == direction && $0.afterBytes <= flow(direction).passed }
    if !due.isEmpty {
      strikes.removeAll { $0.direction == direction && $0.afterBytes <= flow(direction).passed }
      for strike in due { self.strike(strike.fault) }
    }
    flow(direction).limit = strikes.filter { $0.direction == direction }.map(\.afterBytes).min()
    if toTarget.isDone, toClient.isDone { closeBoth() }
  }

  // MARK: Faults

  func behave(_ behaviour: FaultyLink.Behaviour, _ direction: FaultyLink.Direction) {
    flow(direction).behave(behaviour)
  }

  func arm(_ strike: FaultyLinkStrike) {
    strikes.append(strike)
    flowAdvanced(strike.direction)
  }

  func strike(_ fault: FaultyLink.Fault) {
    guard !isOver else { return }
    // A close frame that comes twice is counted where one does.
    if fault != .duplicateClose { relay.count(fault) }
    switch fault {
    case .stall(let duration):
      toTarget.stall(duration)
      toClient.stall(duration)
    case .cut:
      reset()
    case .vanish:
      isVanished = true
      toTarget.stop()
      toClient.stop()
    case .halfClose(let direction):
      flow(direction).finish()
    case .close:
      toTarget.finish()
      toClient.finish()
      let bound = NIOLoopBound(self, eventLoop: client.eventLoop)
      client.eventLoop.scheduleTask(in: Self.grace) { bound.value.closeBoth() }
    case .duplicateClose:
      for flow in [toTarget, toClient] { flow.closeDoubled = { [relay] in relay.count(.duplicateClose) } }
    }
  }

  func reset() {
    for channel in [client, target].compactMap(\.self) { Self.lingerNot(channel) }
    closeBoth()
  }

  /// A socket that lingers for no time sends a reset, and nothing else, when it is closed.
  private static func lingerNot(_ channel: any Channel) {
    (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenFailure { _ in }
  }

  private func closeBoth() {
    guard !isOver else { return }
    isOver = true
    toTarget.stop()
    toClient.stop()
    client.close(promise: nil)
    target?.close(promise: nil)
  }
}
