import Foundation
import Testing

@testable import VoiceEngine

/// The description of the voice, which needs no part to be installed.
struct PiperVoiceCardTests {
  static let json = """
    {"audio": {"sample_rate": 22050, "quality": "medium"}, "espeak": {"voice": "en-us"},
     "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8}, "num_speakers": 1,
     "phoneme_id_map": {"_": [0], "^": [1], "$": [2], " ": [3], ".": [10], "a": [14], "c": [16], "\u{327}": [140]}}
    """

  @Test("a Piper voice's numbers: begin, a pad behind every phoneme, end; what is not in the map is left out")
  func identifiers() throws {
    let card = try PiperVoiceCard(json: Data(Self.json.utf8), name: "voice.onnx.json")
    #expect(card.rate == 22_050)
    #expect(card.phonemeVoice == "en-us")
    #expect(card.identifiers(for: "a c.") == [1, 0, 14, 0, 3, 0, 16, 0, 10, 0, 2])
    #expect(card.identifiers(for: "a\u{2603}a") == [1, 0, 14, 0, 14, 0, 2])
    #expect(card.identifiers(for: "") == [1, 0, 2])
    // The map has no precomposed letters.
    #expect(card.identifiers(for: "\u{E7}") == [1, 0, 16, 0, 140, 0, 2])
  }

  @Test(
    "a description that is damaged or of something else is refused by the name of the file",
    arguments: [
      (String(json.prefix(120)), "not all of it"), ("", "not all of it"), ("[]", "wrong kind"),
      (json.replacingOccurrences(of: "\"audio\"", with: "\"sound\""), "audio is missing"),
      (json.replacingOccurrences(of: "\"sample_rate\"", with: "\"rate\""), "audio.sample_rate is missing"),
      (json.replacingOccurrences(of: "22050", with: "0"), "0 Hz"),
      (json.replacingOccurrences(of: "22050", with: "\"x\""), "audio.sample_rate is of the wrong kind"),
      (json.replacingOccurrences(of: "\"^\"", with: "\"v\""), "phoneme_id_map"),
    ])
  func damagedDescription(json: String, reason: String) {
    let fault = #expect(throws: StageFault.self) {
      _ = try PiperVoiceCard(json: Data(json.utf8), name: "voice.onnx.json")
    }
    #expect(fault?.code == "model_file_invalid")
    #expect(fault?.message.contains("voice.onnx.json") == true)
    #expect(fault?.message.contains(reason) == true, "\(fault?.message ?? "")")
  }

  @Test("the phrases of a clause keep their marks")
  func phrases() {
    let phrases = PiperPhrase.phrases(
      of: "Well, Dr. Smith, it is 3.14; \u{201C}really?\u{201D} Yes! No\u{2026} and then")
    #expect(
      phrases.map { $0.mark.map(String.init) ?? "-" } == [",", ",", ";", "?", "!", ".", "-"], "\(phrases)")
    #expect(
      phrases.map(\.text).joined() == "Well, Dr. Smith, it is 3.14; \u{201C}really?\u{201D} Yes! No\u{2026} and then")
  }

  @Test("marks of another language are no phonemes")
  func languageMarks() {
    #expect(PiperVoice.withoutLanguageMarks("(fr)bɔ̃ʒˈuʁ(en-us) \n") == "bɔ̃ʒˈuʁ")
  }

  @Test("a voice is named as in its file")
  func names() {
    #expect(PiperSynthesizer.voiceName(ofFile: "en_US-joe-medium.onnx") == "joe")
    #expect(PiperSynthesizer.voiceName(ofFile: "mine.onnx") == "mine")
  }

  @Test("a voice that is not installed is named")
  func missing() async {
    let fault = await #expect(throws: StageFault.self) {
      _ = try await PiperSynthesizer.start(folder: EngineFolder(root: "/nonexistent"))
    }
    #expect(fault?.code == "tts_unavailable")
    #expect(fault?.message.contains("en_US-joe-medium.onnx") == true)
  }
}

@Suite(.enabled(if: SynthesisParts.havePiper, "Piper, its voice or ONNX Runtime is not installed: run make setup"))
struct PiperTests {
  /// One for all tests: loading takes a second.
  private static let loaded = Task { try await PiperSynthesizer.start(folder: SynthesisParts.folder) }

  @Test("Piper speaks a clause at 22050 Hz in a plausible time; speed shortens it")
  func speaks() async throws {
    let synthesizer = try await Self.loaded.value
    #expect(synthesizer.voices == ["joe"])
    #expect(synthesizer.description.implementation == "piper")
    #expect(!synthesizer.description.version.isEmpty)
    let utterance = try await SpokenClause(synthesizer, "what is the weather in Paris?")
    #expect(utterance.rate == 22_050)
    #expect(1...3.5 ~= utterance.seconds, "\(utterance.seconds) s")
    #expect(utterance.soundsLikeSpeech)
    let fast = try await SpokenClause(synthesizer, "what is the weather in Paris?", speed: 1.5)
    let slow = try await SpokenClause(synthesizer, "what is the weather in Paris?", speed: 0.5)
    #expect(fast.seconds < utterance.seconds * 0.85)
    #expect(slow.seconds > utterance.seconds * 1.5)
  }

  @Test("Piper's phonemes keep the marks; its numbers are those of its map")
  func phonemes() async throws {
    let voice = try PiperVoice(
      model: SynthesisParts.folder.model("en_US-joe-medium.onnx"),
      runtime: SynthesisParts.folder.library("libonnxruntime.so"))
    let phonemes = try await voice.phonemes(of: "what is the weather in Paris")
    #expect(phonemes == EspeakTests.phonemes)
    #expect(try await voice.phonemes(of: "what is the weather in Paris?") == EspeakTests.phonemes + "?")
    let two = try await voice.phonemes(of: "Yes, it is.")
    #expect(two.contains(", ") && two.hasSuffix("."))
    let identifiers = voice.card.identifiers(for: phonemes)
    #expect(identifiers.prefix(4) == [1, 0, 35, 0], "begin and w")
    #expect(identifiers.last == 2)
    // Every scalar is in the map: each gives its number and a pad.
    #expect(identifiers.count == 2 * phonemes.unicodeScalars.count + 3)
  }

  @Test("Piper says nothing where there are no words, and goes on afterwards")
  func nothing() async throws {
    let synthesizer = try await Self.loaded.value
    #expect(try await SpokenClause(synthesizer, "").samples.isEmpty)
    #expect(try await SpokenClause(synthesizer, " ... \u{0} ").samples.isEmpty)
    #expect(try await SpokenClause(synthesizer, "Good morning.").soundsLikeSpeech)
  }

  @Test("Piper speaks a long text clause by clause, and stops between clauses when nobody listens")
  func longText() async throws {
    let synthesizer = try await Self.loaded.value
    let text = String(repeating: "This is one of several sentences. ", count: 10)
    var count = 0
    for try await chunk in synthesizer.speak(text, voice: "joe", speed: 1.5) {
      #expect(!chunk.samples.isEmpty)
      count += 1
      if count == 2 { break }
    }
    #expect(count == 2)
    #expect(try await SpokenClause(synthesizer, "Good morning.").seconds < 4)
  }

  @Test("two of Piper's listeners each hear their own text")
  func concurrentSpeakers() async throws {
    let synthesizer = try await Self.loaded.value
    async let short = SpokenClause(synthesizer, "Yes.")
    async let long = SpokenClause(synthesizer, "This sentence is a good deal longer than the other one is.")
    let (yes, sentence) = try await (short, long)
    #expect(yes.seconds < 1.6, "\(yes.seconds) s")
    #expect(sentence.seconds > 2, "\(sentence.seconds) s")
  }

  @Test("a truncated model is refused by its name")
  func truncatedModel() async throws {
    try await SynthesisParts.withTemporaryFolder { folder in
      let model = folder.appendingPathComponent("en_US-broken-medium.onnx")
      let source = URL(fileURLWithPath: SynthesisParts.folder.model("en_US-joe-medium.onnx"))
      let whole = try FileHandle(forReadingFrom: source)
      defer { try? whole.close() }
      try (whole.read(upToCount: 1_000_000) ?? Data()).write(to: model)
      try FileManager.default.copyItem(
        atPath: source.path + ".json", toPath: model.path + ".json")
      let fault = await #expect(throws: StageFault.self) {
        _ = try await PiperSynthesizer.start(folder: SynthesisParts.folder, model: model.path)
      }
      #expect(fault?.code == "model_file_invalid")
      #expect(fault?.message.contains("en_US-broken-medium.onnx") == true, "\(fault?.message ?? "")")
    }
  }

  @Test("a library that is not ONNX Runtime is a fault, not a crash")
  func otherLibrary() async throws {
    let fault = #expect(throws: StageFault.self) { _ = try OnnxRuntime(path: "libm.so.6", stage: .tts) }
    #expect(fault?.code == "tts_unavailable")
  }
}
