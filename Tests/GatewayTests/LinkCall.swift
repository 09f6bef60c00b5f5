import NIOCore
import Testing
import WebSocketWire

@testable import Gateway

/// A client, the gateway and a provider of OpenAI's wire that the test speaks for, with a session open on both sides.
struct LinkCall {
  static let path = "/v1/realtime?model=gpt-realtime"
  static let responseID = "resp_1"
  static let itemID = "item_1"

  let peer: LinkPeer
  let gateway: TestGateway
  let log: LogCapture
  let client: TestSocket
  let line: LinkLine

  /// - Parameter receiveBytes: of the provider's kernel buffer.
  static func open(receiveBytes: Int? = nil, _ change: (inout EdgeLimits) -> Void = { _ in }) async throws -> LinkCall {
    let peer = try await LinkPeer.start(receiveBytes: receiveBytes)
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(port: peer.port, log: log, change)
    let client = try await gateway.connect()
    return try await open(peer, gateway, log, client)
  }

  /// The same over connections that the test has made.
  static func open(
    _ peer: LinkPeer, _ gateway: TestGateway, _ log: LogCapture, _ client: TestSocket
  ) async throws -> LinkCall {
    try #require(try await client.upgrade(path: path))
    _ = try #require(await client.message())
    var lines = peer.lines.makeAsyncIterator()
    let line = try #require(await lines.next())
    try await line.say(session("session.created"), session("session.updated"))
    return LinkCall(peer: peer, gateway: gateway, log: log, client: client, line: line)
  }

  func stop() async {
    await gateway.stop()
    await peer.stop()
  }

  /// The next connection that the gateway makes.
  func nextLine() async -> LinkLine? {
    var lines = peer.lines.makeAsyncIterator()
    return await lines.next()
  }

  /// Asks for an answer, and begins it.
  func beginAnswer() async throws {
    try await ask(#"{"type":"response.create"}"#)
    var heard = line.heard.makeAsyncIterator()
    while case .text(let text)? = await heard.next(), !text.contains("response.create") {}
    try await line.say(Self.beginning())
  }

  func ask(_ texts: String...) async throws {
    try await ask(texts)
  }

  /// In one write.
  func ask(_ texts: [String]) async throws {
    try await client.sendFrames { socket in
      for text in texts { socket.send(.text, ByteBuffer(string: text).readableBytesView) }
    }
  }

  /// The client's messages until the close frame, and its code.
  func toEnd() async -> (messages: [String], close: UInt16?) {
    var messages: [String] = []
    while let event = await client.event() {
      switch event {
      case .text(let text): messages.append(String(buffer: text))
      case .closed(let close): return (messages, close.code.rawValue)
      case .binary, .ping, .pong: continue
      }
    }
    return (messages, nil)
  }

  /// The client's messages through the first that has the text.
  func messages(through text: String) async -> [String] {
    var messages: [String] = []
    while let event = await client.event() {
      switch event {
      case .text(let message):
        messages.append(String(buffer: message))
        if messages.last?.contains(text) == true { return messages }
      case .ping:
        // Its pong is queued.
        try? await client.sendFrames { _ in }
      case .binary, .pong: continue
      case .closed: return messages
      }
    }
    return messages
  }
}

// What a provider of OpenAI's wire says.
extension LinkCall {
  static func session(_ type: String) -> String {
    #"{"type":"\#(type)","event_id":"event_s","session":{"type":"realtime","object":"realtime.session","id":"sess_1","#
      + #""model":"gpt-realtime","output_modalities":["audio"]}}"#
  }

  private static func response(_ id: String, _ status: String, _ output: String) -> String {
    let details = status == "cancelled" ? #"{"type":"cancelled","reason":"client_cancelled"}"# : "null"
    return
      #"{"object":"realtime.response","id":"\#(id)","status":"\#(status)","status_details":\#(details),"output":\#(output),"#
      + #""conversation_id":"conv_1","output_modalities":["audio"],"max_output_tokens":"inf","#
      + #""audio":{"output":{"format":{"type":"audio/pcm","rate":24000},"voice":"marin"}},"usage":null,"metadata":null}"#
  }

  private static func item(_ id: String, _ status: String) -> String {
    #"{"id":"\#(id)","object":"realtime.item","type":"message","status":"\#(status)","role":"assistant","content":[]}"#
  }

  private static func place(_ response: String, _ item: String) -> String {
    #""response_id":"\#(response)","item_id":"\#(item)","output_index":0,"content_index":0"#
  }

  /// The events before the first sound of an answer.
  static func beginning(response: String = responseID, item: String = itemID) -> [String] {
    let added = Self.item(item, "in_progress")
    return [
      #"{"type":"response.created","event_id":"event_1","response":\#(Self.response(response, "in_progress", "[]"))}"#,
      #"{"type":"response.output_item.added","event_id":"event_2","response_id":"\#(response)","output_index":0,"#
        + #""item":\#(added)}"#,
      #"{"type":"conversation.item.added","event_id":"event_3","previous_item_id":null,"item":\#(added)}"#,
      #"{"type":"response.content_part.added","event_id":"event_4",\#(place(response, item)),"#
        + #""part":{"type":"audio","transcript":""}}"#,
    ]
  }

  /// The base64 of so much silence that says its number; whole samples.
  static func sound(_ number: Int, bytes: Int = 4_800) -> String {
    var digits = String(number)
    digits = String(repeating: "0", count: 8 - digits.count) + digits
    return digits + String(repeating: "A", count: bytes / 3 * 4 - 8)
  }

  static func audio(
    _ number: Int, bytes: Int = 4_800, response: String = responseID, item: String = itemID
  ) -> String {
    #"{"type":"response.output_audio.delta","event_id":"event_a\#(number)",\#(place(response, item)),"#
      + #""delta":"\#(sound(number, bytes: bytes))"}"#
  }

  /// The events after the last sound.
  static func ending(
    _ status: String = "completed", response: String = responseID, item: String = itemID
  ) -> [String] {
    let done = Self.item(item, status == "completed" ? status : "incomplete")
    return [
      #"{"type":"response.output_audio.done","event_id":"event_5",\#(place(response, item))}"#,
      #"{"type":"response.content_part.done","event_id":"event_6",\#(place(response, item)),"#
        + #""part":{"type":"audio","transcript":""}}"#,
      #"{"type":"response.output_item.done","event_id":"event_7","response_id":"\#(response)","output_index":0,"#
        + #""item":\#(done)}"#,
      #"{"type":"conversation.item.done","event_id":"event_8","previous_item_id":null,"item":\#(done)}"#,
      #"{"type":"response.done","event_id":"event_9","response":\#(Self.response(response, status, "[\(done)]"))}"#,
    ]
  }
}

extension [String] {
  /// The numbers of the sounds among these events.
  var sounds: [Int] {
    compactMap { event in
      guard event.contains("response.output_audio.delta"), let range = event.firstRange(of: #""delta":""#) else {
        return nil
      }
      return Int(event[range.upperBound...].prefix(8))
    }
  }

  func count(_ type: String) -> Int {
    count { $0.contains(#""type":"\#(type)""#) }
  }
}
