import NIOCore
import WebSocketWire

extension FuzzTarget {
  /// Three decisions (role and limits, the size of pieces, when we close), then what the peer sends.
  static let frames = FuzzTarget("websocket-frames") { bytes in
    var input = FuzzInput(bytes)
    let conditions = input.byte()
    let role: Role = conditions & 1 == 0 ? .server : .client
    let limits =
      conditions & 2 == 0
      ? WireLimits() : WireLimits(maxFrameBytes: 200, maxMessageBytes: 300, maxFragments: 6, maxTinyFragments: 3)
    let size = Int(input.byte()) + 1
    let close = Int(input.byte())
    let closesAt = close < 128 ? nil : min(close - 128, input.rest.count)
    var findings = Findings()
    let readings = Cuts.steps(size).map {
      FrameReading(input.rest, step: $0, WebSocketConnection(role: role, limits: limits), closesAt: closesAt)
    }
    let whole = readings[0]
    for reading in readings.dropFirst() {
      findings.expectEqual(reading.events, whole.events, "events in pieces and as a whole")
      findings.expectEqual(reading.answers, whole.answers, "answers in pieces and as a whole")
    }
    for reading in readings { findings.add(reading.violations) }
    findings.add(sentAgain(whole, by: role == .server ? .client : .server))
    return findings.violations
  }

  /// The peer's messages, sent by our own encoder, are the same messages.
  private static func sentAgain(_ reading: FrameReading, by sender: Role) -> [String] {
    var connection = WebSocketConnection(role: sender)
    let messages = reading.events.filter { event in
      switch event {
      case .text(let text): connection.send(.text, text.readableBytesView)
      case .binary(let bytes): connection.send(.binary, bytes.readableBytesView)
      case .ping(let bytes): connection.ping(bytes.readableBytesView)
      case .pong, .closed: false
      }
    }
    var receiver = WebSocketConnection(role: sender == .server ? .client : .server)
    receiver.receive(connection.outbound)
    var findings = Findings()
    findings.expectEqual(FrameReading.events(of: &receiver), messages, "messages that are sent again")
    return findings.violations
  }
}

/// What a connection made of bytes that came in pieces.
struct FrameReading {
  private(set) var events: [WebSocketEvent] = []
  /// What it sent, as its peer receives it.
  private(set) var answers: [WebSocketEvent] = []
  private(set) var violations: [String] = []

  init(_ bytes: ArraySlice<UInt8>, step: Int, _ fresh: WebSocketConnection, closesAt: Int?) {
    var connection = fresh
    let before = closesAt.map { bytes.prefix($0) } ?? bytes
    receive(before, step: step, &connection)
    if closesAt != nil { connection.close(.normal, reason: "") }
    receive(bytes[before.endIndex...], step: step, &connection)
    connection.receiveEOF()
    events += Self.events(of: &connection)
    let ends = events.count { if case .closed = $0 { true } else { false } }
    if ends != 1 || connection.phase != .finished { violations.append("\(ends) ends") }
    if case .closed? = events.last {} else { violations.append("something follows the end") }
    connection.receive(ByteBuffer(bytes: bytes))
    if connection.nextEvent() != nil { violations.append("something follows the end") }
    for case .text(let text) in events where String(validating: text.readableBytesView, as: UTF8.self) == nil {
      violations.append("text that is no UTF-8")
    }
    var peer = WebSocketConnection(role: fresh.role == .server ? .client : .server)
    peer.receive(connection.outbound)
    answers = Self.events(of: &peer)
    for case .closed(let end) in answers {
      if case .fault(let fault) = end.cause { violations.append("an answer that is a fault: \(fault)") }
    }
  }

  private mutating func receive(_ bytes: ArraySlice<UInt8>, step: Int, _ connection: inout WebSocketConnection) {
    for piece in Cuts.pieces(bytes, step: step) {
      connection.receive(ByteBuffer(bytes: piece))
      events += Self.events(of: &connection)
    }
  }

  /// In storage of their own, so that the connection reuses its own.
  static func events(of connection: inout WebSocketConnection) -> [WebSocketEvent] {
    var events: [WebSocketEvent] = []
    while let event = connection.nextEvent() {
      switch event {
      case .text(let bytes): events.append(.text(ByteBuffer(bytes: bytes.readableBytesView)))
      case .binary(let bytes): events.append(.binary(ByteBuffer(bytes: bytes.readableBytesView)))
      case .ping(let bytes): events.append(.ping(ByteBuffer(bytes: bytes.readableBytesView)))
      case .pong(let bytes): events.append(.pong(ByteBuffer(bytes: bytes.readableBytesView)))
      case .closed(let end): events.append(.closed(end))
      }
    }
    return events
  }
}
