import Envelope
import NIOCore
import Testing

@testable import Translation

/// The sequences that a response can have, told in the provider's few words.
@Suite struct Timeline {
  var timeline = ResponseTimeline()
  var conversation = Conversation(id: "conv_1")
  var port = Port(ids: IDSource(seed: 7))
  let session = RealtimeSession.defaults(id: "sess_1", model: "m", voice: "marin", expiresAt: 0)

  mutating func types() -> [String] {
    defer { port.outbox.downstream.removeAll() }
    return port.outbox.downstream.texts.map { (try? JSONValue(parsing: $0))?["type"]?.string ?? "?" }
  }

  mutating func begin(_ form: ResponseTimeline.Form) {
    timeline.begin(form: form, session: session, options: nil, conversation: conversation, port: &port)
  }

  static let opening = [
    "response.created", "response.output_item.added", "conversation.item.added", "response.content_part.added",
  ]
  static let spokenEnd = [
    "response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done",
    "conversation.item.done", "response.output_item.done", "response.done",
  ]

  @Test("R147: a spoken answer has the service's whole sequence, in its order")
  mutating func spoken() {
    begin(.audio)
    timeline.words("Hi", &conversation, port: &port)
    timeline.audio(ByteBuffer(string: "AAABAAIA"), &conversation, port: &port)
    timeline.finish(.completed, usage: nil, &conversation, port: &port)
    #expect(
      types() == Self.opening + ["response.output_audio_transcript.delta", "response.output_audio.delta"]
        + Self.spokenEnd)
    #expect(!timeline.isLive)
  }

  @Test("R217: a written answer has text events only; speech is dropped")
  mutating func written() {
    begin(.text)
    timeline.audio(ByteBuffer(string: "AAABAAIA"), &conversation, port: &port)
    timeline.words("Hi", &conversation, port: &port)
    timeline.finish(.completed, usage: nil, &conversation, port: &port)
    #expect(
      types() == Self.opening + [
        "response.output_text.delta", "response.output_text.done", "response.content_part.done",
        "conversation.item.done", "response.output_item.done", "response.done",
      ])
  }

  @Test("nothing is said before the beginning, nothing after the end, and no end comes twice")
  mutating func bounds() {
    timeline.words("early", &conversation, port: &port)
    timeline.audio(ByteBuffer(string: "AAABAAIA"), &conversation, port: &port)
    timeline.finish(.completed, usage: nil, &conversation, port: &port)
    #expect(types() == [])
    begin(.audio)
    begin(.audio)
    timeline.finish(.interrupted, usage: nil, &conversation, port: &port)
    timeline.finish(.completed, usage: nil, &conversation, port: &port)
    timeline.words("late", &conversation, port: &port)
    #expect(types() == ["response.created", "response.done"])
  }

  @Test(
    "how an answer ends is its status, the reason, and the state of its item",
    arguments: [
      (ResponseTimeline.Ending.completed, "completed", nil, "completed"),
      (.interrupted, "cancelled", "turn_detected", "incomplete"),
      (.cancelledByClient, "cancelled", "client_cancelled", "incomplete"),
      (.incomplete(.contentFilter), "incomplete", "content_filter", "incomplete"),
      (.failed(code: "x", message: "y"), "failed", nil, "incomplete"),
    ])
  mutating func endings(_ ending: ResponseTimeline.Ending, _ status: String, _ reason: String?, _ item: String) throws {
    begin(.audio)
    timeline.words("Hi", &conversation, port: &port)
    timeline.finish(ending, usage: nil, &conversation, port: &port)
    let done = try JSONValue(parsing: try #require(port.outbox.downstream.texts.last))["response"]
    #expect(done?["status"]?.string == status)
    #expect(done?["status_details"]?["reason"]?.string == reason)
    #expect(done?["output"]?[0]?["status"]?.string == item)
    #expect(done?["output"]?[0]?["content"]?[0]?["transcript"] == "Hi")
    #expect(conversation.items.count == 1)
  }

  @Test("R030: deltas carry the base64 text as it came, each with an id of its own")
  mutating func deltas() throws {
    begin(.audio)
    for _ in 0..<3 { timeline.audio(ByteBuffer(string: "AAABAAIA"), &conversation, port: &port) }
    let deltas = try port.outbox.downstream.texts.suffix(3).map { try JSONValue(parsing: $0) }
    #expect(deltas.allSatisfy { $0["delta"] == "AAABAAIA" && $0["type"] == "response.output_audio.delta" })
    #expect(Set(deltas.compactMap { $0["event_id"]?.string }).count == 3)
  }
}

@Suite struct SpokenTurn {
  @Test("R092 R093 R252: started, stopped, committed, item, transcript: each once, in this order")
  func lifecycle() throws {
    var port = Port(ids: IDSource(seed: 7))
    var conversation = Conversation(id: "conv_1")
    var turn = SpeechTurn(startedAtMs: 1200, port: &port)
    turn.transcribe(" What", port: &port)
    turn.transcribe(" time?", port: &port)
    for _ in 0..<2 {
      turn.stop(atMs: 3400, port: &port)
      turn.commit(&conversation, port: &port)
    }
    turn.finishTranscript(&conversation, port: &port)
    let events = try port.outbox.downstream.texts.map { try JSONValue(parsing: $0) }
    #expect(
      events.map { $0["type"]?.string ?? "" } == [
        "input_audio_buffer.speech_started", "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.delta", "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed", "conversation.item.added", "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
      ])
    #expect(events.last?["transcript"] == "What time?")
    #expect(events.last?["usage"] == ["type": "duration", "seconds": 2.2])
    #expect(Set(events.compactMap { $0["item_id"]?.string ?? $0["item"]?["id"]?.string }) == [turn.itemID])
  }
}

@Suite struct Queues {
  @Test("messages come out whole, in order, with their lane; the queue can be used again")
  func messages() {
    var queue = MessageQueue()
    for round in 0..<3 {
      queue.append(.control) { $0.writeString("a\(round)") }
      queue.append(.audio) { $0.writeString("bb") }
      #expect(queue.texts == ["a\(round)", "bb"])
      #expect(queue.count == 2 && queue.byteCount == 4)
      var seen: [(String, MessageQueue.Lane)] = []
      while queue.consume({ seen.append((String(decoding: $0, as: UTF8.self), $1)) }) {}
      #expect(seen.map(\.0) == ["a\(round)", "bb"] && seen.map(\.1) == [.control, .audio])
      #expect(queue.isEmpty && queue.byteCount == 0)
    }
  }

  @Test("storage of more than 1 MiB is not kept by an empty queue, less is", arguments: [false, true])
  func storage(_ isDropped: Bool) {
    var queue = MessageQueue()
    func empty() {
      if isDropped { queue.removeAll() } else { while queue.consume({ _, _ in }) {} }
    }
    // What comes first in a session is not kept.
    for _ in 0..<8 {
      queue.append(.control) { $0.writeRepeatingByte(0, count: 1000) }
      empty()
      #expect(queue.capacity == 0)
    }
    queue.append(.audio) { $0.writeRepeatingByte(0, count: 1000) }
    let small = queue.capacity
    empty()
    #expect(queue.capacity == small && small >= 1000)
    queue.append(.audio) { $0.writeRepeatingByte(0, count: 15 << 20) }
    #expect(queue.capacity >= 15 << 20)
    empty()
    #expect(queue.capacity == 0)
    queue.append(.control) { $0.writeString("again") }
    #expect(queue.texts == ["again"])
  }

  @Test("content waits for the provider in its order; the set-up does not")
  func holding() {
    var port = Port(ids: IDSource(seed: 7))
    port.send(.audio) { $0.writeString("1") }
    port.sendSetUp { $0.writeString("setup") }
    port.send(.control) { $0.writeString("2") }
    #expect(port.outbox.upstream.texts == ["setup"])
    #expect(port.heldByteCount == 2)
    port.upstreamBecameReady()
    port.send(.audio) { $0.writeString("3") }
    #expect(port.outbox.upstream.texts == ["setup", "1", "2", "3"])
  }

  @Test("instants saturate instead of overflowing")
  func instants() {
    #expect(Instant(nanoseconds: .min) + .nanoseconds(-1) == Instant(nanoseconds: .min))
    #expect(Instant(nanoseconds: .max - 1) + .seconds(1) == Instant(nanoseconds: .max))
    #expect(Instant(nanoseconds: 0) + .milliseconds(3) == Instant(nanoseconds: 3_000_000))
    #expect(Instant(nanoseconds: 5) - Instant(nanoseconds: 2) == .nanoseconds(3))
    #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
  }
}
