import Envelope
import LocalVoiceProvider
import Testing

@testable import VoiceEngine

/// Answers: what is asked of the responder, and in which order the client is told what comes of it.
@Suite("Pipeline: answers", .timeLimit(.minutes(2)))
struct PipelineAnswerTests {
  private let mouth = ToneSynthesizer()

  private func call(_ mind: ScriptedResponder) -> PipelineCall {
    PipelineCall(.scripted(responder: mind, synthesizer: mouth))
  }

  @Test("the words of a clause come before its speech, some at a time, and together they are the text")
  func order() async throws {
    let pieces = ["Good mor", "ning. This is the", "  second sentence", " of it. "]
    let call = call(
      ScriptedResponder { _ in
        pieces.map { .text($0) } + [.event(.usage(inputTokens: 12, outputTokens: 34)), .event(.finished(.complete))]
      })
    let events = try await call.answer(.spoken())
    #expect(events.words == pieces.joined())
    let spoken = events.indices.filter { events[$0].isAudio }
    #expect(spoken.count == 2)
    #expect(Array(events[..<(spoken.first ?? 0)]).words == "Good morning.")
    let second = Array(events[(spoken.first ?? 0)..<(spoken.last ?? 0)])
    #expect(second.words == " This is the  second sentence of it.")
    #expect(second.compactMap(\.text).count == 3)
    #expect(
      events.last
        == .finished(AnswerEnd(response: "r1", reason: .complete, inputTokens: 12, outputTokens: 34, audioMs: 200)))
    #expect(
      mouth.spoken.entries == [
        .init(text: "Good morning.", voice: "low", speed: 1),
        .init(text: "This is the second sentence of it.", voice: "low", speed: 1),
      ])
  }

  @Test("R050: a clause is spoken while the rest is still being thought of")
  func clauseByClause() async throws {
    let latch = Latch()
    let call = call(
      ScriptedResponder(
        .text("One moment. I have to look that up for you. And th"), .wait(latch), .text("en I tell you.")))
    call.send(.answer(.spoken()))
    var events = try await call.until(\.isAudio)
    events += try await call.until(\.isAudio)
    #expect(events.words == "One moment. I have to look that up for you.")
    latch.open()
    events += try await call.until { $0.ends("r1") }
    #expect(events.words == "One moment. I have to look that up for you. And then I tell you.")
    #expect(events.audioByteCounts == [4_800, 4_800, 4_800])
  }

  @Test("a written answer needs no voice and comes as it is thought")
  func written() async throws {
    let mind = ScriptedResponder(
      .text("One"), .text(" two, "), .text("three."), .event(.audio([1, 2, 3], rate: 24_000)))
    let call = PipelineCall(.scripted(transcriber: nil, responder: mind, synthesizer: nil))
    #expect(
      try await call.answer(.written()) == [
        .text(response: "r1", delta: "One"), .text(response: "r1", delta: " two, "),
        .text(response: "r1", delta: "three."),
        .finished(AnswerEnd(response: "r1", reason: .complete, inputTokens: 0, outputTokens: 0, audioMs: 0)),
      ])
    #expect(mind.requests.entries.map(\.isSpoken) == [false])
  }

  @Test("where nothing speaks, a spoken answer fails after its first words and says why")
  func mute() async throws {
    let never = Latch()
    let mind = ScriptedResponder(.text("Good morning. And so"), .wait(never))
    let absent = StageDescription(.tts, "none", degradation: "espeak-ng is not installed")
    let call = PipelineCall(.scripted(responder: mind, synthesizer: nil, absent: [.tts: absent]))
    let events = try await call.answer(.spoken())
    #expect(events.words == "Good morning.")
    #expect(
      events.last
        == .failed(
          response: "r1", code: "tts_unavailable", message: "Nothing speaks here: espeak-ng is not installed"))
    #expect(try await mind.endings.first(1) == [true])
  }

  @Test("a call comes after the words before it and before those after it", arguments: [true, false])
  func calls(isSpoken: Bool) async throws {
    let (time, place) = (
      ChatMessage.Call(id: "c1", name: "time", arguments: "{}"),
      ChatMessage.Call(id: "c2", name: "place", arguments: #"{"city":"Köln"}"#)
    )
    let call = call(
      ScriptedResponder(
        .text("Let me look"), .event(.call(time)), .event(.call(place)), .text("So"), .event(.finished(.complete))))
    var events = try await call.answer(isSpoken ? .spoken() : .written())
    // Three times 100 ms would be spoken in two pieces of words.
    #expect(events.filter(\.isAudio).count == (isSpoken ? 2 : 0))
    events.removeAll(where: \.isAudio)
    #expect(
      events.dropLast() == [
        .text(response: "r1", delta: "Let me look"),
        .call(response: "r1", .init(id: "c1", name: "time", arguments: "{}")),
        .call(response: "r1", .init(id: "c2", name: "place", arguments: #"{"city":"Köln"}"#)),
        .text(response: "r1", delta: "So"),
      ])
  }

  @Test(
    "why an answer ended is passed on",
    arguments: [
      (ResponderEnding.complete, AnswerEnd.Reason.complete), (.maximumTokens, .maximumTokens),
      (.contentFilter, .contentFilter),
    ])
  func endings(ending: ResponderEnding, reason: AnswerEnd.Reason) async throws {
    let call = call(ScriptedResponder(.text("So"), .event(.finished(ending))))
    #expect(try await call.answer(.written()).last?.end?.reason == reason)
    let silent = PipelineCall(.scripted(responder: ScriptedResponder(.event(.finished(ending)))))
    #expect(try await silent.answer(.spoken()).map(\.end?.reason) == [reason])
  }

  @Test("an answer without an end is cut at 20,000 characters")
  func endless() async throws {
    let call = call(
      ScriptedResponder { _ in [ScriptedResponder.Step](repeating: .text(String(repeating: "a", count: 999)), count: 40)
      })
    let events = try await call.answer(.written())
    #expect(events.words.count == 20_000)
    #expect(events.last?.end?.reason == .maximumTokens)
  }

  // MARK: Faults

  @Test("a responder that fails fails the answer, after the words that it said")
  func responderFails() async throws {
    struct Odd: Error {}
    let mind = ScriptedResponder { request in
      [
        .text("Good morning. I th"),
        .fail(
          request.isFirstAnswer
            ? StageFault(.llm, code: "llm_unreachable", message: "Nothing listens at localhost:11434.") : Odd()),
      ]
    }
    let call = call(mind)
    let events = try await call.answer(.spoken())
    #expect(events.words == "Good morning.")
    #expect(events.filter(\.isAudio).count == 1)
    #expect(
      events.last
        == .failed(response: "r1", code: "llm_unreachable", message: "Nothing listens at localhost:11434."))
    #expect(
      try await call.answer(.written("r2")).last
        == .failed(response: "r2", code: "engine_failed", message: "The answer failed."))
  }

  @Test("a voice that fails fails the answer at once, and the responder is stopped")
  func voiceFails() async throws {
    let never = Latch()
    let mind = ScriptedResponder { request in
      request.isFirstAnswer
        ? [.text("Good morning. And so"), .wait(never)] : [.text("Yes."), .event(.finished(.complete))]
    }
    let mouth = ToneSynthesizer { text in
      text == "Good morning."
        ? [.tone(2_400), .fail(StageFault(.tts, code: "tts_failed", message: "The voice broke."))] : [.tone(2_400)]
    }
    let call = PipelineCall(.scripted(responder: mind, synthesizer: mouth))
    let events = try await call.answer(.spoken())
    #expect(events.words == "Good morning.")
    #expect(events.last == .failed(response: "r1", code: "tts_failed", message: "The voice broke."))
    #expect(try await mind.endings.first(1) == [true])
    // The next turn tries again.
    #expect(try await call.answer(.spoken("r2")).last?.end?.audioMs == 100)
  }

  // MARK: Requests

  @Test("the responder is asked what the translator asks")
  func request() async throws {
    let mind = ScriptedResponder(.event(.finished(.complete)))
    let call = call(mind)
    var request = AnswerRequest.spoken()
    request.voice = "high"
    request.maximumTokens = 77
    request.tools = [FunctionTool(name: "time", description: "Tells it.", parameters: ["type": "object"])]
    request.toolChoice = .function(name: "time")
    var called = AnswerRequest.Message(.assistant, "")
    called.calls = [.init(id: "c1", name: "time", arguments: "{}")]
    var result = AnswerRequest.Message(.tool, "12:00")
    result.callID = "c1"
    request.messages += [called, result, .init(.system, "Hurry.")]
    _ = try await call.answer(request)
    request.id = "r2"
    request.toolChoice = .required
    _ = try await call.answer(request)

    var expected = ResponderRequest()
    expected.instructions = "Be brief."
    expected.messages = [
      ChatMessage(role: .user, text: "Hello?"), ChatMessage(role: .assistant, text: ""),
      ChatMessage(role: .tool, text: "12:00"), ChatMessage(role: .system, text: "Hurry."),
    ]
    expected.messages[1].calls = [.init(id: "c1", name: "time", arguments: "{}")]
    expected.messages[2].callID = "c1"
    expected.tools = [ChatTool(name: "time", summary: "Tells it.", parameters: #"{"type":"object"}"#)]
    expected.toolChoice = .function("time")
    expected.maximumTokens = 77
    expected.voice = "high"
    var second = expected
    second.toolChoice = .required
    second.isFirstAnswer = false
    #expect(mind.requests.entries == [expected, second])
  }

  @Test("two answers at once do not wait for each other")
  func twoAtOnce() async throws {
    let latch = Latch()
    let mind = ScriptedResponder { request in
      request.isSpoken
        ? [.text("Good morning. And"), .wait(latch), .text(" good night.")]
        : [.text("Aside."), .event(.finished(.complete))]
    }
    let call = call(mind)
    call.send(.answer(.spoken("r1")))
    var events = try await call.until(\.isAudio)
    let aside = try await call.answer(.written("r2"))
    #expect(aside.map(\.response) == ["r2", "r2"])
    latch.open()
    events += try await call.until { $0.ends("r1") }
    #expect(events.allSatisfy { $0.response == "r1" })
    #expect(events.words == "Good morning. And good night.")
  }
}
