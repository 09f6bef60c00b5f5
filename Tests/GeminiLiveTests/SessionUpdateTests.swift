import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// `session.update` before and after the set-up (sections 4.5, 5.2 and 5.5).
@Suite struct GeminiSessionUpdates {
  typealias Call = GeminiCall

  @Test("gemini 5.5: updates before the set-up are merged, each is answered, and one set-up has them all (R214 R250)")
  func before() {
    var call = Call.open()
    #expect(call.client(Call.update(#""instructions":"Be brief.""#)).types == ["session.updated"])
    #expect(call.client(Call.update(#""audio":{"output":{"voice":"Puck"}}"#)).types == ["session.updated"])
    let sent = call.wait(.seconds(5)).upstream
    #expect(sent.count == 1)
    #expect(sent.at(0)["setup"]?["systemInstruction"]?["parts"]?[0]?["text"] == "Be brief.")
    #expect(sent.at(0)["setup"]?["generationConfig"]?["speechConfig"] != nil)
  }

  @Test(
    "gemini 5.2: the set-up goes up 300 ms after the first update, at the first content, or after 5 s; content waits for its answer"
  )
  func timing() {
    var updated = Call.open()
    _ = updated.client(Call.update(#""instructions":"x""#))
    #expect(updated.wait(.milliseconds(299)).upstream.isEmpty)
    #expect(updated.wait(.milliseconds(1)).setUp != nil)
    var silent = Call.open()
    #expect(silent.wait(.milliseconds(4999)).upstream.isEmpty)
    #expect(silent.wait(.milliseconds(1)).setUp != nil)
    var spoken = Call.open()
    let sent = spoken.client(Call.append(ms: 40)).upstream
    #expect(sent.count == 1 && sent.at(0)["setup"] != nil)
    #expect(spoken.upstream(Call.setupComplete).upstream.first?["realtimeInput"]?["audio"] != nil)
  }

  @Test("gemini 5.2: a first event that is refused holds the set-up back no longer")
  func refusedFirst() {
    var call = Call.open()
    #expect(call.client(Call.item(#""type":"mcp_call","name":"f""#)).types == ["error"])
    #expect(call.wait(.zero).setUp != nil)
  }

  @Test("gemini 5.5: an update that does not show in the set-up is applied and needs nothing of the service")
  func localOnly() {
    var call = Call.ready()
    for fields in [
      #""instructions":"""#, #""audio":{"output":{"format":{"type":"audio/pcmu"}}}"#, #""tool_choice":"auto""#,
    ] {
      let step = call.client(Call.update(fields)) + call.wait(.milliseconds(60))
      #expect(step.types == ["session.updated"] && step.upstream.isEmpty && step.dials == 0)
    }
  }

  @Test(
    "gemini 4.5 R288: instructions in mid-session: a hidden connection goes on from the handle, 50 ms after the last update"
  )
  func instructions() {
    var call = Call.ready()
    _ = call.upstream(Call.handle)
    #expect(call.client(Call.update(#""instructions":"Answer in German.""#)).types == ["session.updated"])
    #expect(call.wait(.milliseconds(30)).dials == 0)
    #expect(call.client(Call.update(#""instructions":"Answer in French.""#)).types == ["session.updated"])
    let renewal = call.wait(.milliseconds(50))
    #expect(renewal.dials == 1 && renewal.actions.contains(.closeUpstream(code: 1000)))
    let opened = call.upstreamOpens()
    #expect(opened.setUp?["systemInstruction"]?["parts"]?[0]?["text"] == "Answer in French.")
    #expect(opened.setUp?["sessionResumption"] == ["handle": "handle-1"])
    let set = call.upstream(Call.setupComplete)
    #expect(set.events.isEmpty && set.upstream.isEmpty, "the client saw only session.updated")
  }

  @Test(
    "gemini 4.5 R221 R225: the voice alone, tools alone, silence alone: each by the same way, leaving the rest as it was"
  )
  func others() throws {
    for (fields, path) in [
      (#""audio":{"output":{"voice":"Puck"}}"#, "speechConfig"),
      (#""tools":[{"type":"function","name":"f"}]"#, "functionDeclarations"),
      (#""audio":{"input":{"turn_detection":{"silence_duration_ms":900}}}"#, "900"),
      (#""temperature":0.2"#, "temperature"), (#""reasoning":{"effort":"high"}"#, "HIGH"),
    ] {
      var call = Call.ready(Call.thinking38, #""instructions":"Be brief.","audio":{"output":{"voice":"Kore"}}"#)
      _ = call.upstream(Call.handle)
      #expect(call.client(Call.update(fields)).types == ["session.updated"])
      #expect(call.wait(.milliseconds(50)).dials == 1, "\(fields)")
      let setUp = try #require(call.upstreamOpens().setUp)
      #expect(setUp.text.contains(path) && setUp.text.contains("Be brief."))
      #expect(setUp["sessionResumption"]?["handle"] == "handle-1")
    }
  }

  @Test("gemini 4.5 R224: a model takes over at the next response: no handle of another model, told what was said")
  func model() {
    var call = Call.ready()
    _ = call.upstream(Call.handle)
    _ = call.client(Call.text("Hello"))
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    let update = call.client(Call.update(#""model":"\#(Call.native25)""#))
    #expect(update.event("session.updated")?["session"]?["model"]?.string == Call.native25)
    #expect(call.wait(.milliseconds(200)).dials == 0, "the response in flight is not cut")
    _ = call.upstream(Call.said("Hi!"))
    _ = call.upstream(Call.complete)
    #expect(call.upstream(Call.end).response?["status"] == "completed")
    let next = call.client(Call.create)
    #expect(next.dials == 1 && next.upstream.isEmpty)
    let setUp = call.upstreamOpens().setUp
    #expect(setUp?["model"]?.string == "models/" + Call.native25)
    #expect(setUp?["sessionResumption"] == [:])
    #expect(setUp?["systemInstruction"]?.text.contains("User: Hello\\nYou: Hi!") == true)
    #expect(call.upstream(Call.setupComplete).upstream.count == 1)
    #expect(call.upstream(Call.audio).types.first == "response.created")
  }

  @Test("gemini 5.5: what is changed while a response goes on holds for the next one, whatever comes first")
  func beforeNextResponse() {
    var call = Call.ready()
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    _ = call.client(Call.update(#""instructions":"Sing.""#))
    _ = call.wait(.seconds(1))
    _ = call.upstream(Call.complete)
    _ = call.wait(.milliseconds(1500))
    let step = call.client(Call.text("Now")) + call.client(Call.create)
    #expect(step.types == ["conversation.item.added", "conversation.item.done"])
    let setUp = call.upstreamOpens().setUp
    #expect(setUp?["systemInstruction"]?["parts"]?[0]?["text"] == "Sing.")
    let sent = call.upstream(Call.setupComplete).upstream
    #expect(sent.last?["clientContent"]?["turns"]?[0]?["parts"]?[0]?["text"] == "Now")
    #expect(sent.last?["clientContent"]?["turnComplete"] == true)
  }

  @Test(
    "gemini 5.3: tool_choice none in mid-session: the next response is of a set-up without tools, and auto brings them back"
  )
  func toolChoice() {
    var call = Call.ready(Call.live38, GeminiTools.declared)
    for (choice, hasTools) in [("none", false), ("auto", true)] {
      _ = call.client(Call.update(#""tool_choice":"\#(choice)""#))
      #expect(call.client(Call.create).dials == 1)
      #expect((call.reconnect().setUp?["tools"] != nil) == hasTools)
      _ = call.answer()
    }
  }

  @Test("gemini 5.5: an update that is taken back in time costs no connection")
  func takenBack() {
    var call = Call.ready()
    _ = call.client(Call.update(#""instructions":"x""#))
    _ = call.client(Call.update(#""instructions":"""#))
    #expect(call.wait(.seconds(2)).dials == 0)
  }

  @Test("gemini 2.8 4.5: contextUpdate changes instructions and tools where the model is said to take it")
  func contextUpdate() throws {
    var call = Call.ready { configuration in
      var override = GeminiModelOverride(prefix: "gemini-3.8")
      _ = override.set("takesContextUpdate", to: .bool(true))
      configuration.overrides = [override]
    }
    _ = call.client(Call.update(#""instructions":"Answer in French.","tools":[]"#))
    let step = call.wait(.milliseconds(50))
    #expect(step.dials == 0)
    #expect(
      step.upstream == [
        ["contextUpdate": ["systemInstruction": ["parts": [["text": "Answer in French."]]], "tools": ["tools": []]]]
      ])
    _ = call.client(Call.update(#""audio":{"output":{"voice":"Puck"}}"#))
    #expect(call.wait(.seconds(2)).dials == 1, "it cannot say a voice")
  }

  @Test("gemini 4.5 8.12: on Vertex a turn of the role system replaces the instruction of a 2.5 model")
  func systemTurn() {
    var call = Call.ready(Call.halfCascade) {
      $0.platform = GeminiPlatform(place: .vertex(project: "p", location: "us-central1"))
    }
    _ = call.client(Call.update(#""instructions":"Answer in French.""#))
    let step = call.wait(.milliseconds(50))
    #expect(step.dials == 0)
    #expect(
      step.upstream == [
        [
          "clientContent": [
            "turns": [["role": "system", "parts": [["text": "Answer in French."]]]], "turnComplete": false,
          ]
        ]
      ])
  }

  @Test(
    "gemini 5.5: a set-up that the service refuses in mid-session is undone: an error for the update, and session.updated with what holds"
  )
  func refused() {
    var call = Call.ready(Call.live38, #""instructions":"Old.""#)
    _ = call.upstream(Call.handle)
    _ = call.client(Call.update(#""instructions":"New.""#))
    _ = call.wait(.milliseconds(50))
    _ = call.upstreamOpens()
    // A handle that is refused has another code (3.9): this one is about the set-up, and the handle is kept.
    let refusal = call.upstreamEnds(.closed(code: 1007, reason: "Request contains an invalid argument."))
    #expect(refusal.types == ["error", "session.updated"])
    #expect(refusal.error?["code"] == "upstream_setup_rejected" && refusal.error?["event_id"] == "update")
    #expect(refusal.event("session.updated")?["session"]?["instructions"] == "Old.")
    _ = call.wait(.seconds(1))
    let opened = call.upstreamOpens()
    #expect(opened.setUp?["systemInstruction"]?["parts"]?[0]?["text"] == "Old.")
    #expect(opened.setUp?["sessionResumption"]?["handle"] != nil)
    #expect(call.upstream(Call.setupComplete).clientCloseCode == nil)
    #expect(call.client(Call.create).error == nil)
  }

  @Test("gemini 8.15: a set-up that the service refuses at the beginning is the client's to know, in our own words")
  func refusedAtFirst() {
    var call = Call.open()
    _ = call.wait(.seconds(5))
    let step = call.upstreamEnds(.closed(code: 1007, reason: "Request contains an invalid argument. key=AIzaSecret"))
    #expect(step.error?["code"] == "upstream_setup_rejected" && step.error?["param"] == "session")
    #expect(step.error?["type"] == "invalid_request_error" && step.clientCloseCode == 1014)
    #expect(step.events.allSatisfy { !$0.text.contains("AIza") })
  }
}
