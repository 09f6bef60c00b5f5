public import Envelope

/// What the service says: turns whose frames are merged, split, doubled, swapped and lost; and anything at any time.
public struct RandomGemini: RandomProvider {
  public typealias Law = GeminiFrameLaw
  public static let acceptance: JSONValue = ["setupComplete": [:]]

  private var script: [JSONValue] = []
  private var last: JSONValue = [:]
  private static let audio: JSONValue = ["modelTurn": ["parts": [["inlineData": ["data": "AAABAAIA"]]]]]

  public init() {}

  /// Another connection knows nothing of what the last one was about to say; now and then some of it comes all the same.
  public mutating func reset() {
    if script.count > 2 { script = [] }
    last = [:]
  }

  public mutating func play(to call: inout WatchedCall<Law>, _ random: inout some RandomNumberGenerator) {
    if script.isEmpty { script = turn(call, &random) }
    guard !script.isEmpty else { return }
    let frame = script.removeFirst()
    if call.isReady || call.isDialled { call.serves(frame) }
  }

  public mutating func speak(to call: inout WatchedCall<Law>, _ random: inout some RandomNumberGenerator) {
    guard call.isReady || call.isDialled else { return }
    let isRepeated = Int.random(in: 0..<12, using: &random) == 0
    let frame = isRepeated ? last : frame(&random, callPrefix: "c\(call.dials)", openCalls: call.openCalls)
    last = frame
    call.serves(frame)
  }

  /// A turn in its order, then out of it.
  private func turn(_ call: WatchedCall<Law>, _ random: inout some RandomNumberGenerator) -> [JSONValue] {
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

  public func sideFrame(_ random: inout some RandomNumberGenerator) -> JSONValue {
    frame(&random, callPrefix: "side")
  }

  /// One frame with any of what a frame can have.
  func frame(
    _ random: inout some RandomNumberGenerator, callPrefix: String, openCalls: [String] = []
  ) -> JSONValue {
    var frame: JSONValue = [:]
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      frame = Self.merged(frame, Self.part(&random, callPrefix, openCalls))
    }
    return frame
  }

  private static func part(
    _ random: inout some RandomNumberGenerator, _ callPrefix: String, _ openCalls: [String]
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
      // No two of a frame have the same id, however few bits the generator has.
      let calls = (0..<Int.random(in: 1...2, using: &random)).map { place -> JSONValue in
        let number = UInt32.random(in: 0...999_999, using: &random)
        return ["id": .string("\(callPrefix)_\(number)_\(place)"), "name": "f", "args": [:]]
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
