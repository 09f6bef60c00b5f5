import NIOCore
import Testing
import Translation

@Suite struct Queue {
  private static func filled() -> MessageQueue {
    var queue = MessageQueue()
    for (lane, text) in [
      (MessageQueue.Lane.control, "begin"), (.audio, "a1 one"), (.control, "words"), (.audio, "b1 two"),
      (.audio, "a2 one"),
      (.control, "end"),
    ] {
      queue.append(lane) { $0.writeString(text) }
    }
    return queue
  }

  @Test("fault row 51: audio is taken back, the rest keeps its order and its bytes")
  func removesAudio() {
    var queue = Self.filled()
    #expect(queue.removeAudio { _ in true } == 3)
    #expect(queue.texts == ["begin", "words", "end"])
    #expect(queue.byteCount == 13)
    #expect(queue.controlByteCount == 13)
  }

  @Test("fault row 51: audio of another response stays where it was")
  func removesSomeAudio() {
    var queue = Self.filled()
    #expect(queue.removeAudio { String(buffer: ByteBuffer($0)).hasSuffix("one") } == 2)
    #expect(queue.texts == ["begin", "words", "b1 two", "end"])
    queue.append(.audio) { $0.writeString("more") }
    var seen: [String] = []
    while queue.consume({ message, _ in seen.append(String(buffer: ByteBuffer(message))) }) {}
    #expect(seen == ["begin", "words", "b1 two", "end", "more"])
  }

  @Test("the bytes that are not audio are counted through every way in and out")
  func counts() {
    var queue = Self.filled()
    #expect(queue.controlByteCount == 13)
    _ = queue.consume { _, _ in }
    #expect(queue.controlByteCount == 8)
    _ = queue.consume { _, _ in }
    #expect(queue.controlByteCount == 8)
    queue.removeAll()
    #expect(queue.controlByteCount == 0)
    #expect(queue.isEmpty)
  }
}
