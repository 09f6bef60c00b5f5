import Envelope
import ParleyTesting

/// What clients say: all kinds of events, right and wrong.
enum GeminiRandomClient {
  static let loud = String(repeating: "AEAAQABA", count: 400)
  static let silent = String(repeating: "AAAAAAAA", count: 800)

  static let updates = [
    #""instructions":"x""#, #""instructions":"y""#, #""audio":{"input":{"turn_detection":null}}"#,
    #""audio":{"input":{"turn_detection":{"type":"server_vad"}}}"#,
    #""audio":{"input":{"turn_detection":{"type":"server_vad","create_response":false}}}"#,
    #""audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":5000}}}"#,
    #""audio":{"input":{"turn_detection":{"type":"semantic_vad","eagerness":"high"}}}"#,
    #""audio":{"input":{"transcription":{"model":"whisper-1"}}}"#, #""audio":{"input":{"transcription":null}}"#,
    #""audio":{"input":{"format":{"type":"audio/pcmu"}}}"#,
    #""audio":{"input":{"format":{"type":"audio/pcm","rate":24000}}}"#,
    #""audio":{"output":{"format":{"type":"audio/pcma"}}}"#, #""audio":{"output":{"voice":"ash"}}"#,
    #""output_modalities":["text"]"#, #""output_modalities":["audio"]"#, #""tool_choice":"none""#,
    #""tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}]"#,
    #""tools":[],"tool_choice":"auto""#, #""audio":{"output":{"voice":7}}"#, #""model":"other""#,
    #""model":"gemini-3.1-flash-live-preview""#, #""model":"gemini-3.8-live""#,
  ]

  static func speak(to call: inout GeminiRandomCall, _ random: inout RandomSessions.Random) {
    let item = call.itemIDs.suffix(6).randomElement(using: &random) ?? "none"
    let number = call.eventCount
    let message = #""type":"message","role":"#
    func text(_ role: String, _ kind: String) -> String {
      #""item":{\#(message)"\#(role)","content":[{"type":"\#(kind)","text":"<\#(number)>"}]}"#
    }
    switch Int.random(in: 0..<40, using: &random) {
    case 0..<4: call.client("session.update", #""session":{\#(updates.randomElement(using: &random) ?? "")}"#)
    case 4..<14:
      let audio = Bool.random(using: &random) ? loud : silent
      call.client("input_audio_buffer.append", #""audio":"\#(audio)""#)
    case 14..<16: call.client("input_audio_buffer.commit", "")
    case 16: call.client("input_audio_buffer.clear", "")
    case 17..<19: call.client("conversation.item.create", text("user", "input_text"))
    case 19: call.client("conversation.item.create", text("assistant", "output_text"))
    case 20: call.client("conversation.item.create", text("system", "input_text"))
    case 21:
      let sound = #"{"type":"input_audio","audio":"\#(loud)"}"#
      call.client("conversation.item.create", #""item":{\#(message)"user","content":[\#(sound)]}"#)
    case 22:
      let position = Bool.random(using: &random) ? "root" : item
      call.client("conversation.item.create", #""previous_item_id":"\#(position)",\#(text("user", "input_text"))"#)
    case 23..<26:
      let id = call.callIDs.suffix(4).randomElement(using: &random) ?? "none"
      call.client(
        "conversation.item.create", #""item":{"type":"function_call_output","call_id":"\#(id)","output":"{\"a\":1}"}"#)
    case 26: call.client("conversation.item.retrieve", #""item_id":"\#(item)""#)
    case 27..<29: call.client("conversation.item.delete", #""item_id":"\#(item)""#)
    case 29:
      let ms = Int.random(in: 0...100, using: &random)
      call.client("conversation.item.truncate", #""item_id":"\#(item)","content_index":0,"audio_end_ms":\#(ms)"#)
    case 30..<35: call.client("response.create", "")
    case 35:
      let options = [
        #""conversation":"none""#, #""instructions":"briefly""#, #""output_modalities":["text"]"#,
        #""tool_choice":"none""#, #""conversation":"none","input":[]"#, #""tool_choice":"required""#,
      ]
      call.client("response.create", #""response":{\#(options.randomElement(using: &random) ?? "")}"#)
    case 36..<38: call.client("response.cancel", "")
    case 38: call.client("output_audio_buffer.clear", "")
    default: Bool.random(using: &random) ? call.garbage() : call.client("no.such", "")
    }
  }
}

/// What the service says: turns whose frames are merged, split, doubled, swapped and lost; and anything at any time.
struct GeminiRandomService {
  private var script: [JSONValue] = []
  private var last: JSONValue = [:]
  private static let audio: JSONValue = ["modelTurn": ["parts": [["inlineData": ["data": "AAABAAIA"]]]]]

  /// Another connection knows nothing of what the last one was about to say; now and then some of it comes all the same.
  mutating func reset() {
    if script.count > 2 { script = [] }
    last = [:]
  }

  mutating func play(to call: inout GeminiRandomCall, _ random: inout RandomSessions.Random) {
    if script.isEmpty { script = turn(call, &random) }
    guard !script.isEmpty else { return }
    let frame = script.removeFirst()
    if call.isReady || call.isDialled { call.serves(frame) }
  }

  mutating func speak(to call: inout GeminiRandomCall, _ random: inout RandomSessions.Random) {
    guard call.isReady || call.isDialled else { return }
    let isRepeated = Int.random(in: 0..<12, using: &random) == 0
    let frame = isRepeated ? last : frame(&random, callPrefix: "c\(call.dials)", openCalls: call.openCalls)
    last = frame
    call.serves(frame)
  }

  /// A turn in its order, then out of it.
  private func turn(_ call: GeminiRandomCall, _ random: inout RandomSessions.Random) -> [JSONValue] {
    let heard: JSONValue = ["inputTranscription": ["text": "heard "]]
    let words: JSONValue = ["outputTranscription": ["text": "word "]]
    var contents: [JSONValue] = []
    if Bool.random(using: &random) { contents.append(heard) }
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      contents.append(Self.audio)
      contents.append(words)
    }
    contents.append(["generationComplete": true])
    contents.append(["turnComplete": true])
    var frames = contents.map { JSONValue.object(["serverContent": $0]) }
    frames.append(["usageMetadata": ["promptTokenCount": 3, "responseTokenCount": 4]])
    let handle: JSONValue = .string("h\(frames.count)")
    frames.append(["sessionResumptionUpdate": ["newHandle": handle, "resumable": true]])
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      let index = Int.random(in: 0..<frames.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: frames.insert(frames[index], at: index)
      case 1 where index > 0: frames.swapAt(index, index - 1)
      case 2 where index > 0:
        frames[index - 1] = Self.merged(frames[index - 1], frames[index])
        frames.remove(at: index)
      case 3 where frames.count > 1: frames.remove(at: index)
      default: break
      }
    }
    return frames
  }

  private static func merged(_ left: JSONValue, _ right: JSONValue) -> JSONValue {
    guard var all = left.object, let more = right.object else { return left }
    for (key, value) in more {
      if let here = all[key], here.object != nil, value.object != nil {
        all[key] = merged(here, value)
      } else {
        all[key] = value
      }
    }
    return .object(all)
  }

  /// One frame with any of what a frame can have.
  mutating func frame(
    _ random: inout RandomSessions.Random, callPrefix: String, openCalls: [String] = []
  ) -> JSONValue {
    var frame: JSONValue = [:]
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      frame = Self.merged(frame, Self.part(&random, callPrefix, openCalls))
    }
    return frame
  }

  private static func part(
    _ random: inout RandomSessions.Random, _ callPrefix: String, _ openCalls: [String]
  ) -> JSONValue {
    switch Int.random(in: 0..<24, using: &random) {
    case 0: return ["serverContent": ["interrupted": true]]
    case 1, 2: return ["serverContent": ["inputTranscription": ["text": "heard "]]]
    case 3...6: return ["serverContent": audio]
    case 7: return ["serverContent": ["modelTurn": ["parts": [["text": "hidden", "thought": .bool(true)]]]]]
    case 8, 9: return ["serverContent": ["outputTranscription": ["text": "word "]]]
    case 10: return ["serverContent": ["generationComplete": true]]
    case 11, 12: return ["serverContent": ["turnComplete": true]]
    case 13:
      let reasons = ["GENERATED_CONTENT_SAFETY", "MALFORMED_FUNCTION_CALL", "NEED_MORE_INPUT"]
      let reason = reasons.randomElement(using: &random) ?? ""
      return ["serverContent": ["turnComplete": true, "turnCompleteReason": .string(reason)]]
    case 14: return ["usageMetadata": ["promptTokenCount": 3]]
    case 15, 16:
      let calls = (0..<Int.random(in: 1...2, using: &random)).map { _ -> JSONValue in
        ["id": .string("\(callPrefix)_\(UInt32.random(in: 0...999_999, using: &random))"), "name": "f", "args": [:]]
      }
      return ["toolCall": ["functionCalls": .array(calls)]]
    case 17:
      let id = openCalls.randomElement(using: &random) ?? "unknown"
      return ["toolCallCancellation": ["ids": [.string(id)]]]
    case 18: return ["voiceActivity": ["type": "ACTIVITY_START", "audioOffset": "0.1s"]]
    case 19: return ["voiceActivity": ["type": "ACTIVITY_END", "audioOffset": "0.9s"]]
    case 20: return ["sessionResumptionUpdate": ["newHandle": "h", "resumable": .bool(Bool.random(using: &random))]]
    case 21: return ["goAway": ["timeLeft": .string("\(Int.random(in: 0...60, using: &random))s")]]
    case 22: return ["serverContent": ["turnComplete": true, "interactionStatus": "IN_PROGRESS"]]
    default: return ["somethingNew": ["x": 1]]
    }
  }
}
