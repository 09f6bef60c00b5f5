/// The service behind the proxies: answers every audio frame with one audio frame of the same bytes, once it has checked
/// that they are the bytes the load generator meant. Frames that arrive together are answered together, in one write.
///
/// Three listeners: one speaks Gemini Live (for proxies that translate), one takes the client's own frames and answers in
/// the client's own words (for proxies that only pass bytes on), and one tells whoever connects how many connections are
/// set up, and closes.
struct Upstream {
  private enum Wire { case gemini, openAI }

  private final class Connection {
    var peer: Peer
    let wire: Wire
    var isUpgraded = false
    var isSetUp = false
    var session: UInt32?
    var nextSequence: UInt32 = 0

    init(_ socket: Socket, _ wire: Wire) {
      peer = Peer(socket, isClient: false)
      self.wire = wire
    }
  }

  private var watch: Watch
  private let listeners: [Int32: (socket: Socket, wire: Wire?)]
  private var connections: [Int32: Connection] = [:]
  private var setUpCount = 0
  /// The text of the chunk that was verified last.
  private var answer: [UInt8] = []

  init(geminiPort: UInt16, openAIPort: UInt16, statusPort: UInt16) throws(BenchFault) {
    watch = try Watch()
    var made: [Int32: (socket: Socket, wire: Wire?)] = [:]
    for (port, wire) in [(geminiPort, Wire.gemini), (openAIPort, .openAI), (statusPort, nil)] {
      let socket = try Socket.listening(port: port)
      try watch.add(socket)
      made[socket.descriptor] = (socket, wire)
    }
    listeners = made
  }

  /// Serves until the process is told to end. A corrupted frame ends it with a fault.
  mutating func serve() throws(BenchFault) -> Never {
    while true {
      for descriptor in try watch.ready(within: nil) {
        if let listener = listeners[descriptor] {
          try accept(listener.socket, listener.wire)
        } else if let connection = connections[descriptor], try !advance(connection) {
          connections[descriptor] = nil
          if connection.isSetUp { setUpCount -= 1 }
          connection.peer.socket.close()
        }
      }
    }
  }

  /// How many connections the upstream with that status port has set up.
  static func setUpCount(statusPort: UInt16) throws(BenchFault) -> Int {
    let socket = try Socket.connected(port: statusPort)
    defer { socket.close() }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = try socket.read(into: &bytes, from: 0)
    return Int(String(decoding: bytes.prefix(count), as: UTF8.self)) ?? -1
  }

  private mutating func accept(_ listener: Socket, _ wire: Wire?) throws(BenchFault) {
    let socket = try listener.accepted()
    guard let wire else {
      try socket.write(Array("\(setUpCount)".utf8))
      return socket.close()
    }
    try watch.add(socket)
    connections[socket.descriptor] = Connection(socket, wire)
  }

  /// Handles what one connection has to read. False when it is over.
  private mutating func advance(_ connection: Connection) throws(BenchFault) -> Bool {
    guard try connection.peer.fill() else { return false }
    if !connection.isUpgraded {
      guard let head = connection.peer.head() else { return true }
      try connection.peer.socket.write(Handshake.answer(to: head))
      connection.isUpgraded = true
      if connection.wire == .openAI { isSetUp(connection) }
    }
    while let message = try connection.peer.message() { try answer(message, of: connection) }
    try connection.peer.flush()
    return connection.peer.closing == nil
  }

  private mutating func isSetUp(_ connection: Connection) {
    connection.isSetUp = true
    setUpCount += 1
  }

  private mutating func answer(_ message: Range<Int>, of connection: Connection) throws(BenchFault) {
    guard connection.isSetUp else {
      guard connection.peer.range(of: Wording.setup, in: message) != nil else {
        throw BenchFault("upstream: the first message is not a setup: \(connection.peer.text(message))")
      }
      isSetUp(connection)
      return connection.peer.queue(.binary, [Wording.setupComplete])
    }
    switch connection.wire {
    case .gemini:
      try verify(message, as: Wording.geminiMimeType, key: Wording.geminiData, of: connection)
      connection.peer.queue(.binary, [Wording.geminiPrefix, answer, Wording.geminiSuffix])
    case .openAI:
      try verify(message, as: Wording.appendType, key: Wording.appendAudio, of: connection)
      connection.peer.queue(.text, [Wording.deltaPrefix, answer, Wording.suffix])
    }
  }

  /// Leaves the verified text in `answer`.
  private mutating func verify(
    _ message: Range<Int>, as marker: [UInt8], key: [UInt8], of connection: Connection
  ) throws(BenchFault) {
    guard connection.peer.range(of: marker, in: message) != nil,
      let text = connection.peer.string(of: key, in: message), let name = Chunk.name(in: connection.peer.bytes[text])
    else { throw BenchFault("upstream: not an audio message: \(connection.peer.text(message))") }
    let session = connection.session ?? name.session
    guard name.sequence == connection.nextSequence, name.session == session else {
      throw BenchFault("upstream: \(name) instead of chunk \(connection.nextSequence) of session \(session)")
    }
    guard
      Chunk.matches(connection.peer.bytes[text], session: session, sequence: name.sequence, count: text.count)
    else { throw BenchFault("upstream: chunk \(name.sequence) of session \(session) arrived corrupted") }
    answer.removeAll(keepingCapacity: true)
    answer += connection.peer.bytes[text]
    connection.session = session
    connection.nextSequence &+= 1
  }
}
