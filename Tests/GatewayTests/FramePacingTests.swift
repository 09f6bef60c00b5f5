import Logging
import NIOCore
import NIOEmbedded
import Routing
import SessionCore
import Testing
import Translation
import VoiceEngine
import WebSocketWire

@testable import Gateway

/// A session on channels without sockets, with a provider whose account is limited. Time is the loop's, and stands still.
private final class PacedBench {
  let loop: EmbeddedEventLoop
  let downstream: EmbeddedChannel
  let upstream: EmbeddedChannel
  let reads = PacedReadCount()
  let driver: SessionDriver
  private var client = WebSocketConnection(role: .client)
  private var provider = WebSocketConnection(role: .server)
  private var count = 0

  init(_ quota: ProviderQuota?, loop: EmbeddedEventLoop) throws {
    self.loop = loop
    downstream = EmbeddedChannel(loop: loop)
    upstream = EmbeddedChannel(loop: loop)
    let leg = FrameLeg(role: .server, limits: EdgeLimits())
    try downstream.pipeline.syncOperations.addHandlers([reads, leg])
    let endpoint = UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: 9)
    let parameters = SessionParameters(
      provider: ProviderConfiguration(
        name: "main", service: try #require(ProviderKind.openAI.service(at: endpoint, key: nil, model: "m"))),
      requestedModel: nil, unixTime: 1_700_000_000, seed: 1)
    driver = SessionDriver(
      parameters: parameters, downstream: leg, loop: loop, limits: EdgeLimits(), contexts: TLSContexts(),
      engine: VoiceEngine.absent, place: quota?.place(), logger: LogCapture().logger)
    leg.setOwner(driver)
    driver.begin()
    let provider = FrameLeg(role: .client, limits: EdgeLimits())
    try upstream.pipeline.syncOperations.addHandler(provider)
    driver.dialled(.opened(provider))
    try say(
      #"{"type":"session.created","event_id":"e1","session":{"id":"s1","object":"realtime.session","type":"realtime"}}"#
    )
    try say(
      #"{"type":"session.updated","event_id":"e2","session":{"id":"s1","object":"realtime.session","type":"realtime"}}"#
    )
    // What the setting up took is there again.
    loop.advanceTime(by: .seconds(10))
    _ = try sent()
  }

  private func say(_ text: String) throws {
    provider.send(.text, ByteBuffer(string: text).readableBytesView)
    let bytes = provider.outbound
    provider.outbound = ByteBuffer()
    try upstream.writeInbound(bytes)
    loop.advanceTime(by: .milliseconds(500))
  }

  /// Appends of audio, numbered, in one read from the socket.
  func appends(_ number: Int) throws {
    for _ in 0..<number {
      count += 1
      let event = #"{"type":"input_audio_buffer.append","audio":"AAAA","event_id":"append_\#(count)"}"#
      client.send(.text, ByteBuffer(string: event).readableBytesView)
    }
    let bytes = client.outbound
    client.outbound = ByteBuffer()
    try downstream.writeInbound(bytes)
    loop.run()
  }

  /// The numbers of the appends that have gone to the provider since the last look.
  func sent() throws -> [Int] {
    while let bytes = try upstream.readOutbound(as: ByteBuffer.self) { provider.receive(bytes) }
    var numbers: [Int] = []
    while let event = provider.nextEvent() {
      guard case .text(let text) = event, let range = String(buffer: text).firstRange(of: "append_") else { continue }
      let digits = String(buffer: text)[range.upperBound...].prefix { $0.isNumber }
      if let number = Int(digits) { numbers.append(number) }
    }
    return numbers
  }
}

private final class PacedReadCount: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  private(set) var count = 0

  func read(context: ChannelHandlerContext) {
    count += 1
    context.read()
  }
}

@Suite("Messages that a provider's account allows")
struct FramePacingTests {
  private func quota(_ perSecond: Int) -> ProviderQuota { ProviderQuota(AccountLimits(maxFramesPerSecond: perSecond)) }

  @Test("R166: what has no token waits in order and goes when it comes; the client is not read meanwhile")
  func waits() throws {
    let bench = try PacedBench(quota(10), loop: EmbeddedEventLoop())
    try bench.appends(4)
    #expect(try bench.sent() == [1])
    bench.downstream.read()
    #expect(bench.reads.count == 0)
    for number in 2...4 {
      bench.loop.advanceTime(by: .milliseconds(99))
      #expect(try bench.sent() == [])
      #expect(bench.reads.count == 0)
      bench.loop.advanceTime(by: .milliseconds(1))
      #expect(try bench.sent() == [number])
    }
    // Nothing waits any more: the read that was held back goes on.
    #expect(bench.reads.count == 1)
    bench.loop.advanceTime(by: .seconds(1))
    try bench.appends(1)
    #expect(try bench.sent() == [5])
    bench.downstream.read()
    #expect(bench.reads.count == 2)
  }

  @Test("what there are tokens for goes at once")
  func burst() throws {
    let bench = try PacedBench(quota(100), loop: EmbeddedEventLoop())
    try bench.appends(12)
    #expect(try bench.sent() == Array(1...10))
    bench.loop.advanceTime(by: .milliseconds(20))
    #expect(try bench.sent() == [11, 12])
  }

  @Test("no message is lost, however many there are")
  func complete() throws {
    let bench = try PacedBench(quota(1_000), loop: EmbeddedEventLoop())
    var sent: [Int] = []
    for _ in 0..<10 {
      try bench.appends(300)
      bench.loop.advanceTime(by: .milliseconds(100))
      sent += try bench.sent()
    }
    bench.loop.advanceTime(by: .seconds(3))
    sent += try bench.sent()
    #expect(sent == Array(1...3_000))
  }

  @Test("sessions of one account share its tokens and take turns")
  func shared() throws {
    let loop = EmbeddedEventLoop()
    let quota = quota(10)
    let first = try PacedBench(quota, loop: loop)
    let second = try PacedBench(quota, loop: loop)
    try first.appends(3)
    try second.appends(3)
    var turns: [[Int]] = [try first.sent(), try second.sent()]
    for _ in 0..<5 {
      loop.advanceTime(by: .milliseconds(100))
      turns += [try first.sent(), try second.sent()]
    }
    #expect(turns == [[1], [], [2], [], [], [1], [3], [], [], [2], [], [3]])
  }

  @Test("a provider that goes away leaves nothing waiting, and the client is read again")
  func lost() throws {
    let bench = try PacedBench(quota(10), loop: EmbeddedEventLoop())
    try bench.appends(3)
    bench.downstream.read()
    #expect(bench.reads.count == 0)
    bench.upstream.pipeline.fireChannelInactive()
    bench.loop.run()
    #expect(bench.reads.count == 1)
    #expect(bench.driver.session.outbox.upstream.isEmpty)
  }

  @Test("without a limit nothing waits")
  func unlimited() throws {
    for quota in [nil, ProviderQuota(AccountLimits(maxSessions: 5))] {
      let bench = try PacedBench(quota, loop: EmbeddedEventLoop())
      #expect(bench.driver.pacing == nil)
      try bench.appends(2_000)
      #expect(try bench.sent() == Array(1...2_000))
    }
  }
}
