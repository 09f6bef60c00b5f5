import NIOCore
import Testing

@testable import Translation

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

  @Test("fault row 49: a queue that never runs empty holds what waits, not what has gone")
  func neverEmpty() {
    var queue = MessageQueue()
    let message = ByteBuffer(repeating: 7, count: 10_000)
    func append() { queue.append(.audio) { $0.writeImmutableBuffer(message) } }
    append()
    for _ in 0..<10_000 {
      append()
      _ = queue.consume { _, _ in }
    }
    #expect(queue.count == 1 && queue.byteCount == 10_000)
    #expect(queue.capacity < 1_000_000)
  }

  @Test("the bytes of answers are counted through every way in and out")
  func counts() {
    var queue = Self.filled()
    #expect(queue.answerByteCount == 0)
    for text in ["asked", "again"] { queue.append(.answer) { $0.writeString(text) } }
    #expect(queue.answerByteCount == 10)
    queue.removeAudio { _ in true }
    #expect(queue.answerByteCount == 10)
    for left in [10, 10, 10, 5, 0] {
      _ = queue.consume { _, _ in }
      #expect(queue.answerByteCount == left)
    }
    queue.append(.answer) { $0.writeString("more") }
    queue.removeAll()
    #expect(queue.answerByteCount == 0)
    #expect(queue.isEmpty)
  }
}
