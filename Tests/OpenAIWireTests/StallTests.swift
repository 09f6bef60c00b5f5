import Envelope
import NIOCore
import ParleyTesting
import SessionCore
import Testing
import Translation

@Suite("A service of the OpenAI wire that stops in the middle of a response")
struct StallTests {
  private static let begun = [
    #"{"type":"session.updated","event_id":"e","session":{"type":"realtime"}}"#,
    #"{"type":"response.created","event_id":"e","response":{"id":"r","object":"realtime.response","status":"in_progress","output":[]}}"#,
    #"{"type":"response.output_item.added","event_id":"e","response_id":"r","output_index":0,"item":{"id":"i","object":"realtime.item","type":"message","role":"assistant","status":"in_progress","content":[]}}"#,
    #"{"type":"response.content_part.added","event_id":"e","response_id":"r","item_id":"i","output_index":0,"content_index":0,"part":{"type":"audio","transcript":""}}"#,
  ]
  private static let sound =
    #"{"type":"response.output_audio.delta","event_id":"e","response_id":"r","item_id":"i","output_index":0,"content_index":0,"delta":"AAAAAAAA"}"#
  private static let done =
    #"{"type":"response.done","event_id":"e","response":{"id":"r","object":"realtime.response","status":"cancelled","status_details":{"type":"cancelled","reason":"client_cancelled"},"output":[]}}"#
  private static let cancel = #"{"type":"response.cancel"}"#
  private static let kinds: [ProviderKind] = [.openAI, .xai]

  /// In the middle of a response that has begun to sound.
  private static func call(_ kind: ProviderKind) -> SessionDialogue {
    var call = SessionDialogue(kind, model: "m", requestedModel: "m")
    _ = call.begin()
    _ = call.upstreamOpens()
    _ = call.client(#"{"type":"response.create"}"#)
    for event in begun + [sound] { _ = call.upstream(event) }
    return call
  }

  @Test(
    "fault row 47: a service of the OpenAI wire that falls silent in a response: it fails after 60 s of silence, and the call goes on over another connection",
    arguments: kinds)
  func silence(_ kind: ProviderKind) {
    var call = Self.call(kind)
    #expect(call.wait(.seconds(59)).events.isEmpty)
    #expect(call.upstream(Self.sound).types == ["response.output_audio.delta"])
    #expect(call.wait(.milliseconds(59_999)).events.isEmpty)
    let step = call.wait(.milliseconds(1))
    let response = step.event("response.done")?["response"]
    #expect(response?["status"] == "failed")
    #expect(response?["status_details"]?["error"]?["code"] == "upstream_timeout")
    #expect(response?["output"]?[0]?["id"] == "i")
    #expect(step.connections.count == 2 && step.connections.first == "upstream closes 1000")
    #expect(step.clientCloseCode == nil)
    // What was the old connection's is nobody's, and the next one is told what the session is.
    #expect(call.upstreamOpens().upstream.first?["type"] == "session.update")
    #expect(call.wait(.seconds(600)).event("response.done") == nil)
  }

  @Test(
    "fault row 47: a response that is cancelled while the service is silent is cancelled 5 s later, whatever the service does",
    arguments: kinds)
  func cancelled(_ kind: ProviderKind) {
    var call = Self.call(kind)
    _ = call.wait(.seconds(30))
    #expect(call.client(Self.cancel).upstream.map { $0["type"] } == ["response.cancel"])
    #expect(call.wait(.milliseconds(4_999)).events.isEmpty)
    let response = call.wait(.milliseconds(1)).event("response.done")?["response"]
    #expect(response?["status"] == "cancelled")
    #expect(response?["status_details"]?["reason"] == "client_cancelled")
  }

  @Test(
    "fault row 51: a cancelled response is not heard any more, though the service goes on for a while; then it ends once",
    arguments: kinds)
  func unheard(_ kind: ProviderKind) {
    var call = Self.call(kind)
    _ = call.client(Self.cancel)
    for _ in 0..<20 { #expect(call.upstream(Self.sound).types == []) }
    #expect(call.upstream(Self.done).types.count { $0 == "response.done" } == 1)
    #expect(call.wait(.seconds(600)).event("response.done") == nil)
    // Another one is.
    _ = call.client(#"{"type":"response.create"}"#)
    for event in Self.begun.dropFirst() {
      _ = call.upstream(event.replacing(#""r""#, with: #""r2""#).replacing(#""i""#, with: #""i2""#))
    }
    let sound = Self.sound.replacing(#""r""#, with: #""r2""#).replacing(#""i""#, with: #""i2""#)
    #expect(call.upstream(sound).types == ["response.output_audio.delta"])
  }

  @Test(
    "fault rows 47, 49: a service that is not read, because the client takes nothing, is not silent", arguments: kinds)
  func heldBack(_ kind: ProviderKind) {
    var call = Self.call(kind)
    _ = call.holdsBack(true)
    #expect(call.wait(.seconds(3_600)).events.isEmpty)
    _ = call.holdsBack(false)
    #expect(call.wait(.milliseconds(59_999)).events.isEmpty)
    #expect(call.wait(.milliseconds(1)).event("response.done")?["response"]?["status"] == "failed")
  }

  @Test("fault rows 47, 49: Gemini Live that is not read, because the client takes nothing, is not silent")
  func heldBackGemini() {
    var call = SessionDialogue(.geminiLive(), model: "gemini-3.8-live", requestedModel: "gemini-3.8-live")
    _ = call.begin()
    _ = call.upstreamOpens()
    _ = call.client(#"{"type":"response.create"}"#)
    _ = call.upstream(#"{"setupComplete":{}}"#)
    let sound =
      #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"AAAAAAAA"}}]}}}"#
    #expect(call.upstream(sound).types.last == "response.output_audio.delta")
    _ = call.holdsBack(true)
    #expect(call.wait(.seconds(300)).event("response.done") == nil)
    _ = call.holdsBack(false)
    #expect(call.wait(.milliseconds(4_999)).event("response.done") == nil)
    #expect(call.upstream(sound).types == ["response.output_audio.delta"])
    #expect(call.wait(.milliseconds(29_999)).event("response.done") == nil)
    #expect(call.wait(.milliseconds(1)).event("response.done")?["response"]?["status"] == "failed")
  }
}
