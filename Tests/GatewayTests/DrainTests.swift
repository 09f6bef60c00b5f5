import Envelope
import HTTPWire
import NIOCore
import NIOPosix
import Testing

@testable import Gateway

/// Out of service without a dropped call, with sessions that do as a test wants.
@Suite("The drain", .timeLimit(.minutes(1)))
struct DrainTests {
  private struct Service {
    let directory = SessionDirectory()
    let connections = ConnectionRegistry()
    let metrics = CountingFactory()
    let log = LogCapture()
    let clock = TestClock()
    let drain: Drain

    init(grace: Duration) {
      drain = Drain(
        directory: directory, connections: connections, grace: { grace }, clock: clock.wall, metrics: metrics,
        logger: log.logger)
    }
  }

  @Test("fault row 57: sessions in no turn end at once, those in one with it; the end comes when the last has gone")
  func turns() async throws {
    let service = Service(grace: .seconds(3_600))
    let idle = try await FakeSession.begin(in: service.directory, "idle")
    let busy = try await FakeSession.begin(in: service.directory, "busy", inTurn: true, startedAt: 1)
    #expect(!service.drain.isUnderWay)
    #expect(await service.drain.standing() == ["draining": false, "sessions": 2])
    async let finished: Void = service.drain.finish()
    await service.log.line(with: "draining")
    #expect(service.drain.isUnderWay)
    while service.directory.count > 1 { try await Task.sleep(for: .milliseconds(1)) }
    let standing = await service.drain.standing()
    #expect(standing["draining"] == true && standing["sessions"] == 1 && standing["midTurn"] == 1)
    #expect(standing["ended"] == 1 && standing["startedAt"]?.string != nil && standing["deadline"]?.string != nil)
    try await busy.run { $0.turnEnds() }
    await finished
    #expect(try await idle.calls == ["drain"])
    #expect(try await busy.calls == ["drain"])
    #expect(await service.log.line(with: "drained").contains("cut_short=0"))
  }

  @Test("fault row 57: at the end of the grace the rest is ended, and the process goes on to its end")
  func grace() async throws {
    let service = Service(grace: .milliseconds(50))
    let busy = try await FakeSession.begin(in: service.directory, "busy", inTurn: true)
    await service.drain.finish()
    #expect(try await busy.calls == ["drain", "stop"])
    #expect(await service.log.line(with: "drained").contains("cut_short=1"))
  }

  @Test("fault row 57: a second request only brings the end nearer, never further away")
  func nearer() async throws {
    let service = Service(grace: .seconds(3_600))
    let busy = try await FakeSession.begin(in: service.directory, "busy", inTurn: true)
    service.drain.begin(grace: nil, exits: false)
    let first = await service.drain.standing()
    service.drain.begin(grace: .seconds(7_200), exits: false)
    service.drain.begin(grace: nil, exits: false)
    #expect(await service.drain.standing()["deadline"] == first["deadline"])
    service.drain.begin(grace: .milliseconds(10), exits: false)
    #expect(await service.drain.standing()["deadline"] != first["deadline"])
    while service.directory.count > 0 { try await Task.sleep(for: .milliseconds(1)) }
    #expect(try await busy.calls == ["drain", "stop"])
    #expect(await service.drain.standing()["startedAt"] == first["startedAt"])
  }

  @Test("fault row 57: a session that begins while the drain does hears of it")
  func late() async throws {
    let service = Service(grace: .seconds(3_600))
    let busy = try await FakeSession.begin(in: service.directory, "busy", inTurn: true)
    service.drain.begin(grace: nil, exits: false)
    while try await busy.calls.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
    let late = try await FakeSession.begin(in: service.directory, "late")
    while try await late.calls.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
    #expect(try await late.calls == ["drain"])
    try await busy.run { $0.turnEnds() }
    await service.drain.finish()
  }

  @Test("the end of the process can be asked for, before or after anybody waits for it")
  func exit() async throws {
    let service = Service(grace: .zero)
    service.drain.begin(grace: nil, exits: false)
    async let asked: Void = service.drain.untilExitIsAsked()
    service.drain.begin(grace: nil, exits: true)
    await asked
    await service.drain.untilExitIsAsked()
    let other = Service(grace: .zero)
    let waiting = Task { await other.drain.untilExitIsAsked() }
    waiting.cancel()
    await waiting.value
  }

  private func port() async throws -> any Channel {
    try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
  }

  @Test(
    "fault row 57: with a listener beside them those of sessions close at once; alone they stay to tell of the drain")
  func listeners() async throws {
    for hasOther in [true, false] {
      let service = Service(grace: .seconds(3_600))
      let busy = try await FakeSession.begin(in: service.directory, "busy", inTurn: true)
      let (sessions, other) = (try await port(), try await port())
      service.drain.watch([(sessions, true), (other, !hasOther)])
      service.drain.begin(grace: nil, exits: false)
      if hasOther { try await sessions.closeFuture.get() }
      #expect(sessions.isActive == !hasOther && other.isActive)
      try await busy.run { $0.turnEnds() }
      await service.drain.finish()
      try await sessions.closeFuture.get()
      try await other.closeFuture.get()
    }
  }

  private struct Always: UpgradeAdmission {
    let admission: @Sendable (ConnectionPeer) -> Admission
    func owns(path: String) -> Bool { path == "/there" }
    func admit(_ head: RequestHead, from peer: ConnectionPeer) -> Admission { admission(peer) }
  }

  @Test("fault row 57: no session begins with a gateway that drains, not even one that a store has let in meanwhile")
  func admission() async throws {
    let service = Service(grace: .zero)
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let peer = ConnectionPeer(address: nil, loop: loop, closed: loop.makeSucceededVoidFuture())
    let head = RequestHead(method: "GET", path: "/there", query: nil, host: "localhost", fields: [], body: .none)
    let promise = loop.makePromise(of: AdmissionGrant.self)
    let later = DrainingAdmission(
      Always { _ in .later(promise.futureResult) { _ in .accept(subprotocol: nil) { _ in } } }, drain: service.drain)
    let atOnce = DrainingAdmission(Always { _ in .accept(subprotocol: nil) { _ in } }, drain: service.drain)
    #expect(atOnce.owns(path: "/there") && !atOnce.owns(path: "/elsewhere"))
    guard case .accept = atOnce.admit(head, from: peer), case .later(_, let then) = later.admit(head, from: peer) else {
      Issue.record("refused before the drain")
      return
    }
    promise.succeed(.seat(nil))
    service.drain.begin(grace: nil, exits: false)
    for admission in [atOnce.admit(head, from: peer), later.admit(head, from: peer), then(.seat(nil))] {
      guard case .refuse(let refusal) = admission else {
        Issue.record("admitted")
        continue
      }
      #expect(refusal.status == 503 && refusal.code == "gateway_restarting")
      #expect(refusal.fields.map(\.name) == ["Retry-After"])
    }
    await service.drain.finish()
  }
}
