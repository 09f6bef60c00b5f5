import Envelope

/// A response that has been created and is not done.
struct RunningResponse: Sendable {
  enum Step: Sendable {
    /// A message begins.
    case message
    case words(String)
    case sound(Sound)
    case messageEnd
    case call(StandInTrigger.Call)
    case arguments(String)
    case callEnd
    /// Frames beside the response, in the service's accent.
    case events([JSONObject])
    case drop
    case close(UInt16, String)
    case expire
    case end(status: String, reason: String?)
  }

  /// The item that is being written.
  struct OpenItem: Sendable {
    var item: JSONObject
    var previousID: JSONValue
    var index: Int
    var text = ""

    var id: JSONValue { item["id"] ?? nil }
  }

  let id: String
  /// Null for a response outside of the conversation.
  let conversationID: JSONValue
  let isSpoken: Bool
  let format: SoundFormat
  let inputTokens: Int
  var object: JSONObject
  var steps: [Step]
  /// The least time between two steps.
  var interval = Duration.zero
  var open: OpenItem?
  var output: [JSONObject] = []
  var wordCount = 0
  var soundMilliseconds = 0.0

  var isInConversation: Bool { !conversationID.isNull }
}

extension RunningResponse {
  /// A message of words and sound in turn with the words first.
  static func message(_ words: String, _ sounds: [Sound]) -> [Step] {
    var words = StandInWords.chunks(words, leadingSpace: false)[...]
    var sounds = sounds[...]
    var steps = [Step.message]
    while !words.isEmpty || !sounds.isEmpty {
      if let chunk = words.popFirst() { steps.append(.words(chunk)) }
      if let sound = sounds.popFirst() { steps.append(.sound(sound)) }
    }
    return steps + [.messageEnd]
  }

  static func call(_ call: StandInTrigger.Call) -> [Step] {
    let text = call.arguments.text
    let middle = text.index(text.startIndex, offsetBy: text.count / 2)
    return [
      .call(call), .arguments(String(text[..<middle])), .arguments(String(text[middle...])),
      .callEnd,
    ]
  }
}
