import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// The client's sound on its way from one connection to the next: in order, whole, and bounded.
@Suite struct GeminiSurvivalOfSound {
  typealias Call = GeminiCall
  typealias Survival = GeminiSurvival

  static func pieces(_ numbers: Range<Int>) -> [String] { numbers.map { SurvivalSound.piece($0) } }

  static func say(_ numbers: Range<Int>, to call: inout SessionDialogue) -> SessionDialogue.Step {
    var step = call.wait(.zero)
    for piece in pieces(numbers) { step = step + call.client(SurvivalSound.append(piece)) }
    return step
  }

  static func heard(_ step: SessionDialogue.Step) -> String {
    step.upstream.compactMap(SurvivalSound.heard).joined()
  }

  @Test("R288: sound for a service that finds the turns is kept until there is a connection that does")
  func toDetection() {
    var call = Survival.spoken(#""audio":{"input":{"turn_detection":null}}"#)
    _ = Self.say(0..<5, to: &call)
    _ = call.client(Call.update(#""audio":{"input":{"turn_detection":{"type":"server_vad"}}}"#))
    #expect(Self.say(5..<8, to: &call).upstream.isEmpty, "outside of a window the service would not hear it")
    // A commit is heard with what it ends, not by a service that must not be told so.
    #expect(call.client(Call.commit).event("input_audio_buffer.committed") != nil)
    #expect(call.wait(.milliseconds(50)).dials == 1)
    let opened = call.upstreamOpens()
    #expect(opened.setUp?["realtimeInputConfig"]?["automaticActivityDetection"]?["disabled"] == nil)
    let told = call.upstream(Call.setupComplete)
    #expect(Self.heard(told) == Self.pieces(0..<8).joined())
    #expect(told.upstream.last == ["realtimeInput": ["audioStreamEnd": true]])
  }

  @Test("R288: sound that was held for a service that finds the turns goes to one, whatever the client wants since")
  func fromDetection() {
    var call = Call.open()
    let sent = Self.say(0..<5, to: &call)
    var waiting = SessionDialogue(
      ProviderConfiguration(name: "gemini", service: .geminiLive(Call.configuration(Call.live38))),
      requestedModel: Call.live38)
    _ = waiting.begin()
    _ = Self.say(0..<5, to: &waiting)
    _ = waiting.client(Call.commit)
    _ = waiting.client(Call.update(#""audio":{"input":{"turn_detection":null}}"#))
    let opened = waiting.upstreamOpens()
    #expect(opened.setUp == sent.setUp)
    let told = waiting.upstream(Call.setupComplete)
    #expect(Self.heard(told) == Self.pieces(0..<5).joined())
    _ = waiting.answer()
    let next = waiting.wait(.seconds(1))
    #expect(next.dials == 1)
    let manual = waiting.upstreamOpens().setUp?["realtimeInputConfig"]
    #expect(manual?["automaticActivityDetection"] == ["disabled": true])
  }

  @Test("two losses within a second: what was held for the one connection is heard again by the other")
  func twoLosses() {
    var call = Survival.spoken()
    _ = Self.say(0..<10, to: &call)
    _ = call.upstream(Call.activity("ACTIVITY_START", at: "0.0s"))
    _ = call.upstreamEnds(.lost)
    _ = Self.say(10..<15, to: &call)
    #expect(Self.heard(call.reconnect()) == Self.pieces(0..<15).joined())
    _ = Self.say(15..<16, to: &call)
    _ = call.upstreamEnds(.lost)
    _ = Self.say(16..<18, to: &call)
    _ = call.wait(.milliseconds(500))
    #expect(Self.heard(call.reconnect()) == Self.pieces(0..<18).joined())
  }

  @Test("gemini 4.6, fault row 46: after a loss all that had no answer is heard again, up to three seconds")
  func replayAfterLoss() {
    var call = Survival.spoken()
    for number in 0..<200 {
      _ = Self.say(number..<(number + 1), to: &call)
      _ = call.wait(.milliseconds(20))
    }
    _ = call.upstreamEnds(.lost)
    #expect(Self.heard(call.reconnect()) == Self.pieces(50..<200).joined())
  }

  @Test("fault row 46: what was on its way when an answer began is heard again: the silence before it is in no turn")
  func replayBehindAnAnswer() {
    var call = Survival.spoken(
      #""audio":{"input":{"turn_detection":{"type":"server_vad","silence_duration_ms":400}}}"#)
    _ = Self.say(0..<100, to: &call)
    _ = call.answer()
    _ = Self.say(100..<110, to: &call)
    _ = call.upstreamEnds(.lost)
    #expect(Self.heard(call.reconnect()) == Self.pieces(80..<110).joined())
  }

  @Test("gemini 4.6: a connection that was wanted hears no more than a second again: old sound confuses it")
  func replayAtRest() {
    var call = Survival.spoken()
    for number in 0..<200 {
      _ = Self.say(number..<(number + 1), to: &call)
      _ = call.wait(.milliseconds(20))
    }
    _ = call.upstream(Survival.goAway("50s"))
    #expect(Self.heard(call.reconnect()) == Self.pieces(150..<200).joined())
  }

  @Test("gemini 4.6: what came faster than it was spoken is heard again as far as it is kept: three seconds")
  func replayOfABurst() {
    var call = Survival.spoken()
    _ = Self.say(0..<140, to: &call)
    _ = call.upstreamEnds(.lost)
    #expect(Self.heard(call.reconnect()) == Self.pieces(0..<140).joined())
  }

  @Test("gemini 4.6: what is held while there is no connection is bounded by not reading the client; all of it arrives")
  func bounded() {
    var call = Survival.spoken()
    _ = call.upstreamEnds(.lost)
    var said = 0
    while said < 2_000 {
      let step = Self.say(said..<said + 10, to: &call)
      said += 10
      if step.actions.contains(.pauseDownstreamReading) { break }
    }
    // 1 MiB, of 1,352 bytes each.
    #expect((770...790).contains(said))
    let resumed = call.reconnect()
    #expect(resumed.actions.contains(.resumeDownstreamReading))
    #expect(Self.heard(resumed) == Self.pieces(0..<said).joined())
  }

  @Test("a new format in mid-call: the sound of the old one is not mixed into it")
  func format() {
    var call = Survival.spoken()
    _ = Self.say(0..<10, to: &call)
    _ = call.client(Call.update(#""audio":{"input":{"format":{"type":"audio/pcmu"}}}"#))
    _ = call.client(#"{"type":"input_audio_buffer.append","audio":"\#(String(repeating: "/v7+", count: 160))"}"#)
    _ = call.upstreamEnds(.lost)
    let heard = call.reconnect().upstream.compactMap { $0["realtimeInput"]?["audio"]?["mimeType"]?.string }
    #expect(!heard.isEmpty && heard.allSatisfy { $0 == "audio/pcm;rate=8000" })
  }
}
