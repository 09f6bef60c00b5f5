/// Clients of one proxy with exactly one audio frame in flight each: send a chunk, wait for its answer, compare every
/// byte, send the next. Anything else that arrives is skipped, but counted.
struct Clients {
  /// How long to go on. Sessions that wait for an answer when it is over still get it, and it still counts.
  enum Extent {
    case nanoseconds(UInt64)
    case roundTrips(Int)
  }

  private struct Session {
    let number: UInt32
    var peer: Peer
    /// The base64 text that was sent last.
    var text: [UInt8] = []
    var sequence: UInt32 = 0
    var sentAt: UInt64 = 0
    var isWaiting = false
    var chunk: String { "chunk \(sequence) of session \(number)" }
  }

  private let name: String
  /// Characters of base64 in a chunk.
  private let textLength: Int
  /// Messages that were no answers: what the proxy says beside the audio.
  private(set) var otherMessages = 0
  private var sessions: [Int32: Session] = [:]
  private var latencies: [UInt64] = []

  /// Connects all sessions, one after the other.
  init(of name: String, port: UInt16, path: String, _ load: Load) throws(BenchFault) {
    self.name = name
    textLength = load.chunkBytes / 3 * 4
    for number in 0..<UInt32(load.sessions) {
      var peer = Peer(try Socket.connected(port: port), isClient: true)
      try peer.socket.write(Handshake.request(path: path, port: port))
      var head: String?
      while head == nil, try peer.fill() { head = peer.head() }
      guard let head, head.hasPrefix("HTTP/1.1 101") else {
        throw BenchFault("\(name) refused the upgrade: \(head ?? "it closed the connection")")
      }
      sessions[peer.socket.descriptor] = Session(number: number, peer: peer)
    }
  }

  /// Runs round trips in all sessions and returns the latency of each, in nanoseconds and in the order of arrival.
  mutating func run(for extent: Extent) throws(BenchFault) -> [UInt64] {
    latencies.removeAll(keepingCapacity: true)
    latencies.reserveCapacity(1 << 20)
    let start = Clock.now()
    for descriptor in sessions.keys { try send(descriptor) }
    var waiting = sessions.count
    while waiting > 0 {
      let ready = try Socket.ready(sessions.keys, seconds: 10)
      guard !ready.isEmpty else { throw BenchFault("\(name): no answer within 10 s") }
      for descriptor in ready where try receive(descriptor) {
        waiting -= 1
        let isOver =
          switch extent {
          case .nanoseconds(let limit): Clock.now() &- start >= limit
          case .roundTrips(let limit): latencies.count + waiting >= limit
          }
        guard !isOver else { continue }
        try send(descriptor)
        waiting += 1
      }
    }
    return latencies
  }

  /// Says goodbye and waits until the proxy has closed, so that the next one is measured alone.
  mutating func finish() throws(BenchFault) {
    for descriptor in sessions.keys { try sessions[descriptor]?.peer.send(.close, [[0x03, 0xE8]]) }
    for var session in sessions.values {
      while try session.peer.fill() { _ = try session.peer.message() }
      session.peer.socket.close()
    }
    sessions.removeAll()
  }

  private mutating func send(_ descriptor: Int32) throws(BenchFault) {
    guard var session = sessions.removeValue(forKey: descriptor) else { return }
    Chunk.write(session: session.number, sequence: session.sequence, count: textLength, into: &session.text)
    try session.peer.send(.text, [Wording.appendPrefix, session.text, Wording.suffix])
    session.sentAt = session.peer.sentAt
    session.isWaiting = true
    sessions[descriptor] = session
  }

  /// Reads what is there. True when the answer to the chunk in flight has come.
  private mutating func receive(_ descriptor: Int32) throws(BenchFault) -> Bool {
    guard var session = sessions.removeValue(forKey: descriptor) else { return false }
    guard try session.peer.fill() else { throw BenchFault("\(name) ended the connection") }
    var isAnswered = false
    while let message = try session.peer.message() {
      guard try isAnswer(message, to: &session) else { continue }
      latencies.append(session.peer.receivedAt &- session.sentAt)
      isAnswered = true
    }
    if let closing = session.peer.closing { throw BenchFault("\(name) closed the session: \(closing)") }
    sessions[descriptor] = session
    return isAnswered
  }

  private mutating func isAnswer(_ message: Range<Int>, to session: inout Session) throws(BenchFault) -> Bool {
    guard session.peer.range(of: Wording.deltaType, in: message) != nil else {
      if session.peer.range(of: Wording.errorType, in: message) != nil {
        throw BenchFault("\(name) reports \(session.peer.text(message))")
      }
      otherMessages += 1
      return false
    }
    guard session.isWaiting else { throw BenchFault("\(name): an answer too many before \(session.chunk)") }
    guard let text = session.peer.string(after: Wording.deltaAudio, in: message),
      session.peer.bytes[text].elementsEqual(session.text)
    else { throw BenchFault("\(name): the answer to \(session.chunk) came back corrupted") }
    session.isWaiting = false
    session.sequence &+= 1
    return true
  }
}
