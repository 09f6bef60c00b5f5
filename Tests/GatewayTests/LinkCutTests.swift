import NIOCore
import ParleyTesting
import Testing
import WebSocketWire

@testable import Gateway

@Suite("Packets that are cut, late or held up", .timeLimit(.minutes(5)))
struct LinkCutTests {
  /// What both ends were told in a whole call, as far as it is the same in each run.
  struct Ledger: Equatable {
    var client: [String] = []
    var clientClose: UInt16?
    var provider: [String] = []
    var providerClose: UInt16?
  }

  /// The two links of a call, and what was struck into them.
  struct Links: Sendable {
    var client = FaultyLink.Behaviour()
    var provider = FaultyLink.Behaviour()
    /// Bytes after which a link stalls.
    var clientStalls: [(Int, FaultyLink.Direction)] = []
    var providerStalls: [(Int, FaultyLink.Direction)] = []
    var stall = Duration.seconds(2)
  }

  /// A call of so many sounds each way, with words beyond ASCII, over the links.
  private static func ledger(sounds: Int, _ links: Links = Links()) async throws -> Ledger {
    let peer = try await LinkPeer.start()
    let up = try await FaultyLink.open(port: peer.port, seed: 5)
    let gateway = try await TestGateway.upstream(port: up.port)
    let down = try await FaultyLink.open(port: gateway.port, seed: 6)
    for direction in FaultyLink.Direction.allCases {
      await up.behave(links.provider, direction)
      await down.behave(links.client, direction)
    }
    for (bytes, direction) in links.providerStalls {
      await up.strike(.stall(links.stall), connection: 0, afterBytes: bytes, direction)
    }
    for (bytes, direction) in links.clientStalls {
      await down.strike(.stall(links.stall), connection: 0, afterBytes: bytes, direction)
    }
    let client = try await TestSocket.connect(port: down.port, patience: .seconds(120))
    defer { client.channel.close(promise: nil) }
    let ledger = try await Self.talk(client, peer, sounds: sounds)
    await down.shutDown()
    await gateway.stop()
    await up.shutDown()
    await peer.stop()
    return ledger
  }

  private static func talk(_ client: TestSocket, _ peer: LinkPeer, sounds: Int) async throws -> Ledger {
    var ledger = Ledger()
    // The frames come in the segment of the request, and may be cut anywhere, too.
    try await client.send(TestSocket.upgradeRequest(path: LinkCall.path))
    try await client.sendFrames { socket in
      for number in 0..<sounds {
        let text = #"{"type":"input_audio_buffer.append","audio":"\#(LinkCall.sound(number, bytes: 96))"}"#
        socket.send(.text, ByteBuffer(string: text).readableBytesView)
      }
      socket.send(.text, ByteBuffer(string: #"{"type":"response.create","event_id":"é🎧"}"#).readableBytesView)
    }
    async let answered = Self.answer(peer, sounds: sounds)
    guard await client.text(upTo: "\r\n\r\n")?.hasPrefix("HTTP/1.1 101 ") ?? false else {
      throw ScriptFault.refused
    }
    while let message = await client.message() {
      // The greeting's ids are each session's own.
      if !message.contains(#""type":"session.created""#) { ledger.client.append(message) }
      if message.contains(#""type":"response.done""#) { break }
    }
    try await client.sendFrames { $0.close(.normal, reason: "") }
    while let event = await client.event() {
      if case .closed(let close) = event { ledger.clientClose = close.code.rawValue }
    }
    (ledger.provider, ledger.providerClose) = try await answered
    return ledger
  }

  private enum ScriptFault: Error { case refused, noProvider }

  private static func answer(_ peer: LinkPeer, sounds: Int) async throws -> ([String], UInt16?) {
    var lines = peer.lines.makeAsyncIterator()
    guard let line = await lines.next() else { throw ScriptFault.noProvider }
    try await line.say(LinkCall.session("session.created"), LinkCall.session("session.updated"))
    var told: [String] = []
    for await event in line.heard {
      switch event {
      case .text(let text):
        // The set-up has an id of its own.
        told.append(text.contains(#""session.update""#) ? "session.update" : text)
        guard text.contains("response.create") else { continue }
        let words =
          #"{"type":"response.output_audio_transcript.delta","event_id":"event_w","response_id":"resp_1","#
          + #""item_id":"item_1","output_index":0,"content_index":0,"delta":"Grüße, 世界 🎧"}"#
        try await line.say(
          LinkCall.beginning() + [words] + (0..<sounds).map { LinkCall.audio($0, bytes: 96) } + LinkCall.ending())
      case .ended(let code):
        return (told, code)
      }
    }
    return (told, nil)
  }

  private static func dripping(_ bytes: Int) -> FaultyLink.Behaviour {
    var behaviour = FaultyLink.Behaviour()
    behaviour.segmentBytes = bytes
    return behaviour
  }

  @Test("fault row 55: one byte a segment on both links, both ways: what both ends are told is the same")
  func drip() async throws {
    let whole = try await Self.ledger(sounds: 20)
    #expect(whole.client.sounds == Array(0..<20) && whole.clientClose == 1000)
    #expect(whole.provider.count == 22 && whole.providerClose == 1000)
    let cut = try await Self.ledger(
      sounds: 20, Links(client: Self.dripping(1), provider: Self.dripping(1)))
    #expect(cut == whole)
  }

  @Test("fault row 55: jitter of 0 to 300 ms on both links, both ways: what both ends are told is the same")
  func jitter() async throws {
    var behaviour = Self.dripping(700)
    behaviour.jitter = .milliseconds(300)
    behaviour.queueBytes = 2_048
    let whole = try await Self.ledger(sounds: 60)
    let late = try await Self.ledger(sounds: 60, Links(client: behaviour, provider: behaviour))
    #expect(whole.client.sounds == Array(0..<60))
    #expect(late == whole)
  }

  @Test("fault row 55: stalls of 2 s in one of a hundred packets of either link: what both ends are told is the same")
  func stalls() async throws {
    let whole = try await Self.ledger(sounds: 100)
    var links = Links(client: Self.dripping(536), provider: Self.dripping(536))
    // A call is some 60 packets each way: one stall in each direction of each link.
    links.clientStalls = [(9_000, .toTarget), (22_000, .toClient)]
    links.providerStalls = [(9_500, .toTarget), (21_000, .toClient)]
    let held = try await Self.ledger(sounds: 100, links)
    #expect(whole.client.sounds == Array(0..<100))
    #expect(held == whole)
  }

  @Test(
    "fault row 55: a cut at every byte of what a client or a provider says first, with a pause there: what both ends are told is the same",
    arguments: [true, false])
  func everyByte(isClient: Bool) async throws {
    let whole = try await Self.ledger(sounds: 1)
    // The request of the client and its first frame; the 101 of the provider, and its.
    let cuts = Array(1...320)
    let different = try await withThrowingTaskGroup(of: Int?.self) { group in
      var next = cuts.makeIterator()
      func add() {
        guard let cut = next.next() else { return }
        group.addTask {
          var links = Links()
          links.stall = .milliseconds(20)
          if isClient { links.clientStalls = [(cut, .toTarget)] } else { links.providerStalls = [(cut, .toClient)] }
          return try await Self.ledger(sounds: 1, links) == whole ? nil : cut
        }
      }
      for _ in 0..<32 { add() }
      var different: [Int] = []
      for try await cut in group {
        if let cut { different.append(cut) }
        add()
      }
      return different.sorted()
    }
    #expect(different == [])
  }
}
