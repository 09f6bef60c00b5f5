import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// A connection is replaced while the call goes on: because the service says so, because it is old, or because it can be
/// neither configured anew nor made to forget. The client notices none of it.
@Suite struct GeminiSurvival {
  typealias Call = GeminiCall

  static func goAway(_ timeLeft: String) -> String { #"{"goAway":{"timeLeft":"\#(timeLeft)"}}"# }
  static func delete(_ id: String) -> String {
    #"{"type":"conversation.item.delete","event_id":"d","item_id":"\#(id)"}"#
  }
  static let transcribed = #""audio":{"input":{"transcription":{"model":"whisper-1"}}}"#

  static func truncate(_ id: String, ms: Int) -> String {
    #"{"type":"conversation.item.truncate","item_id":"\#(id)","content_index":0,"audio_end_ms":\#(ms)}"#
  }

  /// A call in which something has been said, and whose last handle knows of it.
  static func spoken(_ fields: String = "") -> SessionDialogue {
    var call = Call.ready(Call.live38, fields)
    _ = call.client(Call.text("My name is Ada.", id: "ada"))
    _ = call.client(Call.create)
    _ = call.answer()
    _ = call.upstream(Call.handle)
    return call
  }

  /// The connection was replaced, and whoever looks at the client's side alone cannot tell.
  static func isReplacedQuietly(_ step: SessionDialogue.Step) -> Bool {
    step.connections.count == 2 && step.connections.first == "upstream closes 1000" && step.dials == 1
      && step.events.isEmpty
  }

  // MARK: goAway

  @Test(
    "fault row 48, gemini 4.6 8.11: goAway at rest: the old connection is closed first, the next goes on from the handle"
  )
  func atRest() {
    var call = Self.spoken()
    #expect(Self.isReplacedQuietly(call.upstream(Self.goAway("50s"))))
    let opened = call.upstreamOpens()
    #expect(opened.setUp?["sessionResumption"] == ["handle": "handle-1"] && opened.upstream.count == 1)
    let resumed = call.upstream(Call.setupComplete)
    #expect(resumed.events.isEmpty && resumed.upstream.isEmpty, "the service remembers")
    _ = call.client(Call.text("And now?"))
    #expect(call.client(Call.create).upstream.first?["clientContent"]?["turns"] == Call.turns(("user", "And now?")))
  }

  @Test("fault row 48: goAway in a response: the answer is heard to its end, and its handle is awaited for a second")
  func inResponse() {
    for comesHandle in [true, false] {
      var call = Self.spoken()
      _ = call.client(Call.create)
      _ = call.upstream(Call.audio)
      #expect(call.upstream(Self.goAway("50s")).dials == 0)
      #expect(call.answer().dials == 0)
      let step = comesHandle ? call.upstream(Call.handle) : call.wait(.seconds(1))
      #expect(Self.isReplacedQuietly(step))
      let resumption = call.upstreamOpens().setUp?["sessionResumption"]
      #expect(resumption == (comesHandle ? ["handle": "handle-1"] : [:]), "an old handle knows less than the mirror")
    }
  }

  @Test("fault row 48, gemini 3.5: a service that falls silent after goAway is left 3 s before its time, by the timer")
  func silentService() {
    var call = Self.spoken()
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    _ = call.upstream(Self.goAway("20s"))
    #expect(call.wait(.milliseconds(16_999)).dials == 0)
    let step = call.wait(.milliseconds(1))
    #expect(step.dials == 1 && step.clientCloseCode == nil)
    #expect(step.response?["status"] == "failed" && step.event("error") == nil)
    _ = call.reconnect()
    _ = call.client(Call.create)
    #expect(call.answer().response?["status"] == "completed")
  }

  @Test("gemini 4.6: goAway in a tool call: its result is awaited, and delivered where the call was made")
  func inCall() {
    var call = Self.spoken()
    _ = call.client(Call.create)
    _ = call.upstream(Call.calls(Call.called("c1")))
    _ = call.upstream(Self.goAway("50s"))
    _ = call.client(Call.result("c1", "rain"))
    let sent = call.client(Call.create).upstream
    #expect(sent.first?["toolResponse"]?["functionResponses"]?[0]?["id"] == "c1")
    _ = call.answer()
    #expect(Self.isReplacedQuietly(call.upstream(Call.handle)))
  }

  @Test(
    "gemini 4.6, fault row 54: when the time is up the result is told to the next connection, which did not make the call"
  )
  func forcedInCall() {
    var call = Self.spoken()
    _ = call.client(Call.create)
    _ = call.upstream(Call.calls(Call.called("c1")))
    _ = call.upstream(Self.goAway("10s"))
    #expect(Self.isReplacedQuietly(call.wait(.seconds(7))))
    _ = call.reconnect()
    _ = call.client(Call.result("c1", "rain"))
    let sent = call.client(Call.create).upstream
    #expect(!sent.contains { $0["toolResponse"] != nil })
    #expect(
      sent.last?["clientContent"]?["turns"]?[0]?["parts"]?[0]?["text"] == "[The result of get_weather: rain]")
    #expect(call.answer().response?["status"] == "completed")
  }

  @Test("gemini 4.4: ten minutes without goAway: at rest after nine, at the latest before they are over")
  func tenMinutes() {
    var resting = Self.spoken()
    #expect(resting.wait(.seconds(530)).dials == 0)
    #expect(Self.isReplacedQuietly(resting.wait(.seconds(10))))

    var speaking = Self.spoken()
    _ = speaking.client(Call.append(ms: 200))
    _ = speaking.upstream(Call.activity("ACTIVITY_START", at: "0.0s"))
    #expect(speaking.wait(.seconds(585)).dials == 0)
    #expect(speaking.wait(.seconds(5)).dials == 1)
  }

  @Test("a frame that overtakes the timer does not make it miss the time")
  func overtaken() {
    var call = Self.spoken()
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    _ = call.upstream(Self.goAway("10s"))
    // The timer of the event loop comes late: sound is served first.
    call.lag(.seconds(8))
    #expect(call.upstream(Call.audio).dials == 0)
    #expect(call.wait(.zero).dials == 1)
  }

  // MARK: session.update

  @Test(
    "R288, gemini 8.12: several updates need one connection, which has all of them; the client sees session.updated")
  func coalesced() {
    var call = Self.spoken()
    for field in [#""instructions":"Be brief.""#, #""audio":{"output":{"voice":"Kore"}}"#] {
      let step = call.client(Call.update(field))
      #expect(step.types == ["session.updated"] && step.dials == 0)
    }
    #expect(Self.isReplacedQuietly(call.wait(.milliseconds(50))))
    let setUp = call.reconnect().setUp
    #expect(setUp?["sessionResumption"] == ["handle": "handle-1"])
    #expect(setUp?["systemInstruction"]?["parts"]?[0]?["text"] == "Be brief.")
    #expect(
      setUp?["generationConfig"]?["speechConfig"]?["voiceConfig"]?["prebuiltVoiceConfig"]?["voiceName"] == "Kore")
    #expect(call.wait(.seconds(60)).dials == 0)
  }

  @Test("R288: what is changed and changed back needs no connection, nor what does not show in the set-up")
  func changedBack() {
    var call = Self.spoken()
    _ = call.client(Call.update(#""instructions":"Be brief.""#))
    _ = call.client(Call.update(#""instructions":"""#))
    #expect(call.wait(.seconds(10)).dials == 0)
    _ = call.client(Call.update(#""instructions":"Be brief.""#))
    _ = call.client(Call.update(#""instructions":"""#))
    #expect(call.client(Call.create).dials == 0, "nor if a response is asked for at once")
    _ = call.answer()
    _ = call.client(Call.update(#""audio":{"output":{"format":{"type":"audio/pcmu"}}}"#))
    #expect(call.wait(.seconds(10)).dials == 0)
  }

  @Test("R224 R288: an update in a response waits for its end; one before a request holds for its answer")
  func beforeAnswer() {
    var call = Self.spoken()
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    _ = call.client(Call.update(#""instructions":"Be brief.""#))
    #expect(call.wait(.seconds(5)).dials == 0)
    #expect(call.answer().dials == 0)
    #expect(call.upstream(Call.handle).dials == 1)
    _ = call.reconnect()
    _ = call.client(Call.update(#""instructions":"Be long.""#))
    _ = call.client(Call.text("Well?"))
    let asked = call.client(Call.create)
    #expect(asked.dials == 1 && asked.upstream.isEmpty && asked.events.isEmpty)
    let opened = call.upstreamOpens()
    #expect(opened.setUp?["systemInstruction"]?["parts"]?[0]?["text"] == "Be long.")
    #expect(
      call.upstream(Call.setupComplete).upstream.last?["clientContent"]?["turns"] == Call.turns(("user", "Well?")))
    #expect(call.answer().response?["status"] == "completed")
  }

  @Test(
    "R224: another model: the response in flight ends on the old one; the next begins on the new one, which is told")
  func otherModel() {
    var call = Self.spoken()
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    let updated = call.client(Call.update(#""model":"\#(Call.flash31)""#))
    #expect(updated.event("session.updated")?["session"]?["model"]?.string == Call.flash31 && updated.dials == 0)
    _ = call.answer()
    _ = call.upstream(Call.handle)
    #expect(call.wait(.milliseconds(50)).dials == 1)
    let setUp = call.upstreamOpens().setUp
    #expect(setUp?["model"]?.string == "models/\(Call.flash31)")
    #expect(setUp?["sessionResumption"] == [:], "a handle is of a model")
    let told = call.upstream(Call.setupComplete).upstream
    #expect(told.first?["clientContent"]?["turns"]?.array?.count == 3)
    _ = call.client(Call.text("And now?"))
    #expect(call.client(Call.create).upstream == [["realtimeInput": ["text": "And now?"]]])
    #expect(call.answer().event("response.created") != nil)
  }

  @Test("R288: an update while the connection is made holds too: for the next one")
  func whileConnecting() {
    var call = Self.spoken()
    _ = call.client(Call.update(#""instructions":"one""#))
    _ = call.wait(.milliseconds(50))
    _ = call.client(Call.update(#""instructions":"two""#))
    #expect(call.upstreamOpens().setUp?["systemInstruction"]?["parts"]?[0]?["text"] == "two", "not sent yet")
    #expect(call.client(Call.update(#""instructions":"three""#)).types == ["session.updated"])
    #expect(call.upstream(Call.setupComplete).dials == 0)
    #expect(call.wait(.milliseconds(50)).dials == 1)
    #expect(call.reconnect().setUp?["systemInstruction"]?["parts"]?[0]?["text"] == "three")
    #expect(call.wait(.seconds(60)).dials == 0)
  }

  @Test(
    "R288: an update that the service refuses is an error that names it; the session is as it was, and the call goes on"
  )
  func refusedUpdate() {
    var call = Self.spoken()
    _ = call.client(Call.update(#""instructions":"unbearable""#))
    _ = call.wait(.milliseconds(50))
    _ = call.upstreamOpens()
    let refused = call.upstreamEnds(.closed(code: 1007, reason: "Request contains an invalid argument."))
    #expect(refused.types == ["error", "session.updated"] && refused.clientCloseCode == nil && refused.dials == 1)
    #expect(refused.error?["event_id"] == "update")
    #expect(refused.event("session.updated")?["session"]?["instructions"] == "")
    let opened = call.upstreamOpens()
    #expect(opened.setUp?["systemInstruction"] == nil)
    #expect(opened.setUp?["sessionResumption"] == ["handle": "handle-1"])
    _ = call.upstream(Call.setupComplete)
    _ = call.client(Call.create)
    #expect(call.answer().response?["status"] == "completed")
  }
}
