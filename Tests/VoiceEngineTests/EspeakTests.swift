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
    let utterance = try await Utterance(synthesizer, Self.sentence)
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
    var heard: [[Int16]] = []
    for voice in synthesizer.voices {
      let utterance = try await Utterance(synthesizer, "Good morning.", voice: voice)
      #expect(utterance.seconds > 0.4, "\(voice)")
      #expect(!heard.contains(utterance.samples), "\(voice)")
      heard.append(utterance.samples)
    }
  }

  @Test("a voice of another language can be configured; one that does not exist is refused by name")
  func configuredVoices() async throws {
    let german = try await EspeakSynthesizer.start(voice: "de")
    #expect(german.voices.first == "de")
    let utterance = try await Utterance(german, "Guten Morgen, wie geht es dir?")
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
    let expected = try await Utterance(synthesizer, "Good morning.")
    let heard = try await Utterance(synthesizer, "Good morning.", voice: "alloy")
    let isSame = heard.resembles(expected)
    #expect(isSame)
  }

  @Test("speed changes the duration and stays within the library's bounds")
  func speed() async throws {
    let synthesizer = try await EspeakSynthesizer.start()
    let normal = try await Utterance(synthesizer, Self.sentence).seconds
    let fast = try await Utterance(synthesizer, Self.sentence, speed: 1.5).seconds
    let slow = try await Utterance(synthesizer, Self.sentence, speed: 0.5).seconds
    #expect(fast < normal * 0.85)
    #expect(slow > normal * 1.5)
    #expect(EspeakSynthesizer.wordsPerMinute(speed: 1) == 160)
    #expect(EspeakSynthesizer.wordsPerMinute(speed: 0.25) == 80)
    #expect(EspeakSynthesizer.wordsPerMinute(speed: 9) == 450)
    #expect(EspeakSynthesizer.wordsPerMinute(speed: .infinity) == 160)
  }

  @Test("the utterance after a discarded one is clean")
  func afterDiscardedUtterance() async throws {
    let synthesizer = try await EspeakSynthesizer.start()
    let expected = try await Utterance(synthesizer, "Seven o'clock.")
    for _ in 0..<5 {
      let long = synthesizer.speak("We would walk away, " + Self.sentence, voice: "en-us", speed: 1)
      for try await chunk in long {
        #expect(!chunk.samples.isEmpty)
        break
      }
      let next = try await Utterance(synthesizer, "Seven o'clock.")
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
    let american = try await Utterance(synthesizer, Self.sentence, voice: "en-us")
    let woman = try await Utterance(synthesizer, "Please close the window now.", voice: "en-us+f3", speed: 1.3)
    let areAlike = american.resembles(woman)
    #expect(!areAlike)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<10 {
        group.addTask { try await Utterance(synthesizer, Self.sentence, voice: "en-us").resembles(american) }
        group.addTask {
          let text = "Please close the window now."
          return try await Utterance(synthesizer, text, voice: "en-us+f3", speed: 1.3).resembles(woman)
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
    #expect(try await Utterance(synthesizer, "").seconds < 1)
    let whole = try await Utterance(synthesizer, "one two three")
    let withZero = try await Utterance(synthesizer, "one\u{0}two\u{0}three")
    let isWhole = withZero.resembles(whole)
    #expect(isWhole)
    let markup = try await Utterance(synthesizer, "<speak>[[hello]]</speak>")
    #expect(markup.seconds < 10)
  }
}
