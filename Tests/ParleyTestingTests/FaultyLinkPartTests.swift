import NIOCore
import NIOEmbedded
import Testing

@testable import ParleyTesting

/// Counts how often a channel is asked to read.
private final class ReadCounter: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer

  var count = 0

  func read(context: ChannelHandlerContext) {
    count += 1
  }
}

/// One direction between two channels whose time the test says.
private struct FlowUnderTest {
  let loop = EmbeddedEventLoop()
  let flow: FaultyLinkFlow
  let reads = ReadCounter()
  private let source: EmbeddedChannel
  private let sink: EmbeddedChannel

  init(_ change: (inout FaultyLink.Behaviour) -> Void) {
    var behaviour = FaultyLink.Behaviour()
    change(&behaviour)
    flow = FaultyLinkFlow(behaviour: behaviour, jitter: .init(seed: 3, connection: 0, .toTarget), loop: loop)
    source = EmbeddedChannel(handler: reads, loop: loop)
    sink = EmbeddedChannel(loop: loop)
    loop.advanceTime(by: .seconds(1))
    reads.count = 0
    flow.begin(from: source, to: sink) {}
  }

  /// What was written since the last time.
  func written() throws -> [ByteBuffer] {
    var written: [ByteBuffer] = []
    while let piece = try sink.readOutbound(as: ByteBuffer.self) { written.append(piece) }
    return written
  }

  func close() throws {
    flow.stop()
    _ = try sink.finish(acceptAlreadyClosed: true)
    _ = try source.finish(acceptAlreadyClosed: true)
  }
}

@Suite("A faulty link's parts")
struct FaultyLinkPartTests {
  @Test("The link reads no further ahead than its queue, and reads on when that has passed")
  func boundedQueue() throws {
    let test = FlowUnderTest {
      $0.bytesPerSecond = 1
      $0.queueBytes = 1_000
    }
    #expect(test.reads.count == 1)
    test.flow.hear(ByteBuffer(repeating: 1, count: 600))
    let afterFirst = test.reads.count
    #expect(afterFirst > 1)
    test.flow.hear(ByteBuffer(repeating: 2, count: 600))
    #expect(test.reads.count == afterFirst)
    test.flow.behave(FaultyLink.Behaviour())
    test.loop.advanceTime(by: .seconds(2))
    #expect(test.reads.count > afterFirst)
    try test.close()
  }

  @Test("A link that drips writes one byte at a time, any number of them")
  func drip() throws {
    let test = FlowUnderTest { $0.segmentBytes = 1 }
    let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    test.flow.hear(ByteBuffer(bytes: bytes))
    test.loop.run()
    let written = try test.written()
    #expect(written.allSatisfy { $0.readableBytes == 1 })
    #expect(written.flatMap { Array($0.readableBytesView) } == bytes)
    try test.close()
  }

  @Test("A bandwidth cap lets pass what it says, within a twentieth of a second's worth, however late its timers are")
  func bandwidth() throws {
    for step in [1, 10, 37] {
      let test = FlowUnderTest { $0.bytesPerSecond = 10_000 }
      test.flow.hear(ByteBuffer(repeating: 1, count: 20_000))
      for milliseconds in stride(from: 0, through: 1_500, by: step) {
        let allowed = milliseconds * 10
        #expect(abs(test.flow.passed - allowed) <= 600, "after \(milliseconds) ms in steps of \(step)")
        test.loop.advanceTime(by: .milliseconds(Int64(step)))
      }
      try test.close()
    }
  }

  @Test("A stall holds what there is and what comes, to its last millisecond")
  func stall() throws {
    let test = FlowUnderTest { _ in }
    test.flow.stall(.milliseconds(200))
    test.flow.hear(ByteBuffer(string: "a"))
    test.loop.advanceTime(by: .milliseconds(199))
    test.flow.hear(ByteBuffer(string: "b"))
    #expect(test.flow.passed == 0)
    test.loop.advanceTime(by: .milliseconds(1))
    #expect(try test.written() == [ByteBuffer(string: "a"), ByteBuffer(string: "b")])
    try test.close()
  }

  @Test("Delay and the seed's jitter hold each read back, and the order is kept")
  func delays() throws {
    let test = FlowUnderTest {
      $0.delay = .milliseconds(30)
      $0.jitter = .milliseconds(100)
    }
    var jitter = FaultyLinkJitter(seed: 3, connection: 0, .toTarget)
    for _ in 0..<8 {
      let drawn = jitter.next(upTo: .milliseconds(100))
      test.flow.hear(ByteBuffer(string: "a"))
      test.loop.advanceTime(by: .milliseconds(30) + drawn - .nanoseconds(1))
      #expect(try test.written().isEmpty)
      test.loop.advanceTime(by: .nanoseconds(1))
      #expect(try test.written().count == 1)
    }
    let reads = (0..<20).map { ByteBuffer(integer: UInt8($0)) }
    for read in reads {
      test.flow.hear(read)
      test.loop.advanceTime(by: .milliseconds(3))
    }
    test.loop.advanceTime(by: .milliseconds(200))
    #expect(try test.written() == reads)
    try test.close()
  }

  @Test("Close frames are found at every cut of the bytes, in both roles and with every form of length")
  func closeFrames() {
    let head = Array("HTTP/1.1 101 Switching Protocols\r\n\r\r\n\r\n".utf8)
    let frames: [[UInt8]] = [
      [0x82, 0], [0x01, 2, 0x88, 0], [0x80, 0x81, 1, 2, 3, 4, 0x88],
      [0x82, 126, 0, 200] + [UInt8](repeating: 0x88, count: 200),
      [0x82, 127, 0, 0, 0, 0, 0, 0, 0, 130] + [UInt8](repeating: 0x88, count: 130),
    ]
    let closes: [[UInt8]] = [
      [0x88, 0], [0x88, 2, 3, 0xE8], [0x88, 0x80, 1, 2, 3, 4], [0x88, 0x82, 1, 2, 3, 4, 5, 6],
    ]
    for close in closes {
      let before = head + frames.flatMap(\.self)
      let whole = before + close + [0x81, 1, 0x88]
      let expected = before + close + close + [0x81, 1, 0x88]
      for cut in 0...whole.count {
        var watch = FaultyLinkCloseWatch()
        let passed = [whole[..<cut], whole[cut...]].flatMap { piece in
          Array(watch.pass(ByteBuffer(bytes: piece), repeatingClose: true).readableBytesView)
        }
        #expect(passed == expected, "cut at \(cut)")
        var idle = FaultyLinkCloseWatch()
        #expect(Array(idle.pass(ByteBuffer(bytes: whole), repeatingClose: false).readableBytesView) == whole)
      }
    }
  }
}
