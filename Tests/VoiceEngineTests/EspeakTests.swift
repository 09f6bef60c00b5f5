import Testing

@testable import VoiceEngine

@Suite(.enabled(if: SynthesisParts.haveEspeak, "espeak-ng is not installed: run make setup"))
struct EspeakTests {
  static let sentence = "The quick brown fox jumps over the lazy dog."

  @Test("espeak speaks a sentence in a plausible time, in chunks, at its own rate")
  func speaks() async throws {
    let synthesizer = try await EspeakSynthesizer.start()
    #expect(synthesizer.description.implementation == "espeak")
    #expect(synthesizer.description.model == "en-us")
    #expect(!synthesizer.description.version.isEmpty)
    let utterance = try await SpokenClause(synthesizer, Self.sentence)
    #expect(utterance.rate == 22_050)
    #expect(1.5...5 ~= utterance.seconds, "\(utterance.seconds) s")
    #expect(utterance.chunkCount > 5)
    #expect(utterance.soundsLikeSpeech)
  }

  @Test("every voice that is offered speaks, each in its own way")
  func everyVoice() async throws {
    let synthesizer = try await EspeakSynthesizer.start()
    #expect(synthesizer.voices.first == "en-us")
    #expect(Set(["en-gb", "en-us+f3", "en-us+m3"]).isSubset(of: synthesizer.voices))
    let standard = try await SpokenClause(synthesizer, Self.sentence)
    for voice in synthesizer.voices.dropFirst() {
      let clause = try await SpokenClause(synthesizer, Self.sentence, voice: voice)
      #expect(clause.soundsLikeSpeech, "\(voice)")
      let isDefault = clause.resembles(standard)
      #expect(!isDefault, "\(voice)")
    }
  }

  @Test("a voice of another language can be configured; one that does not exist is refused by name")
  func configuredVoices() async throws {
    let german = try await EspeakSynthesizer.start(voice: "de")
    #expect(german.voices.first == "de")
    let utterance = try await SpokenClause(german, "Guten Morgen, wie geht es dir?")
    #expect(utterance.soundsLikeSpeech)
    for name in ["xx-nowhere", "en-us+nobody", "../../etc/passwd", "+f3"] {
      let fault = await #expect(throws: StageFault.self) { _ = try await EspeakSynthesizer.start(voice: name) }
      #expect(fault?.code == "tts_unavailable")
      #expect(fault?.message.contains(name) == true)
    }
  }

  @Test("a voice that is not offered is spoken with the default one")
  func unknownVoice() async throws {
    let synthesizer = try await EspeakSynthesizer.start()
    let expected = try await SpokenClause(synthesizer, "Good morning.")
    let heard = try await SpokenClause(synthesizer, "Good morning.", voice: "alloy")
    let isSame = heard.resembles(expected)
    #expect(isSame)
  }

  @Test("speed changes the duration and stays within the library's bounds")
  func speed() async throws {
    let synthesizer = try await EspeakSynthesizer.start()
    let normal = try await SpokenClause(synthesizer, Self.sentence).seconds
    let fast = try await SpokenClause(synthesizer, Self.sentence, speed: 1.5).seconds
    let slow = try await SpokenClause(synthesizer, Self.sentence, speed: 0.5).seconds
    #expect(fast < normal * 0.85)
    #expect(slow > normal * 1.5)
    #expect(EspeakSynthesizer.wordsPerMinute(speed: 1) == 160)
    #expect(EspeakSynthesizer.wordsPerMinute(speed: 0.25) == 80)
    #expect(EspeakSynthesizer.wordsPerMinute(speed: 9) == 450)
    #expect(EspeakSynthesizer.wordsPerMinute(speed: .infinity) == 160)
  }

  @Test("the utterance and the phonemes after a discarded utterance are clean")
  func afterDiscardedUtterance() async throws {
    let synthesizer = try await EspeakSynthesizer.start()
    let text = "Seven o'clock."
    let expected = try await SpokenClause(synthesizer, text)
    let phonemes = try await EspeakLibrary.shared.phonemes(of: text, voice: "en-us")
    for _ in 0..<5 {
      // Stopped in its first sentence, the library would begin the phonemes of the next text with a "double-u".
      let discarded = synthesizer.speak("One two. Where are you. What else", voice: "en-us", speed: 1)
      for try await chunk in discarded {
        #expect(!chunk.samples.isEmpty)
        break
      }
      #expect(try await EspeakLibrary.shared.phonemes(of: text, voice: "en-us") == phonemes)
      let next = try await SpokenClause(synthesizer, text)
      let isClean = next.resembles(expected)
      #expect(isClean, "\(next.seconds) s instead of \(expected.seconds) s")
    }
  }

  @Test("a task that was cancelled before its turn speaks nothing")
  func cancelled() async throws {
    let synthesizer = try await EspeakSynthesizer.start()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      var count = 0
      for try await chunk in synthesizer.speak(Self.sentence, voice: "en-us", speed: 1) { count += chunk.samples.count }
      return count
    }
    #expect(try await task.value == 0)
  }

  @Test("two speakers at once do not mix, and phonemes in between change nothing")
  func concurrentSpeakers() async throws {
    let synthesizer = try await EspeakSynthesizer.start()
    let american = try await SpokenClause(synthesizer, Self.sentence, voice: "en-us")
    let woman = try await SpokenClause(synthesizer, Self.sentence, voice: "en-us+f3")
    let areAlike = american.resembles(woman)
    #expect(!areAlike)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<10 {
        group.addTask { try await SpokenClause(synthesizer, Self.sentence, voice: "en-us").resembles(american) }
        group.addTask {
          try await SpokenClause(synthesizer, Self.sentence, voice: "en-us+f3").resembles(woman)
        }
        group.addTask {
          try await EspeakLibrary.shared.phonemes(of: "what is the weather in Paris", voice: "en-us") == Self.phonemes
        }
      }
      for try await isSame in group { #expect(isSame) }
    }
  }

  static let phonemes =
    "w\u{2CC}\u{28C}t \u{26A}z \u{F0}\u{259} w\u{2C8}\u{25B}\u{F0}\u{25A}\u{279} \u{26A}n p\u{2C8}\u{E6}\u{279}\u{26A}s"

  @Test("phonemes are those that Piper's voices were trained with")
  func phonemes() async throws {
    let phonemes = try await EspeakLibrary.shared.phonemes(of: "what is the weather in Paris", voice: "en-us")
    #expect(phonemes == Self.phonemes)
    let two = try await EspeakLibrary.shared.phonemes(of: "Yes. No.", voice: "en-us")
    #expect(two.contains(" "))
  }

  @Test("text without words, with zeros or with commands of the library is harmless")
  func oddText() async throws {
    let synthesizer = try await EspeakSynthesizer.start()
    #expect(try await SpokenClause(synthesizer, "").seconds < 1)
    let whole = try await SpokenClause(synthesizer, "one two three")
    let withZero = try await SpokenClause(synthesizer, "one\u{0}two\u{0}three")
    let isWhole = withZero.resembles(whole)
    #expect(isWhole)
    let markup = try await SpokenClause(synthesizer, "<speak>[[hello]]</speak>")
    #expect(markup.seconds < 10)
  }
}
