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

@Suite("A faulty link's parts")
struct FaultyLinkPartTests {
  @Test("The link reads no further ahead than its queue, and reads on when that has passed")
  func boundedQueue() throws {
    var capped = FaultyLink.Behaviour()
    capped.bytesPerSecond = 1
    capped.queueBytes = 1_000
    let flow = FaultyLinkFlow(behaviour: capped, jitter: .init(seed: 1, connection: 0, .toTarget))
    let reads = ReadCounter()
    let (source, sink) = (EmbeddedChannel(handler: reads), EmbeddedChannel())
    reads.count = 0
    flow.begin(from: source, to: sink) {}
    #expect(reads.count == 1)
    flow.hear(ByteBuffer(repeating: 1, count: 600))
    let afterFirst = reads.count
    #expect(afterFirst > 1)
    flow.hear(ByteBuffer(repeating: 2, count: 600))
    #expect(reads.count == afterFirst)
    flow.behave(FaultyLink.Behaviour())
    sink.embeddedEventLoop.advanceTime(by: .seconds(2))
    #expect(reads.count > afterFirst)
    _ = try sink.finish(acceptAlreadyClosed: true)
    _ = try source.finish(acceptAlreadyClosed: true)
  }

  @Test("A link that drips writes one byte at a time, any number of them")
  func drip() throws {
    var dripping = FaultyLink.Behaviour()
    dripping.segmentBytes = 1
    let flow = FaultyLinkFlow(behaviour: dripping, jitter: .init(seed: 1, connection: 0, .toTarget))
    let (source, sink) = (EmbeddedChannel(), EmbeddedChannel())
    flow.begin(from: source, to: sink) {}
    let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    flow.hear(ByteBuffer(bytes: bytes))
    while flow.passed < bytes.count { sink.embeddedEventLoop.run() }
    var written: [ByteBuffer] = []
    while let piece = try sink.readOutbound(as: ByteBuffer.self) { written.append(piece) }
    #expect(written.allSatisfy { $0.readableBytes == 1 })
    #expect(written.flatMap { Array($0.readableBytesView) } == bytes)
    _ = try sink.finish(acceptAlreadyClosed: true)
    _ = try source.finish(acceptAlreadyClosed: true)
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
