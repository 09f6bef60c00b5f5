import NIOCore
import NIOEmbedded
import Testing
import Translation
import WebSocketWire

@testable import Gateway

@Suite("One leg of a session")
struct FrameLegTests {
  /// A leg with an echo behind it on a channel without a socket, and time by hand.
  private final class Bench {
    let channel = EmbeddedChannel()
    let counter = ReadCounter()
    let leg: FrameLeg
    let owner = RecordingOwner()
    private var peer = WebSocketConnection(role: .client)

    init(_ change: (inout EdgeLimits) -> Void = { _ in }) throws {
      var limits = EdgeLimits()
      change(&limits)
      leg = FrameLeg(role: .server, limits: limits)
      leg.setOwner(owner)
      try channel.pipeline.syncOperations.addHandlers([counter, leg])
      try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    func receive(_ write: (inout WebSocketConnection) -> Void) throws {
      write(&peer)
      let bytes = peer.outbound
      peer.outbound = ByteBuffer()
      try channel.writeInbound(bytes)
    }

    func becomeWritable(_ isWritable: Bool) {
      channel.isWritable = isWritable
      channel.pipeline.fireChannelWritabilityChanged()
      channel.embeddedEventLoop.run()
    }

    /// Every write since the last call.
    func writes() throws -> [ByteBuffer] {
      var buffers: [ByteBuffer] = []
      while let buffer = try channel.readOutbound(as: ByteBuffer.self) { buffers.append(buffer) }
      return buffers
    }
  }

  @Test("all that a burst causes leaves in one write")
  func oneWrite() throws {
    let bench = try Bench()
    try bench.receive { peer in
      for text in ["a", "b", "c"] { peer.send(.text, ByteBuffer(string: text).readableBytesView) }
      peer.ping(ByteBuffer(string: "p").readableBytesView)
    }
    let writes = try bench.writes()
    #expect(writes.map { Array($0.readableBytesView) } == [[0x81, 1, 97, 0x81, 1, 98, 0x81, 1, 99, 0x8A, 1, 112]])
  }

  @Test("the buffer of a burst is written anew for the next one, whoever still holds the old")
  func reuse() throws {
    let bench = try Bench()
    try bench.receive { $0.send(.text, ByteBuffer(string: "first").readableBytesView) }
    let first = try bench.writes()
    try bench.receive { $0.send(.text, ByteBuffer(string: "later").readableBytesView) }
    #expect(first.first.map { Array($0.readableBytesView.dropFirst(2)) } == Array("first".utf8))
    #expect(try bench.writes().first.map { Array($0.readableBytesView.dropFirst(2)) } == Array("later".utf8))
  }

  @Test("fault row 50: a peer that takes nothing is not read until it takes bytes again")
  func backpressure() throws {
    let bench = try Bench()
    bench.channel.read()
    let before = bench.counter.count
    bench.becomeWritable(false)
    bench.channel.read()
    bench.channel.read()
    #expect(bench.counter.count == before)
    bench.becomeWritable(true)
    #expect(bench.counter.count == before + 1)
    bench.channel.read()
    #expect(bench.counter.count == before + 2)
  }

  @Test("fault row 49: one answer that fills the channel keeps its peer from being read until it has gone")
  func heldInput() throws {
    let bench = try Bench()
    bench.leg.keepQueue()
    let socket = FullSocket()
    try bench.channel.pipeline.syncOperations.addHandler(socket, position: .first)
    try bench.receive { peer in
      peer.send(.text, ByteBuffer(repeating: 0x20, count: EdgeLimits().writeHighWaterBytes + 1).readableBytesView)
      peer.send(.text, ByteBuffer(string: "later").readableBytesView)
    }
    let before = bench.counter.count
    bench.channel.read()
    #expect(bench.counter.count == before)
    socket.isFull = false
    bench.channel.flush()
    bench.becomeWritable(true)
    #expect(bench.counter.count == before + 1)
    #expect(try bench.writes().last.map { Array($0.readableBytesView.suffix(5)) } == Array("later".utf8))
  }

  @Test("a queue that has run empty keeps nobody waiting, whatever the marks are")
  func drained() throws {
    let bench = try Bench { $0.writeLowWaterBytes = 1_024 }
    bench.leg.keepQueue()
    let socket = FullSocket()
    try bench.channel.pipeline.syncOperations.addHandler(socket, position: .first)
    bench.becomeWritable(false)
    bench.leg.queue(ByteBuffer(repeating: 0x20, count: EdgeLimits().writeHighWaterBytes + 1).readableBytesView, .audio)
    bench.leg.flush()
    #expect(bench.leg.isBusy)
    // The channel takes the last of it without being full.
    bench.leg.dropQueuedAudio(ofResponse: nil)
    bench.leg.queue(ByteBuffer(repeating: 0x20, count: 20_000).readableBytesView, .audio)
    bench.becomeWritable(true)
    #expect(!bench.leg.isBusy)
  }

  @Test("two reasons not to read need two reasons to read again")
  func twoPauses() throws {
    let bench = try Bench()
    let before = bench.counter.count
    bench.leg.pauseReading(.otherSideIsBusy)
    bench.leg.pauseReading(.sessionIsFull)
    bench.channel.read()
    bench.leg.resumeReading(.otherSideIsBusy)
    #expect(bench.counter.count == before)
    bench.leg.resumeReading(.sessionIsFull)
    #expect(bench.counter.count == before + 1)
  }

  @Test("fault row 34: a silent client is dropped 40 s after its last frame at the latest; any frame is a life sign")
  func pulse() throws {
    let bench = try Bench()
    let loop = bench.channel.embeddedEventLoop
    loop.advanceTime(by: .seconds(20))
    #expect(try bench.writes().map { Array($0.readableBytesView) } == [[0x89, 0]])
    loop.advanceTime(by: .seconds(19))
    try bench.receive { $0.send(.text, ByteBuffer(string: "x").readableBytesView) }
    loop.advanceTime(by: .seconds(1))
    #expect(bench.channel.isActive)
    loop.advanceTime(by: .seconds(19))
    #expect(bench.channel.isActive)
    loop.advanceTime(by: .seconds(1))
    #expect(!bench.channel.isActive)
    #expect(bench.owner.ends == ["silent"])
  }

  @Test("a peer that is not read is not taken for silent")
  func pulseWhilePaused() throws {
    let bench = try Bench()
    bench.leg.pauseReading(.otherSideIsBusy)
    bench.channel.embeddedEventLoop.advanceTime(by: .seconds(120))
    #expect(bench.channel.isActive)
  }

  @Test("fault row 49: a client that is behind is not taken for silent: its pongs are behind what it has to take")
  func pulseWhileBehind() throws {
    let bench = try Bench { $0.peerStall = .seconds(600) }
    bench.becomeWritable(false)
    bench.channel.embeddedEventLoop.advanceTime(by: .seconds(120))
    #expect(bench.channel.isActive)
    bench.becomeWritable(true)
    bench.channel.embeddedEventLoop.advanceTime(by: .seconds(60))
    #expect(!bench.channel.isActive)
    #expect(bench.owner.ends == ["silent"])
  }

  @Test("fault rows 49 and 56: what a peer takes of what waits for it is a sign of life; nothing taken is none")
  func pulseOfProgress() {
    var pulse = PeerPulse(timeout: .seconds(20))
    var now = NIODeadline.uptimeNanoseconds(1)
    for taken in UInt64(1)...5 {
      pulse.took(1_000 * taken)
      let isAlive = pulse.beat(at: now)
      #expect(isAlive)
      now = now + .seconds(20)
    }
    pulse.took(5_000)
    let isAlive = pulse.beat(at: now)
    #expect(!isAlive)
  }

  @Test("fault row 30: pings are all answered, unless the peer takes no pongs")
  func pings() throws {
    let bench = try Bench()
    try bench.receive { peer in
      for _ in 0..<5_000 { peer.ping(ByteBuffer(string: "p").readableBytesView) }
    }
    #expect(try bench.writes().map(\.readableBytes) == [5_000 * 3])
    bench.becomeWritable(false)
    try bench.receive { peer in
      for _ in 0..<1_024 { peer.ping(ByteBuffer().readableBytesView) }
    }
    #expect(bench.channel.isActive)
    try bench.receive { $0.ping(ByteBuffer().readableBytesView) }
    #expect(!bench.channel.isActive)
    #expect(bench.owner.ends == ["flooding"])
  }

  @Test("limits: a close frame behind a full queue goes out within 60 s or not at all")
  func closingSlowly() throws {
    let bench = try Bench()
    let loop = bench.channel.embeddedEventLoop
    try bench.channel.pipeline.syncOperations.addHandler(StuckWrites(), position: .first)
    bench.leg.close(.tryAgainLater, reason: "")
    loop.advanceTime(by: .seconds(59))
    #expect(bench.channel.isActive)
    loop.advanceTime(by: .seconds(1))
    #expect(!bench.channel.isActive)
  }

  @Test("limits: the peer's close frame is awaited 5 s, and the connection lingers 1 s after it")
  func closing() throws {
    let unanswered = try Bench()
    unanswered.leg.close(.tryAgainLater, reason: "busy")
    unanswered.channel.embeddedEventLoop.advanceTime(by: .milliseconds(4999))
    #expect(unanswered.channel.isActive)
    unanswered.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
    #expect(!unanswered.channel.isActive)
    #expect(unanswered.owner.ends == ["closeUnanswered"])

    let answered = try Bench()
    answered.leg.close(.tryAgainLater, reason: "busy")
    answered.leg.close(.normal, reason: "again")
    let writes = try answered.writes()
    #expect(writes.map { Array($0.readableBytesView) } == [[0x88, 6, 0x03, 0xF5] + Array("busy".utf8)])
    try answered.receive { $0.close(.tryAgainLater, reason: "") }
    #expect(answered.owner.ends == ["closed 1013"])
    answered.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(!answered.channel.isActive)
    #expect(answered.owner.ends.count == 1)
  }

  @Test("fault row 29: the owner hears of the end once, whatever comes after it")
  func onceEnded() throws {
    let bench = try Bench()
    try bench.receive { $0.close(.normal, reason: "") }
    try bench.channel.writeInbound(ByteBuffer(bytes: [0x88, 0x80, 1, 2, 3, 4, 0xFF]))
    bench.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    bench.channel.pipeline.fireChannelInactive()
    #expect(bench.owner.ends == ["closed 1000"])
    #expect(try bench.writes().map { Array($0.readableBytesView) } == [[0x88, 2, 0x03, 0xE8]])
  }
}

/// Takes more than it should, and lets nothing out.
private final class FullSocket: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  var isFull = true

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let count = unwrapOutboundIn(data).readableBytes
    context.write(data, promise: promise)
    guard isFull, count > 64 * 1024, let channel = context.channel as? EmbeddedChannel else { return }
    channel.isWritable = false
    context.fireChannelWritabilityChanged()
  }

  func flush(context: ChannelHandlerContext) {
    if !isFull { context.flush() }
  }
}

/// Echoes, and remembers how its leg ended.
private final class RecordingOwner: FrameLegOwner {
  private(set) var ends: [String] = []
  private let echo = EchoOwner()

  func leg(_ leg: FrameLeg, receivedText message: ByteBuffer) { echo.leg(leg, receivedText: message) }
  func leg(_ leg: FrameLeg, receivedBinary message: ByteBuffer) { echo.leg(leg, receivedBinary: message) }
  func legFinishedBurst(_ leg: FrameLeg) { echo.legFinishedBurst(leg) }
  func leg(_ leg: FrameLeg, becameWritable isWritable: Bool) { echo.leg(leg, becameWritable: isWritable) }
  func legShouldStop(_ leg: FrameLeg) { echo.legShouldStop(leg) }

  func leg(_ leg: FrameLeg, ended end: LegEnd) {
    switch end {
    case .closed(let event): ends.append("closed \(event.code)")
    case .lost: ends.append("lost")
    case .silent: ends.append("silent")
    case .stalled: ends.append("stalled")
    case .flooding: ends.append("flooding")
    case .closeUnanswered: ends.append("closeUnanswered")
    }
  }
}

/// A socket that takes nothing.
private final class StuckWrites: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  private var promises: [EventLoopPromise<Void>] = []

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if let promise { promises.append(promise) }
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    for promise in promises { promise.fail(ChannelError.ioOnClosedChannel) }
    promises = []
    context.close(mode: mode, promise: promise)
  }
}

/// Counts the reads that reach the socket.
private final class ReadCounter: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  private(set) var count = 0

  func read(context: ChannelHandlerContext) {
    count += 1
    context.read()
  }
}
