import NIOCore
import NIOPosix
import ParleyTesting

/// One run against a fresh gateway: healthy calls, measured for a while, with or without slow clients beside them.
struct Trial: Sendable {
  struct SlowClients: Sendable {
    /// Of the one that reads little.
    var trickleBytesPerSecond = 1_024
    /// How long an interruption may take to be heard to its end.
    var patience = Duration.seconds(150)
  }

  struct Outcome: Sendable {
    /// Microseconds from one end to the other, both ways.
    var p50: Double
    var p99: Double
    var p99OfSeconds: [Double]
    var chunks: Int
    /// Chunks that were not the next one, whole and unchanged.
    var damaged: Int
    /// Healthy calls that were whole to their end.
    var whole: Int
    /// The gateway's most while it was measured.
    var residentKiB: Int
    var slow: [SlowOutcome]
  }

  /// A client that takes nothing is not dropped meanwhile: what it costs is measured here, and that it is dropped is
  /// another test's.
  private static let stallSeconds = 600
  /// Pings come as by default in a long run, and in a short one so often that they would end a call as well.
  private var pulseSeconds: Double { min(20, max(1, measured / .seconds(3))) }

  var binary: String
  var healthyCount: Int
  /// How long is measured, and how long the slow clients are slow before they interrupt.
  var measured: Duration
  /// Nil: none.
  var slow: SlowClients?

  func run() async throws -> Outcome {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    defer { group.shutdownGracefully { _ in } }
    let stage = try await Stage.on(group.next())
    let gateway = try await GatewayProcess(
      binary: binary, providerPort: try await stage.listen(), stallSeconds: Self.stallSeconds,
      pulseSeconds: pulseSeconds)
    defer { gateway.stop() }
    for number in 0..<healthyCount { try await stage.addHealthy(number, port: gateway.port) }
    guard try await stage.waits(upTo: .seconds(120), until: { $0.allTalk }) else { throw TrialFault.notTalking }

    let link = try await FaultyLink.open(port: gateway.port, socketBytes: 4_096, group: group)
    if let slow { try await addSlow(slow, stage, gateway, link) }
    // Every queue is full by then.
    try await Task.sleep(for: .seconds(4))
    try await stage.measure(true)
    let clock = ContinuousClock()
    let end = clock.now + measured
    var residentKiB = 0
    while clock.now < end {
      for _ in 0..<10 {
        residentKiB = max(residentKiB, gateway.residentKiB)
        try await Task.sleep(for: .milliseconds(100))
      }
      try await stage.secondIsOver()
    }
    try await stage.measure(false)

    if let slow {
      try await stage.interrupt()
      // Who misses this deadline is seen in the outcome.
      _ = try await stage.waits(upTo: slow.patience, until: { $0.allInterrupted })
    }
    try await stage.finish()
    guard try await stage.waits(upTo: .seconds(60), until: { $0.allEnded }) else {
      throw TrialFault.healthyNotEnded("\(try await stage.outcome(residentKiB: residentKiB))\n\(gateway.log)")
    }
    await link.shutDown()
    return try await stage.outcome(residentKiB: residentKiB)
  }

  private func addSlow(
    _ slow: SlowClients, _ stage: Stage, _ gateway: GatewayProcess, _ link: FaultyLink
  ) async throws {
    var narrow = FaultyLink.Behaviour()
    narrow.bytesPerSecond = 8_000
    narrow.queueBytes = 5 * 576
    narrow.segmentBytes = 536
    await link.behave(narrow, .toClient)
    let rate = slow.trickleBytesPerSecond
    try await stage.addSlow("reads nothing", 0, .stops, port: gateway.port)
    try await stage.addSlow("reads \(rate) B/s", 1, .trickles(bytesPerSecond: rate), port: gateway.port)
    try await stage.addSlow("is behind 64 kbit/s", 2, .isBehindNarrowLink, port: link.port)
  }
}
