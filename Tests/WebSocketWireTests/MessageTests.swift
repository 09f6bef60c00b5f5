import NIOCore
import Testing
import WebSocketWire

@Suite struct MessageTests {
  @Test("The examples of RFC 6455 section 5.7")
  func examples() {
    let hello = Array("Hello".utf8)
    var client = WebSocketConnection(role: .client)
    #expect(client.events([0x81, 0x05] + hello) == [.text("Hello")])
    #expect(client.events([0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F]) == [.text("Hello")])
    #expect(client.events([0x89, 0x05] + hello) == [.ping("Hello")])
    let binary = [UInt8](repeating: 7, count: 256)
    #expect(client.events([0x82, 0x7E, 0x01, 0x00] + binary) == [.binary(binary)])
    let large = [UInt8](repeating: 9, count: 65_536)
    #expect(client.events([0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0] + large) == [.binary(large)])

    var server = WebSocketConnection(role: .server)
    let masked: [UInt8] = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
    #expect(server.events(masked) == [.text("Hello")])
    #expect(server.events([0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]) == [.pong("Hello")])
  }

  @Test("A server sends the frames of RFC 6455 section 5.7, unmasked")
  func serverFrames() {
    var server = WebSocketConnection(role: .server)
    #expect(server.send(.text, ByteBuffer(string: "Hello").readableBytesView) == true)
    #expect(server.takeOutbound() == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
    #expect(server.ping(ByteBuffer(string: "Hello").readableBytesView) == true)
    #expect(server.takeOutbound() == [0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
    server.close(.normal, reason: "bye")
    #expect(server.takeOutbound() == [0x88, 0x05, 0x03, 0xE8] + Array("bye".utf8))
  }

  @Test("R001: messages of every length form arrive as they were sent, in both roles", arguments: bothRoles)
  func lengths(role: Role) {
    var generator = SplitMix64(seed: 5)
    var sender = WebSocketConnection(role: role)
    for length in [0, 1, 2, 3, 4, 5, 7, 8, 9, 125, 126, 127, 128, 4096, 65_535, 65_536, 65_537, 300_000] {
      let payload = generator.bytes(length)
      #expect(sender.send(.binary, ByteBuffer(bytes: payload).readableBytesView) == true)
      #expect(peerEvents(of: role, sender.takeOutbound()) == [.binary(payload)])
    }
  }

  @Test("R137: each message of a burst comes out at once, in order, whatever its size", arguments: bothRoles)
  func burst(role: Role) {
    var connection = WebSocketConnection(role: role)
    let texts = (0..<50).map { String(repeating: "m\($0)", count: $0) }
    let bytes = texts.flatMap { role.peerFrame(.text, $0) }
    #expect(connection.events(bytes) == texts.map { .text($0) })
    #expect(connection.takeOutbound().isEmpty)
  }

  @Test("R026: a binary message is an event of its own, and the connection stays open", arguments: bothRoles)
  func binary(role: Role) {
    var connection = WebSocketConnection(role: role)
    #expect(connection.events(role.peerFrame(.binary, [0xFF, 0x00])) == [.binary([0xFF, 0x00])])
    #expect(connection.phase == .open)
    #expect(connection.events(role.peerFrame(.text, "next")) == [.text("next")])
  }

  @Test("Control frames between fragments do not disturb the message", arguments: bothRoles)
  func controlBetweenFragments(role: Role) {
    var connection = WebSocketConnection(role: role)
    let bytes =
      role.peerFrame(.text, "one ", isFinal: false) + role.peerFrame(.ping, "p1")
      + role.peerFrame(.continuation, "", isFinal: false) + role.peerFrame(.pong, "p2")
      + role.peerFrame(.continuation, "two") + role.peerFrame(.text, "three")
    #expect(connection.events(bytes) == [.ping("p1"), .pong("p2"), .text("one two"), .text("three")])
    #expect(peerEvents(of: role, connection.takeOutbound()) == [.pong("p1")])
  }

  @Test("A ping is answered by a pong of the same payload, before its event is seen", arguments: bothRoles)
  func pong(role: Role) {
    for length in [0, 1, 124, 125] {
      var connection = WebSocketConnection(role: role)
      let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 3) }
      connection.receive(ByteBuffer(bytes: role.peerFrame(.ping, payload)))
      #expect(connection.nextEvent() == .ping(ByteBuffer(bytes: payload)))
      #expect(peerEvents(of: role, connection.takeOutbound()) == [.pong(ByteBuffer(bytes: payload))])
    }
  }

  @Test("Fault row 30: 5,000 pings at once are answered one by one", arguments: bothRoles)
  func manyPings(role: Role) {
    var connection = WebSocketConnection(role: role)
    let flood = (0..<5000).flatMap { role.peerFrame(.ping, "\($0)") }
    #expect(connection.events(flood) == (0..<5000).map { .ping("\($0)") })
    #expect(peerEvents(of: role, connection.takeOutbound()) == (0..<5000).map { .pong("\($0)") })
  }

  @Test("A ping of our own holds at most 125 bytes")
  func pingLimit() {
    var connection = WebSocketConnection(role: .server)
    #expect(connection.ping(ByteBuffer(repeating: 1, count: 125).readableBytesView) == true)
    #expect(connection.takeOutbound().count == 127)
    #expect(connection.ping(ByteBuffer(repeating: 1, count: 126).readableBytesView) == false)
    #expect(connection.takeOutbound().isEmpty)
  }

  @Test("Only text and binary can be sent as messages", arguments: [Opcode.continuation, .close, .ping, .pong])
  func sendableOpcodes(_ opcode: Opcode) {
    var connection = WebSocketConnection(role: .server)
    #expect(connection.send(opcode, ByteBuffer(string: "x").readableBytesView) == false)
    #expect(connection.takeOutbound().isEmpty)
  }

  @Test("Frames are appended to what is still outbound")
  func outboundOrder() {
    var connection = WebSocketConnection(role: .server)
    connection.send(.text, ByteBuffer(string: "a").readableBytesView)
    connection.send(.binary, ByteBuffer(string: "b").readableBytesView)
    connection.close(.normal, reason: "")
    #expect(connection.takeOutbound() == [0x81, 1, 0x61, 0x82, 1, 0x62, 0x88, 2, 0x03, 0xE8])
  }

  @Test("An event that is kept keeps its bytes, whatever comes after", arguments: bothRoles)
  func keptEvents(role: Role) {
    var connection = WebSocketConnection(role: role)
    let kept = connection.events(role.peerFrame(.text, "first") + role.peerFrame(.ping, "ping1"))
    _ = connection.events(role.peerFrame(.text, "SECOND") + role.peerFrame(.ping, "PING2"))
    #expect(kept == [.text("first"), .ping("ping1")])
  }

  @Test("The storage of a large message does not stay with the connection")
  func excessStorage() {
    var connection = WebSocketConnection(role: .server)
    connection.send(.binary, ByteBuffer(repeating: 1, count: 1_000_000).readableBytesView)
    #expect(connection.outbound.capacity >= 1_000_000)
    connection.emptyOutbound()
    #expect(connection.outbound.capacity == 0)
    connection.send(.binary, ByteBuffer(repeating: 1, count: 4096).readableBytesView)
    let capacity = connection.outbound.capacity
    connection.emptyOutbound()
    #expect(connection.outbound.capacity == capacity)
    #expect(connection.outbound.readableBytes == 0)
  }
}
