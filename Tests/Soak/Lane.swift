import Foundation
import NIOCore
import ParleyTesting

/// A place for one session after another, with links of its own: its faults are the session's and nobody else's.
struct Lane: Sendable {
  /// From the end of a client until nothing of its call may be left: the pings of a client that has vanished, and the
  /// close handshake after them, are in it.
  static let orphanDeadline = Duration.seconds(15)

  let number: Int
  let client: FaultyLink
  let upstreams: [String: FaultyLink]
  let loop: any EventLoop

  struct Outcome: Sendable {
    var ledger: ClientLedger
    var faults: [String: Int] = [:]
  }

  static func open(_ number: Int, gateway: Int, peers: [String: Int], seed: UInt64, loop: any EventLoop) async throws
    -> Lane
  {
    var upstreams: [String: FaultyLink] = [:]
    for (kind, port) in peers {
      upstreams[kind] = try await FaultyLink.open(port: port, seed: seed &+ UInt64(number) * 3, group: loop)
    }
    return Lane(
      number: number,
      client: try await FaultyLink.open(port: gateway, seed: seed &+ UInt64(number) * 3 &+ 2, group: loop),
      upstreams: upstreams, loop: loop)
  }

  func run(_ session: Int, seed: UInt64, faults: Int) async throws -> Outcome {
    var script = Script(session: session, seed: seed, kinds: upstreams.keys.sorted())
    guard let upstream = upstreams[script.provider] else { throw CancellationError() }
    script.provider += String(number)
    let before = (client: await Self.tally(client), upstream: await Self.tally(upstream))
    let plan = FaultPlan(session: session, seed: seed, count: faults)
    async let ledger = Client.run(session, script: script, port: client.port, loop: loop)
    let storm = Task { await self.storm(plan, upstream) }
    var outcome = Outcome(ledger: try await ledger)
    storm.cancel()
    let applied = await storm.value
    for link in [client, upstream] {
      for direction in FaultyLink.Direction.allCases { await link.behave(.init(), direction) }
    }
    outcome.faults = applied.behaviours
    for (link, before) in [(client, before.client), (upstream, before.upstream)] {
      for (name, count) in await Self.tally(link) where count > before[name, default: 0] {
        outcome.faults[name, default: 0] += count - before[name, default: 0]
        if link === upstream { outcome.ledger.upstreamWasStruck = true }
      }
    }
    if applied.hasSlowedUpstream { outcome.ledger.upstreamWasStruck = true }
    for (atMs, line) in applied.lines { outcome.ledger.record(line, atMs: atMs) }
    if !applied.hasVanished, await !isDeserted(upstream) {
      let newest = await upstream.acceptedConnections - 1
      let passed = (
        await upstream.passedBytes(.toTarget, connection: newest),
        await upstream.passedBytes(.toClient, connection: newest)
      )
      outcome.ledger.broke(
        "its connection to the provider is still open \(Self.orphanDeadline) after its end; passed: \(passed)")
    }
    // What has vanished is open at the other end, and nobody there can know.
    await upstream.strike(.cut)
    await client.strike(.cut)
    return outcome
  }

  private static func tally(_ link: FaultyLink) async -> [String: Int] {
    await link.struckFaults.reduce(into: [:]) { $0[$1.key.name, default: 0] += $1.value }
  }

  private struct Applied: Sendable {
    var behaviours: [String: Int] = [:]
    var hasVanished = false
    var hasSlowedUpstream = false
    var lines: [(atMs: Int, line: String)] = []
  }

  private func storm(_ plan: FaultPlan, _ upstream: FaultyLink) async -> Applied {
    var applied = Applied()
    let began = ContinuousClock.now
    for entry in plan.entries {
      try? await Task.sleep(until: began + .milliseconds(entry.atMs))
      if Task.isCancelled { break }
      let link = entry.side == .client ? client : upstream
      applied.lines.append((entry.atMs, "! \(entry.side) \(entry.action)"))
      switch entry.action {
      case .strike(let fault):
        if fault == .vanish, entry.side == .upstream { applied.hasVanished = true }
        await link.strike(fault)
      case .strikeLater(let fault, let bytes, let direction):
        let newest = await link.acceptedConnections - 1
        guard newest >= 0 else { continue }
        let passed = await link.passedBytes(direction, connection: newest)
        await link.strike(fault, connection: newest, afterBytes: passed + bytes, direction)
      case .behave(let name, let behaviour, let direction, let milliseconds):
        applied.behaviours[name, default: 0] += 1
        if entry.side == .upstream { applied.hasSlowedUpstream = true }
        await link.behave(behaviour, direction)
        Task {
          try? await Task.sleep(for: .milliseconds(milliseconds))
          await link.behave(.init(), direction)
        }
      }
    }
    return applied
  }

  private func isDeserted(_ upstream: FaultyLink) async -> Bool {
    let deadline = ContinuousClock.now + Self.orphanDeadline
    while await upstream.openConnections > 0 {
      guard ContinuousClock.now < deadline else { return false }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return true
  }

  func shutDown() async {
    await client.shutDown()
    for link in upstreams.values { await link.shutDown() }
  }
}
