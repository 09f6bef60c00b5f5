import Envelope
import LocalVoiceProvider
import NIOCore
import Synchronization
import Testing

@testable import VoiceEngine

/// Cancelling, pausing and closing at every stage.
@Suite("Pipeline: cancelling", .timeLimit(.minutes(2)))
struct PipelineCancelTests {
  private let never = Latch()

  /// The first answer plays the steps, every other one is a word.
  private func mind(_ steps: ScriptedResponder.Step...) -> ScriptedResponder {
    ScriptedResponder { $0.isFirstAnswer ? steps : [.text("Next."), .event(.finished(.complete))] }
  }

  /// Another answer is made, and nothing of the first one is among its events.
  private func expectSilence(of response: String = "r1", _ call: PipelineCall) async throws {
    // What was delivered before the engine heard of the cancellation is in here.
    _ = try await call.settled()
    let events = try await call.answer(.written("next")) + call.settled()
    #expect(events.map(\.response) == ["next", "next"])
  }

  @Test("an answer that is still being thought of is cancelled at its source")
  func thinking() async throws {
    let mind = mind(.wait(never), .text("too late"))
    let call = PipelineCall(.scripted(responder: mind))
    call.send(.answer(.spoken()))
    try await mind.requests.first(1)
    call.send(.cancel(response: "r1"))
    #expect(try await mind.endings.first(1) == [true])
    try await expectSilence(call)
  }

  @Test("an answer that is being spoken is cancelled at both its sources")
  func speaking() async throws {
    let mind = mind(.text("Good morning. And"), .wait(never), .text(" too late"))
    let mouth = ToneSynthesizer { [never] _ in [.tone(2_400), .wait(never), .tone(2_400)] }
    let call = PipelineCall(.scripted(responder: mind, synthesizer: mouth))
    call.send(.answer(.spoken()))
    _ = try await call.until(\.isAudio)
    call.send(.cancel(response: "r1"))
    #expect(try await mouth.endings.first(1) == [true])
    #expect(try await mind.endings.first(1) == [true])
    try await expectSilence(call)
  }

  @Test("an answer that is ahead of its listener is cancelled")
  func ahead() async throws {
    let mind = mind(.text("Good morning."), .event(.finished(.complete)))
    let mouth = ToneSynthesizer { _ in [.tone(24_000 * 60)] }
    let call = PipelineCall(.scripted(responder: mind, synthesizer: mouth))
    call.send(.answer(.spoken()))
    for _ in 0..<20 { _ = try await call.until(\.isAudio) }
    call.send(.cancel(response: "r1"))
    try await expectSilence(call)
  }

  @Test("an answer that waits for the client is cancelled without the client's help")
  func paused() async throws {
    let (latch, never) = (Latch(), never)
    let mind = mind(.text("Good morning. And"), .wait(never))
    let mouth = ToneSynthesizer { _ in [.tone(2_400), .wait(latch), .tone(2_400), .wait(never)] }
    let call = PipelineCall(.scripted(responder: mind, synthesizer: mouth))
    call.send(.answer(.spoken()))
    _ = try await call.until(\.isAudio)
    call.line?.pause()
    latch.open()
    call.send(.cancel(response: "r1"))
    #expect(try await mouth.endings.first(1) == [true])
    #expect(try await mind.endings.first(1) == [true])
    #expect(try await call.settled() == [])
    call.line?.resume()
    try await expectSilence(call)
  }

  @Test("words that wait for the client are not told after they were cancelled")
  func pausedWords() async throws {
    let mind = mind(.text("One"), .text(" two"), .wait(never))
    let call = PipelineCall(.scripted(responder: mind))
    call.line?.pause()
    call.send(.answer(.written()))
    try await mind.requests.first(1)
    #expect(try await call.settled() == [])
    call.send(.cancel(response: "r1"))
    #expect(try await mind.endings.first(1) == [true])
    call.line?.resume()
    #expect(try await call.settled() == [])
    try await expectSilence(call)
  }

  @Test("a model that speaks itself is not lent a voice when it is cancelled before it speaks")
  func omni() async throws {
    let mind = ScriptedResponder(speakers: ["Ethan"]) { [never] in
      $0.isFirstAnswer ? [.text("Good morning. And"), .wait(never)] : [.text("Next.")]
    }
    let mouth = ToneSynthesizer()
    let call = PipelineCall(.scripted(responder: mind, synthesizer: mouth))
    call.send(.answer(.spoken()))
    _ = try await call.until { $0.text != nil }
    call.send(.cancel(response: "r1"))
    #expect(try await mind.endings.first(1) == [true])
    try await expectSilence(call)
    #expect(mouth.spoken.entries.isEmpty)
  }

  @Test("only the answer that is named is cancelled")
  func named() async throws {
    let latch = Latch()
    let mind = ScriptedResponder(.text("One "), .wait(latch), .text("two."), .event(.finished(.complete)))
    let call = PipelineCall(.scripted(responder: mind))
    call.send(.answer(.written("r1")), .answer(.written("r2")), .cancel(response: "r3"))
    _ = try await call.until { $0.text != nil }
    _ = try await call.until { $0.text != nil }
    call.send(.cancel(response: "r1"))
    #expect(try await mind.endings.first(1) == [true])
    latch.open()
    let events = try await call.until { $0.ends("r2") }
    #expect(events.map(\.response) == ["r2", "r2"])
    // An answer that is over cannot be cancelled any more.
    call.send(.cancel(response: "r2"))
    #expect(try await call.settled() == [])
  }

  // MARK: Pausing

  @Test("while the client takes nothing, nothing of an answer is delivered; all of it is afterwards")
  func pause() async throws {
    let call = ChatMessage.Call(id: "c1", name: "time", arguments: "{}")
    let steps: [ScriptedResponder.Step] = [
      .text("Good morning. This is the second sentence of it."), .event(.call(call)), .event(.finished(.complete)),
    ]
    for request in [AnswerRequest.spoken(), .written()] {
      let mind = ScriptedResponder { _ in steps }
      let free = try await PipelineCall(.scripted(responder: mind)).answer(request)
      let held = PipelineCall(.scripted(responder: mind))
      held.line?.pause()
      held.send(.answer(request))
      try await mind.endings.first(2)
      #expect(try await held.settled() == [])
      held.line?.resume()
      #expect(try await held.until { $0.ends("r1") } == free)
      #expect(free.contains { if case .call = $0 { true } else { false } })
    }
  }

  @Test("a failure waits as well; what the ear has to say does not")
  func pausedFailure() async throws {
    let mind = ScriptedResponder(.fail(StageFault(.llm, code: "llm_timeout", message: "Too slow.")))
    let call = try await PipelineCall.hearing(.scripted(responder: mind))
    call.line?.pause()
    call.send(.answer(.written()))
    try await mind.endings.first(1)
    call.say(Sound.loud(2_048))
    #expect(try await call.settled() == [.speechStarted(turn: "vad_1", atMs: 0)])
    call.line?.resume()
    #expect(try await call.next() == .failed(response: "r1", code: "llm_timeout", message: "Too slow."))
  }

  @Test("the gate may be closed and opened at any time, and lets everybody through who waits or is cancelled")
  func gate() async throws {
    let gate = OutputGate()
    gate.close()
    gate.close()
    let passed = Chronicle<Int>()
    let waiting = (0..<50).map { index in
      Task {
        await gate.pass()
        passed.append(index)
      }
    }
    for task in waiting[..<25] { task.cancel() }
    #expect(Set(try await passed.first(25)) == Set(0..<25))
    gate.open()
    try await passed.first(50)
    gate.end()
    gate.close()
    try await within("a gate that has ended is open") { await gate.pass() }
  }

  // MARK: Closing

  /// A session in the midst of everything: a turn begun, another being transcribed, an answer being thought of, another
  /// being spoken, its client busy.
  private func busy(
    _ ear: ScriptedTranscriber, _ mind: ScriptedResponder, _ mouth: ToneSynthesizer, _ detector: Latch
  ) async throws -> PipelineCall {
    let parts = EngineParts.scripted(
      transcriber: ear, responder: mind, synthesizer: mouth, makeDetector: { MortalDetector(detector) })
    let call = try await PipelineCall.hearing(parts)
    call.send(
      .recording(turn: "item_1", base64: PipelineCall.base64(Sound.loud(100)), format: .pcm(rate: 16_000)),
      .recording(turn: "item_2", base64: PipelineCall.base64(Sound.loud(100)), format: .pcm(rate: 16_000)),
      .transcribe(turn: "item_1"))
    call.say(Sound.loud(4_096))
    call.send(.answer(.spoken("r1")))
    _ = try await call.until(\.isAudio)
    call.line?.pause()
    call.send(.answer(.written("r2")))
    try await mind.requests.first(2)
    try await ear.begun.first(3)
    _ = try await call.settled()
    return call
  }

  @Test("closing ends everything, delivers nothing any more and leaves nothing behind", arguments: [true, false])
  func close(isProper: Bool) async throws {
    let (detector, latch, never) = (Latch(), Latch(), never)
    let ears = Chronicle<Void>()
    weak var leftEar: ScriptedTranscriber?
    weak var leftMind: ScriptedResponder?
    weak var leftMouth: ToneSynthesizer?
    func run() async throws {
      let ear = ScriptedTranscriber { _ in
        await latch.pass()
        ears.append(())
        return "too late"
      }
      let mind = ScriptedResponder(.text("Good morning. And"), .wait(latch), .text(" too late. And so on."))
      let mouth = ToneSynthesizer { _ in [.tone(2_400), .wait(latch), .tone(2_400), .wait(never)] }
      (leftEar, leftMind, leftMouth) = (ear, mind, mouth)
      let call = try await busy(ear, mind, mouth, detector)
      if isProper { call.close() } else { call.drop() }
      #expect(try await mind.endings.first(2) == [true, true])
      #expect(try await mouth.endings.first(1) == [true])
      for turn in ear.begun.entries { try await turn.cancels.first(1) }
      latch.open()
      #expect(try await call.remainder() == [])
      try await ears.first(1)
      try await within("the end of the detector") { await detector.pass() }
      #expect(call.pressures.entries.isEmpty)
    }
    try await run()
    #expect(leftEar == nil)
    #expect(leftMind == nil)
    #expect(leftMouth == nil)
  }

  @Test("what comes after the end is not heard")
  func afterClose() async throws {
    let mind = ScriptedResponder(.text("So."))
    let call = PipelineCall(.scripted(responder: mind))
    func hangUp() throws {
      let line = try #require(call.line)
      call.close()
      for request in [EngineRequest.hear(.plain()), .answer(.written())] {
        line.send(.init(string: request.encoded().text))
      }
      line.send(.init(repeating: 0, count: EngineLine.highWaterBytes * 2))
      line.pause()
      line.resume()
      line.close()
    }
    try hangUp()
    #expect(try await call.remainder() == [])
    #expect(mind.requests.entries.isEmpty)
    #expect(call.pressures.entries.isEmpty)
  }
}

/// A detector whose end is told.
final class MortalDetector: VoiceActivityDetector {
  private let end: Latch
  private let ear = LoudnessDetector()

  init(_ end: Latch) { self.end = end }

  var frameSampleCount: Int { ear.frameSampleCount }

  func probability(of frame: UnsafeBufferPointer<Float>) -> Float { ear.probability(of: frame) }

  func reset() {}

  deinit { end.open() }
}
