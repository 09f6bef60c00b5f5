import NIOCore
import NIOPosix
import Testing

@testable import ParleyTesting

/// A client and what it reaches through a link.
private struct LinkedPair {
  let link: FaultyLink
  let client: LinkPeer
  let target: LinkPeer
  private let listener: any Channel

  static func open(
    seed: UInt64 = 1, before: @Sendable (FaultyLink) async -> Void = { _ in }
  ) async throws -> LinkedPair {
    let (listener, peers) = try await LinkPeer.listen()
    let link = try await FaultyLink.open(port: listener.localAddress?.port ?? 0, seed: seed)
    await before(link)
    let client = try await LinkPeer.connect(port: link.port)
    for await target in peers { return LinkedPair(link: link, client: client, target: target, listener: listener) }
    throw ChannelError.eof
  }

  func close() async {
    await client.close()
    await target.close()
    await link.shutDown()
    try? await listener.close().get()
  }
}

private func behaviour(_ change: (inout FaultyLink.Behaviour) -> Void) -> FaultyLink.Behaviour {
  var behaviour = FaultyLink.Behaviour()
  change(&behaviour)
  return behaviour
}

private func pattern(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
  var generator = SplitMix64(seed: seed)
  return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
}

@Suite("A faulty link's behaviours")
struct FaultyLinkBehaviourTests {
  @Test("Bytes keep their order under delay and jitter, in both directions, and take at least the delay")
  func order() async throws {
    let slow = behaviour {
      $0.delay = .milliseconds(20)
      $0.jitter = .milliseconds(10)
    }
    let pair = try await LinkedPair.open { link in
      for direction in FaultyLink.Direction.allCases { await link.behave(slow, direction) }
    }
    let (up, down) = (pattern(300_000), pattern(200_000, seed: 8))
    let began = ContinuousClock.now
    async let heardUp = pair.target.read(up.count)
    async let heardDown = pair.client.read(down.count)
    for start in stride(from: 0, to: up.count, by: 7_001) {
      try await pair.client.send(Array(up[start..<min(start + 7_001, up.count)]))
    }
    try await pair.target.send(down)
    #expect(await heardUp == up)
    #expect(await heardDown == down)
    #expect(began.duration(to: .now) >= .milliseconds(20))
    #expect(await pair.link.passedBytes(.toTarget, connection: 0) == up.count)
    #expect(await pair.link.passedBytes(.toClient, connection: 0) == down.count)
    await pair.close()
  }

  @Test("A bandwidth cap holds a direction back, and that one alone")
  func bandwidth() async throws {
    let capped = behaviour { $0.bytesPerSecond = 40_000 }
    let pair = try await LinkedPair.open { await $0.behave(capped, .toClient) }
    let bytes = pattern(40_000)
    let began = ContinuousClock.now
    async let heard = pair.client.read(bytes.count)
    try await pair.target.send(bytes)
    try await pair.client.send(bytes)
    #expect(await pair.target.read(bytes.count) == bytes)
    let other = began.duration(to: .now)
    #expect(await heard == bytes)
    let took = began.duration(to: .now)
    #expect(took >= .milliseconds(800))
    #expect(took < .seconds(8))
    #expect(other < took)
    await pair.close()
  }

  @Test("The same seed draws the same jitter for a connection and a direction, and the link keeps to it")
  func seeded() async throws {
    let most = Duration.milliseconds(40)
    func draws(_ seed: UInt64, _ connection: Int, _ direction: FaultyLink.Direction) -> [TimeAmount] {
      var jitter = FaultyLinkJitter(seed: seed, connection: connection, direction)
      return (0..<8).map { _ in jitter.next(upTo: most) }
    }
    let expected = draws(3, 0, .toTarget)
    #expect(expected == draws(3, 0, .toTarget))
    #expect(Set([expected, draws(4, 0, .toTarget), draws(3, 1, .toTarget), draws(3, 0, .toClient)]).count == 4)
    let trembling = behaviour { $0.jitter = most }
    let pair = try await LinkedPair.open(seed: 3) { await $0.behave(trembling, .toTarget) }
    for least in expected {
      let began = NIODeadline.now()
      try await pair.client.send([1])
      #expect(await pair.target.read(1) == [1])
      #expect(NIODeadline.now() - began >= least)
    }
    await pair.close()
  }

  @Test("What ends at one side ends at the other: a FIN behind what was said before it, each way by itself")
  func naturalEnd() async throws {
    let slow = behaviour { $0.delay = .milliseconds(20) }
    let pair = try await LinkedPair.open { await $0.behave(slow, .toTarget) }
    try await pair.client.send("last words")
    try await pair.client.finish()
    let (words, end) = await pair.target.readToEnd()
    #expect(String(decoding: words, as: UTF8.self) == "last words")
    #expect(end == .end)
    try await pair.target.send("answer")
    #expect(await pair.client.read(6) == Array("answer".utf8))
    try await pair.target.finish()
    #expect(await pair.client.next() == .closed)
    await pair.close()
    #expect(await pair.link.openConnections == 0)
    #expect(await pair.link.acceptedConnections == 1)
  }

  @Test("A client whose target cannot be reached is reset")
  func noTarget() async throws {
    let (listener, _) = try await LinkPeer.listen()
    let port = listener.localAddress?.port ?? 0
    try await listener.close().get()
    let link = try await FaultyLink.open(port: port)
    do {
      #expect(await (try LinkPeer.connect(port: link.port)).next() == .reset)
    } catch let error as NIOConnectionError {
      // The reset can come before the connection is looked at.
      #expect("\(error)".contains("reset"))
    }
    await link.shutDown()
    #expect(await link.openConnections == 0)
  }
}

@Suite("A faulty link's faults")
struct FaultyLinkFaultTests {
  @Test(
    "A cut is a reset on both sides at an exact byte, of a connection that is yet to come", arguments: [1, 9_999])
  func cut(at byte: Int) async throws {
    let pair = try await LinkedPair.open { await $0.strike(.cut, connection: 0, afterBytes: byte, .toTarget) }
    let bytes = pattern(20_000)
    try? await pair.client.send(bytes)
    let (heard, end) = await pair.target.readToEnd()
    #expect(heard == Array(bytes.prefix(byte)))
    #expect(end == .reset)
    #expect(await pair.client.next() == .reset)
    #expect(await pair.link.passedBytes(.toTarget, connection: 0) == byte)
    #expect(await pair.link.struckFaults == [.cut: 1])
    await pair.close()
  }

  @Test("A strike waits for its byte while smaller counts pass")
  func laterByte() async throws {
    let pair = try await LinkedPair.open()
    await pair.link.strike(.close, connection: 0, afterBytes: 6, .toClient)
    try await pair.target.send("abc")
    #expect(await pair.client.read(3) == Array("abc".utf8))
    #expect(await pair.link.struckFaults.isEmpty)
    try await pair.target.send("defghi")
    let (rest, end) = await pair.client.readToEnd()
    #expect(rest == Array("def".utf8))
    #expect(end == .end)
    #expect(await pair.target.next() == .end)
    await pair.close()
  }

  @Test("A half-close ends one direction and leaves the other")
  func halfClose() async throws {
    let pair = try await LinkedPair.open()
    try await pair.client.send("a")
    #expect(await pair.target.read(1) == Array("a".utf8))
    await pair.link.strike(.halfClose(.toTarget))
    #expect(await pair.target.next() == .end)
    try await pair.client.send(pattern(200_000))
    try await pair.target.send("still here")
    #expect(await pair.client.read(10) == Array("still here".utf8))
    #expect(await pair.link.passedBytes(.toTarget, connection: 0) == 1)
    await pair.close()
  }

  @Test("After a pulled cable nothing passes and nobody is told, even when one side gives up")
  func vanish() async throws {
    let pair = try await LinkedPair.open()
    try await pair.client.send("a")
    #expect(await pair.target.read(1) == Array("a".utf8))
    await pair.link.strike(.vanish, connection: 0)
    try await pair.client.send("b")
    try await pair.target.send("c")
    try await pair.client.finish()
    // The link has closed the side that gave up, so all that it could pass on was there before.
    let giveUp = await pair.client.next()
    #expect(giveUp == .closed || giveUp == .reset)
    for direction in FaultyLink.Direction.allCases {
      #expect(await pair.link.passedBytes(direction, connection: 0) == (direction == .toTarget ? 1 : 0))
    }
    #expect(pair.target.channel.isActive)
    #expect(await pair.link.openConnections == 1)
    #expect(await pair.link.openClients == [])
    await pair.link.shutDown()
    #expect(await pair.target.next() == .reset)
    await pair.close()
  }

  @Test("A stall holds both directions for its time and loses nothing")
  func stall() async throws {
    let pair = try await LinkedPair.open()
    try await pair.client.send("a")
    #expect(await pair.target.read(1) == Array("a".utf8))
    let began = ContinuousClock.now
    await pair.link.strike(.stall(.milliseconds(200)))
    try await pair.client.send("b")
    try await pair.target.send("c")
    #expect(await pair.target.read(1) == Array("b".utf8))
    #expect(began.duration(to: .now) >= .milliseconds(200))
    #expect(await pair.client.read(1) == Array("c".utf8))
    #expect(began.duration(to: .now) >= .milliseconds(200))
    await pair.close()
  }

  @Test("A close frame passes twice when told so, and nothing else does")
  func duplicateClose() async throws {
    let pair = try await LinkedPair.open { await $0.strike(.duplicateClose, connection: 0, afterBytes: 4, .toTarget) }
    let head = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    let text: [UInt8] = [0x81, 0x84, 1, 2, 3, 4] + [0x88, 0x88, 0x88, 0x88]
    let close: [UInt8] = [0x88, 0x82, 5, 6, 7, 8, 0x06, 0xEE]
    try await pair.client.send(head + text)
    #expect(await pair.target.read(head.count + text.count) == head + text)
    try await pair.client.send(Array(close.prefix(3)))
    try await pair.client.send(Array(close.dropFirst(3)))
    #expect(await pair.target.read(2 * close.count) == close + close)
    #expect(await pair.link.struckFaults == [.duplicateClose: 1])
    await pair.close()
  }

  @Test("A connection that was to be cut at its first byte is cut at once, and the link forgets it")
  func cutBeforeItBegins() async throws {
    let (listener, _) = try await LinkPeer.listen()
    let link = try await FaultyLink.open(port: listener.localAddress?.port ?? 0)
    await link.strike(.cut, connection: 0, afterBytes: 0, .toTarget)
    let client = try await LinkPeer.connect(port: link.port)
    #expect(await client.next() == .reset)
    await link.shutDown()
    #expect(await link.openConnections == 0)
    try? await listener.close().get()
  }

  @Test("A fault strikes the connection that it names and no other")
  func oneOfSeveral() async throws {
    let pair = try await LinkedPair.open()
    let other = try await LinkPeer.connect(port: pair.link.port)
    try await pair.client.send("a")
    #expect(await pair.target.read(1) == Array("a".utf8))
    await pair.link.strike(.cut, connection: 1)
    #expect(await other.next() == .reset)
    try await pair.target.send("b")
    #expect(await pair.client.read(1) == Array("b".utf8))
    #expect(await pair.link.openConnections == 1)
    await pair.close()
  }
}
