import NIOCore
import Synchronization
import Testing
import WebSocketWire

@testable import Gateway

@Suite("A provider that takes nothing for a while", .timeLimit(.minutes(3)))
struct LinkPressureTests {
  private static let count = 4_000

  /// Appends that the system has taken.
  private final class Progress: Sendable {
    let count = Atomic(0)
  }

  /// The frames of an append.
  private static func append(_ number: Int, _ socket: inout WebSocketConnection) {
    let text = #"{"type":"input_audio_buffer.append","audio":"\#(LinkCall.sound(number))"}"#
    socket.send(.text, ByteBuffer(string: text).readableBytesView)
  }

  @Test(
    "fault row 50: a provider that takes nothing stops the client, which loses nothing: everything arrives once and in order, and the session's last line tells how old it was"
  )
  func slowProvider() async throws {
    let peer = try await LinkPeer.start(receiveBytes: 8_192)
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(port: peer.port, log: log)
    // A machine with other things to do needs its time for so much.
    let client = try await TestSocket.connect(port: gateway.port, patience: .seconds(150))
    let call = try await LinkCall.open(peer, gateway, log, client)
    try await call.line.setReading(false)
    let sent = Progress()
    let channel = call.client.channel
    // 26 MB: many times what the system holds on the way.
    let sender = Task {
      var socket = WebSocketConnection(role: .client)
      for number in 0..<Self.count {
        Self.append(number, &socket)
        try await channel.writeAndFlush(socket.outbound)
        socket.emptyOutbound()
        sent.count.store(number + 1, ordering: .relaxed)
      }
    }
    // The client stands still when nothing has gone for a second.
    var before = -1
    while sent.count.load(ordering: .relaxed) != before {
      before = sent.count.load(ordering: .relaxed)
      try await Task.sleep(for: .seconds(1))
    }
    #expect(before < Self.count, "the client is not read without end")
    try await call.line.setReading(true)
    var arrived: [Int] = []
    for await case .text(let text) in call.line.heard {
      guard let range = text.firstRange(of: #""audio":""#) else { continue }
      arrived.append(Int(text[range.upperBound...].prefix(8)) ?? -1)
      if arrived.count == Self.count { break }
    }
    try await sender.value
    #expect(arrived == Array(0..<Self.count))
    try await call.client.sendFrames { $0.close(.normal, reason: "") }
    #expect(await call.toEnd().close == 1000)
    let line = await call.log.line(with: "session ended")
    let field = try #require(line.firstRange(of: "uplink_waited_ms="))
    let waited = try #require(Int(line[field.upperBound...].prefix { $0.isNumber }))
    // It stood still for the second that was watched, and for what came before.
    #expect(waited >= 900)
    #expect(call.log.text.contains("the provider took late what the client said"))
    await call.stop()
  }
}
