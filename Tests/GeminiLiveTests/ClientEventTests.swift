import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// The client's events: the rows of section 5.5 but for `session.update`, calls and responses.
@Suite struct GeminiClientEvents {
  typealias Call = GeminiCall

  static let manual = #""audio":{"input":{"turn_detection":null}}"#

  static func pieces(_ step: SessionDialogue.Step) -> [String] {
    step.upstream.compactMap { $0["realtimeInput"]?["audio"]?["data"]?.string }
  }

  // MARK: Audio

  @Test("gemini 5.5: input_audio_buffer.append (auto) goes up at once, at its own rate, in pieces of 20 to 100 ms")
  func append() {
    var call = Call.ready()
    let step = call.client(Call.append(ms: 250))
    #expect(Self.pieces(step).joined() == Call.silence(ms: 250))
    #expect(Self.pieces(step).allSatisfy { (20 * 64...100 * 64).contains($0.utf8.count) })
    #expect(step.upstream.allSatisfy { $0["realtimeInput"]?["audio"]?["mimeType"] == "audio/pcm;rate=24000" })
    #expect(call.client(Call.append(ms: 15)).upstream.isEmpty, "too short for a piece")
    #expect(Self.pieces(call.client(Call.append(ms: 15))) == [Call.silence(ms: 30)])
  }

  @Test("gemini 5.5: what is not base64 is an error, and the buffer as it was")
  func badAudio() {
    var call = Call.ready(Call.live38, Self.manual)
    _ = call.client(Call.append(ms: 100))
    let step = call.client(#"{"type":"input_audio_buffer.append","event_id":"bad","audio":"!!!!"}"#)
    #expect(step.error?["event_id"] == "bad" && step.error?["param"] == "audio")
    #expect(call.client(Call.commit).types.first == "input_audio_buffer.committed")
  }

  @Test("gemini 5.5: input_audio_buffer.append (manual) stays here")
  func manualAppend() {
    var call = Call.ready(Call.live38, Self.manual)
    #expect(call.client(Call.append(ms: 500)).upstream.isEmpty)
  }

  @Test("gemini 5.5: input_audio_buffer.commit (auto) is audioStreamEnd, and one user item for the utterance")
  func commit() {
    var call = Call.ready()
    _ = call.client(Call.append(ms: 215))
    let step = call.client(Call.commit)
    #expect(step.types == ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"])
    #expect(step.upstream.last == ["realtimeInput": ["audioStreamEnd": true]])
    _ = call.upstream(Call.heard("Hello"))
    _ = call.upstream(Call.interrupted)
    _ = call.answer()
    #expect(call.history.count { $0["type"] == "input_audio_buffer.committed" } == 1)
  }

  @Test(
    "gemini 5.5: a commit of less than 100 ms since the last one is input_audio_buffer_commit_empty",
    arguments: [true, false])
  func emptyCommit(_ isManual: Bool) {
    var call = Call.ready(Call.live38, isManual ? Self.manual : "")
    _ = call.client(Call.append(ms: 99))
    let error = call.client(Call.commit).error
    #expect(error?["code"] == "input_audio_buffer_commit_empty" && error?["event_id"] == "commit")
    _ = call.client(Call.append(ms: 1))
    #expect(call.client(Call.commit).error == nil)
    #expect(call.client(Call.commit).error?["code"] == "input_audio_buffer_commit_empty")
  }

  @Test(
    "gemini 5.5: input_audio_buffer.commit (manual) makes a user item and sends nothing: an activity's end would draw an answer"
  )
  func manualCommit() {
    var call = Call.ready(Call.live38, Self.manual)
    _ = call.client(Call.append(ms: 300))
    let step = call.client(Call.commit)
    #expect(step.types == ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"])
    #expect(step.upstream.isEmpty)
    let item = step.event("conversation.item.added")?["item"]
    #expect(item?["role"] == "user" && item?["content"]?[0]?["type"] == "input_audio")
  }

  @Test("gemini 4.3 8.8: response.create sends the committed audio as one window; nothing of it is lost or said twice")
  func manualTurn() {
    var call = Call.ready(Call.live38, Self.manual)
    _ = call.client(Call.append(ms: 150))
    _ = call.client(Call.append(ms: 150))
    _ = call.client(Call.commit)
    let step = call.client(Call.create)
    #expect(step.upstream.first == ["realtimeInput": ["activityStart": [:]]])
    #expect(step.upstream.last == ["realtimeInput": ["activityEnd": [:]]])
    #expect(Self.pieces(step).joined() == Call.silence(ms: 300))
    #expect(step.events.isEmpty)
    _ = call.answer()
    #expect(
      call.client(Call.create).upstream == [["clientContent": ["turns": [], "turnComplete": true]]], "it was answered")
  }

  @Test("gemini 5.5: two commits before one response.create are two items and one window")
  func twoCommits() {
    var call = Call.ready(Call.live38, Self.manual)
    for _ in 0..<2 {
      _ = call.client(Call.append(ms: 200))
      #expect(call.client(Call.commit).event("conversation.item.added") != nil)
    }
    let step = call.client(Call.create)
    #expect(step.upstream.count { $0["realtimeInput"]?["activityStart"] != nil } == 1)
    #expect(step.upstream.count { $0["realtimeInput"]?["activityEnd"] != nil } == 1)
    #expect(Self.pieces(step).joined() == Call.silence(ms: 400))
  }

  @Test("gemini 5.5: input_audio_buffer.clear (manual) drops what is not committed")
  func manualClear() {
    var call = Call.ready(Call.live38, Self.manual)
    _ = call.client(Call.append(ms: 300))
    let step = call.client(Call.clear)
    #expect(step.types == ["input_audio_buffer.cleared"] && step.upstream.isEmpty)
    #expect(call.client(Call.commit).error?["code"] == "input_audio_buffer_commit_empty")
  }

  @Test("gemini 5.5: input_audio_buffer.clear (auto) drops only what has not gone up yet")
  func clear() {
    var call = Call.ready()
    _ = call.client(Call.append(ms: 15))
    let step = call.client(Call.clear)
    #expect(step.types == ["input_audio_buffer.cleared"] && step.upstream.isEmpty)
    #expect(Self.pieces(call.client(Call.append(ms: 20))) == [Call.silence(ms: 20)])
  }

  // MARK: Items

  @Test("gemini 5.5: text of the user waits for response.create: OpenAI answers only then")
  func text() {
    var call = Call.ready()
    let step = call.client(Call.text("Hello"))
    #expect(step.types == ["conversation.item.added", "conversation.item.done"] && step.upstream.isEmpty)
    #expect(
      call.client(Call.create).upstream == [
        ["clientContent": ["turns": Call.turns(("user", "Hello")), "turnComplete": true]]
      ])
  }

  static func image(_ url: String) -> String {
    GeminiCall.item(
      #""type":"message","role":"user","content":[{"type":"input_text","text":"What is this?"},{"type":"input_image","image_url":"\#(url)"}]"#
    )
  }

  @Test("gemini 5.5 8.16 R291: an image goes up in its turn where the family takes it there")
  func imageInTurn() {
    var call = Call.ready()
    _ = call.client(Self.image("data:image/png;base64,iVBORw0KGgo="))
    #expect(
      call.client(Call.create).upstream == [
        [
          "clientContent": [
            "turns": [
              [
                "role": "user",
                "parts": [
                  ["text": "What is this?"], ["inlineData": ["mimeType": "image/png", "data": "iVBORw0KGgo="]],
                ],
              ]
            ], "turnComplete": true,
          ]
        ]
      ])
  }

  @Test("gemini 5.5 8.16 R291: elsewhere it is a frame of video ahead of the words")
  func imageAsVideo() {
    var call = Call.ready(Call.flash31)
    _ = call.client(Self.image("data:image/png;base64,iVBORw0KGgo="))
    #expect(
      call.client(Call.create).upstream == [
        ["realtimeInput": ["video": ["mimeType": "image/png", "data": "iVBORw0KGgo="]]],
        ["realtimeInput": ["text": "What is this?"]],
      ])
  }

  @Test(
    "gemini 5.5 R291: an image must be a data URL of JPEG or PNG; anything else is an error with its place",
    arguments: [
      "https://example.org/a.png", "data:image/webp;base64,AAAA", "data:image/png;base64,!!!!", "data:image/png,x",
    ])
  func badImage(_ url: String) {
    var call = Call.ready()
    let step = call.client(Self.image(url))
    #expect(step.types == ["error"] && step.error?["param"] == "item.content[1].image_url")
    #expect(call.client(#"{"type":"conversation.item.retrieve","item_id":"x"}"#).error != nil)
  }

  static let recording = GeminiCall.item(
    #""type":"message","role":"user","content":[{"type":"input_audio","audio":"\#(GeminiCall.silence(ms: 60))"}]"#,
    id: "sound")

  @Test(
    "gemini 5.5 R137: a recording is played at response.create: in a window (manual), or as a burst with its end (auto)"
  )
  func recordedAudio() {
    var auto = Call.ready()
    #expect(auto.client(Self.recording).upstream.isEmpty)
    let burst = auto.client(Call.create)
    #expect(Self.pieces(burst) == [Call.silence(ms: 60)])
    #expect(burst.upstream.last == ["realtimeInput": ["audioStreamEnd": true]])
    var manual = Call.ready(Call.live38, Self.manual)
    _ = manual.client(Self.recording)
    let window = manual.client(Call.create)
    #expect(window.upstream.first?["realtimeInput"]?["activityStart"] != nil)
    #expect(Self.pieces(window) == [Call.silence(ms: 60)])
    #expect(window.upstream.last?["realtimeInput"]?["activityEnd"] != nil)
    let item = manual.client(#"{"type":"conversation.item.retrieve","item_id":"sound"}"#)
    #expect(item.events.first?["item"]?["content"]?[0]?["audio"]?.string == nil, "the mirror keeps words")
  }

  @Test("gemini 5.5: an assistant message is a turn of the model")
  func assistant() {
    var call = Call.ready()
    _ = call.client(Call.text("I am Ada.", role: "assistant"))
    _ = call.client(Call.text("Who are you?"))
    #expect(
      call.client(Call.create).upstream.first?["clientContent"]?["turns"]
        == Call.turns(("model", "I am Ada."), ("user", "Who are you?")))
  }

  @Test(
    "gemini 5.5: system messages before anything else are appended to the instruction, until other content or for 300 ms"
  )
  func systemFirst() {
    let instruction: JSONValue = ["parts": [["text": "Be brief."], ["text": "Speak French."]]]
    var call = Call.open()
    _ = call.client(Call.update(#""instructions":"Be brief.""#))
    #expect(call.client(Call.text("Speak French.", role: "system")).upstream.isEmpty)
    #expect(call.client(Call.text("Hello")).setUp?["systemInstruction"] == instruction)
    _ = call.upstream(Call.setupComplete)
    #expect(
      call.client(Call.create).upstream.first?["clientContent"]?["turns"] == Call.turns(("user", "Hello")),
      "it is not said twice")
    var alone = Call.open()
    _ = alone.client(Call.update(#""instructions":"Be brief.""#))
    _ = alone.client(Call.text("Speak French.", role: "system"))
    #expect(alone.wait(.milliseconds(299)).upstream.isEmpty)
    #expect(alone.wait(.milliseconds(1)).setUp?["systemInstruction"] == instruction)
  }

  @Test("gemini 4.5 5.5: a system message later goes into the user's next text: as a turn of its own it is not obeyed")
  func systemLater() {
    var call = Call.ready()
    _ = call.client(Call.text("Speak French.", role: "system"))
    _ = call.client(Call.text("Hello"))
    let turns = call.client(Call.create).upstream.first?["clientContent"]?["turns"]
    #expect(
      turns == [["role": "user", "parts": [["text": "[System: Speak French.]"], ["text": "Hello"]]]])
  }

  @Test("gemini 5.5: a function call of the history is told as text")
  func callHistory() {
    var call = Call.ready()
    _ = call.client(Call.item(#""type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}""#))
    _ = call.client(Call.result("c", "7"))
    _ = call.client(Call.text("So?"))
    let turns = call.client(Call.create).upstream.first?["clientContent"]?["turns"]
    #expect(turns?[0] == ["role": "model", "parts": [["text": #"[called f with {"a":1}]"#]]])
    #expect(turns?[1]?["role"] == "user" && turns?[1]?["parts"]?[0]?["text"]?.string?.contains("7") == true)
  }

  @Test("gemini 5.5: previous_item_id: the last item and root while empty are the end; unknown ones are refused")
  func positions() {
    var call = Call.ready()
    #expect(call.client(Call.text("a", id: "a", after: "root")).error == nil)
    #expect(call.client(Call.text("b", id: "b", after: "a")).error == nil)
    #expect(call.client(Call.text("c", after: "z")).error?["param"] == "previous_item_id")
    let sent = call.client(Call.create)
    #expect(sent.dials == 0)
    #expect(sent.upstream.first?["clientContent"]?["turns"] == Call.turns(("user", "a"), ("user", "b")))
  }

  @Test("gemini 5.5 R145: an item in the middle: the service can only append, so a fresh session is told the order")
  func inTheMiddle() {
    var call = Call.ready()
    _ = call.upstream(Call.handle)
    _ = call.client(Call.text("one", id: "one"))
    _ = call.client(Call.create)
    _ = call.answer()
    _ = call.client(Call.text("zero", after: "root"))
    let step = call.client(Call.text("two")) + call.client(Call.create)
    #expect(step.error == nil)
    let opened = call.upstreamOpens()
    #expect(opened.setUp?["sessionResumption"] == [:], "no handle: it would remember the other order")
    let told = call.upstream(Call.setupComplete).upstream
    #expect(
      told.first?["clientContent"]?["turns"] == Call.turns(("user", "zero"), ("user", "one"), ("model", "Yes.")))
    #expect(told.last?["clientContent"]?["turns"] == Call.turns(("user", "two")))
  }

  @Test("gemini 5.5: conversation.item.retrieve answers from the mirror")
  func retrieve() {
    var call = Call.ready()
    _ = call.client(Call.create)
    let id = call.upstream(Call.audio).event("conversation.item.added")?["item"]?["id"]?.string ?? ""
    _ = call.upstream(Call.said("Four."))
    _ = call.upstream(Call.complete)
    let item = call.client(#"{"type":"conversation.item.retrieve","item_id":"\#(id)"}"#).event(
      "conversation.item.retrieved")?["item"]
    #expect(item?["content"]?[0]?["transcript"] == "Four." && item?["role"] == "assistant")
  }

  @Test(
    "gemini 5.5 R145 R149 R270: conversation.item.delete: what was not sent is not; what was sent leaves with the session that heard it"
  )
  func delete() {
    var call = Call.ready()
    _ = call.client(Call.text("secret", id: "s"))
    #expect(call.client(#"{"type":"conversation.item.delete","item_id":"s"}"#).types == ["conversation.item.deleted"])
    _ = call.client(Call.text("known", id: "k"))
    #expect(!call.client(Call.create).upstream.contains { $0.text.contains("secret") })
    _ = call.answer()
    _ = call.upstream(Call.handle)
    let step = call.client(#"{"type":"conversation.item.delete","item_id":"k"}"#) + call.wait(.seconds(1))
    #expect(step.types == ["conversation.item.deleted"] && step.dials == 1)
    let fresh = call.reconnect()
    #expect(fresh.setUp?["sessionResumption"] == [:] && fresh.events.isEmpty)
    #expect(!fresh.upstream.contains { $0.text.contains("known") })
    #expect(fresh.upstream.last?["clientContent"] == ["turns": Call.turns(("model", "Yes.")), "turnComplete": false])
  }

  @Test("gemini 5.5 R145: conversation.item.truncate cuts the words in proportion, here and for the service")
  func truncate() {
    var call = Call.ready()
    _ = call.client(Call.create)
    let id = call.upstream(Call.speech(ms: 1000)).event("conversation.item.added")?["item"]?["id"]?.string ?? ""
    _ = call.upstream(Call.said("one two three four"))
    _ = call.upstream(Call.complete)
    _ = call.upstream(Call.end)
    func truncate(_ ms: Int) -> String {
      #"{"type":"conversation.item.truncate","event_id":"t","item_id":"\#(id)","content_index":0,"audio_end_ms":\#(ms)}"#
    }
    #expect(call.client(truncate(1001)).error?["param"] == "audio_end_ms")
    let step = call.client(truncate(500)) + call.wait(.seconds(1))
    #expect(step.types == ["conversation.item.truncated"] && step.dials == 1)
    #expect(
      call.reconnect().upstream.last?["clientContent"]?["turns"] == Call.turns(("model", "one two")))
    let other = #"{"type":"conversation.item.truncate","item_id":"none","content_index":0,"audio_end_ms":0}"#
    #expect(call.client(other).error?["code"] == "item_truncate_invalid_item_id")
  }

  @Test("gemini 5.5: an event of an unknown type is an error with its id, and goes nowhere (fault row 39)")
  func unknown() {
    var call = Call.ready()
    let step = call.client(#"{"type":"no.such","event_id":"n"}"#)
    #expect(step.error?["event_id"] == "n" && step.error?["param"] == "type" && step.upstream.isEmpty)
  }

  @Test("gemini 5.5: recordings that wait are bounded together with what is appended: ten minutes")
  func recordingsAreBounded() {
    var call = Call.ready(Call.live38, #""audio":{"input":{"turn_detection":null}}"#)
    let minutes =
      #""type":"message","role":"user","content":[{"type":"input_audio","audio":"\#(Call.silence(ms: 290_000))"}]"#
    for _ in 0..<2 { #expect(call.client(Call.item(minutes)).types.first == "conversation.item.added") }
    let refused = call.client(Call.item(minutes))
    #expect(refused.types == ["error"] && refused.error?["code"] == "too_much_held")
    #expect(call.client(Call.append(ms: 1_000)).types.isEmpty)
  }
}
