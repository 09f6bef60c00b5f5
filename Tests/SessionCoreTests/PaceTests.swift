import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@Suite struct Pace {
  private static let retrieve = #"{"type":"conversation.item.retrieve","item_id":"item_none","event_id":"mine"}"#
  private static let update = #"{"type":"session.update","session":{"type":"realtime"}}"#
  private static let append = #"{"type":"input_audio_buffer.append","audio":"AAABAAIA"}"#

  private static func call(_ change: (inout SessionLimits) -> Void = { _ in }) -> SessionDialogue {
    var limits = SessionLimits()
    change(&limits)
    var call = SessionDialogue(.geminiLive(), model: "gemini-3.8-live", limits: limits)
    _ = call.begin()
    return call
  }

  private static func codes(_ step: SessionDialogue.Step) -> [String] {
    step.events.compactMap { $0["error"]?["code"]?.string }
  }

  @Test(
    "fault row 41: 200 control events at once are carried out, the next is refused with its event_id, and 5 ms let one in"
  )
  func controlEvents() {
    var call = Self.call()
    for _ in 0..<200 { #expect(Self.codes(call.client(Self.update)).isEmpty) }
    let refused = call.client(Self.retrieve)
    #expect(Self.codes(refused) == ["rate_limit_exceeded"])
    #expect(refused.events[0]["error"]?["event_id"]?.string == "mine")
    #expect(refused.clientCloseCode == nil)
    _ = call.wait(.milliseconds(5))
    #expect(Self.codes(call.client(Self.update)).isEmpty)
    #expect(Self.codes(call.client(Self.update)) == ["rate_limit_exceeded"])
  }

  @Test("fault row 41: what is refused for its pace is no bad event, however often")
  func paceIsNotBad() {
    var call = Self.call()
    var codes: Set<String> = []
    for _ in 0..<2_000 { codes.formUnion(Self.codes(call.client(Self.update))) }
    #expect(codes == ["rate_limit_exceeded"])
    _ = call.wait(.seconds(1))
    #expect(Self.codes(call.client(Self.update)).isEmpty)
  }

  @Test("audio has no pace: ten thousand chunks at once are taken")
  func audioIsFree() {
    var call = Self.call()
    var faults = 0
    for _ in 0..<10_000 { faults += Self.codes(call.client(Self.append)).count }
    #expect(faults == 0)
  }

  @Test(
    "fault row 41: 100 bad events are told, the next is told and closes with 1008",
    arguments: ["{", "[]", #"{"type":"x"}"#])
  func badEvents(_ text: String) {
    var call = Self.call()
    for _ in 0..<100 {
      let step = call.client(text)
      #expect(step.types == ["error"])
      #expect(step.clientCloseCode == nil)
    }
    let last = call.client(text)
    #expect(last.types == ["error", "error"])
    #expect(Self.codes(last).last == "too_many_bad_events")
    #expect(last.clientCloseCode == 1008)
    #expect(call.client(text).types.isEmpty)
  }

  @Test("fault row 41: binary messages and bad audio count as bad events")
  func otherBadEvents() {
    var call = Self.call { $0.badEventsPerMinute = 2 }
    #expect(call.clientBinary().clientCloseCode == nil)
    #expect(call.client(#"{"type":"input_audio_buffer.append","audio":"A"}"#).clientCloseCode == nil)
    #expect(call.clientBinary().clientCloseCode == 1008)
  }

  @Test("fault row 41: bad events that are spread over the minute are borne for ever")
  func spreadBadEvents() {
    var call = Self.call()
    for _ in 0..<500 {
      #expect(call.client("{").clientCloseCode == nil)
      _ = call.wait(.milliseconds(600))
    }
  }

  @Test("a session without limits of its own lasts, and says nothing of an end")
  func noLimits() {
    var call = Self.call()
    _ = call.client(Self.append)
    _ = call.upstreamOpens()
    _ = call.upstream(#"{"setupComplete":{}}"#)
    #expect(call.wait(.seconds(86_400)).clientCloseCode == nil)
  }

  @Test("a session ends with an error and 1000 at its longest duration, not a moment before")
  func length() {
    var call = Self.call { $0.length = .seconds(90) }
    _ = call.client(Self.append)
    _ = call.upstreamOpens()
    _ = call.upstream(#"{"setupComplete":{}}"#)
    #expect(call.wait(.milliseconds(89_999)).clientCloseCode == nil)
    let end = call.wait(.milliseconds(1))
    #expect(Self.codes(end) == ["session_expired"])
    #expect(end.events.last?["error"]?["message"]?.string?.contains("90 seconds") == true)
    #expect(end.clientCloseCode == 1000)
    #expect(end.actions.contains(.closeUpstream(code: 1000)))
  }

  @Test("a silent client's session ends with an error and 1000; audio and events are signs of life")
  func idle() {
    var call = Self.call { $0.idle = .seconds(30) }
    _ = call.client(Self.append)
    _ = call.upstreamOpens()
    _ = call.upstream(#"{"setupComplete":{}}"#)
    for text in [Self.append, Self.update] {
      #expect(call.wait(.milliseconds(29_999)).clientCloseCode == nil)
      _ = call.client(text)
    }
    #expect(call.wait(.milliseconds(29_999)).clientCloseCode == nil)
    let end = call.wait(.milliseconds(1))
    #expect(Self.codes(end) == ["session_idle"])
    #expect(end.clientCloseCode == 1000)
  }

  @Test(
    "when memory is short a session is ended with 1013 if its client was silent for long enough, and left alone if not")
  func shed() {
    var call = Self.call()
    _ = call.wait(.seconds(29))
    #expect(call.sheds(ifIdleFor: .seconds(30)).actions.isEmpty)
    _ = call.wait(.seconds(1))
    let end = call.sheds(ifIdleFor: .seconds(30))
    #expect(Self.codes(end) == ["gateway_overloaded"])
    #expect(end.clientCloseCode == 1013)
  }
}
