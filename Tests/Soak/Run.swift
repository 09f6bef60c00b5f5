import ArgumentParser
import Envelope
import Foundation
import NIOCore
import NIOPosix
import ParleyTesting
import Synchronization

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Run the soak and print its report.")

  @Option(help: "The parley binary.") var parley: String
  @Option(help: "How many sessions.") var sessions = 2_000
  @Option(help: "How many faults are planned for each session.") var faultsPerSession = 9
  @Option(help: "How many sessions at once.") var concurrent = 32
  @Option(help: "No session begins after so many seconds.") var seconds = 900
  @Option(help: "What everything random comes from.") var seed: UInt64 = 1
  @Option(help: "Run only this session, again and again for each of the sessions.") var only: Int?
  @Option(help: "A folder for logs and ledgers.") var folder = ".build/soak"
  @Option(help: "Write the report to this file too.") var report: String?

  func run() async throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let began = ContinuousClock.now
    let kept = [try await Child.keptPort(), try await Child.keptPort(), try await Child.keptPort()]
    let ports = kept.map(\.port)
    let peers = ["gemini": ports[0], "openai": ports[1]]
    let ledgerPath = folder + "/upstream.jsonl"
    for place in kept.prefix(2) { try await place.channel.close().get() }
    let peer = try Child(
      CommandLine.arguments[0],
      ["peer", "--gemini-port", "\(ports[0])", "--openai-port", "\(ports[1])", "--ledger", ledgerPath],
      log: folder + "/peer.log")
    guard await peer.listens(at: ports[0]), await peer.listens(at: ports[1]) else { throw ExitCode.failure }
    var lanes: [Lane] = []
    for number in 0..<concurrent {
      let loop = MultiThreadedEventLoopGroup.singleton.next()
      lanes.append(try await Lane.open(number, gateway: ports[2], peers: peers, seed: seed, loop: loop))
    }
    let routes = folder + "/routes.json"
    try Data(Self.routes(port: ports[2], lanes: lanes).text.utf8).write(to: URL(fileURLWithPath: routes))
    try await kept[2].channel.close().get()
    let gateway = try Child(parley, ["serve", "--config", routes], log: folder + "/parley.log")
    guard await gateway.listens(at: ports[2]) else { throw ExitCode.failure }
    // What is there for good is made in the first session.
    _ = try await lanes[0].run(0, seed: seed, faults: 0)
    try? await Task.sleep(for: .seconds(1))

    var result = SoakResult(seed: seed, planned: sessions, baseDescriptors: gateway.descriptors)
    let sampler = Sampler(gateway)
    let outcomes = try await runSessions(lanes, until: began + .seconds(seconds), sampler)
    result.memory = sampler.samples
    result.endDescriptors = await settle(gateway, base: result.baseDescriptors)
    result.hasDied = !gateway.isRunning
    // Before the links are shut down, and the gateway is: that would end them all.
    result.openUpstream = try UpstreamLedger.read(ledgerPath).open.count
    for lane in lanes { await lane.shutDown() }
    result.exitCode = await gateway.stop(within: .seconds(40))
    result.log = try GatewayLog(path: gateway.log)
    try? await Task.sleep(for: .seconds(1))
    let upstream = try UpstreamLedger.read(ledgerPath).ledgers
    _ = await peer.stop(within: .seconds(5))
    result.upstreamConnections = upstream.count
    let bySession = Dictionary(grouping: upstream.filter { $0.session != nil }) { $0.session ?? 0 }
    for var outcome in outcomes {
      if only == nil { Judgement.judge(&outcome.ledger, bySession[outcome.ledger.session] ?? []) }
      result.add(outcome)
    }
    result.duration = began.duration(to: .now)
    let text = result.report(command: CommandLine.arguments.dropFirst().joined(separator: " "))
    print(text)
    if let report { try Data(text.utf8).write(to: URL(fileURLWithPath: report)) }
    let transcripts = result.transcripts
    for line in transcripts.prefix(120) { print(line) }
    try Data(transcripts.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: folder + "/broken.txt"))
    if !result.violations.isEmpty { throw ExitCode.failure }
  }

  private func runSessions(
    _ lanes: [Lane], until deadline: ContinuousClock.Instant, _ sampler: Sampler
  ) async throws -> [Lane.Outcome] {
    let next = Mutex(0)
    let take: @Sendable () -> Int? = { [sessions] in
      next.withLock { number in
        guard number < sessions, ContinuousClock.now < deadline else { return nil }
        number += 1
        return number
      }
    }
    sampler.begin()
    defer { sampler.end() }
    let (seed, faults, only) = (seed, faultsPerSession, only)
    return try await withThrowingTaskGroup(of: [Lane.Outcome].self) { group in
      for lane in lanes {
        group.addTask {
          var outcomes: [Lane.Outcome] = []
          while let session = take() {
            outcomes.append(try await lane.run(only ?? session, seed: seed, faults: faults))
          }
          // From here on the load falls, and with it the memory.
          sampler.end()
          return outcomes
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  /// Waits until the descriptors are back at what they were.
  private func settle(_ gateway: Child, base: Int) async -> Int {
    let deadline = ContinuousClock.now + Lane.orphanDeadline
    while gateway.descriptors > base, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(100)) }
    return gateway.descriptors
  }

  /// A provider for each lane and kind, so that a session's upstream goes through the lane's own link.
  private static func routes(port: Int, lanes: [Lane]) -> JSONValue {
    let number = { (value: Int) in JSONValue.number(JSONNumber(value)) }
    var providers = JSONObject()
    for lane in lanes {
      for (kind, link) in lane.upstreams.sorted(by: { $0.key < $1.key }) {
        providers["\(kind)\(lane.number)"] =
          kind == "gemini"
          ? ["kind": "gemini-live", "url": .string("ws://127.0.0.1:\(link.port)"), "model": "gemini-3.8-live"]
          : ["kind": "openai", "url": .string("ws://127.0.0.1:\(link.port)/v1/realtime"), "model": "gpt-realtime"]
      }
    }
    return [
      "listen": [["host": "127.0.0.1", "port": number(port)]], "ledger": "none", "default": "gemini0",
      "providers": .object(providers),
      "limits": [
        "pingIntervalSeconds": 2, "pongTimeoutSeconds": 5, "upstreamPongTimeoutSeconds": 5, "closeTimeoutSeconds": 2,
        "peerStallSeconds": 8,
      ],
    ]
  }
}

/// The memory of a process, each second.
final class Sampler: Sendable {
  private let state = Mutex<(samples: [Int], task: Task<Void, Never>?)>(([], nil))
  private let memory: @Sendable () -> Int

  init(_ child: Child) {
    let path = "/proc/\(child.processID)/statm"
    memory = { Child.memory(path) }
  }

  var samples: [Int] { state.withLock { $0.samples } }

  func begin() {
    let task = Task {
      while !Task.isCancelled {
        let memory = self.memory()
        state.withLock { $0.samples.append(memory) }
        try? await Task.sleep(for: .seconds(1))
      }
    }
    state.withLock { $0.task = task }
  }

  func end() { state.withLock { $0.task?.cancel() } }
}
