import Envelope
import StandIns
import Testing

@Suite("What the Gemini Live stand-in says, and in which frames")
struct GeminiAnswerTests {
  private typealias Gemini = Dialogue<GeminiLiveStandIn>
  private static let v25 = "models/gemini-2.5-flash-native-audio-latest"
  private static let v31 = "models/gemini-3.1-flash-live-preview"

  private func connect(
    model: String = "models/gemini-3.8-live", more: String = "",
    _ change: (inout GeminiLiveStandIn.Options) -> Void = { _ in }
  ) -> Gemini {
    var options = GeminiLiveStandIn.Options()
    change(&options)
    let platformed = options.platform == .vertex ? #","generationConfig":{"responseModalities":["AUDIO"]}"# : ""
    return Gemini.gemini(
      options, model: model, setUp: #""outputAudioTranscription":{},"inputAudioTranscription":{}\#(platformed)\#(more)"#
    )
  }

  private func audio(_ data: String) -> String {
    #"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=16000","data":"\#(data)"}}}"#
  }

  private var speech: String { audio(TestSound.speech(milliseconds: 300, rate: 16_000)) }
  private var silence: String { audio(TestSound.silence(milliseconds: 800, rate: 16_000)) }
  private static let manual = #","realtimeInputConfig":{"automaticActivityDetection":{"disabled":true}}"#

  @Test("a long story is paced, counts its parts, and can be interrupted")
  func story() throws {
    var dialogue = connect { $0.storyFrames = 40 }
    #expect(dialogue.begin(Gemini.textTurn("Tell me a long story.")).frames.isEmpty)
    #expect(dialogue.script.pause == .milliseconds(30))
    let heard = dialogue.advance(3)
    #expect(try heard.words == "Once upon a time: 1, 2, 3")
    #expect(heard.frames.count == 3)
    let barged = dialogue.begin(speech)
    #expect(try barged.members == ["interrupted", "turnComplete"])
    #expect(dialogue.script.pause == nil)
    #expect(
      try dialogue.say(text: "what was said").words
        == "So far: user: Tell me a long story.; model: Once upon a time: 1, 2, 3", "the rest was never said")
    var whole = connect(model: Self.v25) { $0.storyFrames = 3 }
    let sent = whole.say(text: "tell me a long story")
    #expect(try sent.words == "Once upon a time: 1, 2, 3")
    #expect(
      try sent.members.prefix(4) == ["outputTranscription", "modelTurn", "outputTranscription", "modelTurn"])
  }

  @Test(
    "empty turns, with and without a reason",
    arguments: [
      ("say nothing", nil), (".", nil), ("end with RESPONSE_REJECTED", "RESPONSE_REJECTED"),
      ("end with MALFORMED_FUNCTION_CALL", "MALFORMED_FUNCTION_CALL"),
      ("end with PROHIBITED_INPUT_CONTENT", "PROHIBITED_INPUT_CONTENT"),
      ("end with NEED_MORE_INPUT", "NEED_MORE_INPUT"),
    ] as [(String, String?)])
  func emptyTurns(_ text: String, _ reason: String?) throws {
    var dialogue = connect()
    let messages = try dialogue.say(text: text).messages
    #expect(messages.count == 1)
    let content = messages[0]["serverContent"]
    #expect(content?["turnComplete"]?.bool == true)
    #expect(content?["turnCompleteReason"]?.string == reason)
    #expect(content?["waitingForInput"]?.bool == (reason == "NEED_MORE_INPUT" ? true : nil))
  }

  @Test("a reason after words, no answer at all, and a phantom interruption")
  func oddTurns() throws {
    var dialogue = connect()
    let rejected = dialogue.say(text: "speak and end with GENERATED_CONTENT_SAFETY")
    #expect(try rejected.words == "I begin to say")
    #expect(try !rejected.members.contains("generationComplete"))
    #expect(
      try rejected.messages.last?["serverContent"]?["turnCompleteReason"]?.string == "GENERATED_CONTENT_SAFETY")
    #expect(dialogue.say(text: "stall").frames.isEmpty)
    let phantom = dialogue.say(text: "interrupt yourself")
    #expect(try phantom.members.suffix(2) == ["interrupted", "turnComplete"])
    #expect(try phantom.members.contains("modelTurn"))
  }

  @Test("the connection ends on demand, with a code or without")
  func endings() throws {
    var closed = connect()
    #expect(
      closed.say(text: "close 1011 The service is currently unavailable.").close
        == .close(code: 1011, reason: "The service is currently unavailable."))
    var known = connect()
    #expect(
      known.say(text: "close 1008").close
        == .close(code: 1008, reason: "Operation is not implemented, or supported, or enabled."))
    var window = connect()
    #expect(try window.say(text: "close 5 windows").words == "You said: close 5 windows.")
    var dropped = connect()
    #expect(dropped.say(text: "drop the line").frames == [.abort])
    var midway = connect()
    let sent = midway.say(text: "drop the line while you speak")
    #expect(sent.frames.last == .abort)
    #expect(try sent.members.contains("modelTurn"))
    var refused = connect(
      more: #","systemInstruction":{"parts":[{"text":"close 1011 Token has been used too many times"}]}"#)
    #expect(refused.say(text: "hi").frames.isEmpty, "the set-up was refused")
  }

  @Test("it knows its instructions, tools, voice and pictures, and hears what it is told to hear")
  func answers() throws {
    var dialogue = connect(
      more: #"""
        ,"systemInstruction":{"parts":[{"text":"Be brief"}]},"tools":[{"functionDeclarations":[{"name":"b"},{"name":"a"}]}],
        "generationConfig":{"speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":{"voiceName":"Kore"}}}}
        """#)
    dialogue.say(#"{"realtimeInput":{"video":{"mimeType":"image/png","data":"iVBORw0KGgo="}}}"#)
    for (question, answer) in [
      ("What are your instructions?", "My instructions are: Be brief"), ("what are your tools", "My tools are: a, b."),
      ("what is your voice", "My voice is Kore."), ("what have you seen", "I have seen 1 image."),
      ("[For this reply only: shout]\nwhat is your voice", "My voice is Kore."),
    ] {
      #expect(try dialogue.say(text: question).words == answer)
    }
    dialogue.say(text: "hear what is your voice")
    dialogue.say(speech)
    #expect(try dialogue.say(silence).words == "My voice is Kore.")
  }

  @Test("gemini 4.2: every way of telling an interruption", arguments: GeminiLiveStandIn.Interruption.allCases)
  func interruptions(_ shape: GeminiLiveStandIn.Interruption) throws {
    var dialogue = connect { $0.interruption = shape }
    _ = dialogue.begin(Gemini.textTurn("tell me a long story"))
    let expected =
      switch shape {
      case .separate, .together: ["interrupted", "turnComplete"]
      case .completeFirst: ["turnComplete", "interrupted"]
      }
    let sent = dialogue.begin(speech)
    #expect(try sent.members == expected)
    #expect(sent.frames.count == (shape == .together ? 1 : 2))
  }

  @Test("gemini 4.1: turnComplete waits for the playback, and speech in that time interrupts")
  func playback() throws {
    var dialogue = connect { $0.playbackSpeed = 2 }
    let sent = Sent(frames: dialogue.script.receive(.text(Gemini.textTurn("hi"))))
    #expect(sent.frames.isEmpty)
    while dialogue.script.pause == .zero { _ = dialogue.advance(1) }
    #expect(dialogue.script.pause == .milliseconds(200), "400 ms of sound at twice the speed")
    #expect(try dialogue.begin(speech).members == ["interrupted", "turnComplete"])
  }

  @Test("gemini 4.1: the transcript comes when it is told to", arguments: GeminiLiveStandIn.TranscriptTime.allCases)
  func transcripts(_ time: GeminiLiveStandIn.TranscriptTime) throws {
    var dialogue = connect { $0.transcriptTime = time }
    dialogue.say(speech)
    let members = try dialogue.say(silence).members
    let first = try #require(members.firstIndex(of: "inputTranscription"))
    let last = try #require(members.lastIndex(of: "inputTranscription"))
    let sound = try #require(members.firstIndex(of: "modelTurn"))
    let end = try #require(members.firstIndex(of: "turnComplete"))
    switch time {
    case .before: #expect(last < sound)
    case .during: #expect(sound < first && last < end)
    case .after: #expect(end < first)
    }
  }

  @Test("gemini 3.7: usage comes where it is told to", arguments: GeminiLiveStandIn.UsageTime.allCases)
  func usage(_ time: GeminiLiveStandIn.UsageTime) throws {
    var dialogue = connect { $0.usageTime = time }
    let messages = try dialogue.say(text: "hi").messages
    let index = messages.firstIndex { $0["usageMetadata"] != nil }
    let complete = try #require(messages.firstIndex { $0["serverContent"]?["generationComplete"] != nil })
    let end = try #require(messages.firstIndex { $0["serverContent"]?["turnComplete"] != nil })
    switch time {
    case .withTurn: #expect(index == end)
    case .early: #expect(try #require(index) < complete)
    case .alone: #expect(index == complete + 1 && end == complete + 2)
    case .late: #expect(index == end + 1)
    case .twice:
      let counts = messages.compactMap { $0["usageMetadata"]?["responseTokenCount"]?.int }
      #expect(try #require(index) < complete)
      #expect(counts == [5, 10])
    case .none: #expect(index == nil)
    }
  }

  @Test("usage counts the whole context again in every turn, by modality")
  func context() throws {
    var dialogue = connect(more: #","systemInstruction":{"parts":[{"text":"one two three"}]}"#)
    let prompt = { (sent: Sent) in try sent.messages.last?["usageMetadata"]?["promptTokenCount"]?.int }
    #expect(try prompt(dialogue.say(text: "four five")) == 5)
    #expect(try prompt(dialogue.say(text: "six")) == 10, "and the four words of the first answer")
    dialogue.say(speech)
    let details = try dialogue.say(silence).messages.last?["usageMetadata"]?["promptTokensDetails"]?.array
    #expect(details?.last == ["modality": "AUDIO", "tokenCount": 50])
  }

  @Test("spoken turns are heard as several phrases in turn")
  func phrases() throws {
    var dialogue = connect { $0.transcription = "one|call me | two" }
    for words in ["You said: one.", "You said: call me.", "You said: two.", "You said: one."] {
      dialogue.say(speech)
      #expect(try dialogue.say(silence).words == words)
    }
  }

  @Test("interim transcripts grow; unsolicited ones come without being asked for")
  func unsolicited() throws {
    var dialogue = connect { $0.sendsInterimTranscripts = true }
    dialogue.say(speech)
    let interim = try dialogue.say(silence).messages.compactMap {
      $0["serverContent"]?["interimInputTranscription"]?["text"]?.string
    }
    #expect(interim == ["what time", "what time is it"])
    var options = GeminiLiveStandIn.Options()
    options.isUnsolicited = true
    var bare = Gemini.gemini(options)
    bare.say(speech)
    let sent = bare.say(silence)
    #expect(try sent.members.contains("inputTranscription"))
    #expect(try sent.members.contains("outputTranscription"))
    #expect(try sent.handle != nil)
  }

  @Test("gemini 3.2: a search leaves its code, its result and where the answer is from")
  func grounding() throws {
    var dialogue = connect(more: #","tools":[{"googleSearch":{}}]"#)
    let messages = try dialogue.say(text: "hi").messages
    let parts = messages.flatMap { $0["serverContent"]?["modelTurn"]?["parts"]?.array ?? [] }
    #expect(parts.contains { $0["executableCode"] != nil })
    #expect(parts.contains { $0["codeExecutionResult"] != nil })
    let grounding = messages.compactMap { $0["serverContent"]?["groundingMetadata"] }
    #expect(grounding.first?["groundingChunks"]?[0]?["web"]?["title"] == "Tones")
  }

  @Test("gemini 4.3: manual windows interrupt, are acknowledged, and can begin with a spurious interruption")
  func windows() throws {
    let start = #"{"realtimeInput":{"activityStart":{}}}"#
    var dialogue = connect(more: Self.manual) { $0.announcesVoiceActivity = true }
    _ = dialogue.begin(Gemini.textTurn("tell me a long story"))
    #expect(try dialogue.begin(start).members == ["voiceActivity", "interrupted", "turnComplete"])
    #expect(dialogue.say(text: "hello").frames.isEmpty, "an open window blocks the model")
    dialogue.say(speech)
    let end = dialogue.say(#"{"realtimeInput":{"activityEnd":{}}}"#)
    #expect(try end.words == "You said: what time is it.You said: hello.")
    var spurious = connect(more: Self.manual) { $0.sendsSpuriousInterruptions = true }
    #expect(try spurious.say(start).members == ["interrupted", "turnComplete"])
    let alarm = try #require(spurious.script.takeAlarms().last)
    #expect(
      Sent(frames: spurious.script.ring(alarm)).close
        == .close(code: 1011, reason: "Deadline expired before operation could complete."))
  }

  @Test(
    "gemini 2.4: 3.1 loses the audio of manual turns unless the coverage is stated; audio outside of windows is lost")
  func lostAudio() throws {
    for (coverage, isHeard) in [("", false), (#","turnCoverage":"TURN_INCLUDES_ALL_INPUT""#, true)] {
      var dialogue = connect(
        model: Self.v31,
        more: #","realtimeInputConfig":{"automaticActivityDetection":{"disabled":true}\#(coverage)}"#)
      dialogue.say(speech)
      #expect(dialogue.script.summary?["discardedAudioBytes"]?.int == 9_600)
      dialogue.say(#"{"realtimeInput":{"activityStart":{}}}"#)
      dialogue.say(speech)
      #expect(dialogue.say(#"{"realtimeInput":{"activityEnd":{}}}"#).frames.isEmpty != isHeard)
    }
  }

  @Test("gemini 1.4: translation without a target language is silent; transcription answers nothing")
  func specialists() throws {
    for (config, isSilent) in [
      ("", true), (#","generationConfig":{"translationConfig":{"targetLanguageCode":"de"}}"#, false),
    ] {
      var dialogue = connect(model: "models/gemini-3.5-live-translate-preview", more: config)
      let messages = try dialogue.say(text: "hi").messages
      let parts = messages.flatMap { $0["serverContent"]?["modelTurn"]?["parts"]?.array ?? [] }
      let sound = parts.compactMap { $0["inlineData"]?["data"]?.string }
      #expect(sound.allSatisfy { $0.allSatisfy { $0 == "A" } } == isSilent)
    }
    var scribe = connect(
      model: "models/gemini-3.5-transcribe-live", more: #","generationConfig":{"responseModalities":["TEXT"]}"#)
    scribe.say(speech)
    #expect(try Set(scribe.say(silence).members) == ["inputTranscription"])
  }

  @Test("2.5 knows context only when a turn is complete; 3.8 at once")
  func context25() throws {
    for (model, words) in [(Self.v25, "I heard nothing."), ("models/gemini-3.8-live", "I heard: my name is Ada.")] {
      var dialogue = connect(model: model) { $0.transcription = "what did i say" }
      dialogue.say(#"{"clientContent":{"turns":[{"role":"user","parts":[{"text":"my name is Ada"}]}]}}"#)
      dialogue.say(speech)
      #expect(try dialogue.say(silence).words == words)
    }
    var completed = connect(model: Self.v25) { $0.transcription = "what did i say" }
    completed.say(
      #"{"clientContent":{"turns":[{"role":"user","parts":[{"text":"my name is Ada"}]}],"turnComplete":true}}"#)
    completed.say(speech)
    #expect(try completed.say(silence).words == "I heard: my name is Ada.")
  }

  @Test("gemini 2.8, 1.7: instructions change by contextUpdate, and by a system turn on Vertex 2.5")
  func changes() throws {
    var dialogue = connect { $0.takesContextUpdate = true }
    let update = #"""
      {"contextUpdate":{"systemInstruction":{"parts":[{"text":"Be loud"}]},
      "tools":{"tools":[{"functionDeclarations":[{"name":"f"}]}]}}}
      """#
    #expect(dialogue.say(update).frames.isEmpty)
    #expect(try dialogue.say(text: "what are your instructions").words == "My instructions are: Be loud")
    #expect(try dialogue.say(text: "what are your tools").words == "My tools are: f.")
    var vertex = connect(model: "publishers/google/models/gemini-live-2.5-flash") { $0.platform = .vertex }
    vertex.say(#"{"clientContent":{"turns":[{"role":"system","parts":[{"text":"Be calm"}]}],"turnComplete":false}}"#)
    #expect(try vertex.say(text: "what are your instructions").words == "My instructions are: Be calm")
  }

  @Test("an open turn holds back the answer to speech where the option says so")
  func openTurn() throws {
    var dialogue = connect { $0.holdsSpeechForOpenTurn = true }
    dialogue.say(#"{"clientContent":{"turnComplete":false}}"#)
    dialogue.say(speech)
    #expect(try Set(dialogue.say(silence).members) == ["inputTranscription"])
    #expect(try dialogue.say(text: "hi").members.contains("modelTurn"))
  }

  @Test("explicit signals of voice activity on Vertex")
  func explicitSignals() throws {
    var dialogue = connect(
      model: "publishers/google/models/gemini-live-2.5-flash", more: #","explicitVadSignal":true"#
    ) { $0.platform = .vertex }
    #expect(
      try dialogue.say(speech).messages
        == [["voiceActivityDetectionSignal": ["vadSignalType": "VAD_SIGNAL_TYPE_SOS"]]])
  }
}
