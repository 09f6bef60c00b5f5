import NIOCore
import WebSocketWire

/// A seeded generator, so that a failing property test fails again.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
  }
}

/// A frame as raw fields, so that a test can write one that no encoder would.
struct RawFrame {
  var first: UInt8
  var payload: [UInt8]
  /// Nil for an unmasked frame.
  var key: [UInt8]?

  init(_ opcode: UInt8, _ payload: [UInt8] = [], isFinal: Bool = true, reserved: UInt8 = 0, key: [UInt8]? = nil) {
    first = (isFinal ? 0x80 : 0) | reserved | opcode
    self.payload = payload
    self.key = key
  }

  var bytes: [UInt8] {
    let mask: UInt8 = key == nil ? 0 : 0x80
    var bytes = [first]
    switch payload.count {
    case ..<126: bytes.append(mask | UInt8(payload.count))
    case ..<65_536: bytes += [mask | 126] + bigEndian(payload.count, 2)
    default: bytes += [mask | 127] + bigEndian(payload.count, 8)
    }
    guard let key else { return bytes + payload }
    return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
  }
}

func bigEndian(_ value: Int, _ width: Int) -> [UInt8] {
  (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}

extension Role {
  /// The key of a frame that this side may receive.
  var peerKey: [UInt8]? { self == .server ? [0x37, 0xFA, 0x21, 0x3D] : nil }

  /// A frame from the peer, masked as this side expects it.
  func peerFrame(
    _ opcode: Opcode, _ payload: [UInt8] = [], isFinal: Bool = true
  ) -> [UInt8] {
    RawFrame(opcode.rawValue, payload, isFinal: isFinal, key: peerKey).bytes
  }

  func peerFrame(_ opcode: Opcode, _ text: String, isFinal: Bool = true) -> [UInt8] {
    peerFrame(opcode, Array(text.utf8), isFinal: isFinal)
  }

  func peerClose(_ code: Int, _ reason: [UInt8] = []) -> [UInt8] {
    peerFrame(.close, bigEndian(code, 2) + reason)
  }
}

extension WebSocketConnection {
  /// Hands `bytes` over in one piece and returns all events, which hold on to their storage.
  mutating func events(_ bytes: [UInt8]) -> [WebSocketEvent] {
    receive(ByteBuffer(bytes: bytes))
    var events: [WebSocketEvent] = []
    while let event = nextEvent() { events.append(event) }
    return events
  }

  /// Hands `bytes` over in pieces of the given sizes, and copies what the events hold, so that storage is reused.
  mutating func copiedEvents(_ bytes: [UInt8], pieces: [Int]) -> [WebSocketEvent] {
    var events: [WebSocketEvent] = []
    var start = 0
    for piece in pieces {
      receive(ByteBuffer(bytes: bytes[start..<start + piece]))
      while let event = nextEvent() { events.append(event.copied) }
      start += piece
    }
    return events
  }

  /// The outbound bytes, taken away.
  mutating func takeOutbound() -> [UInt8] {
    defer { emptyOutbound() }
    return Array(outbound.readableBytesView)
  }
}

extension WebSocketEvent {
  /// The same event in storage of its own.
  var copied: WebSocketEvent {
    switch self {
    case .text(let bytes): .text(ByteBuffer(bytes: bytes.readableBytesView))
    case .binary(let bytes): .binary(ByteBuffer(bytes: bytes.readableBytesView))
    case .ping(let bytes): .ping(ByteBuffer(bytes: bytes.readableBytesView))
    case .pong(let bytes): .pong(ByteBuffer(bytes: bytes.readableBytesView))
    case .closed(let event): .closed(event)
    }
  }

  static func text(_ string: String) -> WebSocketEvent { .text(ByteBuffer(string: string)) }
  static func binary(_ bytes: [UInt8]) -> WebSocketEvent { .binary(ByteBuffer(bytes: bytes)) }
  static func ping(_ string: String) -> WebSocketEvent { .ping(ByteBuffer(string: string)) }
  static func pong(_ string: String) -> WebSocketEvent { .pong(ByteBuffer(string: string)) }

  static func fault(_ fault: WireFault) -> WebSocketEvent {
    .closed(CloseEvent(code: fault.closeCode, reason: fault.reason, cause: .fault(fault)))
  }

  static func closed(_ code: CloseCode, _ reason: String = "", _ cause: CloseEvent.Cause) -> WebSocketEvent {
    .closed(CloseEvent(code: code, reason: reason, cause: cause))
  }
}

/// Sizes that add up to `total`, each from 1 to `most`.
func randomPieces(_ total: Int, most: Int, using generator: inout SplitMix64) -> [Int] {
  var pieces: [Int] = []
  var rest = total
  while rest > 0 {
    let piece = min(rest, Int.random(in: 1...most, using: &generator))
    pieces.append(piece)
    rest -= piece
  }
  return pieces
}

/// The frames that a connection in `role` has queued, as its peer receives them.
func peerEvents(of role: Role, _ outbound: [UInt8]) -> [WebSocketEvent] {
  var peer = WebSocketConnection(role: role == .server ? .client : .server)
  return peer.events(outbound)
}

/// Both roles, for parameterised tests.
let bothRoles: [Role] = [.server, .client]
