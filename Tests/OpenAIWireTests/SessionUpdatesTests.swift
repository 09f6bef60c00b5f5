import Envelope
import Testing

@testable import OpenAIWire

@Suite struct UpdatesUnderWay {
  static let session = RealtimeSession.defaults(id: "s", model: "m", voice: "marin", expiresAt: 1)

  static func update(_ id: String, _ fields: JSONObject) -> SessionUpdates.Update {
    SessionUpdates.Update(patch: SessionPatch(fields), frameID: id, eventID: id)
  }

  static func apply(_ patch: SessionPatch, _ session: RealtimeSession) -> RealtimeSession? {
    try? patch.applied(to: session)
  }

  @Test("R236: a refused update leaves no trace, whatever was asked before and after it")
  func refusal() throws {
    var updates = SessionUpdates(Self.session)
    updates.add(Self.update("a", ["instructions": "a"]))
    updates.add(Self.update("b", ["instructions": "b", "audio": ["output": ["voice": "x"]]]))
    updates.add(Self.update("c", ["max_output_tokens": 7]))
    #expect(updates.expected(Self.apply).audio.output.voice == "x")
    #expect(updates.refuse(frameID: "b")?.eventID == "b")
    #expect(updates.refuse(frameID: "b") == nil)
    let expected = updates.expected(Self.apply)
    #expect(expected.instructions == "a" && expected.audio.output.voice == "marin")
    #expect(expected.maxOutputTokens == .count(7))
    for _ in 0..<2 {
      let first = try #require(updates.pending.first?.patch)
      _ = updates.confirmOldest(as: try #require(Self.apply(first, updates.confirmed)))
    }
    #expect(updates.confirmed == expected && updates.pending.isEmpty)
    #expect(updates.touched["audio"] == nil)
  }

  @Test("a new connection is told what was not answered; what waits behind other content follows by itself")
  func setUp() {
    var updates = SessionUpdates(Self.session)
    let own = SessionUpdates.Update(patch: nil, frameID: "own", eventID: nil, isSetUp: true)
    #expect(updates.takeForSetUp(orElse: own).map(\.frameID) == ["own"])
    updates.connectionLost()
    var held = Self.update("held", ["instructions": "x"])
    held.isHeld = true
    updates.add(held)
    #expect(updates.takeForSetUp(orElse: own).map(\.frameID) == ["own"])
    #expect(updates.pending.map(\.frameID) == ["own", "held"])
    updates.heldWasSent()
    updates.connectionLost()
    #expect(updates.takeForSetUp(orElse: own).map(\.frameID) == ["held"])
  }

  @Test("only the fields that were asked for go up, with effective values and whole objects")
  func fields() throws {
    let patch: JSONObject = [
      "instructions": "x", "prompt": nil, "id": "theirs", "parallel_tool_calls": nil, "modelId": "other",
      "audio": ["input": ["turn_detection": ["threshold": 0.7]]],
    ]
    let session = try SessionPatch(patch).applied(to: Self.session)
    let fields = SessionFields.of(session, at: patch)
    #expect(fields["instructions"] == "x" && fields["prompt"] == .null && fields["parallel_tool_calls"] == .null)
    #expect(fields["id"] == nil && fields["modelId"] == nil && fields["model"] == "other")
    #expect(fields["audio"]?["output"] == nil && fields["audio"]?["input"]?["format"] == nil)
    #expect(
      fields["audio"]?["input"]?["turn_detection"] == [
        "type": "server_vad", "threshold": 0.7, "prefix_padding_ms": 300, "silence_duration_ms": 500,
        "idle_timeout_ms": nil, "create_response": true, "interrupt_response": true,
      ])
    #expect(
      SessionFields.adding("audio.output.voice", to: ["audio": ["input": ["format": true]]])
        == ["audio": ["input": ["format": true], "output": ["voice": true]]])
  }
}
