import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// How what the client created reaches the service, by family: section 5.6.
@Suite struct GeminiFlush {
  typealias Call = GeminiCall

  static let image = GeminiCall.item(
    #""type":"message","role":"user","content":[{"type":"input_image","image_url":"data:image/jpeg;base64,AAAA"}]"#)

  @Test(
    "gemini 5.6 8.17: 2.5 and 3.8: one clientContent, turns in order, images in their places, the last one completes it",
    arguments: [GeminiCall.native25, GeminiCall.live38, GeminiCall.thinking38])
  func oneMessage(_ model: String) {
    var call = Call.ready(model)
    _ = call.client(Call.text("My name is Ada."))
    _ = call.client(Call.text("Nice to meet you, Ada.", role: "assistant"))
    _ = call.client(Self.image)
    _ = call.client(Call.text("What is my name?"))
    #expect(
      call.client(Call.create).upstream == [
        [
          "clientContent": [
            "turns": [
              ["role": "user", "parts": [["text": "My name is Ada."]]],
              ["role": "model", "parts": [["text": "Nice to meet you, Ada."]]],
              ["role": "user", "parts": [["inlineData": ["mimeType": "image/jpeg", "data": "AAAA"]]]],
              ["role": "user", "parts": [["text": "What is my name?"]]],
            ], "turnComplete": true,
          ]
        ]
      ])
  }

  @Test("gemini 5.6: 3.1: the user's texts are one realtimeInput.text, after the images as video")
  func realtimeText() {
    var call = Call.ready(Call.flash31)
    _ = call.client(Call.text("One."))
    _ = call.client(Self.image)
    _ = call.client(Call.text("Two."))
    #expect(
      call.client(Call.create).upstream == [
        ["realtimeInput": ["video": ["mimeType": "image/jpeg", "data": "AAAA"]]],
        ["realtimeInput": ["text": "One.\nTwo."]],
      ])
  }

  @Test(
    "gemini 5.6 8.17: 3.1 before its first turn: history is announced in a set-up and told; the last words are the question"
  )
  func announcedHistory() {
    var call = Call.ready(Call.flash31)
    _ = call.client(Call.text("My name is Ada."))
    _ = call.client(Call.text("Nice to meet you, Ada.", role: "assistant"))
    _ = call.client(Call.text("What is my name?"))
    let step = call.client(Call.create)
    #expect(step.upstream.isEmpty && step.dials == 1, "a connection that was set up without cannot be told")
    let opened = call.upstreamOpens()
    #expect(opened.setUp?["historyConfig"] == ["initialHistoryInClientContent": true])
    let told = call.upstream(Call.setupComplete)
    #expect(
      told.upstream == [
        [
          "clientContent": [
            "turns": Call.turns(("user", "My name is Ada."), ("model", "Nice to meet you, Ada.")),
            "turnComplete": true,
          ]
        ], ["realtimeInput": ["text": "What is my name?"]],
      ])
    #expect(told.events.isEmpty)
    #expect(call.upstream(Call.audio).types.first == "response.created")
  }

  @Test("gemini 5.6: 3.1 later: history cannot be told to a running session; a fresh one is told all of it")
  func laterHistory() {
    var call = Call.ready(Call.flash31)
    _ = call.upstream(Call.handle)
    _ = call.client(Call.text("Hello"))
    _ = call.client(Call.create)
    _ = call.answer()
    _ = call.client(Call.text("By the way, I am Bob.", role: "assistant"))
    _ = call.client(Call.text("Who?"))
    _ = call.client(Call.create)
    let opened = call.upstreamOpens()
    #expect(opened.setUp?["sessionResumption"] == [:])
    #expect(
      call.upstream(Call.setupComplete).upstream.first?["clientContent"]?["turns"]
        == Call.turns(("user", "Hello"), ("model", "Yes."), ("model", "By the way, I am Bob.")))
  }

  @Test(
    "gemini 5.6: a voice turn before any response.create: 3.8 gets the items as context before the next audio, while idle"
  )
  func contextBeforeVoice() {
    var call = Call.ready()
    _ = call.client(Call.text("My name is Ada."))
    let sent = call.client(Call.append(ms: 20)).upstream
    #expect(
      sent.first == ["clientContent": ["turns": Call.turns(("user", "My name is Ada.")), "turnComplete": false]])
    #expect(sent.count == 2 && sent.at(1)["realtimeInput"]?["audio"] != nil)
    #expect(call.client(Call.append(ms: 20)).upstream.count == 1, "once")
    _ = call.upstream(Call.audio)
    _ = call.client(Call.text("And I am old."))
    #expect(
      call.client(Call.append(ms: 20)).upstream.allSatisfy { $0["realtimeInput"] != nil },
      "content would interrupt the answer")
  }

  @Test(
    "gemini 5.6: 2.5 and 3.1 keep them for the next typed turn, and the log says so",
    arguments: [GeminiCall.native25, GeminiCall.flash31])
  func keptForLater(_ model: String) {
    var call = Call.ready(model)
    _ = call.client(Call.text("My name is Ada."))
    #expect(call.client(Call.append(ms: 100)).upstream.allSatisfy { $0["realtimeInput"]?["audio"] != nil })
    let spoken = call.answer()
    #expect(spoken.notes.contains { $0.message == "created items wait for the next typed turn" })
    #expect(call.client(Call.create).upstream.contains { $0.text.contains("My name is Ada.") })
  }

  @Test("gemini 5.6: a manual turn with text beside it: 3.8 is given the text as context of the window")
  func besideWindow() {
    var call = Call.ready(Call.live38, #""audio":{"input":{"turn_detection":null}}"#)
    _ = call.client(Call.text("Context."))
    _ = call.client(Call.append(ms: 100))
    let sent = call.client(Call.create).upstream
    #expect(
      sent.map { TranscriptPlayer.kind(of: $0) } == [
        "clientContent", "realtimeInput", "realtimeInput", "realtimeInput",
      ])
    #expect(sent.first?["clientContent"] == ["turns": Call.turns(("user", "Context.")), "turnComplete": false])
  }

  @Test(
    "gemini 2.5 5.6: where a window can have no text beside it, a fresh session is told, and hears the window",
    arguments: [(GeminiCall.native25, "systemInstruction"), (GeminiCall.flash31, "clientContent")])
  func toldBesideWindow(_ model: String, _ place: String) {
    var call = Call.ready(model, #""audio":{"input":{"turn_detection":null}}"#)
    _ = call.client(Call.text("Context."))
    _ = call.client(Call.append(ms: 100))
    #expect(call.client(Call.create).dials == 1)
    let step = call.reconnect()
    let told = step.upstream.first { $0.text.contains("Context.") }
    #expect(told?.text.contains(place) == true)
    #expect(step.upstream.contains(["realtimeInput": ["activityStart": [:]]]))
    #expect(step.upstream.last == ["realtimeInput": ["activityEnd": [:]]])
  }

  @Test(
    "gemini 5.6: historyConfig is stated exactly where the family wants it and there is history",
    arguments: [true, false])
  func historyConfig(_ hasHistory: Bool) {
    for model in [Call.live38, Call.native25, Call.flash31] {
      var call = Call.ready(model)
      if hasHistory {
        _ = call.client(Call.text("Hello"))
        _ = call.client(Call.create)
        _ = call.answer()
      }
      _ = call.upstreamEnds(.lost)
      let opened = call.upstreamOpens()
      #expect((opened.setUp?["historyConfig"] != nil) == (hasHistory && model == Call.flash31))
    }
  }
}
