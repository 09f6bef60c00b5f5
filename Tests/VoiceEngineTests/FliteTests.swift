import Testing

@testable import VoiceEngine

@Suite(.enabled(if: SynthesisParts.haveFlite, "flite is not installed: run make setup"))
struct FliteTests {
  @Test("flite speaks a sentence in a plausible time")
  func speaks() async throws {
    let synthesizer = try await FliteSynthesizer.start()
    #expect(synthesizer.description.label == "flite slt")
    let utterance = try await SpokenClause(synthesizer, EspeakTests.sentence)
    #expect(utterance.rate == 16_000)
    #expect(1.5...5 ~= utterance.seconds, "\(utterance.seconds) s")
    #expect(utterance.soundsLikeSpeech)
  }

  @Test("flite: speed changes the duration, for that utterance only")
  func speed() async throws {
    let synthesizer = try await FliteSynthesizer.start()
    let normal = try await SpokenClause(synthesizer, EspeakTests.sentence).seconds
    let fast = try await SpokenClause(synthesizer, EspeakTests.sentence, speed: 1.5).seconds
    let slow = try await SpokenClause(synthesizer, EspeakTests.sentence, speed: 0.5).seconds
    let again = try await SpokenClause(synthesizer, EspeakTests.sentence).seconds
    #expect(fast < normal * 0.85)
    #expect(slow > normal * 1.5)
    #expect(abs(again - normal) < 0.05)
  }

  @Test("flite: every voice speaks; another one is refused by name; nothing is nothing")
  func voices() async throws {
    let synthesizer = try await FliteSynthesizer.start()
    for voice in synthesizer.voices {
      let utterance = try await SpokenClause(synthesizer, "Good morning to all of you.", voice: voice)
      #expect(utterance.soundsLikeSpeech, "\(voice)")
    }
    #expect(try await SpokenClause(synthesizer, " \n").samples.isEmpty)
    let fault = await #expect(throws: StageFault.self) { _ = try await FliteSynthesizer.start(voice: "nobody") }
    #expect(fault?.message.contains("nobody") == true)
  }

  @Test("flite: speakers at once do not mix")
  func concurrentSpeakers() async throws {
    let synthesizer = try await FliteSynthesizer.start()
    let short = try await SpokenClause(synthesizer, "Yes.").seconds
    let long = try await SpokenClause(synthesizer, EspeakTests.sentence).seconds
    try await withThrowingTaskGroup(of: (Double, Double).self) { group in
      for _ in 0..<4 {
        group.addTask { (try await SpokenClause(synthesizer, "Yes.").seconds, short) }
        group.addTask { (try await SpokenClause(synthesizer, EspeakTests.sentence).seconds, long) }
      }
      for try await (heard, expected) in group { #expect(abs(heard - expected) < 0.05) }
    }
  }
}
