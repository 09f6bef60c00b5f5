import Envelope
import StandIns
import Testing

@Suite("The Gemini Live stand-in's sessions and connections")
struct GeminiResumptionTests {
  private typealias Gemini = Dialogue<GeminiLiveStandIn>

  private let memory = GeminiMemory()

  private func connect(
    _ setUp: String = #""sessionResumption":{}"#, model: String = "models/gemini-3.8-live",
    _ options: GeminiLiveStandIn.Options = .init()
  ) -> (dialogue: Gemini, opened: Sent) {
    var dialogue = Gemini.gemini(options, setUp: nil, memory: memory)
    let transcribed = #""outputAudioTranscription":{},"#
    let opened = dialogue.say(#"{"setup":{"model":"\#(model)",\#(transcribed)\#(setUp)}}"#)
    return (dialogue, opened)
  }

  private func resume(
    _ handle: String, model: String = "models/gemini-3.8-live", _ options: GeminiLiveStandIn.Options = .init()
  ) -> (dialogue: Gemini, opened: Sent) {
    connect(#""sessionResumption":{"handle":"\#(handle)"}"#, model: model, options)
  }

  @Test("gemini 4.6: a resumed connection has the old conversation, up to the handle")
  func conversation() throws {
    var (first, opened) = connect(#""sessionResumption":{},"systemInstruction":{"parts":[{"text":"Be kind"}]}"#)
    #expect(try opened.handle == "5f0c1c5e-0001")
    let known = try #require(try first.say(text: "my name is Ada").handle)
    #expect(try first.say(text: "what are your instructions").words == "My instructions are: Be kind")
    first.say(text: "and this is lost")
    first.script.connectionEnded()

    var (second, again) = resume(known)
    #expect(again.close == nil)
    #expect(try second.say(text: "what did I say").words == "I heard: my name is Ada.")
    #expect(
      try second.say(text: "what was said").words
        == "So far: user: my name is Ada; model: You said: my name is Ada.; user: what did I say; "
        + "model: I heard: my name is Ada.")
    // The set-up of the connection holds, not the one of the session.
    #expect(try second.say(text: "what are your instructions").words == "I have no instructions.")
    second.script.connectionEnded()
    var (fresh, _) = connect()
    #expect(try fresh.say(text: "what did I say").words == "I heard nothing.")
  }

  @Test("gemini 3.9: an unknown handle, a handle of a connected session, and another model")
  func refusals() throws {
    #expect(resume("5f0c1c5e-0001").opened.close == .close(code: 1008, reason: "Requested entity was not found."))
    var (first, opened) = connect()
    let handle = try #require(try opened.handle)
    #expect(resume(handle).opened.close == .close(code: 1011, reason: "Internal error occurred."))
    first.script.connectionEnded()
    #expect(
      resume(handle, model: "models/gemini-3.1-flash-live-preview").opened.close
        == .close(code: 1007, reason: "Request contains an invalid argument."))
    #expect(resume(handle).opened.close == nil)
  }

  @Test("a connection that the service ended is over at once, and its end does not end the next")
  func endedByService() throws {
    var (first, opened) = connect()
    let handle = try #require(try opened.handle)
    first.say(text: "close 1011")
    #expect(resume(handle).opened.close == nil)
    first.script.connectionEnded()
    #expect(resume(handle).opened.close == .close(code: 1011, reason: "Internal error occurred."))
  }

  @Test("handles can be forgotten, and a resumption can fail once")
  func broken() throws {
    var (first, opened) = connect()
    let handle = try #require(try opened.handle)
    first.say(text: "fail my next resumption")
    first.script.connectionEnded()
    #expect(resume(handle).opened.close == .close(code: 1011, reason: "Internal error occurred."))
    var (second, again) = resume(handle)
    #expect(again.close == nil)
    #expect(try second.say(text: "forget my handles").handle == nil)
    second.script.connectionEnded()
    #expect(resume(handle).opened.close == .close(code: 1008, reason: "Requested entity was not found."))
  }

  @Test("gemini 3.6: while generating and in a call a session is not resumable")
  func notResumable() throws {
    var (dialogue, _) = connect(
      #""sessionResumption":{},"tools":[{"functionDeclarations":[{"name":"f","behavior":"BLOCKING"}]}]"#)
    let messages = try dialogue.say(text: "call f").messages
    #expect(messages.first == ["sessionResumptionUpdate": ["resumable": false]])
    #expect(!messages.contains { $0["sessionResumptionUpdate"]?["newHandle"] != nil })
    let ids = messages.compactMap { $0["toolCall"]?["functionCalls"]?[0]?["id"]?.string }
    let id = try #require(ids.first)
    let sent = dialogue.say(#"{"toolResponse":{"functionResponses":[{"id":"\#(id)","name":"f","response":{}}]}}"#)
    #expect(try sent.handle != nil)
  }

  @Test("transparent resumption is for Vertex, and counts messages")
  func transparent() throws {
    var options = GeminiLiveStandIn.Options()
    options.platform = .vertex
    let members = #""generationConfig":{"responseModalities":["AUDIO"]},"sessionResumption":{"transparent":true}"#
    var dialogue = Gemini.gemini(options, model: "publishers/google/models/gemini-live-2.5-flash", setUp: members)
    let update = try dialogue.say(text: "hi").messages.last?["sessionResumptionUpdate"]
    #expect(update?["lastConsumedClientMessageIndex"]?.string == "2")
    #expect(
      connect(#""sessionResumption":{"transparent":true}"#).opened.close
        == .close(
          code: 1007,
          reason:
            #"Invalid JSON payload received. Unknown name "transparent" at 'setup.session_resumption': Cannot find field."#
        ))
  }

  @Test("gemini 3.5: goAway when its time has come, then the end without a close frame")
  func goAway() throws {
    var options = GeminiLiveStandIn.Options()
    options.goAwayAfter = .seconds(540)
    options.timeLeft = .milliseconds(50_500)
    options.connectionLifetime = .seconds(600)
    var (dialogue, _) = connect(#""sessionResumption":{}"#, options)
    let alarms = dialogue.script.takeAlarms()
    #expect(alarms == [StandInAlarm("goAway", after: .seconds(540)), StandInAlarm("abort", after: .seconds(600))])
    #expect(dialogue.script.takeAlarms().isEmpty)
    let sent = Sent(frames: dialogue.script.ring(alarms[0]))
    #expect(try sent.messages == [["goAway": ["timeLeft": "50.500s"]]])
    #expect(dialogue.script.takeAlarms() == [StandInAlarm("abort", after: .milliseconds(50_500))])
    #expect(dialogue.say(text: "hi").frames.count > 3, "the session goes on")
    #expect(dialogue.script.ring(StandInAlarm("abort", after: .zero)) == [.abort])
    #expect(dialogue.say(text: "hi").frames.isEmpty)
  }

  @Test("goAway on demand, and silence after it")
  func silence() throws {
    var options = GeminiLiveStandIn.Options()
    options.isSilentAfterGoAway = true
    var (dialogue, _) = connect(#""sessionResumption":{}"#, options)
    #expect(try dialogue.say(text: "go away").messages.last == ["goAway": ["timeLeft": "10s"]])
    #expect(dialogue.say(text: "are you there").frames.isEmpty)
  }

  @Test("a result for a call of an earlier connection is ignored, one for no call at all closes")
  func oldCalls() throws {
    let declared = #""tools":[{"functionDeclarations":[{"name":"f","behavior":"BLOCKING"}]}]"#
    var (first, opened) = connect(#""sessionResumption":{},\#(declared)"#)
    let handle = try #require(try opened.handle)
    let calls = try first.say(text: "call f").messages.compactMap { $0["toolCall"]?["functionCalls"]?[0] }
    let id = try #require(calls.first?["id"]?.string)
    first.script.connectionEnded()
    var (second, _) = resume(handle)
    let result = { (id: String) in
      #"{"toolResponse":{"functionResponses":[{"id":"\#(id)","name":"f","response":{}}]}}"#
    }
    #expect(second.say(result(id)).frames.isEmpty)
    #expect(second.say(result("fc_0")).close == .close(code: 1008, reason: "Requested entity was not found."))
  }

  @Test("the audio of all connections is counted")
  func tally() throws {
    for _ in 0..<2 {
      var (dialogue, _) = connect()
      let data = TestSound.silence(milliseconds: 100, rate: 24_000)
      dialogue.say(#"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=24000","data":"\#(data)"}}}"#)
      #expect(dialogue.script.summary?["audioBytes"]?.int == 4_800)
      #expect(dialogue.script.summary?["audioMilliseconds"]?.int == 100)
    }
    #expect(memory.audioBytes == 9_600)
  }
}
