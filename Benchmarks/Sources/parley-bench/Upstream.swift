/// The service behind the proxies: answers every audio frame with one audio frame of the same bytes, once it has checked
/// that they are the bytes the load generator meant. Two listeners: one speaks Gemini Live (for the proxy under test), one
/// takes the client's own frames and answers in the client's own words (for a proxy that only passes bytes on).
struct Upstream {
  private enum Wire { case gemini, openAI }

  private struct Connection {
    var peer: Peer
    let wire: Wire
    var isUpgraded = false
    var isSetUp: Bool
    var session: UInt32?
    var nextSequence: UInt32 = 0
  }

  private var listeners: [Int32: (socket: Socket, wire: Wire)] = [:]
  private var connections: [Int32: Connection] = [:]
  /// The text of the chunk that was verified last.
  private var expected: [UInt8] = []

  init(geminiPort: UInt16, openAIPort: UInt16) throws(BenchFault) {
    for (port, wire) in [(geminiPort, Wire.gemini), (openAIPort, .openAI)] {
      let socket = try Socket.listening(port: port)
      listeners[socket.descriptor] = (socket, wire)
    }
  }

  /// Serves until the process is told to end. A corrupted frame ends it with a fault.
  mutating func serve() throws(BenchFault) -> Never {
    while true {
      for descriptor in try Socket.ready([Int32](listeners.keys) + connections.keys, seconds: -1) {
        if let listener = listeners[descriptor] {
          let socket = try listener.socket.accepted()
          connections[socket.descriptor] = Connection(
            peer: Peer(socket, isClient: false), wire: listener.wire, isSetUp: listener.wire == .openAI)
        } else if var connection = connections.removeValue(forKey: descriptor) {
          if try advance(&connection) {
            connections[descriptor] = connection
          } else {
            connection.peer.socket.close()
          }
        }
      }
    }
  }

  /// Handles what one connection has to read. False when it is over.
  private mutating func advance(_ connection: inout Connection) throws(BenchFault) -> Bool {
    guard try connection.peer.fill() else { return false }
    if !connection.isUpgraded {
      guard let head = connection.peer.head() else { return true }
      try connection.peer.socket.write(Handshake.answer(to: head))
      connection.isUpgraded = true
    }
    while let message = try connection.peer.message() { try answer(message, of: &connection) }
    return connection.peer.closing == nil
  }

  private mutating func answer(_ message: Range<Int>, of connection: inout Connection) throws(BenchFault) {
    guard connection.isSetUp else {
      guard connection.peer.range(of: Wording.setup, in: message) != nil else {
        throw BenchFault("upstream: the first message is not a setup: \(connection.peer.text(message))")
      }
      connection.isSetUp = true
      return try connection.peer.send(.binary, [Wording.setupComplete])
    }
    switch connection.wire {
    case .gemini:
      try verify(message, as: Wording.geminiMimeType, key: Wording.geminiData, of: &connection)
      try connection.peer.send(.binary, [Wording.geminiPrefix, expected, Wording.geminiSuffix])
    case .openAI:
      try verify(message, as: Wording.appendType, key: Wording.appendAudio, of: &connection)
      try connection.peer.send(.text, [Wording.deltaPrefix, expected, Wording.suffix])
    }
  }

  /// Leaves the verified text in `expected`.
  private mutating func verify(
    _ message: Range<Int>, as marker: [UInt8], key: [UInt8], of connection: inout Connection
  ) throws(BenchFault) {
    let peer = connection.peer
    guard peer.range(of: marker, in: message) != nil, let text = peer.string(after: key, in: message),
      let name = Chunk.name(in: peer.bytes[text])
    else { throw BenchFault("upstream: not an audio message: \(peer.text(message))") }
    let session = connection.session ?? name.session
    guard name.sequence == connection.nextSequence, name.session == session else {
      throw BenchFault("upstream: \(name) instead of chunk \(connection.nextSequence) of session \(session)")
    }
    Chunk.write(session: session, sequence: name.sequence, count: text.count, into: &expected)
    guard peer.bytes[text].elementsEqual(expected) else {
      throw BenchFault("upstream: chunk \(name.sequence) of session \(session) arrived corrupted")
    }
    connection.session = session
    connection.nextSequence &+= 1
  }
}

/// The fixed text of both wires, split where the audio goes. Gemini's answers are pretty-printed, as the service does it;
/// what a proxy writes is expected compact.
enum Wording {
  static let setup = Array("\"setup\"".utf8)
  static let setupComplete = Array("{\n  \"setupComplete\": {}\n}\n".utf8)
  static let geminiMimeType = Array("\"mimeType\":\"audio/pcm;rate=24000\"".utf8)
  static let geminiData = Array("\"data\":\"".utf8)
  static let geminiPrefix = Array(
    """
    {
      "serverContent": {
        "modelTurn": {
          "parts": [
            {
              "inlineData": {
                "mimeType": "audio/pcm;rate=24000",
                "data": "
    """.utf8)
  static let geminiSuffix = Array("\"\n          }\n        }\n      ]\n    }\n  }\n}\n".utf8)

  static let appendType = Array("\"type\":\"input_audio_buffer.append\"".utf8)
  static let appendAudio = Array("\"audio\":\"".utf8)
  static let appendPrefix = Array("{\"type\":\"input_audio_buffer.append\",\"audio\":\"".utf8)
  static let deltaType = Array("\"type\":\"response.output_audio.delta\"".utf8)
  static let deltaAudio = Array("\"delta\":\"".utf8)
  static let deltaPrefix = Array(
    ("{\"type\":\"response.output_audio.delta\",\"event_id\":\"event_0123456789ABCDEFGHIJK\","
      + "\"response_id\":\"resp_0123456789ABCDEFGHIJK\",\"item_id\":\"item_0123456789ABCDEFGHIJK\","
      + "\"output_index\":0,\"content_index\":0,\"delta\":\"").utf8)
  static let suffix = Array("\"}".utf8)
  static let errorType = Array("\"type\":\"error\"".utf8)
}
