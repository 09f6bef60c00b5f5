import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// What is deleted, cut or put in between really leaves the service: a fresh session is told the conversation as it is.
@Suite struct GeminiSurvivalOfMemory {
  typealias Call = GeminiCall
  typealias Survival = GeminiSurvival

  @Test("R145 R270: a deleted item leaves the service: a fresh session without the handle is told the rest")
  func deleted() {
    var call = Survival.spoken()
    let step = call.client(Survival.delete("ada"))
    #expect(step.types == ["conversation.item.deleted"] && step.dials == 1)
    let opened = call.upstreamOpens()
    #expect(opened.setUp?["sessionResumption"] == [:])
    let told = call.upstream(Call.setupComplete).upstream
    #expect(told == [["clientContent": ["turns": Call.turns(("model", "Yes.")), "turnComplete": false]]])
    // A handle that is given from here on is of the new session.
    _ = call.upstream(#"{"sessionResumptionUpdate":{"newHandle":"handle-2","resumable":true}}"#)
    _ = call.upstream(Survival.goAway("50s"))
    #expect(call.upstreamOpens().setUp?["sessionResumption"] == ["handle": "handle-2"])
  }

  @Test("R145 R270: a deletion in a response holds for the next response, and no old handle is taken again")
  func deletedInResponse() {
    var call = Survival.spoken()
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    #expect(call.client(Survival.delete("ada")).dials == 0)
    _ = call.upstream(Call.handle)
    #expect(call.answer().dials == 1)
    let told = call.reconnect()
    #expect(told.setUp?["sessionResumption"] == [:])
    #expect(!told.upstream.contains { $0.text.contains("Ada") })
  }

  @Test("R145: a deletion while the connection resumes makes that one stale: nothing is asked of it")
  func deletedWhileResuming() {
    var call = Survival.spoken()
    _ = call.upstream(Survival.goAway("50s"))
    _ = call.client(Survival.delete("ada"))
    // Nothing was sent yet: this connection is a fresh one already.
    #expect(call.upstreamOpens().setUp?["sessionResumption"] == [:])
    #expect(call.upstream(Call.setupComplete).upstream.count == 1)

    call = Survival.spoken()
    _ = call.upstream(Survival.goAway("50s"))
    #expect(call.upstreamOpens().setUp?["sessionResumption"] == ["handle": "handle-1"])
    _ = call.client(Survival.delete("ada"))
    _ = call.client(Call.create)
    let step = call.upstream(Call.setupComplete)
    #expect(step.upstream.isEmpty && step.dials == 1)
    let told = call.reconnect().upstream
    #expect(told.map { $0["clientContent"]?["turnComplete"] } == [nil, false, true])
    #expect(!told.contains { $0.text.contains("Ada") })
  }

  @Test("R149: what a gate deletes before the model is asked never reaches it, spoken or written")
  func gate() {
    var call = Call.ready(Call.live38, #""audio":{"input":{"turn_detection":null}}"#)
    _ = call.client(Call.append(ms: 200))
    let item = call.client(Call.commit).event("input_audio_buffer.committed")?["item_id"]?.string ?? ""
    _ = call.client(Call.text("A bad word.", id: "bad"))
    _ = call.client(Call.text("Hello", id: "good"))
    #expect(call.client(Survival.delete(item)).dials == 0, "it was never told")
    _ = call.client(Survival.delete("bad"))
    let sent = call.client(Call.create).upstream
    #expect(sent == [["clientContent": ["turns": Call.turns(("user", "Hello")), "turnComplete": true]]])
  }

  @Test("R145: what is deleted while its answer is awaited is not told to another connection")
  func deletedRequest() {
    var call = Survival.spoken()
    _ = call.client(Call.text("A secret.", id: "secret"))
    _ = call.client(Call.create)
    _ = call.client(Survival.delete("secret"))
    _ = call.upstreamEnds(.lost)
    #expect(!call.reconnect().upstream.contains { $0.text.contains("secret") })
  }

  @Test("gemini 5.5: what was not heard of an answer leaves the service, in proportion")
  func truncated() {
    var call = Call.ready()
    _ = call.client(Call.create)
    _ = call.upstream(Call.speech(ms: 1_000))
    _ = call.upstream(Call.said("one two three four"))
    _ = call.upstream(Call.complete)
    let item = call.upstream(Call.end).response?["output"]?[0]?["id"]?.string ?? ""
    let step = call.client(Survival.truncate(item, ms: 500))
    #expect(step.types == ["conversation.item.truncated"] && step.dials == 1)
    let told = call.reconnect().upstream
    #expect(told.last?["clientContent"]?["turns"] == Call.turns(("model", "one two")))
  }

  @Test(
    "gemini 5.5: a client that cuts what it did not hear when the user speaks into it loses nothing of the user's speech"
  )
  func truncatedInSpeech() {
    var call = Call.ready(Call.live38, Survival.transcribed)
    _ = call.client(Call.create)
    _ = call.upstream(Call.speech(ms: 4_000))
    _ = call.upstream(Call.said("one two three four"))
    let item = call.history.last { $0["item_id"] != nil }?["item_id"]?.string ?? ""
    let spoken = (0..<10).map { SurvivalSound.piece($0) }
    for piece in spoken { _ = call.client(SurvivalSound.append(piece)) }
    let interrupted = call.upstream(Call.interrupted)
    #expect(interrupted.types.first == "input_audio_buffer.speech_started" && interrupted.response != nil)
    #expect(call.client(Survival.truncate(item, ms: 1_000)).dials == 1)
    let later = SurvivalSound.piece(10)
    _ = call.client(SurvivalSound.append(later))
    let told = call.reconnect()
    #expect(told.setUp?["sessionResumption"] == [:])
    #expect(told.upstream[1]["clientContent"]?["turns"] == Call.turns(("model", "one")))
    #expect(told.upstream.compactMap(SurvivalSound.heard).joined() == (spoken + [later]).joined())
    // The turn goes on.
    _ = call.upstream(Call.heard("Stop"))
    #expect(call.answer().types.contains("input_audio_buffer.committed"))
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
  }

  @Test("gemini 5.5: an item between others is told in its place")
  func inserted() {
    var call = Survival.spoken()
    let step = call.client(Call.text("I am blind.", id: "b", after: "ada"))
    #expect(step.types == ["conversation.item.added", "conversation.item.done"] && step.dials == 1)
    let told = call.reconnect().upstream
    #expect(
      told.last?["clientContent"]?["turns"]
        == Call.turns(("user", "My name is Ada."), ("user", "I am blind."), ("model", "Yes.")))
  }

  @Test(
    "R270, gemini 1.6 4.8: each family is told in its own way: as context, announced, or in the instruction",
    arguments: [Call.live38, Call.flash31, Call.native25])
  func families(_ model: String) {
    var call = Call.ready(model)
    _ = call.client(Call.text("Hello", id: "a"))
    _ = call.client(Call.text("My name is Ada.", id: "b"))
    _ = call.client(Call.create)
    _ = call.answer()
    #expect(call.client(Survival.delete("b")).dials == 1)
    let told = call.reconnect()
    let turns = Call.turns(("user", "Hello"), ("model", "Yes."))
    switch model {
    case Call.live38:
      #expect(told.upstream.last == ["clientContent": ["turns": turns, "turnComplete": false]])
    case Call.flash31:
      #expect(told.setUp?["historyConfig"] == ["initialHistoryInClientContent": true])
      #expect(told.upstream.last == ["clientContent": ["turns": turns, "turnComplete": true]])
    default:
      #expect(told.upstream.count == 1)
      let story = told.setUp?["systemInstruction"]?["parts"]?[0]?["text"]?.string
      #expect(story == "The conversation so far:\nUser: Hello\nYou: Yes.")
    }
    _ = call.client(Call.text("Who am I?"))
    let asked = call.client(Call.create).upstream
    #expect(asked.count == 1 && asked.first?.text.contains("Who am I?") == true)
  }

  @Test(
    "gemini 4.8: what is deleted between the set-up and its answer makes the seed stale; announced history is sent all the same"
  )
  func announced() {
    var call = Call.ready(Call.flash31)
    _ = call.client(Call.text("Hello", id: "a"))
    _ = call.client(Call.create)
    _ = call.answer()
    let item = call.history.last { $0["type"] == "conversation.item.done" }?["item"]?["id"]?.string ?? ""
    _ = call.client(Survival.delete(item))
    #expect(call.upstreamOpens().setUp?["historyConfig"] != nil)
    _ = call.client(Survival.delete("a"))
    let told = call.upstream(Call.setupComplete)
    #expect(told.upstream.first?["clientContent"]?["turnComplete"] == true && told.dials == 1)
    let next = call.reconnect()
    #expect(next.setUp?["historyConfig"] == nil && next.upstream.count == 1)
  }

  @Test(
    "a session that cannot be told all says so once: what was spoken without a transcript is lost with the connection")
  func contextLost() {
    var call = Call.ready()
    _ = call.client(Call.append(ms: 200))
    _ = call.upstream(Call.activity("ACTIVITY_START", at: "0.0s"))
    _ = call.upstream(Call.activity("ACTIVITY_END", at: "0.2s"))
    _ = call.answer()
    // No handle was ever given.
    #expect(call.upstreamEnds(.lost).events.isEmpty)
    let step = call.reconnect()
    #expect(step.types == ["error"] && step.error?["code"] == "context_lost")
    #expect(step.upstream.last?.text.contains("was not transcribed") == true)
    _ = call.client(Call.create)
    #expect(call.answer().response?["status"] == "completed")
  }
}

/// Sound of which every piece can be told from every other.
enum SurvivalSound {
  /// 20 ms at 24 kHz as base64: the number, over and over.
  static func piece(_ number: Int) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    var name = ""
    var rest = number
    for _ in 0..<4 {
      name.append(alphabet[rest % 62])
      rest /= 62
    }
    return String(repeating: name, count: 320)
  }

  static func append(_ audio: String) -> String {
    #"{"type":"input_audio_buffer.append","audio":"\#(audio)"}"#
  }

  /// The base64 of a frame of sound.
  static func heard(_ frame: JSONValue) -> String? { frame["realtimeInput"]?["audio"]?["data"]?.string }
}
