import Testing

@testable import VoiceEngine

/// Silero itself, on the model that setup installs.
@Suite(.enabled(if: RecognitionParts.haveSilero, "whisper or the Silero model is not installed: run make setup"))
struct SileroTests {
  static func detector() throws -> SileroDetector {
    try SileroFactory(folder: RecognitionParts.folder).detector()
  }

  @Test("the detector says what it is")
  func description() throws {
    #expect(try SileroFactory(folder: RecognitionParts.folder).description.label == "silero silero-v6.2.0 (1.8.5)")
  }

  @Test("silence and noise are no turn", arguments: [0, 100, 3_000, 15_000])
  func noise(amplitude: Int) throws {
    let found = RecognitionParts.utterances(
      in: RecognitionParts.noise(seconds: 10, amplitude: amplitude), by: try Self.detector())
    #expect(found == [])
  }

  @Test(
    "speech and silence are exactly one turn, which covers the speech",
    .enabled(if: RecognitionParts.haveVoice, "espeak-ng is not installed: run make setup"))
  func speech() throws {
    let before = RecognitionParts.noise(seconds: 1, amplitude: 20)
    let words = try RecognitionParts.speech("what is the weather in Paris")
    let found = RecognitionParts.utterances(
      in: before + words + RecognitionParts.noise(seconds: 2, amplitude: 20), by: try Self.detector())
    let utterance = try #require(found.first)
    #expect(found.count == 1)
    #expect(utterance.isPlausible)
    // Within 200 ms at either side; the recogniser is given 300 ms more.
    #expect(abs(utterance.start - before.count) < 3_200)
    #expect(abs(utterance.speechEnd - before.count - words.count) < 6_400)
  }

  @Test(
    "reset makes it hear the same sound the same way again, and detectors share no memory",
    .enabled(if: RecognitionParts.haveVoice, "espeak-ng is not installed: run make setup"))
  func memory() throws {
    let words = try RecognitionParts.speech("good morning").map { Float($0) / 32_768 }
    func hear(_ detector: SileroDetector) -> [Float] {
      stride(from: 0, through: words.count - 512, by: 512).map { start in
        words[start..<(start + 512)].withUnsafeBufferPointer { detector.probability(of: $0) }
      }
    }
    let factory = try SileroFactory(folder: RecognitionParts.folder)
    let detector = try factory.detector()
    let first = hear(detector)
    #expect(first.contains { $0 > 0.9 })
    // The network remembers: the same frames after speech are heard differently.
    #expect(hear(detector) != first)
    detector.reset()
    #expect(hear(detector) == first)
    #expect(hear(try factory.detector()) == first)
  }

  @Test("a frame of another length is no speech")
  func length() throws {
    let detector = try Self.detector()
    let frame = [Float](repeating: 0.5, count: 2_000)
    for count in [0, 1, 511, 513, 2_000] {
      #expect(frame[..<count].withUnsafeBufferPointer { detector.probability(of: $0) } == 0)
    }
  }

  @Test("a missing library is vad_unavailable")
  func unavailable() {
    let fault = #expect(throws: StageFault.self) { try SileroFactory(folder: EngineFolder(root: "/nowhere")) }
    #expect(fault?.code == "vad_unavailable")
  }
}
