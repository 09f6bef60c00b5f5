import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@Suite struct KeptMessages {
  @Test("messages that wait for a request are bounded; what is deleted or asked about makes room")
  func bounded() throws {
    var call = SessionDialogue(.vowel(), model: "m", requestedModel: "m")
    _ = call.begin()
    _ = call.upstreamOpens()
    _ = call.upstream(#"{"type":"session.created","event_id":"a","session":{}}"#)
    _ = call.upstream(#"{"type":"session.updated","event_id":"b","session":{}}"#)
    let words = String(repeating: "a", count: 1 << 20)
    func create(_ id: String) -> String {
      #"{"type":"conversation.item.create","event_id":"\#(id)","item":{"id":"\#(id)","type":"message","role":"user","content":[{"type":"input_text","text":"\#(words)"}]}}"#
    }
    // The last one may go over the bound.
    for number in 0..<4 { #expect(call.client(create("i\(number)")).types.first == "conversation.item.added") }
    let refused = call.client(create("i4"))
    #expect(refused.types == ["error"] && refused.event("error")?["error"]?["code"] == "too_much_held")
    #expect(refused.event("error")?["error"]?["event_id"] == "i4")
    #expect(call.client(#"{"type":"conversation.item.delete","item_id":"i0"}"#).types == ["conversation.item.deleted"])
    #expect(call.client(create("i5")).types.first == "conversation.item.added")
    #expect(call.client(#"{"type":"response.create"}"#).types == [])
    _ = call.upstream(
      #"{"type":"conversation.item.created","event_id":"c","item":{"id":"i5","type":"message","role":"user","content":[]}}"#
    )
    _ = call.upstream(#"{"type":"response.created","event_id":"d","response":{"id":"r","status":"in_progress"}}"#)
    #expect(call.client(create("i6")).types.first == "conversation.item.added")
  }

  @Test(
    "fault row 46: a message that waits for a connection is told once to the client, and once to the model, however many connections it takes",
    arguments: [false, true], [false, true])
  func waitsOnce(besideSpeech: Bool, isReached: Bool) {
    var call = SessionDialogue(.vowel(), model: "m", requestedModel: "m")
    _ = call.begin()
    if besideSpeech {
      _ = call.client(
        #"{"type":"session.update","session":{"type":"realtime","audio":{"input":{"turn_detection":null}}}}"#)
    }
    setUp(&call)
    _ = call.upstreamEnds(.lost)
    var told = call.wait(.seconds(1)).types
    if besideSpeech {
      told += call.client(#"{"type":"input_audio_buffer.append","audio":"\#(Self.tenthOfASecond)"}"#).types
      told += call.client(#"{"type":"input_audio_buffer.commit"}"#).types
    }
    told += call.client(Self.message).types + call.client(#"{"type":"response.create"}"#).types
    if isReached { told += call.upstreamOpens().types }
    told += call.upstreamEnds(isReached ? .lost : .unreachable).types + call.wait(.seconds(2)).types
    let last = setUp(&call)
    told += last.types
    #expect(last.upstream.map(\.text).filter { $0.contains("Say hi.") }.count == 1)
    for item in last.upstream.compactMap({ $0["item"] }) {
      told += call.upstream(#"{"type":"conversation.item.created","event_id":"c","item":\#(item.text)}"#).types
    }
    #expect(told.filter { $0 == "conversation.item.added" }.count == (besideSpeech ? 2 : 1))
    #expect(!told.contains("error"))
  }

  @discardableResult
  private func setUp(_ call: inout SessionDialogue) -> SessionDialogue.Step {
    let opened = call.upstreamOpens()
    let greeted = call.upstream(#"{"type":"session.created","event_id":"a","session":{}}"#)
    return opened + greeted + call.upstream(#"{"type":"session.updated","event_id":"b","session":{}}"#)
  }

  private static let message =
    #"{"type":"conversation.item.create","item":{"id":"item_hi","type":"message","role":"user","#
    + #""content":[{"type":"input_text","text":"Say hi."}]}}"#
  private static let tenthOfASecond = String(repeating: "AAAA", count: 1_600)
}
