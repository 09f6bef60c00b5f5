import NIOCore
import Translation
import WebSocketWire

/// The connections that a session has beside its own, for responses outside of the conversation: few, short, and without
/// audio of the client, so they need no queue of their own. Confined to the session's event loop.
final class SideConnections {
  private let limits: EdgeLimits
  private let outgoing: Outgoing
  private let loop: any EventLoop
  private let report: (SideLine, UpstreamConnector.Outcome) -> Void
  private var connectors: [SideLine: UpstreamConnector] = [:]
  private var legs: [SideLine: FrameLeg] = [:]

  init(
    limits: EdgeLimits, outgoing: Outgoing, loop: any EventLoop,
    report: @escaping (SideLine, UpstreamConnector.Outcome) -> Void
  ) {
    self.limits = limits
    self.outgoing = outgoing
    self.loop = loop
    self.report = report
  }

  func dial(_ line: SideLine, _ target: UpstreamTarget) {
    let connector = UpstreamConnector(target: target, limits: limits, outgoing: outgoing, loop: loop) {
      [weak self] outcome in
      self?.dialled(line, outcome)
    }
    connectors[line] = connector
    connector.start()
  }

  func dialled(_ line: SideLine, _ outcome: UpstreamConnector.Outcome) {
    connectors[line] = nil
    if case .opened(let leg) = outcome { legs[line] = leg }
    report(line, outcome)
  }

  func line(of leg: FrameLeg) -> SideLine? {
    legs.first { $0.value === leg }?.key
  }

  /// Forgets a connection that has ended.
  func remove(_ leg: FrameLeg) -> SideLine? {
    guard let line = line(of: leg) else { return nil }
    legs[line] = nil
    return line
  }

  func send(_ message: ByteBuffer, on line: SideLine) {
    legs[line]?.send(.text, message.readableBytesView)
  }

  /// What they say goes to the client, who takes nothing for now (fault row 49).
  func pauseReading() {
    for leg in legs.values { leg.pauseReading(.otherSideIsBusy) }
  }

  func resumeReading() {
    for leg in legs.values { leg.resumeReading(.otherSideIsBusy) }
  }

  func flush() {
    for leg in legs.values { leg.flush() }
  }

  func close(_ line: SideLine) {
    connectors.removeValue(forKey: line)?.abandon()
    legs.removeValue(forKey: line)?.close(.normal, reason: "", within: limits.lingerTimeout)
  }

  func closeAll() {
    for line in Set(connectors.keys).union(legs.keys) { close(line) }
  }
}
