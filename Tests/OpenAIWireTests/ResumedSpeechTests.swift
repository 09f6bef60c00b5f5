import Envelope
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

  /// 20 ms of PCM16 at 24 kHz.
  private static let chunk = String(repeating: "AAAA", count: 320)
}
