import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// What the service says: every row of section 6.2 but for calls, which are in `GeminiTools`, and the orders of 6.1.
@Suite struct GeminiServerMessages {
  typealias Call = GeminiCall

  static let transcribed = #""audio":{"input":{"transcription":{"model":"whisper-1"}}}"#
  static let commitGroup = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
  static let opening = [
    "response.created", "rate_limits.updated", "response.output_item.added", "conversation.item.added",
    "response.content_part.added",
  ]

  /// A call in which the model speaks.
  static func speaking(_ model: String = GeminiCall.live38, _ fields: String = "") -> SessionDialogue {
    var call = GeminiCall.ready(model, fields)
    _ = call.client(GeminiCall.create)
    _ = call.upstream(GeminiCall.audio)
    return call
  }

  @Test("gemini 6.2: setupComplete says nothing to the client; what was queued goes up, in its order")
  func setupComplete() {
    var call = Call.open()
    _ = call.client(Call.text("Hello"))
    _ = call.client(Call.create)
    let step = call.upstream(Call.setupComplete)
    #expect(step.events.isEmpty && step.upstream.count == 1)
    var vertex = Call.open()
    _ = vertex.wait(.seconds(5))
    #expect(vertex.upstream(#"{"setupComplete":{"sessionId":"3c9f"}}"#).events.isEmpty)
    #expect(vertex.client(Call.create).upstream.count == 1)
  }

  @Test(
    "gemini 6.2 8.10 R092 R093 R252: voiceActivity is speech_started and speech_stopped at its offsets, then the commit group, all of one item"
  )
  func voiceActivity() {
    var call = Call.ready()
    _ = call.client(Call.append(ms: 3000))
    let start = call.upstream(Call.activity("ACTIVITY_START", at: "0.200s"))
    #expect(start.types == ["input_audio_buffer.speech_started"] && start.events.at(0)["audio_start_ms"] == 200)
    let end = call.upstream(Call.activity("ACTIVITY_END", at: "2.900s"))
    #expect(end.types == ["input_audio_buffer.speech_stopped"] + Self.commitGroup)
    #expect(end.events.at(0)["audio_end_ms"] == 2900)
    let id = start.events.at(0)["item_id"]
    #expect(
      end.events.at(0)["item_id"] == id && end.events.at(1)["item_id"] == id && end.events.at(2)["item"]?["id"] == id)
    #expect(
      end.events.at(2)["item"]?["content"] == [["type": "input_audio", "transcript": .null]]
        && end.events.at(2)["item"]?["role"] == "user")
  }

  @Test(
    "gemini 3.8: voiceActivity under the SDK's name, and Vertex's own signal, say the same",
    arguments: [
      #"{"voiceActivity":{"voiceActivityType":"ACTIVITY_START","audioOffset":"0.5s"}}"#,
      #"{"voiceActivityDetectionSignal":{"vadSignalType":"VAD_SIGNAL_TYPE_SOS"}}"#,
    ])
  func otherSignals(_ message: String) {
    var call = Call.ready()
    _ = call.client(Call.append(ms: 500))
    let step = call.upstream(message)
    #expect(step.types == ["input_audio_buffer.speech_started"] && step.events.at(0)["audio_start_ms"] == 500)
  }

  @Test(
    "gemini 6.2 6.6: inputTranscription without a signal opens the user's item late; the first fragment loses its space, the rest is verbatim"
  )
  func inputTranscription() {
    var call = Call.ready(Call.live38, Self.transcribed)
    _ = call.client(Call.append(ms: 1000))
    let first = call.upstream(Call.heard(" Hello"))
    #expect(
      first.types == ["input_audio_buffer.speech_started", "conversation.item.input_audio_transcription.delta"])
    #expect(first.events.at(1)["delta"] == "Hello" && first.events.at(1)["content_index"] == 0)
    let second = call.upstream(Call.heard(" there"))
    #expect(second.types == ["conversation.item.input_audio_transcription.delta"])
    #expect(second.events.at(0)["delta"] == " there" && second.events.at(0)["item_id"] == first.events.at(0)["item_id"])
    #expect(call.upstream(Call.heard("")).events.isEmpty)
    #expect(call.upstream(#"{"serverContent":{"interimInputTranscription":{"text":"Hello the"}}}"#).events.isEmpty)
  }

  @Test("gemini 6.2: the first output of a spoken turn says what was not said of its end, then opens the response")
  func firstOutput() {
    var call = Call.ready(Call.live38, Self.transcribed)
    _ = call.client(Call.append(ms: 1000))
    _ = call.upstream(Call.heard("Hello"))
    let step = call.upstream(Call.audio)
    #expect(
      step.types == ["input_audio_buffer.speech_stopped"] + Self.commitGroup + Self.opening + [
        "response.output_audio.delta"
      ])
    #expect(step.event("response.output_item.added")?["item"]?["status"] == "in_progress")
    #expect(step.event("response.content_part.added")?["part"] == ["type": "audio", "transcript": ""])
  }

  @Test(
    "gemini 6.2 R151: rate_limits.updated follows response.created, with an empty list: the service says nothing of its limits"
  )
  func rateLimits() {
    var call = Call.ready()
    _ = call.client(Call.create)
    let step = call.upstream(Call.audio)
    #expect(Array(step.types.prefix(2)) == ["response.created", "rate_limits.updated"])
    #expect(step.events.at(1)["rate_limits"] == [])
  }

  @Test(
    "gemini 6.1: what opens a response: sound, words of sound, calls; not transcripts of the user, thoughts, grounding or bare flags"
  )
  func opens() {
    for message in [Call.audio, Call.said("Hi"), Call.calls(Call.called("a"))] {
      var call = Call.ready()
      #expect(call.upstream(message).event("response.created") != nil)
    }
    for message in [
      Call.heard("Hi"), Call.complete, Call.end, Call.said(""), #"{"serverContent":{"waitingForInput":true}}"#,
      #"{"serverContent":{"modelTurn":{"parts":[{"thought":true,"text":"Hm."}]}}}"#,
      #"{"serverContent":{"modelTurn":{"parts":[{"text":"I plan to greet."}]}}}"#,
      #"{"serverContent":{"groundingMetadata":{"webSearchQueries":["q"]}}}"#,
    ] {
      var call = Call.ready()
      #expect(call.upstream(message).event("response.created") == nil, "\(message)")
    }
  }

  @Test("gemini 6.2: each audio part is one delta, its base64 as it came, at any place in its frame")
  func audio() {
    var call = Self.speaking()
    let step = call.upstream(
      #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"AAABAAIA"}},{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"AwAEAAUA"}}]},"outputTranscription":{"text":"Hi"}}}"#
    )
    #expect(
      step.types == [
        "response.output_audio.delta", "response.output_audio.delta", "response.output_audio_transcript.delta",
      ])
    #expect(step.events.at(0)["delta"] == "AAABAAIA" && step.events.at(1)["delta"] == "AwAEAAUA")
  }

  @Test(
    "gemini 6.2: a text part is the answer of a session that writes, and nothing beside speech: thoughts do not leak")
  func text() {
    let message =
      #"{"serverContent":{"modelTurn":{"parts":[{"text":"Plan."},{"thought":true,"text":"Hm."},{"thoughtSignature":"AAAA"},{"executableCode":{"code":"f()"}}]}}}"#
    var writing = Call.ready(Call.halfCascade, #""output_modalities":["text"]"#)
    _ = writing.client(Call.create)
    let step = writing.upstream(message)
    #expect(step.types == Self.opening + ["response.output_text.delta"])
    #expect(step.events.last?["delta"] == "Plan.")
    var speaking = Self.speaking()
    #expect(speaking.upstream(message).events.isEmpty)
  }

  @Test("gemini 6.2 8.13: outputTranscription is the transcript of speech, and the text where the client reads")
  func outputTranscription() {
    var speaking = Self.speaking()
    #expect(speaking.upstream(Call.said("Four.")).events.map { $0["delta"] } == ["Four."])
    var reading = Call.ready(Call.live38, #""output_modalities":["text"]"#)
    _ = reading.client(Call.create)
    #expect(reading.upstream(Call.audio).events.allSatisfy { $0["type"] != "response.output_audio.delta" })
    _ = reading.upstream(Call.said("Four."))
    #expect(
      reading.upstream(Call.complete).types == [
        "response.output_text.done", "response.content_part.done", "conversation.item.done",
        "response.output_item.done",
      ])
  }

  @Test("gemini 6.2: generationComplete closes the item with all its words and keeps response.done back")
  func generationComplete() {
    var call = Self.speaking()
    _ = call.upstream(Call.said("Four"))
    _ = call.upstream(Call.said("teen."))
    let step = call.upstream(Call.complete)
    #expect(
      step.types == [
        "response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done",
        "conversation.item.done", "response.output_item.done",
      ])
    #expect(step.events.at(1)["transcript"] == "Fourteen.")
    #expect(step.event("response.output_item.done")?["item"]?["status"] == "completed")
  }

  @Test(
    "gemini 6.2: turnComplete completes the user's transcript once, closes an item that is open, and ends the response")
  func turnComplete() {
    var call = Call.ready(Call.live38, Self.transcribed)
    _ = call.client(Call.append(ms: 1000))
    _ = call.upstream(Call.heard("Hello"))
    _ = call.upstream(Call.audio)
    _ = call.upstream(Call.heard(" there"))
    let step = call.upstream(Call.end)
    #expect(
      step.types == [
        "conversation.item.input_audio_transcription.completed", "response.output_audio.done",
        "response.output_audio_transcript.done", "response.content_part.done", "conversation.item.done",
        "response.output_item.done", "response.done",
      ])
    #expect(step.events.at(0)["transcript"] == "Hello there")
    #expect(call.history.count { $0["type"] == "conversation.item.input_audio_transcription.completed" } == 1)
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
  }

  @Test(
    "gemini 6.2 8.5 R242: interrupted: speech_started, the item incomplete, the response cancelled by turn_detected; the turnComplete after it is nothing"
  )
  func interrupted() {
    var call = Self.speaking()
    _ = call.client(Call.append(ms: 700))
    let step = call.upstream(Call.interrupted)
    #expect(step.types.first == "input_audio_buffer.speech_started" && step.types.last == "response.done")
    #expect(step.events.at(0)["audio_start_ms"] == 700)
    #expect(step.event("response.output_item.done")?["item"]?["status"] == "incomplete")
    #expect(step.response?["status"] == "cancelled")
    #expect(step.response?["status_details"] == ["type": "cancelled", "reason": "turn_detected"])
    #expect(call.upstream(Call.end).events.isEmpty)
    #expect(call.upstream(Call.audio).types.contains("response.created"), "the answer to the user is another")
  }

  @Test(
    "gemini 4.2 6.2: both orders: speech that is known already is not started again by interrupted, even when it is over"
  )
  func interruptedLater() {
    var known = Self.speaking()
    _ = known.upstream(Call.activity("ACTIVITY_START", at: "0.1s"))
    #expect(known.upstream(Call.interrupted).event("input_audio_buffer.speech_started") == nil)
    var over = Self.speaking()
    _ = over.client(Call.append(ms: 900))
    _ = over.upstream(Call.activity("ACTIVITY_START", at: "0.1s"))
    _ = over.upstream(Call.activity("ACTIVITY_END", at: "0.5s"))
    let step = over.upstream(Call.interrupted)
    #expect(step.event("input_audio_buffer.speech_started") == nil && step.response?["status"] == "cancelled")
    #expect(over.upstream(Call.end).events.isEmpty)
    #expect(EventInvariants.violations(in: over.history, isComplete: true) == [])
  }

  @Test(
    "gemini 4.2 6.2: interrupted after the response is done, while it plays: the client must still flush, and only that is said"
  )
  func interruptedAfterDone() {
    var call = Self.speaking()
    _ = call.upstream(Call.complete)
    #expect(call.wait(.milliseconds(1500)).types == ["response.done"])
    #expect(call.upstream(Call.interrupted).types == ["input_audio_buffer.speech_started"])
    #expect(call.upstream(Call.end).events.isEmpty)
  }

  @Test("gemini 4.2 8.9: a spurious interrupted and an empty turnComplete at the start of a window end nothing")
  func spurious() {
    var call = Call.ready(Call.live38, #""audio":{"input":{"turn_detection":null}}"#)
    _ = call.client(Call.append(ms: 200))
    _ = call.client(Call.create)
    for message in [
      #"{"voiceActivity":{"type":"ACTIVITY_START","audioOffset":"12.480s"}}"#, Call.interrupted,
      #"{"serverContent":{"turnComplete":true}}"#,
    ] {
      #expect(call.upstream(message).events.isEmpty)
    }
    #expect(call.upstream(Call.audio).types == Self.opening + ["response.output_audio.delta"])
  }

  @Test(
    "gemini 6.2: goAway and sessionResumptionUpdate say nothing to the client",
    arguments: [
      #"{"goAway":{"timeLeft":"50s"}}"#, GeminiCall.handle, #"{"sessionResumptionUpdate":{"resumable":true}}"#,
      #"{"sessionResumptionUpdate":{"newHandle":"","resumable":false}}"#,
    ])
  func connection(_ message: String) {
    var call = Self.speaking()
    #expect(call.upstream(message).events.isEmpty)
    #expect(call.upstream(Call.audio).types == ["response.output_audio.delta"])
  }

  @Test("gemini 6.2: grounding becomes metadata of the response, as far as there is room; url context is nothing")
  func grounding() {
    var call = Self.speaking()
    let step = call.upstream(
      #"{"serverContent":{"groundingMetadata":{"webSearchQueries":["weather oslo"],"groundingChunks":[{"web":{"uri":"https://example.org/a","title":"A"}}],"groundingSupports":[{"segment":{"text":"x"}}]},"urlContextMetadata":{"urlMetadata":[]}}}"#
    )
    #expect(step.events.isEmpty)
    _ = call.upstream(Call.complete)
    #expect(
      call.upstream(Call.end).response?["metadata"] == [
        "grounding_queries": #"["weather oslo"]"#, "grounding_sources": #"["https://example.org/a"]"#,
      ])
  }

  @Test(
    "gemini 1.5 6.2: an empty object and unknown keys are nothing",
    arguments: [
      "{}", #"{"novelty":{"a":[1]}}"#, #"{"serverContent":{"speechState":"X","novelty":true}}"#, "{\n}\n",
    ])
  func unknown(_ message: String) {
    var call = Self.speaking()
    #expect(call.upstream(message).events.isEmpty)
    #expect(call.upstream(Call.audio).types == ["response.output_audio.delta"])
  }

  @Test("gemini 6.2: a close that can be resumed is nothing to the client but the end of what it cut")
  func resumable() {
    var idle = Call.ready()
    _ = idle.upstream(Call.handle)
    let step = idle.upstreamEnds(.closed(code: 1011, reason: "Internal error occurred."))
    #expect(step.events.isEmpty && step.clientCloseCode == nil && step.dials == 1)
    #expect(idle.upstreamOpens().setUp?["sessionResumption"] == ["handle": "handle-1"])
  }

  @Test("gemini 6.2 4.6: when the budget for it is spent, an error of the type server_error, and the close")
  func budget() {
    var call = Call.ready()
    var step = call.upstreamEnds(.lost)
    var seconds = 0
    while step.clientCloseCode == nil, seconds < 60 {
      step = call.wait(.seconds(1)) + call.upstreamEnds(.unreachable)
      seconds += 1
    }
    #expect(step.error?["type"] == "server_error" && seconds <= 31)
    #expect([1013, 1014].contains(step.clientCloseCode))
  }

  @Test("gemini 6.2: a close that cannot be survived fails the open response, then is an error and the close")
  func fatal() {
    var call = Self.speaking()
    let step = call.upstreamEnds(.closed(code: 1011, reason: "You exceeded your current quota, please check"))
    #expect(step.response?["status"] == "failed")
    #expect(step.response?["status_details"]?["error"]?["code"] == "rate_limit_exceeded")
    #expect(step.types.last == "error" && step.error?["code"] == "rate_limit_exceeded" && step.clientCloseCode != nil)
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
  }

  @Test(
    "gemini 6.1: one frame with everything in it: interruption, the user, sound, words, grounding, call, usage, ends, in the order of meaning"
  )
  func order() {
    var call = Call.ready(Call.live38, Self.transcribed)
    _ = call.client(Call.append(ms: 500))
    let step = call.upstream(
      #"{"usageMetadata":{"promptTokenCount":1},"serverContent":{"turnComplete":true,"generationComplete":true,"outputTranscription":{"text":"Hi"},"modelTurn":{"parts":[{"inlineData":{"data":"AAABAAIA"}}]},"inputTranscription":{"text":"Hey"}}}"#
    )
    let expected =
      ["input_audio_buffer.speech_started", "conversation.item.input_audio_transcription.delta"]
      + ["input_audio_buffer.speech_stopped"] + Self.commitGroup + Self.opening
      + ["response.output_audio.delta", "response.output_audio_transcript.delta"]
    #expect(Array(step.types.prefix(expected.count)) == expected)
    #expect(step.types.last == "response.done" && step.response?["usage"]?["input_tokens"] == 1)
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
  }
}
