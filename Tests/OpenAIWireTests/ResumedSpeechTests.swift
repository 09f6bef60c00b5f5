import Envelope
import Foundation
import ParleyTesting
import SessionCore
import Testing
import Translation

@Suite("A turn of the user that a lost connection cuts")
struct ResumedSpeechTests {
  private static let updated = #"{"type":"session.updated","event_id":"e","session":{"type":"realtime"}}"#

  private static func speech(_ what: String, _ item: String) -> String {
    #"{"type":"input_audio_buffer.speech_\#(what)","event_id":"e","item_id":"\#(item)","#
      + #""audio_start_ms":0,"audio_end_ms":400}"#
  }

  @Test(
    "fault row 46: speech that had stopped, and was not committed, is stopped once, whichever connection commits it")
  func stoppedOnce() {
    var call = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = call.begin()
    _ = call.upstreamOpens()
    _ = call.upstream(Self.updated)
    for _ in 0..<20 { _ = call.client(#"{"type":"input_audio_buffer.append","audio":"\#(Self.chunk)"}"#) }
    var told = call.upstream(Self.speech("started", "one")).types + call.upstream(Self.speech("stopped", "one")).types
    _ = call.upstreamEnds(.lost)
    _ = call.wait(.seconds(1))
    told += call.upstreamOpens().types + call.upstream(Self.updated).types
    told += call.upstream(Self.speech("started", "two")).types + call.upstream(Self.speech("stopped", "two")).types
    let committed = call.upstream(
      #"{"type":"input_audio_buffer.committed","event_id":"e","item_id":"two","previous_item_id":null}"#)
    told += committed.types
    #expect(told.map { $0.split(separator: ".").last } == ["speech_started", "speech_stopped", "committed"])
    #expect(committed.events.first?["item_id"] == "one")
    // The next turn is one of its own.
    #expect(call.upstream(Self.speech("started", "three")).types.count == 1)
    #expect(call.upstream(Self.speech("stopped", "three")).types.count == 1)
  }

  @Test("fault row 46: a turn that was committed is not told again, and what came after its end is")
  func behindATurn() {
    var call = Self.committed()
    _ = call.upstream(Self.response("created", "in_progress"))
    _ = call.upstream(Self.response("done", "completed"))
    let ending = call.upstreamEnds(.lost)
    #expect(ending.types.isEmpty)
    // 30 pieces were said, and the turn had 20 of them.
    #expect(Self.heardAgain(&call) == 10)
  }

  @Test(
    "fault row 46: a turn that was committed and not answered yet is heard again, and the client is told nothing twice")
  func unanswered() {
    var call = Self.committed()
    let item =
      #""item":{"id":"ITEM","object":"realtime.item","type":"message","role":"user","status":"completed","#
      + #""content":[{"type":"input_audio","transcript":null}]}"#
    func added(_ id: String) -> [String] {
      ["added", "done"].map {
        #"{"type":"conversation.item.\#($0)","event_id":"e","previous_item_id":null,"#
          + item.replacing("ITEM", with: id) + "}"
      }
    }
    for event in added("one") { #expect(call.upstream(event).types.count == 1) }
    #expect(call.upstream(Self.transcript("one")).types.count == 1)
    #expect(call.upstreamEnds(.lost).types.isEmpty)
    // All of it, and what came since.
    #expect(Self.heardAgain(&call) == 30)
    var told = call.upstream(Self.speech("started", "two")).types + call.upstream(Self.speech("stopped", "two")).types
    told +=
      call.upstream(
        #"{"type":"input_audio_buffer.committed","event_id":"e","item_id":"two","previous_item_id":null}"#
      ).types
    for event in added("two") { told += call.upstream(event).types }
    told += call.upstream(Self.transcript("two")).types
    #expect(told.isEmpty)
    #expect(call.upstream(Self.response("created", "in_progress")).types == ["response.created"])
    #expect(call.upstream(Self.response("done", "completed")).types == ["response.done"])
    // The next turn is one of its own.
    told = call.upstream(Self.speech("started", "three")).types + call.upstream(Self.speech("stopped", "three")).types
    told +=
      call.upstream(
        #"{"type":"input_audio_buffer.committed","event_id":"e","item_id":"three","previous_item_id":null}"#
      ).types
    #expect(told.count == 3)
  }

  /// 400 ms of speech, which the service has ended after 600 ms.
  private static func committed() -> SessionDialogue {
    var call = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = call.begin()
    _ = call.upstreamOpens()
    _ = call.upstream(updated)
    for _ in 0..<30 { _ = call.client(#"{"type":"input_audio_buffer.append","audio":"\#(chunk)"}"#) }
    _ = call.upstream(speech("started", "one"))
    _ = call.upstream(speech("stopped", "one"))
    _ = call.upstream(
      #"{"type":"input_audio_buffer.committed","event_id":"e","item_id":"one","previous_item_id":null}"#)
    return call
  }

  private static func transcript(_ item: String) -> String {
    #"{"type":"conversation.item.input_audio_transcription.completed","event_id":"e","item_id":"\#(item)","#
      + #""content_index":0,"transcript":"Hello.","usage":{"type":"duration","seconds":1}}"#
  }

  private static func response(_ what: String, _ status: String) -> String {
    #"{"type":"response.\#(what)","event_id":"e","response":{"id":"r","object":"realtime.response","#
      + #""status":"\#(status)","output":[]}}"#
  }

  /// The pieces that a new connection hears first.
  private static func heardAgain(_ call: inout SessionDialogue) -> Int {
    let redialled = call.wait(.seconds(1)) + call.upstreamOpens() + call.upstream(updated)
    return redialled.upstream.filter { $0["type"] == "input_audio_buffer.append" }.count
  }

  /// 20 ms of PCM16 at 24 kHz.
  private static let chunk = String(repeating: "AAAA", count: 320)
}
