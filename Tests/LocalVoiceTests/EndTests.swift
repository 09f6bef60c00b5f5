import Envelope
import LocalVoiceProvider
import ParleyTesting
import Testing
import Translation

/// The engine ends in the middle of something: everything is closed once, and the client is told why.
@Suite struct LocalVoiceEnds {
  /// The situations, and how many responses are open in each.
  static let phases: [(name: String, open: Int, make: @Sendable () -> EngineCall)] = [
    ("before it was ready", 0, { EngineCall(isReady: false) }),
    ("idle", 0, { EngineCall() }),
    (
      "the user speaks", 0,
      {
        var call = EngineCall()
        _ = call.says(.speechStarted(turn: "vad_1", atMs: 0))
        return call
      }
    ),
    (
      "the words are awaited", 0,
      {
        var call = EngineCall()
        _ = call.speech()
        return call
      }
    ),
    (
      "a response waits for the words", 1,
      {
        var call = EngineCall()
        _ = call.speech()
        _ = call.create()
        return call
      }
    ),
    (
      "a response has begun", 1,
      {
        var call = EngineCall()
        _ = call.turn("Hello?")
        return call
      }
    ),
    (
      "the assistant speaks", 1,
      {
        var call = EngineCall()
        _ = call.answers(call.turn("Hello?").answer?.id ?? "")
        return call
      }
    ),
    (
      "three responses, two of them beside the conversation", 3,
      {
        var call = EngineCall()
        _ = call.answers(call.turn("Hello?").answer?.id ?? "")
        _ = call.answers(call.create(LocalVoiceSideResponses.none).answer?.id ?? "")
        _ = call.create(LocalVoiceSideResponses.none)
        return call
      }
    ),
    (
      "after an answer", 0,
      {
        var call = EngineCall()
        _ = call.spokenAnswer()
        return call
      }
    ),
  ]

  @Test("R098: lost in every phase: all is closed as failed, one error, 1013", arguments: phases.map(\.name))
  func lost(_ name: String) throws {
    let phase = try #require(Self.phases.first { $0.name == name })
    var call = phase.make()
    let step = call.ends(.lost)
    #expect(step.types.count { $0 == "response.done" } == phase.open)
    let statuses = step.events.filter { $0["type"] == "response.done" }.map { $0["response"]?["status"] }
    #expect(statuses.allSatisfy { $0 == "failed" })
    #expect(step.types.last == "error" && step.error?["code"] == "upstream_lost")
    #expect(step.clientCloseCode == 1013 && call.deadline == nil)
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
    #expect(call.create().events.isEmpty && call.says(.transcribed(turn: "vad_1", text: "x")).events.isEmpty)
  }

  @Test("an end as agreed is one only when nobody waits for anything", arguments: phases.map(\.name))
  func closed(_ name: String) throws {
    let phase = try #require(Self.phases.first { $0.name == name })
    var call = phase.make()
    let isMidTurn = phase.open > 0 || name == "the words are awaited"
    #expect(call.ends(.closed(code: 1000, reason: "")).clientCloseCode == (isMidTurn ? 1013 : 1000))
  }
}
