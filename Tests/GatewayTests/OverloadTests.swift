import NIOCore
import Routing
import Synchronization
import Testing
import Translation
import WebSocketWire

@testable import Gateway

@Suite("Overload")
struct OverloadTests {
  @Test("limits: new sessions are refused from 85 % of the memory budget on, and taken below it")
  func shedding() {
    var watch = MemoryWatch(budgetBytes: 1_000, shortestIdle: .seconds(30))
    #expect(watch.read(849) == .init(admitsSessions: true, endsSessionsIdleFor: nil))
    #expect(watch.read(850) == .init(admitsSessions: false, endsSessionsIdleFor: nil))
    #expect(watch.read(949) == .init(admitsSessions: false, endsSessionsIdleFor: nil))
    #expect(watch.read(849) == .init(admitsSessions: true, endsSessionsIdleFor: nil))
    var small = MemoryWatch(budgetBytes: 10, shortestIdle: .seconds(30))
    #expect(small.read(7).admitsSessions)
    #expect(!small.read(8).admitsSessions)
    var vast = MemoryWatch(budgetBytes: .max, shortestIdle: .seconds(30))
    #expect(vast.read(.max / 2).admitsSessions)
    #expect(!vast.read(.max).admitsSessions)
  }

  @Test("limits: from 95 % on silent sessions are ended, the longest silent first, those of 30 s last")
  func closing() {
    var watch = MemoryWatch(budgetBytes: 1_000, shortestIdle: .seconds(30))
    let steps = (0..<9).map { _ in watch.read(950).endsSessionsIdleFor }
    #expect(steps == [1920, 960, 480, 240, 120, 60, 30, 30, 30].map { Duration.seconds($0) })
    #expect(watch.read(949).endsSessionsIdleFor == nil)
    #expect(watch.read(1_200) == .init(admitsSessions: false, endsSessionsIdleFor: .seconds(1920)))
  }

  @Test("the budget is the least of the control groups' limits and the machine's memory")
  func budget() {
    func budget(_ files: [String: String]) -> Int? { ProcessMemory.budgetBytes { files[$0] } }
    let machine = ["/proc/meminfo": "MemTotal:       2048 kB\nMemFree: 1 kB\n"]
    #expect(budget([:]) == nil)
    #expect(budget(machine) == 2_097_152)
    let grouped = machine.merging(["/proc/self/cgroup": "0::/a/b\n"]) { $1 }
    #expect(budget(grouped) == 2_097_152)
    let unlimited = grouped.merging(["/sys/fs/cgroup/a/b/memory.max": "max\n"]) { $1 }
    #expect(budget(unlimited) == 2_097_152)
    #expect(budget(unlimited.merging(["/sys/fs/cgroup/a/memory.max": "1000\n"]) { $1 }) == 1_000)
    // In a container the path may be one of the host's.
    #expect(budget(grouped.merging(["/sys/fs/cgroup/memory.max": "7000\n"]) { $1 }) == 7_000)
    let old = machine.merging([
      "/proc/self/cgroup": "5:cpu:/x\n4:hugetlb,memory:/y\n",
      "/sys/fs/cgroup/memory/y/memory.limit_in_bytes": "9000\n",
      "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "5\n",
    ]) { $1 }
    #expect(budget(old) == 9_000)
  }

  @Test("this process has memory, and gives back what is free")
  func process() throws {
    let before = try #require(ProcessMemory.takenBytes())
    let budget = try #require(ProcessMemory.budgetBytes())
    #expect((1_000_000..<budget).contains(before))
    ProcessMemory.releaseFree()
    #expect(try #require(ProcessMemory.takenBytes()) > 0)
  }

  @Test("a place is given back once, and whoever has none is forgotten")
  func places() throws {
    let overload = Overload(Overload.Bounds(maxSessions: 2), logger: LogCapture().logger)
    let now = Instant(nanoseconds: 0)
    let address = Overload.Holder.address(try #require(IPAddress("192.0.2.1")))
    let first = try overload.place(for: [(address, 1)], at: now)
    #expect(throws: Overload.Full.holder(address, most: 1)) { try overload.place(for: [(address, 1)], at: now) }
    let second = try overload.place(for: [], at: now)
    #expect(throws: Overload.Full.gateway) { try overload.place(for: [], at: now) }
    second.giveBack()
    second.giveBack()
    let third = try overload.place(for: [], at: now)
    #expect(throws: Overload.Full.gateway) { try overload.place(for: [], at: now) }
    first.giveBack()
    _ = third
    _ = try overload.place(for: [(address, 1)], at: now)
  }

  @Test("limits: connects in a second of the whole gateway; one more waits for the next")
  func connects() throws {
    let overload = Overload(Overload.Bounds(maxConnectsPerSecond: 3), logger: LogCapture().logger)
    var now = Instant(nanoseconds: 0)
    for _ in 0..<3 { _ = try overload.place(for: [], at: now) }
    #expect(throws: Overload.Full.tooManyAtOnce) { try overload.place(for: [], at: now) }
    now = now + .milliseconds(334)
    _ = try overload.place(for: [], at: now)
    #expect(throws: Overload.Full.tooManyAtOnce) { try overload.place(for: [], at: now) }
  }
}

@Suite("Overload, live", .timeLimit(.minutes(2)))
struct LiveOverloadTests {
  /// How much memory the process says that it has.
  private final class Readings: Sendable {
    private let value = Mutex(0)
    func set(_ bytes: Int) { value.withLock { $0 = bytes } }
    var read: @Sendable () -> Int? { { [self] in value.withLock { $0 } } }
  }

  @Test("limits: as many sessions as the configuration allows; one more is refused with 503 until one has ended")
  func maxSessions() async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let gateway = try await LimitedGateway.start(#""maxSessions": 2"#, upstream: upstream.port)
    let first = try await gateway.session()
    let second = try await gateway.session()
    let refused = try #require(try await gateway.refusal())
    #expect(refused.head.hasPrefix("HTTP/1.1 503 "))
    #expect(refused.head.contains("\r\nRetry-After: 10\r\n"))
    #expect(refused.body.contains(#""code":"gateway_overloaded""#))
    try await first.channel.close()
    await gateway.log.line(with: "session ended")
    // The place is the connection's.
    while gateway.running.connectionCount > 2 { try await Task.sleep(for: .milliseconds(5)) }
    let third = try await gateway.session()
    _ = (second, third)
    await gateway.stop()
    await upstream.stop()
  }

  @Test("limits: sessions of an address, or of a key, are counted for it alone; one more is refused with 429")
  func holders() async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let gateway = try await LimitedGateway.start(
      #""maxSessionsPerAddress": 1"#, upstream: upstream.port,
      access:
        #"{"proxies": ["127.0.0.1"], "keys": [{"name": "a", "key": "env:A", "maxSessions": 1}, {"name": "b", "key": "env:B"}]}"#,
      environment: ["A": "key-a", "B": "key-b"])
    func fields(_ key: String, _ address: String) -> [String] {
      ["Authorization: Bearer \(key)", "X-Forwarded-For: 6.6.6.6, \(address)"]
    }
    let first = try await gateway.session(fields: fields("key-a", "192.0.2.1"))
    for (key, address, word) in [("key-a", "192.0.2.2", "API key"), ("key-b", "192.0.2.1", "address")] {
      let refused = try #require(try await gateway.refusal(fields: fields(key, address)))
      #expect(refused.head.hasPrefix("HTTP/1.1 429 "))
      #expect(refused.head.contains("\r\nRetry-After: 10\r\n"))
      #expect(refused.body.contains(#""code":"rate_limit_exceeded""#) && refused.body.contains(word))
    }
    let second = try await gateway.session(fields: fields("key-b", "192.0.2.2"))
    _ = (first, second)
    await gateway.stop()
    await upstream.stop()
  }

  @Test(
    "fault row 63, limits: near the memory budget no session is taken, and silent ones are ended with 1013; then it goes on"
  )
  func memory() async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let readings = Readings()
    let gateway = try await LimitedGateway.start(
      #""memoryBudgetBytes": 100000000"#, upstream: upstream.port, takenBytes: readings.read
    ) {
      $0.memoryReadingInterval = .milliseconds(5)
      $0.idleWhenMemoryIsShort = .milliseconds(1)
    }
    let session = try await gateway.session()
    readings.set(85_000_000)
    await gateway.log.line(with: "memory is short")
    let refused = try #require(try await gateway.refusal())
    #expect(refused.head.hasPrefix("HTTP/1.1 503 ") && refused.head.contains("\r\nRetry-After: 10\r\n"))
    #expect(gateway.running.connectionCount > 0)

    readings.set(95_000_000)
    var messages: [String] = []
    var close: CloseEvent?
    while let event = await session.event() {
      if case .text(let text) = event { messages.append(String(buffer: text)) }
      if case .closed(let end) = event { close = end }
    }
    #expect(messages.last?.contains(#""code":"gateway_overloaded""#) ?? false)
    #expect(close?.code == .tryAgainLater)

    readings.set(84_999_999)
    await gateway.log.line(with: "memory suffices again")
    _ = try await gateway.session()
    await gateway.stop()
    await upstream.stop()
  }
}
