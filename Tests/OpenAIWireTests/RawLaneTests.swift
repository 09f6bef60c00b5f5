import Envelope
import NIOCore
import Testing
import Translation

@testable import OpenAIWire

@Suite struct RawLaneBehaviour {
  @Test("what needs no change crosses as bytes, whatever it is: unknown fields, unknown events, layout")
  func verbatim() throws {
    let events = [
      #"{ "type" : "response.future.event", "x" : 1.0e2 }"#,
      #"{"type":"response.output_audio.delta","event_id":"e","response_id":"r","item_id":"i","output_index":0,"content_index":0,"delta":"AAABAAIA"}"#,
      #"{"type":"error","error":{"type":"x","message":"y","extra":[1,{"a":null}]}}"#,
    ]
    var lane = RawLane(sessionID: "sess_ours")
    var port = Port(ids: IDSource(seed: 1))
    for event in events { try lane.deliver(ByteBuffer(string: event), port: &port) }
    #expect(port.outbox.downstream.texts == events)
  }

  @Test("the client's session keeps its id; the provider's hello is kept back")
  func session() throws {
    var lane = RawLane(sessionID: "sess_ours")
    var port = Port(ids: IDSource(seed: 1))
    try lane.deliver(
      ByteBuffer(string: #"{"type":"session.created","session":{"id":"theirs","voice":"x"}}"#), port: &port)
    #expect(port.outbox.downstream.isEmpty)
    try lane.deliver(
      ByteBuffer(string: #"{"type":"session.updated","event_id":"e","session":{"id":"theirs","n":1.50}}"#), port: &port)
    #expect(
      port.outbox.downstream.texts == [
        #"{"type":"session.updated","event_id":"e","session":{"id":"sess_ours","n":1.50}}"#
      ])
  }

  @Test(
    "a session.update is put into the service's form, and left alone if it is in it",
    arguments: [
      (#"{"type":"session.update","session":{"type":"realtime","voice":null}}"#, nil),
      (#"{"type":"session.update","session":{}}"#, #"{"type":"session.update","session":{"type":"realtime"}}"#),
      (
        #"{"type":"session.update","session":{"type":"realtime","modelId":"a"}}"#,
        #"{"type":"session.update","session":{"type":"realtime","model":"a"}}"#
      ),
      (
        #"{"type":"session.update","session":{"type":"realtime","modelId":"a","model":"b"}}"#,
        #"{"type":"session.update","session":{"type":"realtime","model":"b"}}"#
      ),
      (
        #"{"type":"session.update","session":{"type":"realtime","output_modalities":["text","audio"]}}"#,
        #"{"type":"session.update","session":{"type":"realtime","output_modalities":["audio"]}}"#
      ),
      (#"{"type":"session.update","session":7}"#, nil),
    ])
  func normalised(_ event: String, _ expected: String?) throws {
    #expect(RawLane.normalised(try JSONValue(parsing: event)) == (try expected.map { try JSONValue(parsing: $0) }))
  }

  @Test(
    "fault row 45: what is no event at all is the provider's fault",
    arguments: ["", "[]", "{}", "{\"type\":1}", "{\"type\":\"a\",\"type\":\"b\"}"])
  func malformed(_ text: String) {
    var lane = RawLane(sessionID: "s")
    var port = Port(ids: IDSource(seed: 1))
    #expect(throws: TranslationFault.self) { try lane.deliver(ByteBuffer(string: text), port: &port) }
    #expect(port.outbox.downstream.isEmpty)
  }
}
