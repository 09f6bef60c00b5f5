import Envelope
import StandIns
import Testing

@Suite("The Gemini Live stand-in in dialogue")
struct GeminiDialogueTests {
  private func audio(_ data: String, rate: Int = 16_000) -> String {
    #"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=\#(rate)","data":"\#(data)"}}}"#
  }

  @Test("the set-up is answered by setupComplete, binary and pretty-printed")
  func setUp() {
    var dialogue = Dialogue.gemini(setUp: nil)
    #expect(dialogue.opening.frames.isEmpty)
    let sent = dialogue.say(#"{"setup":{"model":"models/gemini-3.8-live"}}"#)
    #expect(sent.frames == [.binary("{\n  \"setupComplete\": {}\n}\n")])
  }

  @Test("a resumable session gets a handle after the set-up and after each turn")
  func handles() throws {
    var dialogue = Dialogue.gemini(setUp: nil)
    let opened = try dialogue.say(#"{"setup":{"model":"models/gemini-3.8-live","sessionResumption":{}}}"#).messages
    #expect(opened.last?["sessionResumptionUpdate"]?["newHandle"]?.string == "5f0c1c5e-0001")
    let turn = try dialogue.say(#"{"realtimeInput":{"text":"hi"}}"#).messages
    #expect(turn.first == ["sessionResumptionUpdate": ["resumable": false]])
    #expect(turn.last?["sessionResumptionUpdate"]?["newHandle"]?.string == "5f0c1c5e-0002")
    #expect(turn.dropLast().last?["serverContent"]?["turnComplete"]?.bool == true)
  }

  @Test(
    "a text turn is answered by sound, words in chunks, both ends of the turn, and usage",
    arguments: [
      #"{"clientContent":{"turns":[{"role":"user","parts":[{"text":"Hello there my friend"}]}],"turnComplete":true}}"#,
      #"{"client_content":{"turns":[{"role":"user","parts":[{"text":"Hello there my friend"}]}],"turnComplete":true}}"#,
      #"{"realtimeInput":{"text":"Hello there my friend"}}"#,
    ])
  func textTurn(_ message: String) throws {
    var dialogue = Dialogue.gemini(setUp: #""outputAudioTranscription":{}"#)
    let messages = try dialogue.say(message).messages
    let contents = messages.compactMap { $0["serverContent"] }
    let words = contents.compactMap { $0["outputTranscription"]?["text"]?.string }
    #expect(words.count == 3)
    #expect(words.joined() == "You said: Hello there my friend.")
    let parts = contents.flatMap { $0["modelTurn"]?["parts"]?.array ?? [] }
    let sound = parts.compactMap { $0["inlineData"]?["data"]?.string }
    #expect(sound == StandInSound.parts.map { TestSound.base64($0) })
    #expect(contents[0]["modelTurn"]?["parts"]?.array?.count == 2, "several parts in a frame")
    #expect(messages.contains([:]), "a bare {} frame while generating")
    let last = Array(messages.suffix(2))
    #expect(last[0] == ["serverContent": ["generationComplete": true]])
    #expect(last[1]["serverContent"] == ["turnComplete": true])
    #expect(last[1]["usageMetadata"]?["promptTokenCount"]?.int == 4)
    #expect(last[1]["usageMetadata"]?["totalTokenCount"]?.int == 14)
  }

  @Test("2.5 models send one part a frame")
  func onePartAFrame() throws {
    var dialogue = Dialogue.gemini(
      model: "models/gemini-2.5-flash-native-audio-latest", setUp: #""outputAudioTranscription":{}"#)
    let contents = try dialogue.say(#"{"realtimeInput":{"text":"hi"}}"#).messages.compactMap { $0["serverContent"] }
    let counts = contents.map {
      ($0["modelTurn"]?["parts"]?.array?.count ?? 0) + ($0["outputTranscription"] == nil ? 0 : 1)
    }
    #expect(counts.max() == 1)
  }

  @Test("transcripts come only if asked for")
  func noTranscripts() throws {
    var dialogue = Dialogue.gemini()
    let messages = try dialogue.say(#"{"realtimeInput":{"text":"hi"}}"#).messages
    #expect(!messages.contains { $0["serverContent"]?["outputTranscription"] != nil })
  }

  @Test("thought parts come when the option asks for them, marked and first")
  func thoughts() throws {
    var options = GeminiLiveStandIn.Options()
    options.showsThoughts = true
    var dialogue = Dialogue.gemini(options)
    let messages = try dialogue.say(#"{"realtimeInput":{"text":"hi"}}"#).messages
    #expect(messages[0]["serverContent"]?["modelTurn"]?["parts"]?[0]?["thought"]?.bool == true)
    #expect(messages.last?["usageMetadata"]?["thoughtsTokenCount"]?.int == 6)
  }

  @Test("speech, then the configured silence, is a turn", arguments: [16_000, 24_000, 8_000])
  func spokenTurn(_ rate: Int) throws {
    var dialogue = Dialogue.gemini(
      setUp: #"""
        "inputAudioTranscription":{},
        "realtimeInputConfig":{"automaticActivityDetection":{"silenceDurationMs":200}}
        """#)
    #expect(dialogue.say(audio(TestSound.speech(milliseconds: 300, rate: rate), rate: rate)).frames.isEmpty)
    #expect(dialogue.say(audio(TestSound.silence(milliseconds: 190, rate: rate), rate: rate)).frames.isEmpty)
    let messages = try dialogue.say(audio(TestSound.silence(milliseconds: 10, rate: rate), rate: rate)).messages
    let heard = messages.compactMap { $0["serverContent"]?["inputTranscription"]?["text"]?.string }
    #expect(heard == [" what time", " is it"])
    #expect(messages.last?["serverContent"]?["turnComplete"]?.bool == true)
  }

  @Test("the rate may change from one message to the next")
  func changingRate() throws {
    var dialogue = Dialogue.gemini()
    for rate in [24_000, 8_000, 48_000, 16_000] {
      #expect(dialogue.say(audio(TestSound.silence(milliseconds: 5, rate: rate), rate: rate)).frames.isEmpty)
      #expect(dialogue.say(audio(TestSound.speech(milliseconds: 300, rate: rate), rate: rate)).frames.isEmpty)
      #expect(!dialogue.say(audio(TestSound.silence(milliseconds: 900, rate: rate), rate: rate)).frames.isEmpty)
    }
  }

  @Test("audioStreamEnd ends the speech in progress; without speech it ends nothing")
  func audioStreamEnd() throws {
    var dialogue = Dialogue.gemini()
    #expect(dialogue.say(#"{"realtimeInput":{"audioStreamEnd":true}}"#).frames.isEmpty)
    dialogue.say(audio(TestSound.speech(milliseconds: 100, rate: 16_000)))
    let messages = try dialogue.say(#"{"realtimeInput":{"audioStreamEnd":true}}"#).messages
    #expect(messages.last?["serverContent"]?["turnComplete"]?.bool == true)
  }

  @Test("speech during an answer interrupts it: interrupted, then turnComplete, no generationComplete")
  func bargeIn() throws {
    var options = GeminiLiveStandIn.Options()
    options.answerInterval = .milliseconds(20)
    var dialogue = Dialogue.gemini(options)
    #expect(dialogue.begin(#"{"realtimeInput":{"text":"hi"}}"#).frames.isEmpty)
    #expect(try dialogue.advance(2).messages.count == 2)
    let messages = try dialogue.begin(audio(TestSound.speech(milliseconds: 100, rate: 16_000))).messages
    #expect(messages.count == 2)
    #expect(messages[0] == ["serverContent": ["interrupted": true]])
    #expect(messages[1]["serverContent"] == ["turnComplete": true])
    #expect(dialogue.script.pause == nil, "nothing of the answer is left")
  }

  @Test("NO_INTERRUPTION lets the answer go on")
  func noInterruption() throws {
    var options = GeminiLiveStandIn.Options()
    options.answerInterval = .milliseconds(20)
    var dialogue = Dialogue.gemini(
      options, setUp: #""realtimeInputConfig":{"activityHandling":"NO_INTERRUPTION"}"#)
    _ = dialogue.begin(#"{"realtimeInput":{"text":"hi"}}"#)
    #expect(dialogue.begin(audio(TestSound.speech(milliseconds: 100, rate: 16_000))).frames.isEmpty)
    #expect(dialogue.script.pause == .milliseconds(20))
  }

  @Test("a manual turn is answered at activityEnd")
  func manualTurn() throws {
    var dialogue = Dialogue.gemini(
      setUp: #""realtimeInputConfig":{"automaticActivityDetection":{"disabled":true}}"#)
    dialogue.say(#"{"realtimeInput":{"activityStart":{}}}"#)
    #expect(dialogue.say(audio(TestSound.silence(milliseconds: 100, rate: 16_000))).frames.isEmpty)
    let messages = try dialogue.say(#"{"realtimeInput":{"activityEnd":{}}}"#).messages
    #expect(messages.last?["serverContent"]?["turnComplete"]?.bool == true)
  }

  @Test("clientContent without turnComplete waits, and breaks off an answer")
  func waiting() throws {
    var options = GeminiLiveStandIn.Options()
    options.answerInterval = .milliseconds(20)
    var dialogue = Dialogue.gemini(options)
    #expect(dialogue.say(#"{"clientContent":{"turns":[{"role":"user","parts":[{"text":"a"}]}]}}"#).frames.isEmpty)
    _ = dialogue.begin(#"{"clientContent":{"turnComplete":true}}"#)
    let cancelled = try dialogue.begin(#"{"clientContent":{"turnComplete":false}}"#).messages
    #expect(cancelled.first == ["serverContent": ["interrupted": true]])
  }

  @Test("announced history is taken without an answer")
  func history() {
    var dialogue = Dialogue.gemini(setUp: #""historyConfig":{"initialHistoryInClientContent":true}"#)
    let history = #"{"clientContent":{"turns":[{"role":"user","parts":[{"text":"a"}]}],"turnComplete":true}}"#
    #expect(dialogue.say(history).frames.isEmpty)
    #expect(!dialogue.say(history).frames.isEmpty)
  }

  @Test("Vertex names its usage fields otherwise and has a session id")
  func vertex() throws {
    var options = GeminiLiveStandIn.Options()
    options.platform = .vertex
    var dialogue = Dialogue.gemini(options, setUp: nil)
    let opened = try dialogue.say(GeminiVectors.setUpVertex).messages
    #expect(opened[0]["setupComplete"]?["sessionId"]?.string == "standin-session")
    let messages = try dialogue.say(#"{"realtimeInput":{"text":"hi"}}"#).messages
    #expect(messages.last?["usageMetadata"]?["candidatesTokenCount"]?.int == 10)
  }

  @Test("every frame has only fields that the service sends")
  func ownFrames() throws {
    var options = GeminiLiveStandIn.Options()
    options.showsThoughts = true
    options.announcesVoiceActivity = true
    var dialogue = Dialogue.gemini(
      options, setUp: #""inputAudioTranscription":{},"outputAudioTranscription":{},"sessionResumption":{}"#)
    var messages = try dialogue.say(#"{"realtimeInput":{"text":"hi"}}"#).messages
    messages += try dialogue.say(audio(TestSound.speech(milliseconds: 300, rate: 16_000))).messages
    messages += try dialogue.say(audio(TestSound.silence(milliseconds: 900, rate: 16_000))).messages
    #expect(messages.filter { $0["voiceActivity"] != nil }.count == 2)
    for message in messages {
      #expect(try GeminiFields.server.canonical(message, as: "ServerMessage") == message)
    }
  }

  @Test("every worked exchange of the wire reference is accepted", arguments: GeminiVectors.exchanges.map(\.name))
  func workedExchanges(_ name: String) throws {
    let exchange = try #require(GeminiVectors.exchanges.first { $0.name == name })
    var options = GeminiLiveStandIn.Options()
    options.platform = exchange.isVertex ? .vertex : .aiStudio
    // The exchanges begin in the middle of conversations.
    options.ignoresUnknownCalls = true
    options.takesContextUpdate = true
    let memory = GeminiMemory()
    var before = Dialogue.gemini(options, setUp: exchange.isVertex ? nil : #""sessionResumption":{}"#, memory: memory)
    for _ in 2..<10 where !exchange.isVertex { before.say(#"{"realtimeInput":{"text":"hi"}}"#) }
    before.script.connectionEnded()
    var dialogue = Dialogue.gemini(options, setUp: nil, memory: memory)
    for frame in [exchange.setUp].compactMap({ $0 }) + exchange.frames {
      let sent = dialogue.say(frame)
      #expect(sent.close == nil, "\(frame)")
      guard frame.contains("\"setup\"") else { continue }
      #expect(try sent.messages.first?["setupComplete"] != nil)
    }
  }
}
