import NIOCore
import ParleyTesting
import Testing
import WebSocketWire

@testable import Gateway

@Suite("An interruption while audio is queued for a slow client", .timeLimit(.minutes(3)))
struct LinkInterruptionTests {
  /// 64 kbit/s, with little in the link and in the system's buffers around it.
  private static let bytesPerSecond = 8_000

  /// Audio that may still come after an interruption: what the channel had (32 KiB and a message), what the system had taken
  /// (16 KiB unsent, and a window), and what was in the link.
  private static let mostLateBytes = 96 * 1_024

  private func narrowCall() async throws -> (call: LinkCall, link: FaultyLink) {
    let peer = try await LinkPeer.start()
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(port: peer.port, log: log)
    let link = try await FaultyLink.open(port: gateway.port, socketBytes: 4_096)
    let client = try await TestSocket.connect(port: link.port, patience: .seconds(90))
    let call = try await LinkCall.open(peer, gateway, log, client)
    try await call.beginAnswer()
    _ = await call.messages(through: "content_part.added")
    var behaviour = FaultyLink.Behaviour()
    behaviour.bytesPerSecond = Self.bytesPerSecond
    behaviour.queueBytes = 2_880
    behaviour.segmentBytes = 536
    await link.behave(behaviour, .toClient)
    return (call, link)
  }

  private func stop(_ call: LinkCall, _ link: FaultyLink) async {
    await link.shutDown()
    await call.stop()
  }

  @Test(
    "fault rows 49, 51: response.cancel of a client on 64 kbit/s, with megabytes of audio on their way: little more audio, then response.done(cancelled) once, and the session goes on",
    arguments: [nil, LinkCall.responseID])
  func cancel(responseID: String?) async throws {
    let (call, link) = try await narrowCall()
    // The provider has said it all, and is not read: what waits for the client is above the high water mark.
    let count = 1_000
    let line = call.line
    let said = Task { try await line.say((0..<count).map { LinkCall.audio($0) }) }
    #expect(await call.messages(through: "output_audio.delta").sounds == [0])
    let field = responseID.map { #","response_id":"\#($0)""# } ?? ""
    try await call.ask(#"{"type":"response.cancel"\#(field)}"#)
    var heard = call.line.heard.makeAsyncIterator()
    while case .text(let text)? = await heard.next(), !text.contains("response.cancel") {}
    try await said.value
    try await call.line.say(LinkCall.ending("cancelled"))
    let rest = await call.messages(through: #""type":"response.done""#)
    #expect(rest.reduce(0) { $0 + $1.utf8.count } < Self.mostLateBytes)
    #expect(rest.sounds == Array(1..<(rest.sounds.count + 1)), "what was handed over before, in order")
    #expect(rest.last?.contains(#""status":"cancelled""#) ?? false)
    let types = rest.filter { !$0.contains("output_audio.delta") }
    #expect(types.map(\.eventNumber) == ["5", "6", "7", "8", "9"])
    // The next answer is heard, and the link is none the worse.
    try await call.ask(#"{"type":"response.create"}"#)
    while case .text(let text)? = await heard.next(), !text.contains("response.create") {}
    try await call.line.say(
      LinkCall.beginning(response: "resp_2", item: "item_2")
        + [LinkCall.audio(7, response: "resp_2", item: "item_2")] + LinkCall.ending(response: "resp_2", item: "item_2"))
    let next = await call.messages(through: #""type":"response.done""#)
    #expect(next.sounds == [7] && next.count("response.done") == 1)
    await stop(call, link)
  }

  @Test(
    "fault row 51: the user speaks while audio waits for a client on 64 kbit/s: the audio is dropped, the item truncated once, the other events keep their order"
  )
  func speech() async throws {
    let (call, link) = try await narrowCall()
    // Less than what may wait, so that the provider's word of the interruption is heard.
    let count = 30
    let place = #""item_id":"\#(LinkCall.itemID)","content_index":0"#
    try await call.line.say(
      (0..<count).map { LinkCall.audio($0) } + [
        #"{"type":"input_audio_buffer.speech_started","event_id":"event_s1","audio_start_ms":40,"item_id":"item_u"}"#
      ] + LinkCall.ending("cancelled"))
    let first = await call.messages(through: "speech_started")
    try await call.ask(#"{"type":"conversation.item.truncate",\#(place),"audio_end_ms":100}"#)
    var heard = call.line.heard.makeAsyncIterator()
    while case .text(let text)? = await heard.next(), !text.contains("item.truncate") {}
    try await call.line.say(
      #"{"type":"conversation.item.truncated","event_id":"event_t",\#(place),"audio_end_ms":100}"#)
    let rest = first + (await call.messages(through: "item.truncated"))
    #expect(rest.reduce(0) { $0 + $1.utf8.count } < Self.mostLateBytes)
    #expect(rest.sounds.count < count && rest.sounds == Array(0..<rest.sounds.count))
    let others = rest.filter { !$0.contains("output_audio.delta") }
    #expect(others.map(\.eventNumber) == ["s1", "5", "6", "7", "8", "9", "t"])
    await stop(call, link)
  }
}

extension String {
  /// Of `event_NUMBER`.
  fileprivate var eventNumber: String {
    guard let range = firstRange(of: #""event_id":"event_"#) else { return "?" }
    return String(self[range.upperBound...].prefix { $0 != "\"" })
  }
}
