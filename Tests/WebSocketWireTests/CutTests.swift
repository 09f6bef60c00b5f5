import NIOCore
import Testing
import WebSocketWire

/// However the bytes are cut, events and answers are the same (fault row 55 for this layer).
@Suite struct CutTests {
  static let seeds: [UInt64] = Array(1...60)

  @Test("Fault row 55: whole, byte by byte and at random cuts give the same events", arguments: bothRoles, seeds)
  func cuts(role: Role, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let limits = WireLimits(maxFrameBytes: 3000, maxMessageBytes: 6000, maxFragments: 12, maxTinyFragments: 6)
    let bytes = conversation(role, using: &generator)

    var whole = WebSocketConnection(role: role, limits: limits)
    let expected = whole.events(bytes) + end(&whole)
    let answers = peerEvents(of: role, whole.takeOutbound())
    #expect(!expected.isEmpty)

    let ways: [[Int]] =
      [Array(repeating: 1, count: bytes.count), [bytes.count]]
      + [3, 20, 500, 5000].map { randomPieces(bytes.count, most: $0, using: &generator) }
    for pieces in ways {
      var connection = WebSocketConnection(role: role, limits: limits)
      #expect(connection.copiedEvents(bytes, pieces: pieces) + end(&connection) == expected)
      #expect(peerEvents(of: role, connection.takeOutbound()) == answers)
    }
  }

  @Test("Input handed over while events wait is not lost", arguments: bothRoles)
  func handedOverEarly(role: Role) {
    var connection = WebSocketConnection(role: role)
    let bytes = (0..<40).flatMap { role.peerFrame(.text, "message \($0)") }
    for start in stride(from: 0, to: bytes.count, by: 7) {
      connection.receive(ByteBuffer(bytes: bytes[start..<min(start + 7, bytes.count)]))
    }
    #expect(connection.events([]) == (0..<40).map { .text("message \($0)") })
  }

  @Test("A flipped bit anywhere leads to events or one closed event, never to a trap", arguments: bothRoles, seeds)
  func flippedBits(role: Role, seed: UInt64) {
    var generator = SplitMix64(seed: seed &* 7919)
    for _ in 0..<20 {
      var bytes = conversation(role, using: &generator)
      let position = Int.random(in: 0..<bytes.count, using: &generator)
      bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      var whole = WebSocketConnection(role: role)
      let expected = whole.events(bytes) + end(&whole)
      let terminal = expected.filter { if case .closed = $0 { true } else { false } }
      #expect(terminal.count == 1)
      #expect(expected.last == terminal.last)
      var cut = WebSocketConnection(role: role)
      let pieces = randomPieces(bytes.count, most: 30, using: &generator)
      #expect(cut.copiedEvents(bytes, pieces: pieces) + end(&cut) == expected)
    }
  }

  @Test("Random bytes never trap and end every connection once", arguments: bothRoles, seeds)
  func randomBytes(role: Role, seed: UInt64) {
    var generator = SplitMix64(seed: seed &* 104_729)
    for _ in 0..<50 {
      let bytes = generator.bytes(Int.random(in: 1...200, using: &generator))
      var connection = WebSocketConnection(role: role)
      let events = connection.events(bytes) + end(&connection)
      #expect(events.filter { if case .closed = $0 { true } else { false } }.count == 1)
      #expect(connection.phase == .finished)
    }
  }

  private func end(_ connection: inout WebSocketConnection) -> [WebSocketEvent] {
    connection.receiveEOF()
    var events: [WebSocketEvent] = []
    while let event = connection.nextEvent() { events.append(event) }
    return events
  }

  /// Messages whole and in fragments with control frames between them; at times a fault, an end in the middle, a close.
  private func conversation(_ role: Role, using generator: inout SplitMix64) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 1...12, using: &generator) {
      switch Int.random(in: 0..<20, using: &generator) {
      case 0..<8: bytes += role.peerFrame(.text, text(using: &generator))
      case 8..<11: bytes += role.peerFrame(.binary, payload(using: &generator))
      case 11..<17: bytes += fragmented(role, using: &generator)
      case 17: bytes += role.peerFrame(.ping, generator.bytes(Int.random(in: 0...125, using: &generator)))
      case 18: bytes += role.peerFrame(.pong, generator.bytes(Int.random(in: 0...125, using: &generator)))
      default: bytes += fault(role, using: &generator)
      }
    }
    switch Int.random(in: 0..<3, using: &generator) {
    case 0: return bytes + role.peerClose(1000, Array("done €".utf8)) + role.peerFrame(.text, "late")
    case 1: return Array(bytes.dropLast(Int.random(in: 0..<bytes.count, using: &generator)))
    default: return bytes
    }
  }

  private func fragmented(_ role: Role, using generator: inout SplitMix64) -> [UInt8] {
    let content = Bool.random(using: &generator) ? text(using: &generator) : Array("κόσμε 😀 ".utf8)
    let pieces = randomPieces(content.count, most: max(2, content.count / 2), using: &generator)
    var bytes: [UInt8] = []
    var start = 0
    for (index, piece) in pieces.enumerated() {
      let isLast = index == pieces.count - 1
      bytes += role.peerFrame(
        index == 0 ? .text : .continuation, Array(content[start..<start + piece]), isFinal: isLast)
      if !isLast, Int.random(in: 0..<3, using: &generator) == 0 { bytes += role.peerFrame(.ping, "between") }
      start += piece
    }
    return bytes
  }

  private func text(using generator: inout SplitMix64) -> [UInt8] {
    let words = ["ascii ", "κόσμε ", "日本 ", "😀", "\u{7F}\u{80}", "a longer run of plain ASCII letters, over a vector "]
    let count = Int.random(in: 0...60, using: &generator)
    return (0..<count).flatMap { _ in Array((words.randomElement(using: &generator) ?? "").utf8) }
  }

  private func payload(using generator: inout SplitMix64) -> [UInt8] {
    generator.bytes([0, 1, 125, 126, 700, 2999, 3000, 3001].randomElement(using: &generator) ?? 0)
  }

  private func fault(_ role: Role, using generator: inout SplitMix64) -> [UInt8] {
    let violation = FaultTests.violations.randomElement(using: &generator)
    return violation?.bytes(role) ?? []
  }
}
