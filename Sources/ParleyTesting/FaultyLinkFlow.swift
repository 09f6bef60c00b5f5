import NIOCore

/// What one direction of a connection waits for beyond its delay, read by read.
struct FaultyLinkJitter {
  private var generator: SplitMix64

  init(seed: UInt64, connection: Int, _ direction: FaultyLink.Direction) {
    generator = SplitMix64(seed: seed, lane: UInt64(connection) * 2 + (direction == .toTarget ? 0 : 1))
  }

  mutating func next(upTo most: Duration) -> TimeAmount {
    let most = TimeAmount(most).nanoseconds
    return most <= 0 ? .zero : .nanoseconds(Int64.random(in: 0...most, using: &generator))
  }
}

/// One direction of a connection: what was read and waits for its time.
final class FaultyLinkFlow {
  /// With a bandwidth cap a write carries at most what passes in this share of a second.
  private static let writesPerSecond = 100
  /// How far a late timer may be caught up with, so that the cap is kept on a busy machine.
  private static let catchUp = TimeAmount.milliseconds(50)

  /// A link that drips lets others of its event loop go on.
  private static let writesAtOnce = 64

  private enum Phase {
    case flowing
    /// The source has ended; the sink is told when it has everything.
    case ending
    /// The sink was told the end. What still comes is dropped.
    case ended
    /// Nothing is read or written any more.
    case stopped
  }

  private(set) var behaviour: FaultyLink.Behaviour
  private(set) var passed = 0
  /// Close frames pass twice if this is set, and it hears of those that do.
  var closeDoubled: (() -> Void)?
  /// Nothing past this byte is passed on.
  var limit: Int?

  private var jitter: FaultyLinkJitter
  private var watch = FaultyLinkCloseWatch()
  private var phase = Phase.flowing
  private var isSourceEnded = false
  private var source: (any Channel)?
  private var sink: (any Channel)?
  private var advanced: () -> Void = {}
  private var queue = CircularBuffer<(bytes: ByteBuffer, due: NIODeadline)>()
  private var queuedBytes = 0
  private let loop: any EventLoop
  private var lastDue = NIODeadline.distantPast
  private var stalledUntil = NIODeadline.distantPast
  private var linkIsFree = NIODeadline.distantPast
  private var isWriting = false
  private var isPumping = false
  private var wake: Scheduled<Void>?

  init(behaviour: FaultyLink.Behaviour, jitter: FaultyLinkJitter, loop: any EventLoop) {
    self.loop = loop
    self.behaviour = behaviour
    self.jitter = jitter
  }

  /// The sink was told the end, and the source has said all.
  var isDone: Bool { isEnded && isSourceEnded }
  /// The sink was told the end.
  var isEnded: Bool { phase == .ended }

  func begin(from source: any Channel, to sink: any Channel, advanced: @escaping () -> Void) {
    (self.source, self.sink, self.advanced) = (source, sink, advanced)
    // A fault may have come before the target was there.
    if phase == .ended { sink.close(mode: .output, promise: nil) }
    advanced()
    readOn()
    pump()
  }

  func behave(_ behaviour: FaultyLink.Behaviour) {
    self.behaviour = behaviour
    readOn()
    pump()
  }

  func stall(_ duration: Duration) {
    stalledUntil = max(stalledUntil, loop.now + TimeAmount(duration))
  }

  // MARK: The source

  func hear(_ bytes: ByteBuffer) {
    guard phase == .flowing || phase == .ending else { return readOn() }
    lastDue = max(lastDue, loop.now + TimeAmount(behaviour.delay) + jitter.next(upTo: behaviour.jitter))
    let passing = watch.pass(bytes, repeatingClose: closeDoubled != nil)
    if passing.readableBytes > bytes.readableBytes { closeDoubled?() }
    queue.append((passing, lastDue))
    queuedBytes += passing.readableBytes
    readOn()
    pump()
  }

  func hearEnd() {
    isSourceEnded = true
    if phase == .flowing { phase = .ending }
    pump()
    advanced()
  }

  private func readOn() {
    switch phase {
    case .flowing where queuedBytes < behaviour.queueBytes, .ended: source?.read()
    case .flowing, .ending, .stopped: break
    }
  }

  // MARK: The sink

  /// Tells the sink the end now.
  func finish() {
    guard phase == .flowing || phase == .ending else { return }
    phase = .ended
    dropQueue()
    sink?.close(mode: .output, promise: nil)
    readOn()
    advanced()
  }

  func stop() {
    phase = .stopped
    dropQueue()
    advanced = {}
  }

  private func dropQueue() {
    queue.removeAll()
    queuedBytes = 0
    wake?.cancel()
    wake = nil
  }

  /// Passes on what may pass now, and comes back when more may.
  private func pump() {
    guard !isPumping else { return }
    isPumping = true
    defer { isPumping = false }
    wake?.cancel()
    wake = nil
    for _ in 0..<Self.writesAtOnce {
      guard let sink, !isWriting, phase == .flowing || phase == .ending else { return }
      guard let first = queue.first else {
        if phase == .ending { finish() }
        return
      }
      let start = max(first.due, stalledUntil, linkIsFree)
      let now = loop.now
      let bound = NIOLoopBound(self, eventLoop: loop)
      guard start <= now else {
        wake = loop.scheduleTask(deadline: start) { bound.value.pump() }
        return
      }
      write(to: sink, at: now)
    }
    let bound = NIOLoopBound(self, eventLoop: loop)
    loop.execute { bound.value.pump() }
  }

  private func write(to sink: any Channel, at now: NIODeadline) {
    var size = min(queue[queue.startIndex].bytes.readableBytes, behaviour.segmentBytes ?? .max)
    if let limit { size = min(size, limit - passed) }
    if let bytesPerSecond = behaviour.bytesPerSecond {
      size = min(size, max(1, bytesPerSecond / Self.writesPerSecond))
      let takes = TimeAmount.nanoseconds(Int64(size) * 1_000_000_000 / Int64(max(1, bytesPerSecond)))
      linkIsFree = max(linkIsFree, now - Self.catchUp) + takes
    }
    guard size > 0, let piece = queue[queue.startIndex].bytes.readSlice(length: size) else { return }
    if queue[queue.startIndex].bytes.readableBytes == 0 { queue.removeFirst() }
    queuedBytes -= size
    isWriting = true
    sink.writeAndFlush(piece).assumeIsolated().whenComplete { [weak self] outcome in
      guard let self else { return }
      self.isWriting = false
      guard case .success = outcome else { return }
      self.passed += size
      self.advanced()
      self.readOn()
      self.pump()
    }
  }
}
