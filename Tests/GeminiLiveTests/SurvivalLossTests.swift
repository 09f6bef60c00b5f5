import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// A connection is lost in every phase of a call, in every way that is no verdict on the call itself.
@Suite struct GeminiSurvivalOfLoss {
  typealias Call = GeminiCall
  typealias Survival = GeminiSurvival

  enum Phase: String, CaseIterable, Sendable {
    case rest, speaking, committed, asked, askedAloud, askedByRecording, answering, calling, delivered, connecting
  }

  static let ends: [UpstreamEnd] = [
    .lost, .closed(code: 1000, reason: ""), .closed(code: 1001, reason: ""), .framingBroken,
    .closed(code: 1011, reason: "Internal error occurred."),
    .closed(code: 1011, reason: "The service is currently unavailable."),
    .closed(code: 1011, reason: "Deadline expired before operation could complete."),
    .closed(code: 1007, reason: "Request contains an invalid argument."),
    .closed(code: 1007, reason: "No turn to complete"),
    .closed(code: 1008, reason: "Operation is not implemented, or supported, or enabled."),
    .closed(code: 1008, reason: "Requested entity was not found"),
  ]

  static let pieces = (0..<10).map { SurvivalSound.piece($0) }
  static let recording = Call.item(
    #""type":"message","role":"user","content":[{"type":"input_audio","audio":"\#(pieces.joined())"}]"#)

  /// A call in that phase; the service knows nothing yet that a handle would be needed for.
  static func call(in phase: Phase) -> SessionDialogue {
    let isManual = phase == .askedAloud
    let detection = isManual ? #""turn_detection":null,"# : ""
    var call = Survival.spoken(#""audio":{"input":{\#(detection)"transcription":{"model":"whisper-1"}}}"#)
    if [.speaking, .committed, .askedAloud].contains(phase) {
      for piece in pieces { _ = call.client(SurvivalSound.append(piece)) }
    }
    switch phase {
    case .rest: break
    case .speaking, .committed:
      _ = call.upstream(Call.activity("ACTIVITY_START", at: "0.0s"))
      if phase == .committed { _ = call.client(Call.commit) }
    case .asked:
      _ = call.client(Call.text("Who am I?"))
      _ = call.client(Call.create)
    case .askedAloud: _ = call.client(Call.create)
    case .askedByRecording:
      _ = call.client(recording)
      _ = call.client(Call.create)
    case .answering:
      _ = call.client(Call.create)
      _ = call.upstream(Call.audio)
    case .calling, .delivered:
      _ = call.client(Call.create)
      _ = call.upstream(Call.calls(Call.called("c1")))
      guard phase == .delivered else { break }
      _ = call.client(Call.result("c1", "rain"))
      _ = call.client(Call.create)
    case .connecting:
      _ = call.upstream(Survival.goAway("50s"))
      _ = call.upstreamOpens()
    }
    return call
  }

  @Test(
    "gemini 3.9 4.6, fault row 46: in every phase the call outlives the connection, and what was under way is brought to an end",
    arguments: Phase.allCases, ends)
  func survives(_ phase: Phase, _ end: UpstreamEnd) {
    var call = Self.call(in: phase)
    // A handle that is refused is followed by an attempt without.
    let lost = call.upstreamEnds(end) + call.wait(.zero)
    #expect(lost.dials == 1 && lost.clientCloseCode == nil && lost.event("error") == nil)
    #expect(lost.response?["status"] == (phase == .answering ? "failed" : nil))
    let resumed = call.reconnect()
    #expect(resumed.event("error") == nil && resumed.clientCloseCode == nil)
    let heard = resumed.upstream.compactMap(SurvivalSound.heard).joined()
    let kinds = resumed.upstream.dropFirst().compactMap { $0["realtimeInput"]?.object?.keys.first { $0 != "audio" } }
    switch phase {
    case .rest, .answering, .connecting: break
    case .speaking: #expect(heard == Self.pieces.joined() && kinds.isEmpty)
    case .committed: #expect(heard == Self.pieces.joined() && kinds == ["audioStreamEnd"])
    case .askedAloud:
      #expect(heard == Self.pieces.joined() && kinds == ["activityStart", "activityEnd"])
    case .askedByRecording: #expect(heard == Self.pieces.joined() && kinds == ["audioStreamEnd"])
    case .asked:
      #expect(resumed.upstream.last?["clientContent"]?["turns"] == Call.turns(("user", "Who am I?")))
    case .calling:
      _ = call.client(Call.result("c1", "rain"))
      let asked = call.client(Call.create).upstream
      #expect(asked.last?.text.contains("[The result of get_weather: rain]") == true)
    case .delivered:
      #expect(resumed.upstream.last?.text.contains("[The result of get_weather: rain]") == true)
      #expect(resumed.upstream.last?["clientContent"]?["turnComplete"] == true)
    }
    let isAwaited = ![.rest, .answering, .connecting, .speaking].contains(phase)
    if !isAwaited { _ = call.client(Call.create) }
    #expect(call.answer().response?["status"] == "completed")
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
    #expect(!call.history.contains { $0["type"] == "error" })
  }

  @Test(
    "gemini 3.9: what the service says of credentials, quota and model is final, once, and with nothing of its words",
    arguments: [
      (1007, "API key not valid. Please pass a valid API key.", "upstream_credentials_refused"),
      (1007, "API key expired. Please renew the API key.", "upstream_credentials_refused"),
      (1007, "User location is not supported for the API use.", "upstream_credentials_refused"),
      (1011, "Token has been used too many times", "upstream_credentials_refused"),
      (1011, "You exceeded your current quota, please check", "rate_limit_exceeded"),
      (
        1008, "models/x is not found for API version v1beta, or is not supported for bidiGenerateContent",
        "model_not_found"
      ),
    ] as [(UInt16, String, String)])
  func final(_ code: UInt16, _ reason: String, _ expected: String) {
    for phase in [Phase.rest, .answering, .speaking] {
      var call = Self.call(in: phase)
      let step = call.upstreamEnds(.closed(code: code, reason: reason))
      #expect(step.events.count { $0["type"] == "error" } == 1 && step.error?["code"]?.string == expected)
      #expect(step.clientCloseCode == 1014 && step.dials == 0)
      #expect(!call.history.contains { $0.text.contains(reason) })
      #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
    }
  }

  @Test(
    "gemini 3.9: what comes back at once has its cause in the conversation: 1007 and 1008 are resumed from once, then final"
  )
  func suddenEnds() {
    let end = UpstreamEnd.closed(code: 1008, reason: "Operation is not implemented, or supported, or enabled.")
    var call = Survival.spoken()
    _ = call.upstreamEnds(end)
    _ = call.reconnect()
    let again = call.upstreamEnds(end)
    #expect(again.clientCloseCode == 1014 && again.events.count { $0["type"] == "error" } == 1)

    call = Survival.spoken()
    _ = call.upstreamEnds(end)
    _ = call.reconnect()
    _ = call.client(Call.create)
    _ = call.answer()
    #expect(call.upstreamEnds(end).clientCloseCode == nil, "a turn in between went well")
  }

  @Test("gemini 3.9 4.6: a handle that is refused is dropped: a fresh session is told the conversation")
  func staleHandle() {
    var call = Survival.spoken()
    _ = call.upstreamEnds(.lost)
    #expect(call.upstreamOpens().setUp?["sessionResumption"] == ["handle": "handle-1"])
    let refused = call.upstreamEnds(.closed(code: 1008, reason: "Requested entity was not found"))
    #expect(refused.events.isEmpty && refused.clientCloseCode == nil)
    let step = call.wait(.milliseconds(500)) + call.reconnect()
    #expect(step.setUp?["sessionResumption"] == [:])
    #expect(
      step.upstream.last?["clientContent"]?["turns"] == Call.turns(("user", "My name is Ada."), ("model", "Yes.")))
    #expect(step.event("error") == nil, "the mirror has it all in words")
  }

  @Test("gemini 4.6: attempts at once, then after 0.5, 1, 2, 4 s and every 4 s; after 30 s one error and 1013")
  func budget() {
    for end in [UpstreamEnd.unreachable, .refused(status: 503, retryAfterSeconds: nil), .timedOut(.connect)] {
      var call = Survival.spoken()
      var waits: [Int] = []
      var step = call.upstreamEnds(.lost)
      #expect(step.dials == 1)
      while waits.count < 100 {
        step = call.upstreamEnds(end)
        if step.clientCloseCode != nil { break }
        #expect(step.events.isEmpty)
        var waited = 0
        while step.dials == 0, waited < 40 {
          waited += 1
          step = call.wait(.milliseconds(500))
        }
        waits.append(waited)
      }
      #expect(waits == [1, 2, 4, 8, 8, 8, 8, 8, 8])
      #expect(step.clientCloseCode == 1013 && step.events.count { $0["type"] == "error" } == 1)
      #expect(call.wait(.seconds(60)).actions.isEmpty, "nothing follows")
    }
  }

  @Test("a service that takes every connection and ends it at once is not called in a loop, nor for ever")
  func flapping() {
    for end in [
      UpstreamEnd.lost, .closed(code: 1000, reason: ""), .closed(code: 1011, reason: "Internal error occurred."),
    ] {
      var call = Survival.spoken()
      let start = call.now
      var dials = 0
      var last = call.upstreamEnds(end)
      while last.clientCloseCode == nil, dials < 100 {
        last = last + call.wait(.seconds(4))
        if last.dials > 0 { last = call.reconnect() + call.upstreamEnds(end) }
        dials += 1
      }
      #expect(last.clientCloseCode == 1013 && call.now - start <= .seconds(45))
      #expect(call.history.count { $0["type"] == "error" } == 1)
    }
  }

  @Test("a request that loses two connections may be the cause: it fails, and the call goes on")
  func guiltyRequest() {
    var call = Self.call(in: .asked)
    _ = call.upstreamEnds(.lost)
    _ = call.reconnect()
    let step = call.upstreamEnds(.lost) + call.wait(.milliseconds(500))
    #expect(step.response?["status"] == "failed" && step.clientCloseCode == nil && step.dials == 1)
    #expect(call.reconnect().upstream.allSatisfy { $0["clientContent"]?["turnComplete"] != true })
    _ = call.client(Call.create)
    #expect(call.answer().response?["status"] == "completed")
  }

  @Test("fault row 54: a client that leaves while calls are open: the service is told that they were cancelled, once")
  func clientLeaves() {
    var call = Survival.spoken()
    _ = call.client(Call.create)
    _ = call.upstream(Call.calls(Call.called("c1"), Call.called("c2", "add")))
    _ = call.client(Call.result("c2", "{\"sum\":3}"))
    let step = call.clientCloses()
    #expect(
      step.upstream == [
        [
          "toolResponse": [
            "functionResponses": [
              ["id": "c1", "name": "get_weather", "response": ["error": "cancelled"]],
              ["id": "c2", "name": "add", "response": ["sum": 3]],
            ]
          ]
        ]
      ])
    #expect(step.connections == ["upstream closes 1000"])
    #expect(call.clientCloses().actions.isEmpty && call.wait(.seconds(60)).actions.isEmpty)
  }

  @Test(
    "fault row 54: a service that leaves while calls are open leaves no dangling id: late results are taken, and told")
  func serviceLeaves() {
    var call = Survival.spoken()
    _ = call.client(Call.create)
    _ = call.upstream(Call.calls(Call.called("c1"), Call.called("c2")))
    _ = call.client(Call.result("c1", "rain"))
    _ = call.upstreamEnds(.lost)
    _ = call.reconnect()
    #expect(call.client(Call.result("c2", "sun")).types == ["conversation.item.added", "conversation.item.done"])
    let sent = call.client(Call.create).upstream
    #expect(!sent.contains { $0["toolResponse"] != nil })
    let told = sent.last?["clientContent"]?["turns"]?.array?.compactMap { $0["parts"]?[0]?["text"]?.string }
    #expect(told == ["[The result of get_weather: rain]", "[The result of get_weather: sun]"])
    #expect(call.clientCloses().upstream.isEmpty, "nobody waits for a result")
  }

  @Test(
    "fault row 47: a service that falls silent in an answer: the response fails after 30 s, and may be cancelled before"
  )
  func silence() {
    var call = Self.call(in: .answering)
    #expect(call.wait(.milliseconds(29_999)).events.isEmpty)
    #expect(call.wait(.milliseconds(1)).response?["status"] == "failed")
    _ = call.wait(.seconds(3))
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    #expect(call.client(Call.cancel).response?["status"] == "cancelled")
  }
}
