import Envelope
import ParleyTesting
import SessionCore
import Testing

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
  }
}
