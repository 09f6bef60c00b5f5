import NIOCore
import NIOEmbedded
import Routing
import Synchronization
import Testing
import WebSocketWire

@testable import Gateway

/// Messages with numbers. Time is the loop's, and stands still.
private final class Numbers: FramePacerOwner {
  private let pacer: FramePacer
  private(set) var waiting: [Int] = []
  private(set) var sent: [Int] = []
  private(set) var isHeldBack = false
  private(set) var flushes = 0
  private var count = 0

  init?(_ quota: ProviderQuota?, loop: EmbeddedEventLoop) {
    guard let pacer = FramePacer(quota, loop: loop) else { return nil }
    self.pacer = pacer
    pacer.setOwner(self)
  }

  func add(_ number: Int) {
    for _ in 0..<number {
      count += 1
      waiting.append(count)
    }
    pacer.send()
  }

  func lose() {
    waiting = []
    pacer.stop()
  }

  func addBeside() { pacer.countUnpaced() }

  var hasWaiting: Bool { !waiting.isEmpty }

  func sendOldest() -> Bool {
    guard hasWaiting else { return false }
    sent.append(waiting.removeFirst())
    return true
  }

  func mustWait() { isHeldBack = true }
  func mayGoOn() { isHeldBack = false }
  func flushLate() { flushes += 1 }
}

@Suite("Messages that a provider's account allows", .timeLimit(.minutes(2)))
struct FramePacerTests {
  private func quota(_ perSecond: Int) -> ProviderQuota? {
    ProviderQuota(AccountLimits(maxFramesPerSecond: perSecond), provider: "p")
  }

  @Test("R166: what has no token waits in order and goes when it comes; what causes more is held back meanwhile")
  func waits() throws {
    let loop = EmbeddedEventLoop()
    let numbers = try #require(Numbers(quota(10), loop: loop))
    numbers.add(4)
    #expect(numbers.sent == [1] && numbers.isHeldBack)
    for number in 2...4 {
      loop.advanceTime(by: .milliseconds(99))
      #expect(numbers.sent.last == number - 1 && numbers.isHeldBack)
      loop.advanceTime(by: .milliseconds(1))
      #expect(numbers.sent == Array(1...number))
    }
    #expect(!numbers.isHeldBack && numbers.flushes == 3)
    loop.advanceTime(by: .milliseconds(100))
    numbers.add(1)
    #expect(numbers.sent == [1, 2, 3, 4, 5] && !numbers.isHeldBack)
  }

  @Test("what there are tokens for goes at once")
  func burst() throws {
    let loop = EmbeddedEventLoop()
    let numbers = try #require(Numbers(quota(100), loop: loop))
    numbers.add(12)
    #expect(numbers.sent == Array(1...10))
    loop.advanceTime(by: .milliseconds(20))
    #expect(numbers.sent == Array(1...12))
  }

  @Test("no message is lost, however many there are, and none is early")
  func complete() throws {
    let loop = EmbeddedEventLoop()
    let numbers = try #require(Numbers(quota(1_000), loop: loop))
    for second in 1...10 {
      numbers.add(300)
      loop.advanceTime(by: .milliseconds(100))
      #expect(numbers.sent.count <= 100 * second + 100)
    }
    loop.advanceTime(by: .seconds(3))
    #expect(numbers.sent == Array(1...3_000))
  }

  @Test("sessions of one account share its tokens and take turns")
  func shared() throws {
    let loop = EmbeddedEventLoop()
    let quota = quota(10)
    let first = try #require(Numbers(quota, loop: loop))
    let second = try #require(Numbers(quota, loop: loop))
    first.add(3)
    second.add(3)
    var turns = [[first.sent.count, second.sent.count]]
    for _ in 0..<5 {
      loop.advanceTime(by: .milliseconds(100))
      turns.append([first.sent.count, second.sent.count])
    }
    #expect(turns == [[1, 0], [2, 0], [2, 1], [3, 1], [3, 2], [3, 3]])
  }

  @Test("a message that does not wait is counted: the next one waits the longer")
  func unpaced() throws {
    let loop = EmbeddedEventLoop()
    let numbers = try #require(Numbers(quota(10), loop: loop))
    numbers.addBeside()
    numbers.add(1)
    #expect(numbers.sent.isEmpty)
    loop.advanceTime(by: .milliseconds(100))
    #expect(numbers.sent == [1])
  }

  @Test("a provider that goes away leaves nothing waiting, and its successor is served")
  func lost() throws {
    let loop = EmbeddedEventLoop()
    let numbers = try #require(Numbers(quota(10), loop: loop))
    numbers.add(3)
    numbers.lose()
    #expect(!numbers.isHeldBack)
    loop.advanceTime(by: .seconds(1))
    #expect(numbers.sent == [1] && numbers.flushes == 0)
    numbers.add(1)
    #expect(numbers.sent == [1, 4])
  }

  @Test("R166: a flood of a live client reaches the provider whole, in order, and no faster than allowed")
  func live() async throws {
    let provider = try await CountingProvider()
    let gateway = try await TestGateway.routes(
      #"""
      {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "main", "providers": {"main": {"kind": "openai",
        "url": "ws://127.0.0.1:\#(provider.port)/v1/realtime", "model": "m", "maxFramesPerSecond": 100}}}
      """#)
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: "/v1/realtime?model=m&dialect=ga"))
    let begin = ContinuousClock.now
    try await socket.sendFrames { client in
      for number in 1...60 {
        let event = #"{"type":"input_audio_buffer.append","audio":"AAAAAAAA","event_id":"append_\#(number)"}"#
        client.send(.text, ByteBuffer(string: event).readableBytesView)
      }
    }
    var numbers: [Int] = []
    for await text in provider.texts {
      guard let range = text.firstRange(of: "append_") else { continue }
      numbers.append(Int(text[range.upperBound...].prefix { $0.isNumber }) ?? 0)
      if numbers.count == 60 { break }
    }
    #expect(numbers == Array(1...60))
    // Ten at once, fifty at ten milliseconds each.
    #expect(ContinuousClock.now - begin >= .milliseconds(490))
    await gateway.stop()
    await provider.stop()
  }
}

/// A provider that opens every WebSocket, greets, and keeps what it is told.
private struct CountingProvider {
  let texts: AsyncStream<String>
  private let upstream: ScriptedUpstream
  var port: Int { upstream.port }

  init() async throws {
    let (texts, text) = AsyncStream.makeStream(of: String.self)
    self.texts = texts
    upstream = try await ScriptedUpstream.start(
      .heard(
        [
          #"{"type":"session.created","event_id":"e1","session":{"id":"s1","object":"realtime.session","type":"realtime"}}"#
        ]
      ) { text.yield($0) })
  }

  func stop() async { await upstream.stop() }
}
