import Envelope
import StandIns
import Testing

/// Everything that the stand-in can say, in every shape, beside the table of what the service sends.
@Suite("The Gemini Live stand-in's own frames")
struct GeminiOwnFramesTests {
  struct Place: Sendable, CustomTestStringConvertible {
    var model: String
    var isVertex = false
    var generation = ""
    var testDescription: String { model }
  }

  static let places = [
    Place(model: "models/gemini-2.5-flash-native-audio-latest"), Place(model: "models/gemini-3.1-flash-live-preview"),
    Place(model: "models/gemini-3.8-live"),
    Place(
      model: "models/gemini-3.8-live-extended-thinking", generation: #","thinkingConfig":{"thinkingLevel":"LOW"}"#),
    Place(model: "publishers/google/models/gemini-live-2.5-flash", isVertex: true),
    Place(model: "publishers/google/models/gemini-3.8-live", isVertex: true),
  ]

  private static let texts = [
    "hello", "call nothing", "tell me a long story", "say nothing", "end with RESPONSE_REJECTED",
    "end with NEED_MORE_INPUT", "speak and end with GENERATED_OTHER", "think hard", "interrupt yourself",
    "what was said", "go away", "call f and g",
  ]

  @Test("every frame has only fields that the service sends", arguments: places)
  func frames(_ place: Place) throws {
    for (index, usage) in GeminiLiveStandIn.UsageTime.allCases.enumerated() {
      let shapes = GeminiLiveStandIn.Interruption.allCases
      var options = GeminiLiveStandIn.Options()
      options.platform = place.isVertex ? .vertex : .aiStudio
      options.usageTime = usage
      options.interruption = shapes[index % shapes.count]
      options.showsThoughts = true
      options.announcesVoiceActivity = true
      options.sendsInterimTranscripts = true
      options.storyFrames = 3
      try check(options, place)
    }
  }

  private func check(_ options: GeminiLiveStandIn.Options, _ place: Place) throws {
    var dialogue = Dialogue.gemini(
      options, model: place.model,
      setUp: #"""
        "inputAudioTranscription":{},"outputAudioTranscription":{},"sessionResumption":{},
        "tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"}]}],
        "generationConfig":{"responseModalities":["AUDIO"]\#(place.generation)}
        """#)
    var frames: [Sent] = []
    for text in Self.texts { frames.append(dialogue.say(text: text)) }
    for data in [TestSound.speech(milliseconds: 300, rate: 16_000), TestSound.silence(milliseconds: 900, rate: 16_000)]
    {
      let blob = #"{"mimeType":"audio/pcm;rate=16000","data":"\#(data)"}"#
      frames.append(dialogue.begin(Dialogue.textTurn("tell me a long story")))
      frames.append(dialogue.say(#"{"realtimeInput":{"audio":\#(blob)}}"#))
    }
    for sent in frames {
      #expect(sent.close == nil)
      for message in try sent.messages {
        #expect(try GeminiFields.server.canonical(message, as: "ServerMessage") == message)
      }
    }
    #expect(frames.reduce(0) { $0 + $1.frames.count } > 50)
  }
}
