import Envelope
import OpenAIWire
import ParleyTesting
import Testing
import Translation

/// SplitMix64.
private struct Dice: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Whatever is lost, said twice or out of order: what the client sees is legal.
@Suite struct LifecyclePropertyTests {
  private static let rules: [MendingRules] = {
    var plain = MendingRules()
    plain.completesLifecycle = true
    var written = plain
    written.speaksInTextMode = true
    var repeating = plain
    repeating.repeatsTextInAudio = true
    repeating.callsComeWhole = true
    return [plain, written, repeating]
  }()

  @Test("a legal sequence stays one", arguments: [false, true])
  func undisturbed(isText: Bool) throws {
    var call = MendingCall(Self.rules[0])
    if isText { call.session.outputModalities = [.text] }
    let sequence = try LegalSequence.events(isText: isText)
    let told = sequence.flatMap { call.tell($0) }
    #expect(told.map(\.withoutID) == sequence.map(\.withoutID) && call.invariants.violations == [])
  }

  @Test("events that are lost, repeated or out of order: the sequence is legal", arguments: 0..<10)
  func disturbed(seed: Int) throws {
    var dice = Dice(state: UInt64(seed))
    let spoken = try LegalSequence.events(isText: false)
    let written = try LegalSequence.events(isText: true)
    for round in 0..<24 {
      var call = MendingCall(Self.rules[round % Self.rules.count])
      if round % 4 == 1 { call.session.outputModalities = [.text] }
      if round % 5 == 2 { call.mender.asked(metadata: ["a": "b"], modalities: [.text]) }
      let sequence = Self.disturb(round % 2 == 1 ? written : spoken, round, &dice)
      var told: [JSONObject] = []
      for event in sequence {
        if Int.random(in: 0..<40, using: &dice) == 0 { call.mender.cancelAsked(responseID: nil) }
        told += call.hear(event)
      }
      #expect(call.mender.isMidTurn == !call.mender.openResponseIDs.isEmpty)
      var invariants = call.invariants
      for var event in call.mender.closeAll(UpstreamVerdict(code: "lost", message: "Lost.", outlook: .mayRecover)) {
        event["event_id"] = .string(call.ids.next(.event))
        invariants.observe(.object(event))
        told.append(event)
      }
      invariants.finish()
      let faulty = told.filter { ServerFixtures.isInvalid($0) }
      #expect(invariants.violations == [] && faulty.isEmpty, "seed \(seed), round \(round)")
    }
  }

  @Test("events that lack fields, or have others in their place: what is told is valid", arguments: 0..<8)
  func broken(seed: Int) throws {
    var dice = Dice(state: UInt64(seed) &+ 1000)
    let sequences = [try LegalSequence.events(isText: false), try LegalSequence.events(isText: true)]
    for round in 0..<24 {
      var call = MendingCall(Self.rules[round % Self.rules.count])
      let sequence = sequences[round % 2].map { event in
        Int.random(in: 0..<3, using: &dice) == 0 ? Self.broken(.object(event), &dice).object ?? event : event
      }
      let told = sequence.flatMap { call.hear($0) }
      let faulty = told.filter { ServerFixtures.isInvalid($0) }
      #expect(call.invariants.violations == [] && faulty.isEmpty, "seed \(seed), round \(round)")
    }
  }

  /// Numbers that arithmetic must not meet unchecked.
  private static let extremes: [JSONValue] = [
    -1, 1e300, .number(JSONNumber(Int.min)), .number(JSONNumber(Int.max)),
  ]

  @Test("a number that no service means, in the place of each number: what is told is valid", arguments: extremes)
  func extreme(number: JSONValue) throws {
    for isText in [false, true] {
      let sequence = try LegalSequence.events(isText: isText)
      for place in sequence.indices {
        let event = JSONValue.object(sequence[place])
        for replaced in Self.replacing(numbersOf: event, by: number) {
          var call = MendingCall(Self.rules[0])
          var disturbed = sequence
          disturbed[place] = replaced.object ?? [:]
          let told = disturbed.flatMap { call.hear($0) }
          #expect(call.invariants.violations == [] && !told.contains { ServerFixtures.isInvalid($0) }, "\(replaced)")
        }
      }
    }
  }

  /// The value with another number in the place of one of its own, for each of them.
  private static func replacing(numbersOf value: JSONValue, by number: JSONValue) -> [JSONValue] {
    switch value {
    case .number: return [number]
    case .object(let object):
      return object.flatMap { member in
        replacing(numbersOf: member.value, by: number).map { replaced in
          var copy = object
          copy[member.key] = replaced
          return .object(copy)
        }
      }
    case .array(let elements):
      return elements.indices.flatMap { place in
        replacing(numbersOf: elements[place], by: number).map { replaced in
          var copy = elements
          copy[place] = replaced
          return .array(copy)
        }
      }
    default: return []
    }
  }

  /// Takes away or replaces one member, at any depth, but for the type and the id of an event.
  private static func broken(_ value: JSONValue, _ dice: inout Dice) -> JSONValue {
    let others: [JSONValue] = [.null, 7, 1.5, "", "x", true, [], [:], ["a"], ["type": "y"]] + extremes
    switch value {
    case .object(var object):
      guard let key = object.keys.filter({ $0 != "event_id" && $0 != "type" }).randomElement(using: &dice) else {
        return .object(object)
      }
      let isLeaf = object[key]?.object == nil && object[key]?.array?.isEmpty ?? true
      if !isLeaf, Int.random(in: 0..<3, using: &dice) != 0 {
        object[key] = object[key].map { broken($0, &dice) }
      } else {
        object[key] = Bool.random(using: &dice) ? nil : others.randomElement(using: &dice)
      }
      return .object(object)
    case .array(var elements):
      let place = Int.random(in: elements.indices, using: &dice)
      elements[place] = broken(elements[place], &dice)
      return .array(elements)
    default:
      return others.randomElement(using: &dice) ?? .null
    }
  }

  private static func disturb(_ events: [JSONObject], _ round: Int, _ dice: inout Dice) -> [JSONObject] {
    var ids = IDSource(seed: UInt128(dice.next()))
    var disturbed: [JSONObject] = []
    for event in events where Int.random(in: 0..<8, using: &dice) != 0 {
      disturbed.append(event)
      if Int.random(in: 0..<8, using: &dice) == 0 {
        var again = event
        again["event_id"] = .string(ids.next(.event))
        disturbed.append(again)
      }
    }
    guard round % 3 != 0 else { return disturbed }
    if round % 3 == 1 {
      disturbed.shuffle(using: &dice)
    } else {
      for place in disturbed.indices.dropLast() where Bool.random(using: &dice) {
        disturbed.swapAt(place, min(disturbed.count - 1, place + Int.random(in: 1...4, using: &dice)))
      }
    }
    return disturbed
  }
}

/// A spoken turn with its transcript, a call, its result and an answer, as the OpenAI service orders them.
enum LegalSequence {
  static func events(isText: Bool) throws -> [JSONObject] {
    try (userTurn + callResponse + result + answer(isText: isText)).enumerated().map { place, line in
      var event = try MendingCall.object(line)
      event["event_id"] = .string("event_\(place)")
      return event
    }
  }

  private static let userTurn = [
    #"{"type":"input_audio_buffer.speech_started","audio_start_ms":100,"item_id":"u1"}"#,
    #"{"type":"input_audio_buffer.speech_stopped","audio_end_ms":900,"item_id":"u1"}"#,
    #"{"type":"input_audio_buffer.committed","previous_item_id":null,"item_id":"u1"}"#,
    itemEvent("conversation.item.added", nil, userItem), itemEvent("conversation.item.done", nil, userItem),
    #"{"type":"conversation.item.input_audio_transcription.delta","item_id":"u1","content_index":0,"delta":"Hi"}"#,
    #"""
    {"type":"conversation.item.input_audio_transcription.completed","item_id":"u1","content_index":0,
    "transcript":"Hi","usage":{"type":"duration","seconds":0.8}}
    """#,
  ]

  private static let userItem = #"""
    {"id":"u1","type":"message","status":"completed","role":"user","content":[{"type":"input_audio","transcript":null}]}
    """#

  private static let callResponse = [
    response("response.created", "r1", "in_progress", "[]", kind: "audio"),
    outputEvent("response.output_item.added", "r1", callItem("in_progress", "")),
    itemEvent("conversation.item.added", "u1", callItem("in_progress", "")),
    arguments("delta", #""delta":"{\"a\"""#), arguments("delta", #""delta":":1}""#),
    arguments("done", #""name":"f","arguments":"{\"a\":1}""#),
    itemEvent("conversation.item.done", "u1", callItem("completed", #"{\"a\":1}"#)),
    outputEvent("response.output_item.done", "r1", callItem("completed", #"{\"a\":1}"#)),
    response("response.done", "r1", "completed", "[\(callItem("completed", #"{\"a\":1}"#))]", kind: "audio"),
    #"{"type":"rate_limits.updated","rate_limits":[]}"#,
  ]

  private static func callItem(_ status: String, _ arguments: String) -> String {
    #"{"id":"f1","type":"function_call","status":"\#(status)","name":"f","call_id":"c1","arguments":"\#(arguments)"}"#
  }

  private static func arguments(_ end: String, _ fields: String) -> String {
    #"{"type":"response.function_call_arguments.\#(end)","response_id":"r1","item_id":"f1","output_index":0,"#
      + #""call_id":"c1",\#(fields)}"#
  }

  private static let result = ["conversation.item.added", "conversation.item.done"].map {
    itemEvent($0, "f1", #"{"id":"o1","type":"function_call_output","call_id":"c1","output":"2"}"#)
  }

  private static func answer(isText: Bool) -> [String] {
    let kind = isText ? "text" : "audio"
    let words = isText ? "text" : "transcript"
    let name = isText ? "output_text" : "output_audio_transcript"
    func item(_ status: String, _ text: String?) -> String {
      let content = text.map { #"{"type":"output_\#(kind)","\#(words)":"\#($0)"}"# } ?? ""
      return #"{"id":"a1","type":"message","status":"\#(status)","role":"assistant","content":[\#(content)]}"#
    }
    func part(_ type: String, _ fields: String) -> String {
      #"{"type":"response.\#(type)","response_id":"r2","item_id":"a1","output_index":0,"content_index":0\#(fields)}"#
    }
    let speech = [part("output_audio.delta", #","delta":"AAAA""#), part("output_audio.done", "")]
    return [
      response("response.created", "r2", "in_progress", "[]", kind: kind),
      outputEvent("response.output_item.added", "r2", item("in_progress", nil)),
      itemEvent("conversation.item.added", "o1", item("in_progress", nil)),
      part("content_part.added", #","part":{"type":"\#(kind)","\#(words)":""}"#),
      part("\(name).delta", #","delta":"It is""#), part("\(name).delta", #","delta":" two.""#),
    ] + (isText ? [] : speech) + [
      part("\(name).done", #","\#(words)":"It is two.""#),
      part("content_part.done", #","part":{"type":"\#(kind)","\#(words)":"It is two."}"#),
      itemEvent("conversation.item.done", "o1", item("completed", "It is two.")),
      outputEvent("response.output_item.done", "r2", item("completed", "It is two.")),
      response("response.done", "r2", "completed", "[\(item("completed", "It is two."))]", kind: kind),
    ]
  }

  private static func itemEvent(_ type: String, _ previous: String?, _ item: String) -> String {
    #"{"type":"\#(type)","previous_item_id":\#(previous.map { "\"\($0)\"" } ?? "null"),"item":\#(item)}"#
  }

  private static func outputEvent(_ type: String, _ response: String, _ item: String) -> String {
    #"{"type":"\#(type)","response_id":"\#(response)","output_index":0,"item":\#(item)}"#
  }

  private static func response(
    _ type: String, _ id: String, _ status: String, _ output: String, kind: String
  ) -> String {
    let usage = #"""
      {"total_tokens":2,"input_tokens":1,"output_tokens":1,
      "input_token_details":{"text_tokens":1,"audio_tokens":0,"cached_tokens":0},
      "output_token_details":{"text_tokens":1,"audio_tokens":0}}
      """#
    return #"{"type":"\#(type)","response":{"object":"realtime.response","id":"\#(id)","status":"\#(status)","#
      + #""status_details":null,"output":\#(output),"conversation_id":"conv_1","output_modalities":["\#(kind)"],"#
      + #""max_output_tokens":"inf","audio":{"output":{"format":{"type":"audio/pcm","rate":24000},"voice":"alloy"}},"#
      + #""usage":\#(type == "response.done" ? usage : "null"),"metadata":null}}"#
  }
}
