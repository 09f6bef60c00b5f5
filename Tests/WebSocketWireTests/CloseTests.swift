import NIOCore
import Testing

@testable import WebSocketWire

/// Fault rows 28, 29 and 33: the close handshake.
@Suite struct CloseTests {
  @Test(
    "Fault row 28: codes that may not travel are answered with 1002 and never echoed",
    arguments: [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535], bothRoles)
  func refusedCodes(_ code: Int, role: Role) {
    var connection = WebSocketConnection(role: role)
    let fault = WireFault.invalidCloseCode(UInt16(code))
    #expect(connection.events(role.peerClose(code)) == [.fault(fault)])
    #expect(!CloseCode(rawValue: UInt16(code)).mayTravel)
    #expect(
      peerEvents(of: role, connection.takeOutbound()) == [.closed(.protocolError, fault.reason, .peerClosed)])
  }

  @Test(
    "Fault row 28: codes that may travel are echoed",
    arguments: [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999],
    bothRoles)
  func echoedCodes(_ code: Int, role: Role) {
    var connection = WebSocketConnection(role: role)
    let closeCode = CloseCode(rawValue: UInt16(code))
    #expect(closeCode.mayTravel)
    let events = connection.events(role.peerClose(code, Array("why €".utf8)))
    #expect(events == [.closed(closeCode, "why €", .peerClosed)])
    #expect(connection.phase == .finished)
    #expect(peerEvents(of: role, connection.takeOutbound()) == [.closed(closeCode, "", .peerClosed)])
  }

  @Test("An empty close frame is code 1005 and is answered by an empty one", arguments: bothRoles)
  func emptyClose(role: Role) {
    var connection = WebSocketConnection(role: role)
    #expect(connection.events(role.peerFrame(.close)) == [.closed(.noStatus, "", .peerClosed)])
    let answer = connection.takeOutbound()
    #expect(answer.prefix(2) == [0x88, role == .client ? 0x80 : 0x00])
    #expect(peerEvents(of: role, answer) == [.closed(.noStatus, "", .peerClosed)])
  }

  @Test("The longest reason, 123 bytes, is received whole", arguments: bothRoles)
  func longestReason(role: Role) {
    var connection = WebSocketConnection(role: role)
    let reason = String(repeating: "r", count: 123)
    #expect(
      connection.events(role.peerClose(4000, Array(reason.utf8))) == [
        .closed(CloseCode(rawValue: 4000), reason, .peerClosed)
      ])
  }

  @Test("Fault row 29: data after close and a second close are ignored", arguments: bothRoles)
  func dataAfterClose(role: Role) {
    var connection = WebSocketConnection(role: role)
    let bytes =
      role.peerClose(1000) + role.peerFrame(.text, "late") + role.peerFrame(.ping, "late") + role.peerClose(1001)
    #expect(connection.events(bytes) == [.closed(.normal, "", .peerClosed)])
    #expect(connection.events(role.peerFrame(.text, "later")) == [])
    connection.receiveEOF()
    #expect(connection.nextEvent() == nil)
    #expect(peerEvents(of: role, connection.takeOutbound()) == [.closed(.normal, "", .peerClosed)])
  }

  @Test("Our close waits for the peer's and sends nothing twice", arguments: bothRoles)
  func ourClose(role: Role) {
    var connection = WebSocketConnection(role: role)
    connection.close(.serviceRestart, reason: "back soon")
    connection.close(.normal, reason: "again")
    #expect(connection.phase == .closeSent)
    let sent = connection.takeOutbound()
    #expect(peerEvents(of: role, sent) == [.closed(.serviceRestart, "back soon", .peerClosed)])
    #expect(connection.send(.text, ByteBuffer(string: "x").readableBytesView) == false)
    #expect(connection.ping(ByteBuffer().readableBytesView) == false)
    #expect(connection.events(role.peerClose(1012)) == [.closed(.serviceRestart, "", .handshakeCompleted)])
    #expect(connection.phase == .finished)
    #expect(connection.takeOutbound().isEmpty)
  }

  @Test("Fault row 29: closes that cross give one close each way", arguments: bothRoles)
  func crossingCloses(role: Role) {
    var connection = WebSocketConnection(role: role)
    connection.close(.normal, reason: "")
    _ = connection.takeOutbound()
    #expect(
      connection.events(role.peerClose(4001, Array("mine".utf8)))
        == [.closed(CloseCode(rawValue: 4001), "mine", .handshakeCompleted)])
    #expect(connection.takeOutbound().isEmpty)
  }

  @Test("After our close the peer's messages and pings are dropped unanswered", arguments: bothRoles)
  func droppedAfterOurClose(role: Role) {
    var connection = WebSocketConnection(role: role)
    // A message and a frame of it are in hand when we close.
    let long = role.peerFrame(.continuation, [0xFF, 0xFF, 0xFF], isFinal: false)
    #expect(connection.events(role.peerFrame(.text, "begun", isFinal: false) + Array(long.dropLast(3))) == [])
    connection.close(.normal, reason: "")
    _ = connection.takeOutbound()
    let bytes =
      Array(long.suffix(3)) + role.peerFrame(.ping, "p") + role.peerFrame(.continuation, "end")
      + role.peerFrame(.text, [0xFF]) + role.peerFrame(.pong) + role.peerClose(1000)
    #expect(connection.events(bytes) == [.closed(.normal, "", .handshakeCompleted)])
    #expect(connection.takeOutbound().isEmpty)
  }

  @Test("After our close the order of frames is still checked", arguments: bothRoles)
  func orderAfterOurClose(role: Role) {
    var connection = WebSocketConnection(role: role)
    #expect(connection.events(role.peerFrame(.text, "begun", isFinal: false)) == [])
    connection.close(.normal, reason: "")
    #expect(connection.events(role.peerFrame(.text, "new")) == [.fault(.interruptedMessage)])
  }

  @Test("Fault row 33: bytes that end without a close frame are code 1006", arguments: bothRoles)
  func endOfStream(role: Role) {
    for prefix in [[], [role.peerFrame(.text, "cut")[0]], Array(role.peerFrame(.text, "cut").dropLast())] {
      var connection = WebSocketConnection(role: role)
      #expect(connection.events(prefix) == [])
      connection.receiveEOF()
      #expect(connection.nextEvent() == .closed(.abnormal, "", .endOfStream))
      #expect(connection.nextEvent() == nil)
      #expect(connection.takeOutbound().isEmpty)
    }
  }

  @Test("The end of the bytes is seen after what came before it, and only without a handshake", arguments: bothRoles)
  func endOfStreamOrder(role: Role) {
    var connection = WebSocketConnection(role: role)
    connection.receive(ByteBuffer(bytes: role.peerFrame(.text, "last words")))
    connection.receiveEOF()
    #expect(connection.nextEvent() == .text("last words"))
    #expect(connection.nextEvent() == .closed(.abnormal, "", .endOfStream))

    var clean = WebSocketConnection(role: role)
    clean.receive(ByteBuffer(bytes: role.peerClose(1000)))
    clean.receiveEOF()
    #expect(clean.nextEvent() == .closed(.normal, "", .peerClosed))
    #expect(clean.nextEvent() == nil)

    var waiting = WebSocketConnection(role: role)
    waiting.close(.normal, reason: "")
    waiting.receiveEOF()
    #expect(waiting.nextEvent() == .closed(.abnormal, "", .endOfStream))
  }

  @Test("Codes that may not travel are not sent: 1005 is an empty frame, others go out as 1011", arguments: bothRoles)
  func codesWeSend(role: Role) {
    var empty = WebSocketConnection(role: role)
    empty.close(.noStatus, reason: "dropped")
    #expect(peerEvents(of: role, empty.takeOutbound()) == [.closed(.noStatus, "", .peerClosed)])
    for code: UInt16 in [0, 1004, 1006, 1015, 2999, 5000] {
      var connection = WebSocketConnection(role: role)
      connection.close(CloseCode(rawValue: code), reason: "why")
      #expect(peerEvents(of: role, connection.takeOutbound()) == [.closed(.internalError, "why", .peerClosed)])
    }
  }

  @Test("A reason is cut to 123 bytes between two characters", arguments: bothRoles)
  func reasonCut(role: Role) {
    let cases: [(String, String)] = [
      (String(repeating: "a", count: 123), String(repeating: "a", count: 123)),
      (String(repeating: "a", count: 124), String(repeating: "a", count: 123)),
      (String(repeating: "€", count: 41), String(repeating: "€", count: 41)),
      (String(repeating: "€", count: 42), String(repeating: "€", count: 41)),
      (String(repeating: "é", count: 100), String(repeating: "é", count: 61)),
      ("a" + String(repeating: "😀", count: 40), "a" + String(repeating: "😀", count: 30)),
    ]
    for (reason, sent) in cases {
      var connection = WebSocketConnection(role: role)
      connection.close(.normal, reason: reason)
      #expect(peerEvents(of: role, connection.takeOutbound()) == [.closed(.normal, sent, .peerClosed)])
    }
  }
}
