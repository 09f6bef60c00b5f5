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
    let before = (client: await client.strikes.count, upstream: await upstream.strikes.count)
    let plan = FaultPlan(session: session, seed: seed, count: faults)
    async let ledger = Client.run(session, script: script, port: client.port, loop: loop)
    let storm = Task { await self.storm(plan, upstream) }
    var outcome = Outcome(ledger: try await ledger)
    storm.cancel()
    let applied = await storm.value
    for calm in applied.calms {
      calm.cancel()
      await calm.value
    }
    for link in [client, upstream] {
      for direction in FaultyLink.Direction.allCases { await link.behave(.init(), direction) }
    }
    outcome.faults = applied.behaviours
    for (atMs, line) in applied.lines { outcome.ledger.record(line, atMs: atMs) }
    let isDeserted = await isDeserted(upstream)
    let strikes = (
      client: await client.strikes.dropFirst(before.client), upstream: await upstream.strikes.dropFirst(before.upstream)
    )
    for strike in strikes.client + strikes.upstream { outcome.faults[strike.fault.name, default: 0] += 1 }
    outcome.ledger.clientWasBroken = strikes.client.contains { $0.fault.isTheEnd }
    outcome.ledger.upstreamBreaks = strikes.upstream.filter(\.fault.isTheEnd).map { CommonTime.milliseconds($0.at) }
    outcome.ledger.upstreamHolds =
      applied.upstreamHolds
      + strikes.upstream.filter(\.fault.isStall).map { CommonTime.milliseconds($0.at) }
    outcome.ledger.upstreamVanished =
      strikes.upstream.filter { $0.fault == .vanish }.map { CommonTime.milliseconds($0.at) }
    if !isDeserted {
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

  private struct Applied: Sendable {
    var behaviours: [String: Int] = [:]
    /// When a behaviour of the way to the service began.
    var upstreamHolds: [Int] = []
    /// Each ends a behaviour when its time is over.
    var calms: [Task<Void, Never>] = []
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
        await link.strike(fault)
      case .strikeLater(let fault, let bytes, let direction):
        let newest = await link.acceptedConnections - 1
        guard newest >= 0 else { continue }
        let passed = await link.passedBytes(direction, connection: newest)
        await link.strike(fault, connection: newest, afterBytes: passed + bytes, direction)
      case .behave(let name, let behaviour, let direction, let milliseconds):
        applied.behaviours[name, default: 0] += 1
        if entry.side == .upstream { applied.upstreamHolds.append(CommonTime.milliseconds()) }
        await link.behave(behaviour, direction)
        applied.calms.append(
          Task {
            try? await Task.sleep(for: .milliseconds(milliseconds))
            await link.behave(.init(), direction)
          })
      }
    }
    return applied
  }

  /// Whether Parley has left all its connections to the provider, those too whose cable was pulled.
  private func isDeserted(_ upstream: FaultyLink) async -> Bool {
    let deadline = ContinuousClock.now + Self.orphanDeadline
    while true {
      let ports = await upstream.openClients
      if ports.isEmpty { return true }
      guard ContinuousClock.now < deadline else {
        // Behind a pulled cable a FIN may wait for ever in the system: what counts is whether Parley has closed.
        return !HeldSockets.read().contains { ports.contains($0.local) && $0.remote == upstream.port }
      }
      try? await Task.sleep(for: .milliseconds(50))
    }
  }

  func shutDown() async {
    await client.shutDown()
    for link in upstreams.values { await link.shutDown() }
  }
}
