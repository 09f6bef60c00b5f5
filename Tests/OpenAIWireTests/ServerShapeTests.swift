import Envelope
import Testing

@testable import OpenAIWire

/// The vocabulary as data: what satisfies it is left alone, what does not is repaired field by field.
@Suite struct ServerShapeTests {
  private static let lenient = ServerShape(allowsNews: true)
  private static let strict = ServerShape(allowsNews: false)

  @Test("every event of the vocabulary but sessions and errors has a shape")
  func isComplete() {
    let without = ServerEventType.allCases.filter { ServerShape.events[$0] == nil }
    #expect(without == [.sessionCreated, .sessionUpdated, .error])
  }

  @Test("every fixture of the vocabulary satisfies its shape")
  func fixtures() throws {
    for (name, event) in try ServerFixtures.load() {
      let type = try #require(ServerEventType(rawValue: name))
      #expect(Self.strict.mended(event, type) == .satisfied, "\(name)")
      #expect(Self.lenient.mended(event, type) == .satisfied, "\(name)")
    }
  }

  @Test("R234, Q19: fields that nobody knows stay, at every depth")
  func unknownFields() throws {
    for (name, fixture) in try ServerFixtures.load() {
      let type = try #require(ServerEventType(rawValue: name))
      let event = try #require(Self.decorated(.object(fixture)).object)
      #expect(Self.strict.mended(event, type) == .satisfied, "\(name)")
    }
  }

  private static func decorated(_ value: JSONValue) -> JSONValue {
    switch value {
    case .array(let elements): return .array(elements.map(decorated))
    case .object(let object):
      var next: JSONObject = ["voice_profile": ["age": "adult", "pitch": 1.5]]
      for (key, value) in object { next[key] = decorated(value) }
      return .object(next)
    default: return value
    }
  }

  /// A defect: the fixture, the dotted path of the field, what is put there (nil: left out), what must come of it (nil:
  /// the field is gone).
  struct Defect: Sendable, CustomTestStringConvertible {
    let event: String
    let path: String
    let planted: JSONValue?
    let repaired: JSONValue?

    init(_ event: String, _ path: String, _ planted: JSONValue?, _ repaired: JSONValue?) {
      self.event = event
      self.path = path
      self.planted = planted
      self.repaired = repaired
    }

    var testDescription: String { "\(event) \(path) = \(planted?.text ?? "left out")" }
  }

  static let defects: [Defect] = [
    // Clients refuse fractions of milliseconds.
    Defect("input_audio_buffer.speech_started", "audio_start_ms", 1236.7, 1237),
    Defect("input_audio_buffer.speech_stopped", "audio_end_ms", "3808", 3808),
    Defect("input_audio_buffer.speech_stopped", "audio_end_ms", nil, 0),
    Defect("input_audio_buffer.timeout_triggered", "audio_end_ms", 19232.5, 19233),
    Defect("conversation.item.truncated", "audio_end_ms", 1500.4, 1500),
    Defect("conversation.item.added", "previous_item_id", 0, "0"),
    Defect("conversation.item.added", "previous_item_id", ["a"], .null),
    Defect("conversation.item.added", "previous_item_id", nil, .null),
    Defect("conversation.item.added", "previous_item_id", "", .null),
    Defect("conversation.item.added", "item.status", "done", "completed"),
    Defect("conversation.item.added", "item.content", .null, []),
    Defect("conversation.item.added", "item.object", "item", nil),
    Defect("conversation.item.created", "item.content.0.transcript", nil, .null),
    Defect("conversation.item.created", "item.content.0.type", "audio", "input_audio"),
    Defect("conversation.item.done", "item.content.0.type", "audio", "output_audio"),
    Defect("conversation.item.done", "item.content.0.type", "video", nil),
    Defect("conversation.item.input_audio_transcription.completed", "usage", nil, ["type": "duration", "seconds": 0]),
    Defect(
      "conversation.item.input_audio_transcription.completed", "usage", .null, ["type": "duration", "seconds": 0]),
    Defect("conversation.item.input_audio_transcription.completed", "content_index", nil, 0),
    Defect("conversation.item.input_audio_transcription.completed", "usage.output_tokens", nil, 0),
    Defect("conversation.item.input_audio_transcription.failed", "error.param", .null, nil),
    Defect("conversation.item.input_audio_transcription.failed", "error.code", .null, nil),
    Defect("conversation.item.input_audio_transcription.delta", "delta", .null, nil),
    Defect("rate_limits.updated", "rate_limits.0.name", "seconds", nil),
    Defect("rate_limits.updated", "rate_limits", .null, []),
    Defect("response.created", "response.object", nil, "realtime.response"),
    Defect("response.created", "response.status_details", "unimplemented", .null),
    Defect("response.created", "response.status_details", nil, .null),
    Defect("response.created", "response.output_modalities", nil, ["audio"]),
    Defect("response.created", "response.max_output_tokens", nil, "inf"),
    Defect("response.created", "response.max_output_tokens", 4096.2, 4096),
    Defect("response.created", "response.audio.output.voice", ["name": "ava", "type": "azure-standard"], "ava"),
    Defect("response.created", "response.metadata", nil, .null),
    Defect("response.created", "response.conversation_id", 7, "7"),
    Defect("response.done", "response.usage", nil, .null),
    Defect("response.done", "response.usage.input_tokens", nil, 0),
    Defect("response.done", "response.usage.output_token_details.text_tokens", nil, 0),
    Defect(
      "response.done", "response.usage.output_token_details", nil, ["text_tokens": 0, "audio_tokens": 0]),
    Defect("response.done", "response.usage.input_token_details.cached_tokens", nil, 0),
    Defect("response.done", "response.output", nil, []),
    Defect("response.done", "response.output.0.type", "force_message", nil),
    Defect("response.output_item.added", "output_index", nil, 0),
    Defect("response.output_item.added", "output_index", -1, 0),
    Defect("response.output_item.done", "item.arguments", ["city": "Paris"], #"{"city":"Paris"}"#),
    Defect("response.output_item.done", "item.arguments", nil, ""),
    Defect("response.output_item.done", "item.role", "tool", nil),
    Defect("response.content_part.added", "part.type", "output_audio", "audio"),
    Defect("response.content_part.done", "part.transcript", nil, ""),
    Defect("response.content_part.done", "content_index", "0", 0),
    Defect("response.output_text.delta", "event_id", 12, "12"),
    Defect("response.output_text.delta", "event_id", .null, nil),
    Defect("response.mcp_call_arguments.delta", "obfuscation", nil, ""),
  ]

  @Test("a planted defect is repaired, and nothing else is changed", arguments: defects)
  func repairs(_ defect: Defect) throws {
    let type = try #require(ServerEventType(rawValue: defect.event))
    let fixture = JSONValue.object(try #require(try ServerFixtures.load()[defect.event]))
    let path = defect.path.split(separator: ".").map(String.init)
    let broken = try #require(Self.replacing(path[...], in: fixture, by: defect.planted).object)
    guard case .repaired(let repaired) = Self.strict.mended(broken, type) else {
      Issue.record("not repaired")
      return
    }
    #expect(Self.strict.mended(try #require(repaired.object), type) == .satisfied)
    _ = try ServerEvent.decode(repaired)
    // What a list cannot hold is left out of it whole.
    let isElement = path.dropLast().last.flatMap { Int($0) } != nil && defect.repaired == nil && defect.planted != .null
    let place = isElement ? path.dropLast() : path[...]
    #expect(repaired == Self.replacing(place, in: fixture, by: defect.repaired, isElement: isElement))
  }

  private static func replacing(
    _ path: ArraySlice<String>, in value: JSONValue, by new: JSONValue?, isElement: Bool = false
  ) -> JSONValue {
    guard let key = path.first else { return new ?? value }
    if let index = Int(key), var elements = value.array {
      if path.count == 1, new == nil {
        elements.remove(at: index)
      } else {
        elements[index] = replacing(path.dropFirst(), in: elements[index], by: new)
      }
      return .array(elements)
    }
    guard var object = value.object else { return value }
    if path.count == 1 {
      object[key] = new
    } else {
      object[key] = object[key].map { replacing(path.dropFirst(), in: $0, by: new) }
    }
    return .object(object)
  }

  @Test(
    "what nothing can be put in the place of is beyond repair",
    arguments: [
      ("conversation.item.deleted", "item_id"), ("response.created", "response"),
      ("response.output_audio.delta", "delta"), ("response.output_item.added", "item"),
      ("response.output_text.done", "text"), ("response.function_call_arguments.done", "call_id"),
    ])
  func hopeless(_ name: String, _ field: String) throws {
    var event = try #require(try ServerFixtures.load()[name])
    let type = try #require(ServerEventType(rawValue: name))
    event.removeValue(forKey: field)
    #expect(Self.strict.mended(event, type) == .beyondRepair)
    event[field] = .bool(true)
    #expect(Self.strict.mended(event, type) == .beyondRepair)
  }

  @Test("what the vocabulary's own service adds to its lists is news, not a fault")
  func news() throws {
    let event = try MendingCall.object(
      #"""
      {"type":"conversation.item.added","event_id":"e","previous_item_id":null,"item":{"id":"i","type":"hologram"}}
      """#)
    #expect(Self.lenient.mended(event, .conversationItemAdded) == .satisfied)
    #expect(Self.strict.mended(event, .conversationItemAdded) == .beyondRepair)
    let limits = try MendingCall.object(
      #"""
      {"type":"rate_limits.updated","event_id":"e",
      "rate_limits":[{"name":"images","limit":1,"remaining":1,"reset_seconds":0}]}
      """#)
    #expect(Self.lenient.mended(limits, .rateLimitsUpdated) == .satisfied)
  }
}
