import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// `create_response: false`: a detector of ours finds the turns, and the service is given each as a window (section 5.5).
@Suite struct GeminiOwnDetection {
  typealias Call = GeminiCall

  static func fields(_ more: String = "") -> String {
    #""audio":{"input":{"turn_detection":{"type":"server_vad","create_response":false\#(more)}}}"#
  }

  static func ready(
    _ script: [TurnEvent], _ record: ScriptedDetector.Record = .init(), _ more: String = "",
    model: String = GeminiCall.live38
  ) -> SessionDialogue {
    GeminiCall.ready(model, fields(more)) { $0.makeDetector = { ScriptedDetector(script, record) } }
  }

  static func windowMs(_ step: SessionDialogue.Step) -> Int {
    GeminiClientEvents.pieces(step).reduce(0) { $0 + $1.utf8.count } / 64
  }

  @Test(
    "gemini 5.5 R241: it emits started, stopped and committed; nothing goes up, and nobody answers, until response.create"
  )
  func gated() {
    var call = Self.ready([.started(atMs: 1_000), .stopped(atMs: 2_000)])
    #expect(call.client(Call.append(ms: 900)).events.isEmpty)
    let start = call.client(Call.append(ms: 600))
    #expect(start.types == ["input_audio_buffer.speech_started"] && start.events.at(0)["audio_start_ms"] == 1000)
    let stop = call.client(Call.append(ms: 600))
    #expect(
      stop.types == [
        "input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "conversation.item.added",
        "conversation.item.done",
      ])
    #expect(stop.events.at(0)["audio_end_ms"] == 2000)
    #expect((start.upstream + stop.upstream + call.wait(.seconds(10)).upstream).isEmpty)
    let sent = call.client(Call.create)
    #expect(sent.upstream.first == ["realtimeInput": ["activityStart": [:]]])
    #expect(sent.upstream.last == ["realtimeInput": ["activityEnd": [:]]])
    #expect(call.answer().types.first == "response.created")
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
  }

  @Test(
    "gemini 4.3: a window begins 300 ms before its speech, or prefix_padding_ms if that is more: the service has no pre-roll",
    arguments: [
      ("", 300), (#","prefix_padding_ms":50"#, 300), (#","prefix_padding_ms":450"#, 450),
    ])
  func preRoll(_ more: String, _ preRoll: Int) {
    var call = Self.ready([.started(atMs: 2_000), .stopped(atMs: 3_000)], .init(), more)
    for _ in 0..<30 { _ = call.client(Call.append(ms: 100)) }
    #expect(Self.windowMs(call.client(Call.create)) == 1_000 + preRoll)
  }

  @Test("R149: an item can be deleted at the gate, and its sound never goes up")
  func moderated() {
    var call = Self.ready([.started(atMs: 100), .stopped(atMs: 900)])
    let item = call.client(Call.append(ms: 1_000)).event("conversation.item.added")?["item"]?["id"]?.string ?? ""
    _ = call.client(#"{"type":"conversation.item.delete","item_id":"\#(item)"}"#)
    let step = call.client(Call.create)
    #expect(GeminiClientEvents.pieces(step).isEmpty)
    #expect(step.upstream == [["clientContent": ["turns": [], "turnComplete": true]]])
  }

  @Test("gemini 5.5: two turns before one response.create go up together, and a transcript comes back to the last one")
  func twoTurns() {
    var call = Self.ready(
      [.started(atMs: 500), .stopped(atMs: 1_000), .started(atMs: 2_000), .stopped(atMs: 2_500)], .init(),
      #"},"transcription":{"model":"whisper-1""#)
    for _ in 0..<30 { _ = call.client(Call.append(ms: 100)) }
    let items = call.history.filter { $0["type"] == "input_audio_buffer.committed" }.map { $0["item_id"] }
    #expect(items.count == 2)
    let step = call.client(Call.create)
    #expect(step.upstream.count { $0["realtimeInput"]?["activityStart"] != nil } == 1)
    #expect(call.upstream(Call.heard("Hello")).events.first?["item_id"] == items.last)
  }

  @Test(
    "gemini 5.3 R242: speech interrupts a response that goes on, unless interrupt_response is false",
    arguments: [true, false])
  func interrupts(_ interrupts: Bool) {
    var call = Self.ready([.started(atMs: 100)], .init(), #","interrupt_response":\#(interrupts)"#)
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    let step = call.client(Call.append(ms: 400))
    #expect(step.types.first == "input_audio_buffer.speech_started")
    #expect(step.response?["status_details"]?["reason"]?.string == (interrupts ? "turn_detected" : nil))
    #expect(step.upstream == (interrupts ? [["clientContent": ["turnComplete": false]]] : []))
    let rest = call.upstream(Call.audio)
    #expect(rest.types == (interrupts ? [] : ["response.output_audio.delta"]))
  }

  @Test("R251: threshold and silence hold from the next chunk on, with no other connection")
  func tuned() {
    let record = ScriptedDetector.Record()
    var call = Self.ready([], record)
    _ = call.client(Call.append(ms: 100))
    let update = call.client(
      Call.update(#""audio":{"input":{"turn_detection":{"threshold":0.8,"silence_duration_ms":900}}}"#))
    #expect(update.types == ["session.updated"])
    _ = call.client(Call.append(ms: 100))
    #expect(call.wait(.seconds(1)).dials == 0)
    #expect(record.value.settings.map(\.threshold) == [0.5, 0.8])
    #expect(record.value.settings.map(\.silenceMs) == [500, 900])
  }

  @Test("gemini 5.3: semantic_vad waits by its eagerness", arguments: [("low", 1_200), ("auto", 700), ("high", 350)])
  func semantic(_ eagerness: String, _ silence: Int) {
    let record = ScriptedDetector.Record()
    var call = Call.ready(
      Call.live38,
      #""audio":{"input":{"turn_detection":{"type":"semantic_vad","eagerness":"\#(eagerness)","create_response":false}}}"#
    ) { $0.makeDetector = { ScriptedDetector([], record) } }
    _ = call.client(Call.append(ms: 100))
    #expect(record.value.settings.map(\.silenceMs) == [silence])
  }

  @Test("gemini 6.6: the detector is told while the assistant may be heard")
  func echo() {
    let record = ScriptedDetector.Record()
    var call = Self.ready([], record)
    _ = call.client(Call.append(ms: 100))
    _ = call.client(Call.create)
    _ = call.upstream(Call.speech(ms: 1_000))
    _ = call.client(Call.append(ms: 100))
    _ = call.upstream(Call.complete)
    _ = call.upstream(Call.end)
    _ = call.wait(.milliseconds(900))
    _ = call.client(Call.append(ms: 100))
    _ = call.wait(.milliseconds(200))
    _ = call.client(Call.append(ms: 100))
    #expect(record.value.assistantWasHeard == [false, true, false], "it plays for a second, however fast it came")
  }

  @Test("gemini 5.5: a commit of the client ends the turn that goes on; a clear forgets it; the detector too")
  func commitAndClear() {
    let record = ScriptedDetector.Record()
    var call = Self.ready([.started(atMs: 200), .started(atMs: 700)], record)
    _ = call.client(Call.append(ms: 500))
    let forgotten = record.value.forgotten
    #expect(
      call.client(Call.commit).types == [
        "input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "conversation.item.added",
        "conversation.item.done",
      ])
    _ = call.client(Call.append(ms: 500))
    #expect(call.client(Call.clear).types == ["input_audio_buffer.cleared"])
    #expect(record.value.forgotten == forgotten + 2)
    #expect(call.client(Call.commit).error?["code"] == "input_audio_buffer_commit_empty")
  }

  @Test(
    "gemini 5.5: from the service's detection to ours and back in mid-session: a hidden connection each, the time of the audio goes on"
  )
  func switching() {
    var call = Call.ready { $0.makeDetector = { ScriptedDetector([.started(atMs: 200), .stopped(atMs: 600)]) } }
    _ = call.client(Call.append(ms: 1_000))
    _ = call.upstream(Call.handle)
    _ = call.client(Call.update(Self.fields()))
    #expect(call.wait(.seconds(2)).dials == 1)
    #expect(
      call.reconnect().setUp?["realtimeInputConfig"]?["automaticActivityDetection"] == ["disabled": true])
    let step = call.client(Call.append(ms: 1_000))
    #expect(step.event("input_audio_buffer.speech_started")?["audio_start_ms"] == 1_200)
    #expect(step.event("input_audio_buffer.speech_stopped")?["audio_end_ms"] == 1_600)
    _ = call.client(Call.create)
    _ = call.answer()
    _ = call.client(Call.update(#""audio":{"input":{"turn_detection":{"create_response":true}}}"#))
    #expect(call.wait(.seconds(2)).dials == 1)
    #expect(call.reconnect().setUp?["realtimeInputConfig"]?["automaticActivityDetection"]?["disabled"] == nil)
  }
}
