import Access
import Metering
import NIOCore
import Routing
import Testing
import WebSocketWire

@testable import Gateway

@Suite("Admission that is answered later, live", .serialized, .timeLimit(.minutes(2)))
struct LaterAdmissionTests {
  /// Who is asked before the 101.
  enum Asked: String, CaseIterable, Sendable {
    case store, ledger
  }

  /// A gateway that asks one of them, and waits.
  private struct Asking {
    let storage = FakeStorage()
    let seats = FakeSeats()
    let notes = UsageNotes()
    let asked: Asked
    let key: String
    let gateway: BookedGateway

    var turnstile: Turnstile { asked == .store ? storage.turnstile : seats.turnstile }

    init(_ asked: Asked, limits: String = "") async throws {
      self.asked = asked
      key = asked == .store ? try storage.add("stored").key : BookedGateway.key
      var books = Bookkeeping(usage: notes)
      if asked == .store { books.keys = storage } else { books.shared = seats }
      gateway = try await BookedGateway.start() { plan in
        plan.books = books
        plan.limits = limits
        plan.access = #""keys": [{"name": "app", "key": "env:KEY", "maxSessions": 1}]"#
      }
    }

    /// A client whose answer is awaited.
    func client(_ more: ByteBuffer = ByteBuffer()) async throws -> TestSocket {
      turnstile.close()
      let socket = try await gateway.connect()
      let request = TestSocket.upgradeRequest(path: BookedGateway.path, fields: BookedGateway.bearer(key))
      try await socket.send(ByteBuffer(string: request).appending(more))
      await turnstile.arrived()
      return socket
    }

    /// Nobody has a place, and nothing of what was asked has become a session.
    func expectNothingTaken() async throws {
      #expect(gateway.begun == 0)
      turnstile.open()
      let next = try await gateway.sessionWhenFree(key: key)
      #expect(gateway.begun == 1)
      if asked == .ledger { #expect(seats.taken.count == 1) }
      try await next.channel.close()
      _ = await notes.ended()
      #expect(Set(notes.all.map(\.id)).count == 1)
    }
  }

  @Test("a frame that comes while the gate waits is kept (fault row 11)", arguments: Asked.allCases)
  func frame(_ asked: Asked) async throws {
    let asking = try await Asking(asked)
    var frames = WebSocketConnection(role: .client)
    // Neither is an event, and each is told so.
    frames.send(.text, ByteBuffer(string: "{").readableBytesView)
    let socket = try await asking.client(frames.outbound)
    frames.emptyOutbound()
    frames.send(.text, ByteBuffer(string: "[").readableBytesView)
    try await socket.send(frames.outbound)
    asking.turnstile.open()
    let head = await socket.text(upTo: "\r\n\r\n") ?? ""
    #expect(head.hasPrefix("HTTP/1.1 101 "))
    #expect(await socket.message()?.contains("session.created") ?? false)
    for _ in 0..<2 { #expect(await socket.message()?.contains(#""type":"error""#) ?? false) }
    await asking.gateway.stop()
  }

  @Test("a client that leaves meanwhile gives everything back", arguments: Asked.allCases)
  func leaves(_ asked: Asked) async throws {
    let asking = try await Asking(asked, limits: #""maxSessions": 1, "maxSessionsPerAddress": 1"#)
    let socket = try await asking.client()
    try await socket.channel.close()
    // Nothing is read just now, and its end is heard all the same.
    while asking.gateway.running.connectionCount > 0 { await Task.yield() }
    asking.turnstile.open()
    if asked == .ledger { #expect(await asking.seats.returned() != nil) }
    try await asking.expectNothingTaken()
    await asking.gateway.stop()
  }

  @Test("an answer that never comes is 503 in time", arguments: Asked.allCases)
  func never(_ asked: Asked) async throws {
    let asking = try await Asking(asked, limits: #""admissionTimeoutSeconds": 0.2, "maxSessions": 1"#)
    let began = ContinuousClock.now
    let socket = try await asking.client()
    let answer = await GateAnswer(socket.response())
    #expect("\(answer)" == "503 admission_timeout")
    #expect(answer.field("Retry-After") == "5")
    #expect((.milliseconds(190)..<(.seconds(10))).contains(ContinuousClock.now - began))
    // What comes too late is nobody's.
    asking.turnstile.open()
    if asked == .ledger { #expect(await asking.seats.returned() != nil) }
    try await asking.expectNothingTaken()
    await asking.gateway.stop()
  }

  @Test("draining while judging is 503", arguments: Asked.allCases)
  func draining(_ asked: Asked) async throws {
    let asking = try await Asking(asked)
    let socket = try await asking.client()
    async let stopped: Void = asking.gateway.stop()
    let answer = await GateAnswer(socket.response())
    #expect("\(answer)" == "503 server_stopping")
    asking.turnstile.open()
    try? await socket.channel.close()
    await stopped
    #expect(asking.gateway.running.connectionCount == 0)
    #expect(asking.gateway.begun == 0 && asking.notes.all.isEmpty)
    if asked == .ledger { #expect(await asking.seats.returned() != nil) }
  }

  @Test("the store and the ledger are asked one after the other, within one time")
  func both() async throws {
    let (storage, seats) = (FakeStorage(), FakeSeats())
    let key = try storage.add("stored") { $0.limits = HolderLimits(maxSessions: 1) }.key
    let gateway = try await BookedGateway.start { plan in
      plan.books = Bookkeeping(keys: storage, shared: seats)
      plan.limits = #""admissionTimeoutSeconds": 2"#
    }
    let first = try await gateway.sessionWhenFree(key: key)
    #expect(try await gateway.answer(key: key).status == 429)
    try await first.channel.close()
    #expect(await seats.returned() != nil)
    seats.turnstile.close()
    let began = ContinuousClock.now
    #expect("\(try await gateway.answer(key: key))" == "503 admission_timeout")
    #expect(ContinuousClock.now - began < .seconds(10))
    seats.turnstile.open()
    #expect(await seats.returned() != nil)
    // What all replicas refuse is refused here, and taken nowhere.
    let refusal = LimitRefusal(holder: .key(id: "k"), name: .maxSessions, most: 3, retryAfterSeconds: 10)
    seats.set(.failure(.refused(refusal)))
    for _ in 0..<3 { #expect("\(try await gateway.answer(key: key))" == "429 rate_limit_exceeded maxSessions") }
    #expect(seats.taken.isEmpty)
    // One that does not answer refuses nobody.
    seats.set(.failure(.unavailable))
    _ = try await gateway.session(key: key)
    #expect(gateway.metrics.counts["parley_shared_limits_unavailable_total"] == 1)
    await gateway.stop()
  }
}
