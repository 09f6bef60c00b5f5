import Envelope
import ParleyTesting
import StandIns
import Testing

@Suite(
  "The stand-ins beside the recordings of real services",
  .enabled(if: TranscriptPlayer.folder != nil, "REALTIME_RECORDINGS names no folder"))
struct RecordingTests {
  static let gemini = [
    "gemini-text-turn", "gemini-audio-turn", "gemini-tool-round", "gemini-previous-tool-round", "vertex-tool-round",
  ]
  static let openAI = ["openai-text-turn", "openai-audio-turn", "openai-tool-round"]

  @Test("what a client sent to Gemini is accepted", arguments: gemini)
  func geminiSent(_ name: String) throws {
    let player = try TranscriptPlayer(recording: name)
    var options = GeminiLiveStandIn.Options()
    options.platform = name.hasPrefix("vertex") ? .vertex : .aiStudio
    // Recorded with a model that is retired by now, and with calls that only the real service made.
    options.models = ["*"]
    options.ignoresUnknownCalls = true
    var dialogue = Dialogue.gemini(options, setUp: nil)
    let sent = player.messages(.sent)
    #expect(sent.count >= 2)
    for message in sent {
      #expect(dialogue.say(wholeSamples(message).text).close == nil, "\(message.text.prefix(200))")
    }
  }

  /// The recordings cut audio short, wherever the cut fell; a real client sends whole samples.
  private func wholeSamples(_ message: JSONValue) -> JSONValue {
    let whole = { (data: String) -> JSONValue in .string(String(data.prefix(data.count / 8 * 8))) }
    if let blob = message["realtime_input"]?["audio"], let data = blob["data"]?.string {
      return ["realtime_input": ["audio": ["data": whole(data), "mimeType": blob["mimeType"] ?? nil]]]
    }
    guard let audio = message["audio"]?.string else { return message }
    return ["type": message["type"] ?? nil, "audio": whole(audio)]
  }

  @Test("what Gemini sent has only fields that the table knows", arguments: gemini)
  func geminiReceived(_ name: String) throws {
    let received = try TranscriptPlayer(recording: name).messages(.received)
    #expect(received.count >= 4)
    for message in received {
      #expect(throws: Never.self, "\(message.text.prefix(200))") {
        try GeminiFields.server.canonical(message, as: "ServerMessage")
      }
    }
  }

  @Test("what a client sent to OpenAI is accepted", arguments: openAI)
  func openAISent(_ name: String) throws {
    let player = try TranscriptPlayer(recording: name)
    var dialogue = Dialogue.openAI()
    for message in player.messages(.sent) {
      #expect(try !dialogue.say(wholeSamples(message).text).types.contains("error"), "\(message.text.prefix(200))")
    }
  }

  @Test("a text turn has the events of the recorded one, in its order")
  func openAIOrder() throws {
    let player = try TranscriptPlayer(recording: "openai-text-turn")
    var dialogue = Dialogue.openAI()
    var types = try dialogue.opening.types
    for message in player.messages(.sent) { types += try dialogue.say(message.text).types }
    let recorded = player.messages(.received).map(TranscriptPlayer.kind(of:))
    // The recording ends with response.done; deltas come in any number and order.
    let isDelta = { (type: String) in type.hasSuffix(".delta") }
    #expect(types.filter { !isDelta($0) } == recorded.filter { !isDelta($0) } + ["rate_limits.updated"])
    #expect(Set(types.filter(isDelta)) == Set(recorded.filter(isDelta)))
  }

  @Test(
    "a text turn of a relative has the events of the recorded one, in its order",
    arguments: [
      ("azure-text-turn", Dialogue<RealtimeStandIn>.Form.azure), ("xai-text-turn", .xAI),
      ("voicelive-text-turn", .voiceLive),
    ])
  func familyOrder(_ name: String, _ form: Dialogue<RealtimeStandIn>.Form) throws {
    let player = try TranscriptPlayer(recording: name)
    var dialogue = Dialogue.family(form)
    var types = try dialogue.opening.types
    for message in player.messages(.sent) { types += try dialogue.say(message.text).types }
    let recorded = player.messages(.received).map(TranscriptPlayer.kind(of:))
    // When the opening and the pings come is a matter of the network, deltas come in any number.
    let isFixed = { (type: String) in
      !type.hasSuffix(".delta")
        && !["conversation.created", "ping", "rate_limits.updated"].contains(type)
    }
    #expect(types.filter(isFixed) == recorded.filter(isFixed))
    #expect(Set(types).subtracting(["rate_limits.updated"]) == Set(recorded))
  }

  @Test("the session object has the recorded one's keys")
  func openAISession() throws {
    let recorded = try TranscriptPlayer(recording: "openai-text-turn").messages(.received)[0]["session"]
    let own = try Dialogue.openAI().opening.event("session.created")["session"]
    #expect(own?.object?.keys.sorted() == recorded?.object?.keys.sorted())
    #expect(own?["audio"]?["input"] == recorded?["audio"]?["input"])
    #expect(own?["audio"]?["output"] == recorded?["audio"]?["output"])
  }
}

@Suite("The player of recordings")
struct TranscriptPlayerTests {
  private static let interactions = [
    Interaction(direction: .received, message: ["type": "hello"]),
    Interaction(direction: .sent, message: ["realtime_input": [:]]),
    Interaction(direction: .sent, message: ["realtime_input": ["text": "a"]]),
    Interaction(direction: .received, message: ["n": 1]),
    Interaction(direction: .received, message: ["n": 2]),
    Interaction(direction: .sent, message: ["type": "bye"]),
    Interaction(direction: .received, message: nil),
  ]

  @Test("each expected kind releases what came next; other kinds release nothing")
  func play() {
    var player = TranscriptPlayer(interactions: Self.interactions)
    #expect(player.begin() == [["type": "hello"]])
    #expect(player.expectedKind == "realtimeInput")
    #expect(player.sent(["clientContent": [:]]) == [])
    #expect(player.sent(["realtimeInput": ["audio": [:]]]) == [["n": 1], ["n": 2]])
    #expect(player.sent(["realtimeInput": [:]]) == [], "more of the same changes nothing")
    #expect(!player.isFinished)
    #expect(player.sent(["type": "bye"]) == [])
    #expect(player.isFinished)
    #expect(player.expectedKind == nil)
  }
}
