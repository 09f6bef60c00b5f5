import NIOCore
import Testing
import WebSocketWire

@testable import Gateway

@Suite("A provider that goes away in an answer, or falls silent", .timeLimit(.minutes(2)))
struct LinkLossTests {
  /// How an answer of 200 sounds is cut off.
  struct Cut: Sendable, CustomTestStringConvertible {
    /// Nil: without a close frame.
    var code: UInt16?
    /// Nil: the call goes on.
    var close: UInt16?
    var testDescription: String { "\(code.map(String.init) ?? "no close frame")" }
  }

  private static let count = 200

  @Test(
    "fault row 46: a provider that closes in an answer: everything that came is delivered, then the response as failed with its item, then an event and the close",
    arguments: [
      Cut(code: 1000, close: 1013), Cut(code: 4000, close: 1014), Cut(code: 3000, close: 1014),
      Cut(code: 1008, close: 1014),
    ])
  func closes(_ cut: Cut) async throws {
    let call = try await LinkCall.open()
    try await call.beginAnswer()
    // In one write, with the close behind it, so that it is all there when the end is.
    try await call.line.say((0..<Self.count).map { LinkCall.audio($0) })
    try await call.line.close(try #require(cut.code), reason: "planted words")
    let (messages, close) = await call.toEnd()
    #expect(messages.sounds == Array(0..<Self.count))
    let done = try #require(messages.dropLast().last)
    #expect(done.contains(#""type":"response.done""#) && done.contains(#""status":"failed""#))
    #expect(done.contains(LinkCall.itemID) && done.contains(#""status":"incomplete""#))
    #expect(messages.count("response.done") == 1 && messages.count("error") == 1)
    #expect(messages.last?.contains(#""type":"error""#) ?? false)
    #expect(!messages.joined().contains("planted"))
    #expect(close == cut.close)
    await call.stop()
  }

  @Test("fault row 46: a provider that closes with 1000 after a whole answer ends the session with 1000, and no error")
  func complete() async throws {
    let call = try await LinkCall.open()
    try await call.beginAnswer()
    try await call.line.say((0..<Self.count).map { LinkCall.audio($0) } + LinkCall.ending())
    try await call.line.close(1000)
    let (messages, close) = await call.toEnd()
    #expect(messages.sounds == Array(0..<Self.count))
    #expect(messages.last?.contains(#""type":"response.done""#) ?? false)
    #expect(messages.last?.contains(#""status":"completed""#) ?? false)
    #expect(messages.count("error") == 0)
    #expect(close == 1000)
    await call.stop()
  }

  @Test(
    "fault row 46: a provider that is lost in an answer (1001, 1011, 1006): everything that came is delivered, the response fails with its item, and the call survives on another connection",
    arguments: [Cut(code: 1001), Cut(code: 1011), Cut(code: nil)])
  func survives(_ cut: Cut) async throws {
    let call = try await LinkCall.open()
    try await call.beginAnswer()
    try await call.line.say((0..<Self.count).map { LinkCall.audio($0) })
    if let code = cut.code {
      try await call.line.close(code)
    } else {
      await call.line.hangUp()
    }
    let first = await call.messages(through: #""type":"response.done""#)
    #expect(first.sounds == Array(0..<Self.count))
    #expect(first.last?.contains(#""status":"failed""#) ?? false)
    #expect(first.last?.contains("upstream_lost") ?? false)
    #expect(first.last?.contains(LinkCall.itemID) ?? false)
    let next = try #require(await call.nextLine())
    try await next.say([LinkCall.session("session.created"), LinkCall.session("session.updated")])
    try await call.ask(#"{"type":"response.create"}"#)
    var heard = next.heard.makeAsyncIterator()
    while case .text(let text)? = await heard.next(), !text.contains(#""response.create""#) {}
    let answer =
      LinkCall.beginning(response: "resp_2", item: "item_2")
      + [LinkCall.audio(7, response: "resp_2", item: "item_2")] + LinkCall.ending(response: "resp_2", item: "item_2")
    try await next.say(answer)
    let second = await call.messages(through: #""type":"response.done""#)
    #expect(second.sounds == [7] && second.count("error") == 0)
    #expect(second.last?.contains(#""status":"completed""#) ?? false)
    await call.stop()
  }

  @Test("fault row 46: what came before the end reaches a client that takes it only afterwards")
  func lateClient() async throws {
    let call = try await LinkCall.open()
    try await call.beginAnswer()
    _ = await call.messages(through: "content_part.added")
    try await call.client.channel.setOption(.autoRead, value: false).get()
    // Less than what may wait for the client: the provider's end is heard of.
    try await call.line.say((0..<30).map { LinkCall.audio($0) })
    try await call.line.close(4000)
    _ = await call.log.line(with: "upstream ended")
    try await call.client.channel.setOption(.autoRead, value: true).get()
    let (messages, close) = await call.toEnd()
    #expect(messages.sounds == Array(0..<30))
    #expect(messages.count("response.done") == 1)
    #expect(messages.last?.contains(#""type":"error""#) ?? false)
    #expect(close == 1014)
    await call.stop()
  }

  @Test("fault row 47: while a provider stalls in an answer, the client's cancel and its audio go up, and it may leave")
  func stalls() async throws {
    let call = try await LinkCall.open()
    try await call.beginAnswer()
    try await call.line.say(LinkCall.audio(0))
    #expect(await call.messages(through: "output_audio.delta").sounds == [0])
    try await call.ask(
      #"{"type":"input_audio_buffer.append","audio":"AAAA"}"#.replacing("AAAA", with: "AAAAAAAA"),
      #"{"type":"response.cancel","event_id":"mine"}"#)
    var heard = call.line.heard.makeAsyncIterator()
    var asked: [String] = []
    while case .text(let text)? = await heard.next() {
      asked.append(text)
      if text.contains(#""response.cancel""#) { break }
    }
    #expect(asked.suffix(2).first?.contains("input_audio_buffer.append") ?? false)
    try await call.client.sendFrames { $0.close(.normal, reason: "") }
    #expect(await call.toEnd().close == 1000)
    var told: UInt16?
    while let next = await heard.next() {
      if case .ended(let code) = next { told = code }
    }
    #expect(told == 1000)
    await call.stop()
  }
}
