import NIOCore
import NIOPosix
import WebSocketWire

/// Both ends of all calls, on one event loop, for asynchronous code.
struct Stage: Sendable {
  private let loop: any EventLoop
  private let cast: NIOLoopBound<Cast>

  static func on(_ loop: any EventLoop) async throws -> Stage {
    Stage(loop: loop, cast: try await loop.submit { NIOLoopBound(Cast(loop: loop), eventLoop: loop) }.get())
  }

  private func ask<Answer: Sendable>(_ body: @escaping @Sendable (Cast) -> Answer) async throws -> Answer {
    try await loop.submit { [cast] in body(cast.value) }.get()
  }

  /// Polls; false when the time is over.
  func waits(upTo limit: Duration, until isTrue: @escaping @Sendable (Cast) -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while try await !ask(isTrue) {
      guard ContinuousClock.now < end else { return false }
      try await Task.sleep(for: .milliseconds(50))
    }
    return true
  }

  /// - Returns: the provider's port.
  func listen() async throws -> Int {
    let cast = self.cast
    return try await ServerBootstrap(group: loop)
      .serverChannelOption(.backlog, value: 1_024)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let end = SocketEnd(.server)
          try channel.pipeline.syncOperations.addHandler(end)
          cast.value.provider.accept(end)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get().localAddress?.port ?? 0
  }

  func addHealthy(_ number: Int, port: Int) async throws {
    try await connect(ClientBootstrap(group: loop), port: port) { $0.addHealthy(number, $1) }
  }

  func addSlow(_ name: String, _ place: Int, _ manner: SlowCaller.Manner, port: Int) async throws {
    // The system is to hold little of what such a client does not take.
    var bootstrap = ClientBootstrap(group: loop).channelOption(.socketOption(.so_rcvbuf), value: 4_096)
    if case .trickles(let bytes) = manner {
      bootstrap = bootstrap.channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: bytes))
        .channelOption(.maxMessagesPerRead, value: 1)
    }
    try await connect(bootstrap, port: port) { $0.addSlow(name, place, manner, $1) }
  }

  private func connect(
    _ bootstrap: ClientBootstrap, port: Int, _ add: @escaping @Sendable (Cast, SocketEnd) -> Void
  ) async throws {
    let cast = self.cast
    _ = try await bootstrap.channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        let end = SocketEnd(.client)
        add(cast.value, end)
        try channel.pipeline.syncOperations.addHandler(end)
      }
    }
    .connect(host: "127.0.0.1", port: port).get()
  }

  func measure(_ isMeasuring: Bool) async throws {
    try await ask { $0.ledger.isMeasuring = isMeasuring }
  }

  func secondIsOver() async throws {
    try await ask { $0.ledger.secondIsOver() }
  }

  func interrupt() async throws {
    try await ask { cast in cast.slow.forEach { $0.interrupt() } }
    _ = try await waits(upTo: .seconds(10)) { cast in
      cast.slow.allSatisfy { $0.outcome.cancelHeardMilliseconds != nil }
    }
    try await ask { cast in cast.slow.forEach { $0.goOn() } }
  }

  func finish() async throws {
    try await ask { cast in cast.healthy.forEach { $0.finish() } }
  }

  func outcome(residentKiB: Int) async throws -> Trial.Outcome {
    try await ask { cast in
      let ledger = cast.ledger
      return Trial.Outcome(
        p50: ledger.percentile(0.5), p99: ledger.percentile(0.99), p99OfSeconds: ledger.percentilesOfSeconds,
        chunks: ledger.latencies.count,
        damaged: ledger.damaged, whole: cast.healthy.count(where: \.isWhole), residentKiB: residentKiB,
        slow: cast.slow.map(\.outcome))
    }
  }
}

/// Who takes part, confined to the event loop.
final class Cast {
  let ledger = Ledger()
  let provider: Provider
  private(set) var healthy: [HealthyCaller] = []
  private(set) var slow: [SlowCaller] = []
  private let loop: any EventLoop
  /// Slow calls are numbered from here.
  private static let firstSlow = 1_000_000

  init(loop: any EventLoop) {
    self.loop = loop
    provider = Provider(loop: loop, ledger: ledger)
  }

  var allTalk: Bool { healthy.allSatisfy(\.isTalking) }
  var allInterrupted: Bool { slow.allSatisfy(\.hasEnded) }
  var allEnded: Bool { healthy.allSatisfy(\.hasEnded) }

  func addHealthy(_ number: Int, _ end: SocketEnd) {
    healthy.append(HealthyCaller(number, end, loop: loop, ledger: ledger, provider: provider))
  }

  func addSlow(_ name: String, _ place: Int, _ manner: SlowCaller.Manner, _ end: SocketEnd) {
    slow.append(SlowCaller(name, Self.firstSlow + place, manner, end, loop: loop, provider: provider))
  }
}
