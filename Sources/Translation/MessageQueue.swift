public import NIOCore

/// Whole messages on their way to one side of a session, oldest first, in one reused buffer.
///
/// A message is the payload only; framing and masking belong to the connection that sends it. Steady audio allocates
/// nothing: the storage is kept when the queue runs empty, unless something rare made it large.
public struct MessageQueue: Sendable {
  /// What a message is to the session, for the rules that treat audio apart (an interruption overtakes queued audio).
  public enum Lane: Sendable, Hashable {
    case audio
    case control
    /// Of a client's queue: what it asked for itself.
    case answer
  }

  private struct Entry {
    var byteCount: Int
    var lane: Lane
  }

  /// The largest storage that an empty queue keeps. One append may have 20 MiB of text; that must not stay for as long as
  /// the session lives.
  private static let largestIdleCapacity = 1 << 20

  /// So often a queue runs empty without keeping its storage: the greeting and the set-up must leave nothing behind in a
  /// session that stays idle.
  private static let releasesAtFirst = 8

  private static let leastReclaimed = 65_536

  private var bytes = ByteBuffer()
  private var entries: [Entry] = []
  private var releases = 0
  private var head = 0

  public init() {}

  public var isEmpty: Bool { head == entries.count }

  /// The number of messages that wait.
  public var count: Int { entries.count - head }

  /// The payload bytes that wait.
  public var byteCount: Int { bytes.readableBytes }

  /// Those of them that are answers.
  public private(set) var answerByteCount = 0

  /// The bytes of storage that are allocated.
  var capacity: Int { bytes.capacity }

  /// Appends the message that `write` puts into the buffer. `write` only appends.
  @inline(__always)
  public mutating func append(_ lane: Lane, _ write: (inout ByteBuffer) -> Void) {
    reuseStorageIfEmpty()
    reclaimStorage()
    let before = bytes.writerIndex
    write(&bytes)
    let count = bytes.writerIndex - before
    if lane == .answer { answerByteCount &+= count }
    entries.append(Entry(byteCount: count, lane: lane))
  }

  /// Hands the oldest message to `body` and drops it. False when nothing waits.
  @inline(__always)
  public mutating func consume(_ body: (ByteBufferView, Lane) -> Void) -> Bool {
    guard head < entries.count else { return false }
    let entry = entries[head]
    head += 1
    guard let view = bytes.viewBytes(at: bytes.readerIndex, length: entry.byteCount) else { return false }
    body(view, entry.lane)
    bytes.moveReaderIndex(forwardBy: entry.byteCount)
    if entry.lane == .answer { answerByteCount &-= entry.byteCount }
    if head == entries.count { releaseStorage() }
    return true
  }

  /// Drops the audio that waits and keeps the order of the rest (fault row 51).
  ///
  /// - Parameter isWorthless: asked for each message of audio.
  /// - Returns: the number of messages that were dropped.
  @discardableResult
  public mutating func removeAudio(where isWorthless: (ByteBufferView) -> Bool) -> Int {
    var kept = MessageQueue()
    var dropped = 0
    while consume({ message, lane in
      if lane == .audio, isWorthless(message) {
        dropped += 1
      } else {
        kept.append(lane) { $0.writeBytes(message) }
      }
    }) {}
    self = kept
    return dropped
  }

  /// Drops everything that waits.
  public mutating func removeAll() {
    answerByteCount = 0
    bytes.clear()
    releaseStorage()
    entries.removeAll(keepingCapacity: true)
    head = 0
  }

  /// The messages that wait, as text, without consuming them; for tests and logs of shapes, never for the hot path.
  public var texts: [String] {
    var index = bytes.readerIndex
    return entries[head...].map { entry in
      defer { index += entry.byteCount }
      return bytes.getString(at: index, length: entry.byteCount) ?? ""
    }
  }

  /// For an empty queue only.
  @inline(__always)
  private mutating func releaseStorage() {
    if releases < Self.releasesAtFirst {
      releases += 1
      bytes = ByteBuffer()
      entries = []
      head = 0
    } else if bytes.capacity > Self.largestIdleCapacity {
      bytes = ByteBuffer()
    }
  }

  /// A queue that is never empty gives back what it has handed on: each byte is moved once at most for each that leaves.
  @inline(__always)
  private mutating func reclaimStorage() {
    guard bytes.readerIndex > Self.leastReclaimed, bytes.readerIndex >= bytes.readableBytes else { return }
    bytes.discardReadBytes()
    entries.removeFirst(head)
    head = 0
  }

  private mutating func reuseStorageIfEmpty() {
    guard head == entries.count, head > 0 else { return }
    bytes.clear()
    entries.removeAll(keepingCapacity: true)
    head = 0
  }
}
