import Envelope
import Metering
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Gateway

/// A session that does as a test wants.
final class FakeSession: ListedSession {
  private let loop: any EventLoop
  private let listing: SessionListing
  /// Ends with its turn; otherwise only when it has to.
  private let endsWithTurn: Bool
  private(set) var calls: [String] = []
  var isInTurn: Bool
  var model: String { "model-1" }
  var age: Duration { .milliseconds(1_500) }
  private var hasEnded = false

  /// Begins on a loop and stays there.
  static func begin(
    in directory: SessionDirectory, _ id: String, inTurn: Bool = false, endsWithTurn: Bool = true, startedAt: Int = 0,
    on loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
  ) async throws -> NIOLoopBound<FakeSession> {
    let identity = UsageIdentity(
      sessionID: id, provider: "main", kind: "openai", mode: .managedInference, key: "app", keyID: "key_1",
      startedAt: Timestamp(milliseconds: 1_767_229_435_000 + startedAt))
    let listing = directory.listing(identity, address: "192.0.2.1")
    return try await loop.submit {
      let session = FakeSession(loop, listing, inTurn: inTurn, endsWithTurn: endsWithTurn)
      listing.begin(session, loop: loop)
      return NIOLoopBound(session, eventLoop: loop)
    }.get()
  }

  private init(_ loop: any EventLoop, _ listing: SessionListing, inTurn: Bool, endsWithTurn: Bool) {
    self.loop = loop
    self.listing = listing
    self.endsWithTurn = endsWithTurn
    isInTurn = inTurn
  }

  func endByOperator() {
    calls.append("operator")
    end()
  }

  func drain() {
    calls.append("drain")
    if !isInTurn { end() }
  }

  func stop() {
    calls.append("stop")
    end()
  }

  func turnEnds() {
    isInTurn = false
    if endsWithTurn { end() }
  }

  private func end() {
    guard !hasEnded else { return }
    hasEnded = true
    listing.end()
  }
}

extension NIOLoopBound<FakeSession> {
  func run<T: Sendable>(_ body: @escaping @Sendable (FakeSession) -> T) async throws -> T {
    try await eventLoop.submit { body(self.value) }.get()
  }

  var calls: [String] { get async throws { try await run { $0.calls } } }
}

@Suite("The sessions that run")
struct SessionDirectoryTests {
  @Test("R287: they are listed over all event loops, those that began first at the front, and found by their ids")
  func lists() async throws {
    let directory = SessionDirectory()
    let loops = MultiThreadedEventLoopGroup.singleton
    for number in [3, 1, 2] {
      _ = try await FakeSession.begin(
        in: directory, "sess_\(number)", inTurn: number == 2, startedAt: number, on: loops.next())
    }
    let list = await directory.list()
    #expect(list.map(\.identity.sessionID) == ["sess_1", "sess_2", "sess_3"])
    #expect(list.map(\.isInTurn) == [false, true, false])
    #expect(directory.count == 3)
    let shown = await directory.session("sess_2")
    #expect(
      shown.map { JSONValue.object($0).text }
        == #"{"id":"sess_2","object":"session","provider":"main","model":"model-1","state":"in_turn","startedAt":"2026-01-01T01:03:55.002Z","durationSeconds":1.5,"app":"default","key":"app","keyId":"key_1","tokenId":null,"address":"192.0.2.1","mode":"managed_inference"}"#
    )
    #expect(await directory.session("sess_4") == nil)
  }

  @Test("R287: the operator ends one of them; another id is none, and a session that is gone is not there")
  func ends() async throws {
    let directory = SessionDirectory()
    let one = try await FakeSession.begin(in: directory, "sess_1")
    let other = try await FakeSession.begin(in: directory, "sess_2")
    #expect(await directory.end("sess_3") == false)
    #expect(await directory.end("sess_1"))
    #expect(try await one.calls == ["operator"])
    #expect(try await other.calls == [])
    #expect(await directory.end("sess_1") == false)
    #expect(await directory.list().map(\.identity.sessionID) == ["sess_2"])
  }
}
