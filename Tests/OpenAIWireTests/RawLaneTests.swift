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
    for event in [#"{"type":"session.created"}"#] + events {
      try lane.deliver(ByteBuffer(string: event), port: &port)
    }
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

  @Test("an error before the provider's hello is about the gateway: it is noted by its code, not handed on")
  func earlyError() throws {
    var lane = RawLane(sessionID: "s")
    var port = Port(ids: IDSource(seed: 1))
    let event = ByteBuffer(
      string: #"{"type":"error","error":{"code":"invalid_api_key","message":"Incorrect API key provided: sk-planted"}}"#
    )
    try lane.deliver(event, port: &port)
    #expect(port.outbox.downstream.isEmpty)
    #expect(
      port.outbox.actions == [
        .note(SessionNote(.warning, "the provider refused the session", ["code": "invalid_api_key"]))
      ])
  }

  @Test("R098: every response that is open at the end is failed, its items first, each as far as it was told of")
  func endOfOpenResponses() throws {
    var lane = RawLane(sessionID: "s")
    var port = Port(ids: IDSource(seed: 1))
    for event in [
      #"{"type":"response.created","response":{"id":"r1","output":[]}}"#,
      #"{"type":"response.output_item.added","response_id":"r1","output_index":0,"item":{"id":"i1","status":"in_progress"}}"#,
      #"{"type":"conversation.item.added","previous_item_id":"u","item":{"id":"i1"}}"#,
      #"{"type":"response.created","response":{"id":"outside"}}"#,
      #"{"type":"response.output_item.added","response_id":"outside","output_index":0,"item":{"id":"o1"}}"#,
      #"{"type":"conversation.item.done","item":{"id":"i1"}}"#,
      #"{"type":"response.output_item.done","response_id":"r1","output_index":0,"item":{"id":"i1","status":"completed"}}"#,
      #"{"type":"response.output_item.added","response_id":"r1","output_index":1,"item":{"id":"i2"}}"#,
      #"{"type":"conversation.item.added","previous_item_id":"i1","item":{"id":"i2"}}"#,
      #"{"type":"response.created","response":{"id":"over"}}"#,
      #"{"type":"response.done","response":{"id":"over"}}"#,
    ] { try lane.deliver(ByteBuffer(string: event), port: &port) }
    port.outbox.downstream.removeAll()
    lane.closeOpenResponses(UpstreamVerdict(code: "lost", message: "Lost.", outlook: .mayRecover), port: &port)
    let events = try port.outbox.downstream.texts.map { try JSONValue(parsing: $0) }
    #expect(
      events.map { $0["type"] } == [
        "conversation.item.done", "response.output_item.done", "response.done", "response.output_item.done",
        "response.done",
      ])
    #expect(events[0]["item"] == ["id": "i2", "status": "incomplete"] && events[0]["previous_item_id"] == "i1")
    #expect(events[1]["item"]?["id"] == "i2" && events[1]["output_index"] == 1 && events[1]["response_id"] == "r1")
    #expect(events[2]["response"]?["output"]?[0] == ["id": "i1", "status": "completed"])
    #expect(events[2]["response"]?["output"]?[1] == ["id": "i2", "status": "incomplete"])
    #expect(events[2]["response"]?["status_details"]?["error"]?["code"] == "lost")
    #expect(events[3]["item"]?["id"] == "o1" && events[3]["response_id"] == "outside")
    #expect(events[4]["response"]?["status"] == "failed" && events[4]["response"]?["id"] == "outside")
    #expect(Set(events.map { $0["event_id"]?.string }).count == 5)
    port.outbox.downstream.removeAll()
    lane.closeOpenResponses(UpstreamVerdict(code: "lost", message: "Lost.", outlook: .mayRecover), port: &port)
    #expect(port.outbox.downstream.isEmpty)
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
    arguments: ["", "[]", "{}", "{\"type\":1}", "{\"type\":\"a\",\"type\":\"b\"}", #"{"type":"a"} x"#])
  func malformed(_ text: String) {
    var lane = RawLane(sessionID: "s")
    var port = Port(ids: IDSource(seed: 1))
    #expect(throws: TranslationFault.self) { try lane.deliver(ByteBuffer(string: text), port: &port) }
    #expect(port.outbox.downstream.isEmpty)
  }
}
