import NIOCore
import Testing
import WebSocketWire

/// Fault rows 25 and 26, each limit at its value and one past it.
@Suite struct LimitTests {
  @Test("The defaults are those that ship")
  func defaults() {
    let limits = WireLimits()
    #expect(limits.maxFrameBytes == 24 * 1024 * 1024)
    #expect(limits.maxMessageBytes == 24 * 1024 * 1024)
    #expect(limits.maxFragments == 131_072)
    #expect(limits.maxTinyFragments == 1024)
  }

  @Test("Fault row 25: a frame of the limit passes, one byte more is refused on its header", arguments: bothRoles)
  func frame(role: Role) {
    var connection = WebSocketConnection(role: role, limits: WireLimits(maxFrameBytes: 1000))
    #expect(connection.events(role.peerFrame(.text, String(repeating: "a", count: 1000))).count == 1)
    let header = Array(role.peerFrame(.text, String(repeating: "a", count: 1001)).prefix(4))
    #expect(connection.events(header) == [.fault(.oversizedFrame)])
    #expect(WireFault.oversizedFrame.closeCode == .messageTooBig)
  }

  @Test("Fault row 25: the shipped limit itself may be declared", arguments: bothRoles)
  func declaredLimit(role: Role) {
    var connection = WebSocketConnection(role: role)
    #expect(connection.events(FaultTests.declaration(role, 127, 25_165_824, 8)) == [])
    #expect(connection.phase == .open)
  }

  @Test("Fault row 25: nothing is reserved for a payload that is declared and does not come", arguments: bothRoles)
  func declaredIsNotReserved(role: Role) {
    var connection = WebSocketConnection(role: role)
    let mask: [UInt8] = role == .server ? [0, 0, 0, 0] : []
    #expect(connection.events(FaultTests.declaration(role, 127, 25_165_824, 8) + mask) == [])
    #expect(connection.heldBytes == 0)
    #expect(connection.events([UInt8](repeating: 1, count: 10_000)) == [])
    #expect((10_000...40_000).contains(connection.heldBytes))
  }

  @Test("Fault row 26: the storage of a large message is given back once it has been taken", arguments: bothRoles)
  func storageIsGivenBack(role: Role) {
    var connection = WebSocketConnection(role: role)
    let large = role.peerFrame(.binary, [UInt8](repeating: 1, count: 300_000))
    #expect(connection.copiedEvents(large, pieces: [100_000, large.count - 100_000]).count == 1)
    #expect(connection.heldBytes == 0)
    #expect(connection.copiedEvents(large, pieces: [100_000]) == [])
    #expect(connection.heldBytes >= 99_000)
    connection.close(.normal, reason: "")
    connection.emptyOutbound()
    #expect(connection.heldBytes < 1000)
  }

  @Test("Fault row 26: fragments may add up to the limit, one byte more is refused on its header", arguments: bothRoles)
  func message(role: Role) {
    let limits = WireLimits(maxFrameBytes: 1000, maxMessageBytes: 1500)
    var connection = WebSocketConnection(role: role, limits: limits)
    let first = role.peerFrame(.binary, [UInt8](repeating: 1, count: 1000), isFinal: false)
    let rest = role.peerFrame(.continuation, [UInt8](repeating: 1, count: 500))
    #expect(connection.events(first + rest) == [.binary([UInt8](repeating: 1, count: 1500))])
    // The count begins anew with each message.
    #expect(connection.events(first + rest).count == 1)
    let long = role.peerFrame(.continuation, [UInt8](repeating: 1, count: 501), isFinal: false)
    let header = Array(long.prefix(long.count - 501))
    #expect(connection.events(first + header) == [.fault(.oversizedMessage)])
    #expect(WireFault.oversizedMessage.closeCode == .messageTooBig)
  }

  @Test("Fault row 26: the number of fragments", arguments: bothRoles)
  func fragments(role: Role) {
    let limits = WireLimits(maxFragments: 10)
    #expect(outcome(role, limits, fragments: 10, of: "xx") == .text(String(repeating: "xx", count: 10)))
    #expect(outcome(role, limits, fragments: 11, of: "xx") == .fault(.tooManyFragments))
    #expect(WireFault.tooManyFragments.closeCode == .policyViolation)
  }

  @Test("Fault row 26: the number of empty or one-byte fragments", arguments: bothRoles)
  func tinyFragments(role: Role) {
    let limits = WireLimits()
    #expect(outcome(role, limits, fragments: 1024, of: "x") == .text(String(repeating: "x", count: 1024)))
    #expect(outcome(role, limits, fragments: 1025, of: "x") == .fault(.tooManyTinyFragments))
    #expect(outcome(role, limits, fragments: 1024, of: "") == .text(""))
    #expect(outcome(role, limits, fragments: 1025, of: "") == .fault(.tooManyTinyFragments))
    #expect(outcome(role, limits, fragments: 20_000, of: "") == .fault(.tooManyTinyFragments))
    #expect(outcome(role, limits, fragments: 2000, of: "xx") == .text(String(repeating: "xx", count: 2000)))
    #expect(WireFault.tooManyTinyFragments.closeCode == .policyViolation)
  }

  @Test("Short messages that are not fragmented are not counted as tiny fragments", arguments: bothRoles)
  func shortMessages(role: Role) {
    var connection = WebSocketConnection(role: role, limits: WireLimits(maxTinyFragments: 1))
    let bytes = (0..<5000).flatMap { _ in role.peerFrame(.text, "x") }
    #expect(connection.events(bytes).count == 5000)
  }

  @Test("Control frames count towards no limit of the message", arguments: bothRoles)
  func controlFrames(role: Role) {
    let limits = WireLimits(maxFrameBytes: 4, maxMessageBytes: 4, maxFragments: 2, maxTinyFragments: 0)
    var connection = WebSocketConnection(role: role, limits: limits)
    let ping = role.peerFrame(.ping, [UInt8](repeating: 65, count: 125))
    let bytes = role.peerFrame(.text, "ab", isFinal: false) + ping + ping + role.peerFrame(.continuation, "cd")
    #expect(connection.events(bytes).last == .text("abcd"))
  }

  @Test("Limits beyond what a buffer can hold are taken as 1 GiB, negative ones as 0", arguments: bothRoles)
  func clamped(role: Role) {
    let endless = WireLimits(maxFrameBytes: .max, maxMessageBytes: .max)
    var connection = WebSocketConnection(role: role, limits: endless)
    #expect(connection.events(FaultTests.declaration(role, 127, 1 << 30, 8)) == [])
    var another = WebSocketConnection(role: role, limits: endless)
    #expect(another.events(FaultTests.declaration(role, 127, 1 << 30 + 1, 8)) == [.fault(.oversizedFrame)])
    var closed = WebSocketConnection(role: role, limits: WireLimits(maxFrameBytes: -5, maxMessageBytes: -5))
    #expect(closed.events(role.peerFrame(.text, "")) == [.text("")])
    #expect(closed.events(role.peerFrame(.text, "x")) == [.fault(.oversizedFrame)])
  }

  private func outcome(_ role: Role, _ limits: WireLimits, fragments: Int, of text: String) -> WebSocketEvent? {
    var connection = WebSocketConnection(role: role, limits: limits)
    let bytes = (0..<fragments).flatMap { index in
      role.peerFrame(index == 0 ? .text : .continuation, text, isFinal: index == fragments - 1)
    }
    let events = connection.events(bytes)
    return events.count == 1 ? events.first : nil
  }
}
