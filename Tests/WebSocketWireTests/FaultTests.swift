import NIOCore
import Testing
import WebSocketWire

/// Fault rows 21 to 28: what the peer gets and what the owner sees.
@Suite struct FaultTests {
  struct Violation: CustomTestStringConvertible, Sendable {
    var name: String
    var fault: WireFault
    var bytes: @Sendable (Role) -> [UInt8]
    var testDescription: String { name }
    init(_ name: String, _ fault: WireFault, _ bytes: @escaping @Sendable (Role) -> [UInt8]) {
      self.name = name
      self.fault = fault
      self.bytes = bytes
    }
  }

  static let violations: [Violation] =
    [0x40, 0x20, 0x10].map { bits in
      Violation("row 22: RSV \(bits)", .reservedBits) { RawFrame(1, reserved: bits, key: $0.peerKey).bytes }
    }
    + [3, 7, 11, 15].map { opcode in
      Violation("row 22: opcode \(opcode)", .reservedOpcode(opcode)) { RawFrame(opcode, key: $0.peerKey).bytes }
    }
    + [Opcode.close, .ping, .pong].map { opcode in
      Violation("row 23: fragmented \(opcode)", .fragmentedControl) { $0.peerFrame(opcode, "", isFinal: false) }
    }
    + [Opcode.close, .ping, .pong].map { opcode in
      Violation("row 23: long \(opcode)", .oversizedControl) {
        $0.peerFrame(opcode, [UInt8](repeating: 65, count: 126))
      }
    }
    + [
      Violation("row 24: continuation first", .unexpectedContinuation) { $0.peerFrame(.continuation, "x") },
      Violation("row 24: open continuation first", .unexpectedContinuation) {
        $0.peerFrame(.continuation, "x", isFinal: false)
      },
      Violation("row 24: text inside text", .interruptedMessage) {
        $0.peerFrame(.text, "x", isFinal: false) + $0.peerFrame(.text, "y")
      },
      Violation("row 24: binary inside text", .interruptedMessage) {
        $0.peerFrame(.text, "x", isFinal: false) + $0.peerFrame(.binary, "y", isFinal: false)
      },
      Violation("row 25: 2^63 bytes", .negativeLength) { declaration($0, 127, 1 << 63, 8) },
      Violation("row 25: 2^62 bytes", .oversizedFrame) { declaration($0, 127, 1 << 62, 8) },
      Violation("row 25: 4 GiB", .oversizedFrame) { declaration($0, 127, 1 << 32, 8) },
      Violation("row 25: limit + 1", .oversizedFrame) { declaration($0, 127, 25_165_825, 8) },
      Violation("125 bytes in two length bytes", .overlongLength) { declaration($0, 126, 125, 2) },
      Violation("65,535 bytes in eight length bytes", .overlongLength) { declaration($0, 127, 65_535, 8) },
      Violation("row 27: invalid byte", .invalidText) { $0.peerFrame(.text, [0x61, 0xFF]) },
      Violation("row 27: surrogate", .invalidText) { $0.peerFrame(.text, [0xED, 0xA0, 0x80]) },
      Violation("row 27: overlong", .invalidText) { $0.peerFrame(.text, [0xC0, 0xAF]) },
      Violation("row 27: cut at the end", .invalidText) { $0.peerFrame(.text, [0x61, 0xE2, 0x82]) },
      Violation("row 27: split over frames, the second wrong", .invalidText) {
        $0.peerFrame(.text, [0xE2, 0x82], isFinal: false) + $0.peerFrame(.continuation, [0x41])
      },
      Violation("row 27: cut at the end of the last fragment", .invalidText) {
        $0.peerFrame(.text, [0x41], isFinal: false) + $0.peerFrame(.continuation, [0xE2, 0x82])
      },
      Violation("row 28: close of one byte", .truncatedCloseCode) { $0.peerFrame(.close, [0x03]) },
      Violation("row 28: close reason", .invalidCloseReason) { $0.peerClose(1000, [0xFF]) },
      Violation("row 28: cut close reason", .invalidCloseReason) { $0.peerClose(1000, [0x41, 0xE2]) },
    ]

  /// A binary frame's header up to its length, and nothing more: no mask, no payload.
  static func declaration(_ role: Role, _ form: UInt8, _ length: UInt64, _ width: Int) -> [UInt8] {
    [0x82, (role == .server ? 0x80 : 0) | form]
      + (0..<width).reversed().map { UInt8(truncatingIfNeeded: length >> (UInt64($0) * 8)) }
  }

  @Test("Fault rows 22–28: one close frame with the fault's code, then nothing more", arguments: violations, bothRoles)
  func violation(_ violation: Violation, role: Role) {
    var connection = WebSocketConnection(role: role)
    let events = connection.events(violation.bytes(role) + role.peerFrame(.text, "after"))
    #expect(events == [.fault(violation.fault)])
    #expect(connection.phase == .finished)
    let answer = WebSocketEvent.closed(violation.fault.closeCode, violation.fault.reason, .peerClosed)
    #expect(peerEvents(of: role, connection.takeOutbound()) == [answer])
    #expect(connection.events(role.peerFrame(.ping)) == [])
    #expect(connection.send(.text, ByteBuffer(string: "x").readableBytesView) == false)
    connection.close(.normal, reason: "")
    connection.receiveEOF()
    #expect(connection.nextEvent() == nil)
    #expect(connection.takeOutbound().isEmpty)
  }

  @Test("What came whole before the fault is delivered first", arguments: violations, bothRoles)
  func messagesBeforeFault(_ violation: Violation, role: Role) {
    var connection = WebSocketConnection(role: role)
    let events = connection.events(role.peerFrame(.text, "before") + violation.bytes(role))
    #expect(events == [.text("before"), .fault(violation.fault)])
  }

  @Test("Fault row 21: a server refuses an unmasked frame, a client a masked one")
  func maskBit() {
    var server = WebSocketConnection(role: .server)
    #expect(server.events(RawFrame(1, [0x41]).bytes) == [.fault(.unmaskedFrame)])
    var client = WebSocketConnection(role: .client)
    #expect(client.events(RawFrame(1, [0x41], key: [0, 0, 0, 0]).bytes) == [.fault(.maskedFrame)])
    #expect(WireFault.unmaskedFrame.closeCode == .protocolError)
    #expect(WireFault.maskedFrame.closeCode == .protocolError)
  }

  @Test("Fault row 27: invalid text is refused inside a frame that has not fully arrived", arguments: bothRoles)
  func failFast(role: Role) {
    // Autobahn 6.4: valid text, then a byte that makes the sequence exceed U+10FFFF.
    let payload = Array("κόσμε".utf8) + [0xF4, 0x90] + [0x80, 0x80] + Array("edited".utf8)
    let frame = role.peerFrame(.text, payload)
    let head = frame.count - payload.count
    var connection = WebSocketConnection(role: role)
    let valid = "κόσμε".utf8.count
    #expect(connection.events(Array(frame[..<(head + valid + 1)])) == [])
    #expect(connection.events([frame[head + valid + 1]]) == [.fault(.invalidText)])
  }

  @Test("Binary payload is not held to UTF-8", arguments: bothRoles)
  func binaryIsFree(role: Role) {
    var connection = WebSocketConnection(role: role)
    let bytes =
      role.peerFrame(.binary, [0xFF, 0xED], isFinal: false) + role.peerFrame(.continuation, [0xA0, 0xC0])
      + role.peerFrame(.binary, [0xC0])
    #expect(connection.events(bytes) == [.binary([0xFF, 0xED, 0xA0, 0xC0]), .binary([0xC0])])
  }

  @Test("A character cut between fragments, with a ping inside, is text", arguments: bothRoles)
  func characterAcrossFragments(role: Role) {
    var connection = WebSocketConnection(role: role)
    let bytes =
      role.peerFrame(.text, [0xF0, 0x9F], isFinal: false) + role.peerFrame(.ping)
      + role.peerFrame(.continuation, [0x98], isFinal: false) + role.peerFrame(.continuation, [0x80])
    #expect(connection.events(bytes) == [.ping(""), .text("😀")])
  }

  @Test("Fault row 31: a compressed frame is refused, because no extension is ever negotiated", arguments: bothRoles)
  func compressed(role: Role) {
    var connection = WebSocketConnection(role: role)
    let deflated = RawFrame(1, [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], reserved: 0x40, key: role.peerKey)
    #expect(connection.events(deflated.bytes) == [.fault(.reservedBits)])
  }

  @Test("The peer's fault after our close sends no second close frame", arguments: bothRoles)
  func faultAfterClose(role: Role) {
    var connection = WebSocketConnection(role: role)
    connection.close(.goingAway, reason: "")
    _ = connection.takeOutbound()
    #expect(connection.events(RawFrame(3, key: role.peerKey).bytes) == [.fault(.reservedOpcode(3))])
    #expect(connection.takeOutbound().isEmpty)
    #expect(connection.phase == .finished)
  }

  @Test("Every fault's reason fits a close frame uncut")
  func reasons() {
    let faults =
      Self.violations.map(\.fault) + [
        .maskedFrame, .unmaskedFrame, .oversizedMessage, .tooManyFragments, .tooManyTinyFragments,
        .invalidCloseCode(65_535),
      ]
    for fault in faults {
      #expect((1...123).contains(fault.reason.utf8.count))
      #expect([1002, 1007, 1008, 1009].contains(fault.closeCode.rawValue))
    }
  }
}
