import Logging
import NIOCore
import NIOEmbedded
import SessionCore
import Testing
import Translation
import VoiceEngine
import WebSocketWire

@testable import Gateway

@Suite("Backpressure between the two legs")
struct SessionBackpressureTests {
  /// Both legs of a session on channels without sockets.
  private final class Bench {
    let loop = EmbeddedEventLoop()
    let downstream: EmbeddedChannel
    let upstream: EmbeddedChannel
    let downstreamReads = ReadCount()
    let upstreamReads = ReadCount()
    let driver: SessionDriver
    private let client: FrameLeg

    init(upstreamComesLate: Bool = false) throws {
      let limits = EdgeLimits()
      let logger = LogCapture().logger
      downstream = EmbeddedChannel(loop: loop)
      upstream = EmbeddedChannel(loop: loop)
      client = FrameLeg(role: .server, limits: limits)
      try downstream.pipeline.syncOperations.addHandlers([downstreamReads, client])
      let endpoint = UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: 9)
      let parameters = SessionParameters(
        provider: ProviderConfiguration(
          name: "main",
          service: try #require(ProviderKind.openAI.service(at: endpoint, key: nil, model: "m"))),
        requestedModel: nil, unixTime: 1_700_000_000, seed: 1)
      driver = SessionDriver(
        parameters: parameters, downstream: client, loop: loop, limits: limits, outgoing: Outgoing(),
        engine: VoiceEngine.absent, logger: logger)
      client.setOwner(driver)
      driver.begin()
      if !upstreamComesLate { try openUpstream() }
    }

    func openUpstream() throws {
      let provider = FrameLeg(role: .client, limits: EdgeLimits())
      try upstream.pipeline.syncOperations.addHandlers([upstreamReads, provider])
      driver.dialled(.opened(provider))
    }

    /// A connection for a response outside of the conversation.
    func openSide(_ number: Int) throws -> (channel: EmbeddedChannel, reads: ReadCount) {
      let channel = EmbeddedChannel(loop: loop)
      let reads = ReadCount()
      let leg = FrameLeg(role: .client, limits: EdgeLimits())
      try channel.pipeline.syncOperations.addHandlers([reads, leg])
      driver.sideConnections().dialled(SideLine(number: number), .opened(leg))
      return (channel, reads)
    }

    /// The client takes nothing, and more waits for it than it may.
    func fillClient(_ lane: MessageQueue.Lane = .audio) {
      set(downstream, isWritable: false)
      client.queue(ByteBuffer(repeating: 0x20, count: EdgeLimits().writeHighWaterBytes + 1).readableBytesView, lane)
      client.flush()
    }

    func set(_ channel: EmbeddedChannel, isWritable: Bool) {
      channel.isWritable = isWritable
      channel.pipeline.fireChannelWritabilityChanged()
      loop.run()
    }
  }

  @Test("fault row 49: a client that does not take audio stops the reading of the provider, and may still interrupt")
  func slowClient() throws {
    let bench = try Bench()
    bench.fillClient()
    bench.upstream.read()
    bench.downstream.read()
    #expect(bench.upstreamReads.count == 0)
    #expect(bench.downstreamReads.count == 1)
    bench.set(bench.downstream, isWritable: true)
    #expect(bench.upstreamReads.count == 1)
  }

  @Test("fault row 49: a client that does not take the answers to its questions is not read either")
  func slowClientWithQuestions() throws {
    let bench = try Bench()
    bench.fillClient(.answer)
    bench.upstream.read()
    bench.downstream.read()
    #expect(bench.upstreamReads.count == 0)
    #expect(bench.downstreamReads.count == 0)
    bench.set(bench.downstream, isWritable: true)
    #expect(bench.upstreamReads.count == 1)
    #expect(bench.downstreamReads.count == 1)
  }

  @Test("fault row 49: a client that does not take the words of an answer may still interrupt it")
  func slowClientOfText() throws {
    let bench = try Bench()
    bench.fillClient(.control)
    bench.upstream.read()
    bench.downstream.read()
    #expect(bench.upstreamReads.count == 0)
    #expect(bench.downstreamReads.count == 1)
  }

  @Test(
    "fault row 49: what a client takes late is bounded exactly: the high water mark is no reason yet, one byte more is")
  func waterMark() throws {
    for (more, reads) in [(0, 1), (1, 0)] {
      let bench = try Bench()
      bench.set(bench.downstream, isWritable: false)
      bench.driver.downstream.queue(
        ByteBuffer(repeating: 0x20, count: EdgeLimits().writeHighWaterBytes + more).readableBytesView, .audio)
      bench.driver.downstream.flush()
      bench.upstream.read()
      #expect(bench.upstreamReads.count == reads)
    }
  }

  @Test(
    "fault row 51: audio that is taken back lets the provider be read again, and what is behind it goes out in its order"
  )
  func takenBack() throws {
    let bench = try Bench()
    bench.set(bench.downstream, isWritable: true)
    while try bench.downstream.readOutbound(as: ByteBuffer.self) != nil {}
    bench.set(bench.downstream, isWritable: false)
    let leg = bench.driver.downstream
    let audio = ByteBuffer(string: #"{"response_id":"resp_1"}"# + String(repeating: " ", count: 300_000))
    for (lane, text) in [(MessageQueue.Lane.control, "one"), (.audio, ""), (.control, "two"), (.audio, "other")] {
      leg.queue(
        lane == .audio && text.isEmpty ? audio.readableBytesView : ByteBuffer(string: text).readableBytesView, lane)
    }
    leg.flush()
    bench.upstream.read()
    #expect(bench.upstreamReads.count == 0)
    leg.dropQueuedAudio(ofResponse: "resp_1")
    #expect(bench.upstreamReads.count == 1)
    bench.set(bench.downstream, isWritable: true)
    let sent = try #require(try bench.downstream.readOutbound(as: ByteBuffer.self))
    #expect(
      Array(sent.readableBytesView) == [0x81, 3] + Array("one".utf8) + [0x81, 3] + Array("two".utf8) + [0x81, 5]
        + Array("other".utf8))
  }

  @Test("fault row 51, R285: what is taken back is told in bytes of audio, in every form that clients know")
  func takenBackBytes() throws {
    let bench = try Bench()
    bench.set(bench.downstream, isWritable: false)
    let leg = bench.driver.downstream
    let audio = String(repeating: "AAAA", count: 40)
    let messages = [
      #"{"type":"response.output_audio.delta","response_id":"resp_1","item_id":"i","delta":"\#(audio)"}"#,
      #"{"type":"response.output_audio.delta","response_id":"resp_1","item_id":"i","delta":"\#(audio)","audio":"\#(audio)"}"#,
      #"{"type":"response.audio.delta","response_id":"resp_1","item_id":"i","delta":"\#(audio)"}"#,
      #"{"type":"response.audio.delta","response_id":"resp_1","item_id":"i","delta":"\#(audio)","audio":"\#(audio)"}"#,
      #"{"type":"response.output_audio.delta","response_id":"resp_2","item_id":"j","delta":"\#(audio)"}"#,
    ]
    for message in messages { leg.queue(ByteBuffer(string: message).readableBytesView, .audio) }
    #expect(leg.dropQueuedAudio(ofResponse: "resp_1") == 4 * 120)
    #expect(leg.dropQueuedAudio(ofResponse: nil) == 120)
    #expect(leg.dropQueuedAudio(ofResponse: nil) == 0)
  }

  @Test("fault row 50: a provider that takes nothing stops the reading of the client, and only that")
  func slowProvider() throws {
    let bench = try Bench()
    bench.set(bench.upstream, isWritable: false)
    bench.downstream.read()
    bench.upstream.read()
    #expect(bench.downstreamReads.count == 0)
    #expect(bench.upstreamReads.count == 1)
    bench.set(bench.upstream, isWritable: true)
    #expect(bench.downstreamReads.count == 1)
  }

  @Test("fault row 49: a provider that is reached while the client takes nothing is not read")
  func lateProvider() throws {
    let bench = try Bench(upstreamComesLate: true)
    bench.fillClient()
    try bench.openUpstream()
    bench.upstream.read()
    #expect(bench.upstreamReads.count == 0)
    bench.set(bench.downstream, isWritable: true)
    #expect(bench.upstreamReads.count == 1)
  }

  @Test("fault row 49: a client that takes nothing stops the reading of the connections beside the session's own")
  func slowClientWithSides() throws {
    let bench = try Bench()
    let sides = try [bench.openSide(1), bench.openSide(2)]
    bench.fillClient()
    for side in sides {
      side.channel.read()
      #expect(side.reads.count == 0)
    }
    bench.set(bench.downstream, isWritable: true)
    for side in sides {
      #expect(side.reads.count == 1)
      side.channel.read()
      #expect(side.reads.count == 2)
    }
  }

  @Test("fault row 49: a connection beside the session's own that opens while the client takes nothing is not read")
  func lateSide() throws {
    let bench = try Bench()
    bench.fillClient()
    let side = try bench.openSide(1)
    side.channel.read()
    #expect(side.reads.count == 0)
    bench.set(bench.downstream, isWritable: true)
    #expect(side.reads.count == 1)
  }

  @Test("fault row 50: a provider that takes nothing does not stop the reading of the connections beside it")
  func slowProviderWithSide() throws {
    let bench = try Bench()
    let side = try bench.openSide(1)
    bench.set(bench.upstream, isWritable: false)
    side.channel.read()
    #expect(side.reads.count == 1)
  }

  /// So many events in one read that their answers pass the high water mark several times over.
  private static let questions = 4_000
  private static let question = ByteBuffer(string: #"{"type":"conversation.item.retrieve","item_id":"none"}"#)

  private func ask(_ bench: Bench) throws {
    var client = WebSocketConnection(role: .client)
    for _ in 0..<Self.questions { client.send(.text, Self.question.readableBytesView) }
    try bench.downstream.writeInbound(client.outbound)
    bench.loop.run()
  }

  /// The bytes that have gone to the client so far.
  private func answered(_ bench: Bench) throws -> Int {
    var count = 0
    while let buffer = try bench.downstream.readOutbound(as: ByteBuffer.self) { count += buffer.readableBytes }
    return count
  }

  @Test("the answers to one read wait for a client that does not take them, and none is lost")
  func manyQuestions() throws {
    let willing = try Bench()
    try ask(willing)
    let all = try answered(willing)

    let bench = try Bench()
    bench.set(bench.downstream, isWritable: false)
    try ask(bench)
    let first = try answered(bench)
    #expect(first < 2 * EdgeLimits().writeHighWaterBytes)
    #expect(all > 2 * first)
    var total = first
    for _ in 0..<20 {
      bench.set(bench.downstream, isWritable: true)
      total += try answered(bench)
    }
    #expect(total == all)
  }

  @Test("fault row 33: a client that goes away with questions unanswered ends its session")
  func goneWithQuestions() throws {
    let bench = try Bench()
    bench.set(bench.downstream, isWritable: false)
    try ask(bench)
    bench.downstream.pipeline.fireChannelInactive()
    bench.loop.run()
    #expect(bench.driver.hasEnded)
  }
}

/// Counts the reads that reach the socket.
private final class ReadCount: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  private(set) var count = 0

  func read(context: ChannelHandlerContext) {
    count += 1
    context.read()
  }
}
