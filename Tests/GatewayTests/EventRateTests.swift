import Access
import NIOCore
import Routing
import Synchronization
import Testing

@testable import Gateway

@Suite("Events in a second over several sessions, live", .timeLimit(.minutes(2)))
struct EventRateTests {
  /// Counts what reaches the provider, by type.
  private final class Heard: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init() {
      (signals, signal) = AsyncStream.makeStream(of: Void.self)
    }

    func hear(_ text: String) {
      for type in ["input_audio_buffer.append", "input_audio_buffer.clear"] where text.contains(type) {
        counts.withLock { $0[type, default: 0] += 1 }
        signal.yield()
      }
    }

    func count(_ type: String) -> Int { counts.withLock { $0[type] ?? 0 } }

    func wait(for count: Int, of type: String) async {
      var iterator = signals.makeAsyncIterator()
      while self.count(type) < count { guard await iterator.next() != nil else { return } }
    }
  }

  private static let clear = #"{"type":"input_audio_buffer.clear"}"#
  /// 10 ms of silence.
  private static let audio = #"{"type":"input_audio_buffer.append","audio":"\#(LinkCall.sound(0, bytes: 480))"}"#

  private func script(_ heard: Heard) -> ScriptedUpstream.Script {
    .heard([LinkCall.session("session.created"), LinkCall.session("session.updated")]) { heard.hear($0) }
  }

  /// Errors of so many events until another answer comes.
  private func errors(_ socket: TestSocket) async throws -> [String] {
    try await socket.say(#"{"type":"no.such.event"}"#)
    var errors: [String] = []
    while let text = await socket.message(with: #""type":"error""#) {
      if text.contains("no.such.event") { return errors }
      errors.append(text)
    }
    Issue.record("the session has ended")
    return errors
  }

  @Test("R166: of a flood of events the excess is an error, audio waits, and all sessions live")
  func flood() async throws {
    let heard = Heard()
    let gateway = try await BookedGateway.start(script(heard)) { plan in
      plan.access = #""keys": [{"name": "app", "key": "env:KEY", "maxEventsPerSecond": 50}]"#
    }
    var sockets: [TestSocket] = []
    for _ in 0..<5 { sockets.append(try await gateway.session(key: BookedGateway.key)) }
    let began = ContinuousClock.now
    for socket in sockets {
      try await socket.say((0..<100).map { $0.isMultiple(of: 2) ? Self.clear : Self.audio })
    }
    await heard.wait(for: 250, of: "input_audio_buffer.append")
    var refused: [String] = []
    for socket in sockets { refused += try await errors(socket) }
    let most = 50 + Int((ContinuousClock.now - began) / .seconds(1) * 50) + 1
    // All the audio, and of the events as many as may.
    #expect(heard.count("input_audio_buffer.append") == 250)
    #expect(refused.count >= 250 - most && refused.count <= 200)
    for text in refused {
      #expect(text.contains(#""code":"rate_limit_exceeded""#) && text.contains(#""param":"maxEventsPerSecond""#))
    }
    await heard.wait(for: 250 - refused.count, of: "input_audio_buffer.clear")
    #expect(heard.count("input_audio_buffer.clear") == 250 - refused.count)
    for socket in sockets { #expect(try await socket.isServed()) }
    await gateway.stop()
  }

  @Test("R166: another key's events, and those of tokens of another app, are not among them")
  func others() async throws {
    let heard = Heard()
    let gateway = try await BookedGateway.start(script(heard)) { plan in
      plan.access = #"""
        "apps": [{"name": "shop", "maxEventsPerSecond": 1}],
        "keys": [{"name": "app", "key": "env:KEY", "app": "shop"}, {"name": "page", "key": "env:OTHER"}]
        """#
    }
    let flooding = try await gateway.session(key: BookedGateway.key)
    let other = try await gateway.session(key: BookedGateway.otherKey)
    let member = try await gateway.session(key: try gateway.token { $0.app = "shop" })
    try await flooding.say([String](repeating: Self.clear, count: 20))
    try await other.say([String](repeating: Self.clear, count: 20))
    #expect(try await errors(other).isEmpty)
    #expect(try await errors(flooding).count >= 10)
    try await member.say([String](repeating: Self.clear, count: 20))
    #expect(try await errors(member).count >= 10)
    await gateway.stop()
  }

  @Test("R166: where the provider's account is far behind, events are refused and audio still comes, in every session")
  func account() async throws {
    let heard = Heard()
    let gateway = try await BookedGateway.start(script(heard)) { $0.provider = #""maxFramesPerSecond": 4"# }
    var sockets: [TestSocket] = []
    for _ in 0..<8 { sockets.append(try await gateway.session(key: BookedGateway.key)) }
    // Each waits for its turn, a quarter of a second after the one before.
    for socket in sockets { try await socket.say([Self.audio, Self.audio]) }
    let late = try await gateway.session(key: BookedGateway.otherKey)
    try await late.say(Self.clear)
    let refusal = await late.message(with: #""type":"error""#) ?? ""
    #expect(refusal.contains(#""code":"rate_limit_exceeded""#) && refusal.contains(#""param":"maxFramesPerSecond""#))
    await heard.wait(for: 16, of: "input_audio_buffer.append")
    for socket in sockets + [late] { #expect(try await socket.isServed()) }
    #expect(heard.count("input_audio_buffer.append") == 16)
    await gateway.stop()
  }
}
