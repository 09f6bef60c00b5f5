/// Clients of one proxy. Each sends bursts of audio frames and compares every byte of what comes back; anything else that
/// arrives is skipped, but counted.
///
/// Without an interval a session sends its next burst when the last is answered. With one, all sessions send on time,
/// evenly spread over the interval, whatever is answered.
struct Clients {
  /// How long to go on. What is unanswered when it is over is still awaited, and still counts.
  enum Extent {
    case nanoseconds(UInt64)
    case roundTrips(Int)
  }

  /// What a run saw.
  struct Traffic {
    /// Wall time of each round trip in nanoseconds, in the order of arrival.
    var latencies: [UInt64] = []
    /// Bursts that were not sent, because the session had `Session.mostUnanswered` frames under way.
    var skipped = 0
  }

  private final class Session {
    /// A session that falls so far behind sends nothing more until it is answered.
    static let mostUnanswered = 32

    let number: UInt32
    var peer: Peer
    /// The chunks' sequence numbers: sent, and answered.
    var sent: UInt32 = 0
    var answered: UInt32 = 0
    /// When the chunks under way were sent, by sequence number modulo the size.
    var sentAt = [UInt64](repeating: 0, count: mostUnanswered)
    var chunk: String { "chunk \(answered) of session \(number)" }
    var unanswered: Int { Int(sent &- answered) }

    init(number: UInt32, _ peer: Peer) {
      self.number = number
      self.peer = peer
    }
  }

  private let name: String
  private let load: Load
  /// Characters of base64 in a chunk.
  private let textLength: Int
  /// Messages that were no answers: what the proxy says beside the audio.
  private(set) var otherMessages = 0
  private var watch: Watch
  private var sessions: [Session] = []
  private var byDescriptor: [Int32: Session] = [:]
  private var traffic = Traffic()
  private var text: [UInt8] = []

  /// Connects all sessions, one after the other.
  init(of target: Plan.Target, _ load: Load) throws(BenchFault) {
    name = target.name
    self.load = load
    textLength = load.chunkBytes / 3 * 4
    watch = try Watch()
    for _ in 0..<load.sessions { try connect(target) }
  }

  private mutating func connect(_ target: Plan.Target) throws(BenchFault) {
    var peer = Peer(try Socket.connected(port: target.port), isClient: true)
    try peer.socket.write(Handshake.request(path: target.path, port: target.port, fields: target.fields ?? []))
    var head: String?
    while head == nil, try peer.fill() { head = peer.head() }
    guard let head, head.hasPrefix("HTTP/1.1 101") else {
      throw BenchFault("\(name) refused the upgrade: \(head ?? "it closed the connection")")
    }
    try watch.add(peer.socket)
    let session = Session(number: UInt32(sessions.count), peer)
    sessions.append(session)
    byDescriptor[peer.socket.descriptor] = session
  }

  /// Runs round trips in all sessions.
  mutating func run(for extent: Extent) throws(BenchFault) -> Traffic {
    traffic.latencies.removeAll(keepingCapacity: true)
    traffic.latencies.reserveCapacity(1 << 20)
    traffic.skipped = 0
    if let interval = load.intervalNanoseconds, case .nanoseconds(let limit) = extent {
      try runPaced(interval, for: limit)
    } else {
      try runInTurn(extent)
    }
    return traffic
  }

  private mutating func runInTurn(_ extent: Extent) throws(BenchFault) {
    let start = Clock.now()
    for session in sessions { try send(session) }
    var waiting = sessions.count
    while waiting > 0 {
      for session in try ready(within: nil) where try receive(session) {
        waiting -= 1
        let isOver =
          switch extent {
          case .nanoseconds(let limit): Clock.now() &- start >= limit
          case .roundTrips(let limit): traffic.latencies.count + waiting * load.burst >= limit
          }
        guard !isOver else { continue }
        try send(session)
        waiting += 1
      }
    }
  }

  private mutating func runPaced(_ interval: UInt64, for limit: UInt64) throws(BenchFault) {
    let start = Clock.now()
    let slots = limit / interval * UInt64(sessions.count)
    var slot: UInt64 = 0
    while slot < slots {
      let due = start + slot * interval / UInt64(sessions.count)
      let now = Clock.now()
      guard due <= now else {
        for session in try ready(within: due - now) { _ = try receive(session) }
        continue
      }
      let session = sessions[Int(slot % UInt64(sessions.count))]
      if session.unanswered + load.burst > Session.mostUnanswered {
        traffic.skipped += 1
      } else {
        try send(session)
      }
      slot += 1
      // Behind time the answers must still be read.
      if slot.isMultiple(of: 16) { for session in try ready(within: 0) { _ = try receive(session) } }
    }
    while sessions.contains(where: { $0.unanswered > 0 }) {
      for session in try ready(within: nil) { _ = try receive(session) }
    }
  }

  /// The sessions with something to read; without a time there must be one within 10 s.
  private mutating func ready(within nanoseconds: UInt64?) throws(BenchFault) -> [Session] {
    let descriptors = try watch.ready(within: nanoseconds ?? 10_000_000_000)
    guard nanoseconds != nil || !descriptors.isEmpty else { throw BenchFault("\(name): no answer within 10 s") }
    return descriptors.compactMap { byDescriptor[$0] }
  }

  /// Says goodbye and waits until the proxy has closed, so that the next one is measured alone.
  mutating func finish() throws(BenchFault) {
    for session in sessions { try session.peer.send(.close, [[0x03, 0xE8]]) }
    for session in sessions {
      while try session.peer.fill() { _ = try session.peer.message() }
      session.peer.socket.close()
    }
    sessions.removeAll()
    byDescriptor.removeAll()
    watch.close()
  }

  private mutating func send(_ session: Session) throws(BenchFault) {
    let first = session.sent
    for _ in 0..<load.burst {
      text.removeAll(keepingCapacity: true)
      Chunk.append(session: session.number, sequence: session.sent, count: textLength, to: &text)
      session.peer.queue(.text, [Wording.appendPrefix, text, Wording.suffix])
      session.sent &+= 1
    }
    let now = Clock.now()
    for sequence in first..<session.sent { session.sentAt[Int(sequence) % Session.mostUnanswered] = now }
    try session.peer.flush()
  }

  /// Reads what is there. True when nothing is under way any more.
  private mutating func receive(_ session: Session) throws(BenchFault) -> Bool {
    guard try session.peer.fill() else { throw BenchFault("\(name) ended the connection") }
    let before = session.answered
    while let message = try session.peer.message() {
      guard try isAnswer(message, to: session) else { continue }
      traffic.latencies.append(
        session.peer.receivedAt &- session.sentAt[Int(session.answered) % Session.mostUnanswered])
      session.answered &+= 1
    }
    // Pongs.
    try session.peer.flush()
    if let closing = session.peer.closing { throw BenchFault("\(name) closed the session: \(closing)") }
    return session.answered != before && session.unanswered == 0
  }

  private mutating func isAnswer(_ message: Range<Int>, to session: Session) throws(BenchFault) -> Bool {
    guard session.peer.range(of: Wording.deltaType, in: message) != nil else {
      for errorType in Wording.errorTypes where session.peer.range(of: errorType, in: message) != nil {
        throw BenchFault("\(name) reports \(session.peer.text(message))")
      }
      otherMessages += 1
      return false
    }
    guard session.unanswered > 0 else { throw BenchFault("\(name): an answer too many before \(session.chunk)") }
    guard let text = session.peer.string(of: Wording.deltaAudio, in: message),
      Chunk.matches(
        session.peer.bytes[text], session: session.number, sequence: session.answered, count: textLength)
    else { throw BenchFault("\(name): the answer to \(session.chunk) came back corrupted") }
    return true
  }
}
