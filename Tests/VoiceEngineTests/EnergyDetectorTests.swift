import Testing

@testable import VoiceEngine

struct EnergyDetectorTests {
  @Test("silence and steady noise are no speech", arguments: [0, 3, 100, 3_000])
  func background(amplitude: Int) {
    let sound = RecognitionParts.noise(seconds: 20, amplitude: amplitude)
    #expect(RecognitionParts.utterances(in: sound, by: EnergyDetector()) == [])
  }

  @Test("what is louder than the background is one turn")
  func burst() throws {
    let background = RecognitionParts.noise(seconds: 2, amplitude: 30)
    let sound = background + RecognitionParts.noise(seconds: 1, amplitude: 3_000) + background
    let found = RecognitionParts.utterances(in: sound, by: EnergyDetector())
    let utterance = try #require(found.first)
    #expect(found.count == 1)
    #expect((31_900...32_400).contains(utterance.start))
    #expect((47_900...49_000).contains(utterance.speechEnd))
    #expect(utterance.isPlausible)
  }

  @Test("what is louder than the background but hardly to be heard is no speech")
  func gate() {
    let sound =
      RecognitionParts.silence(seconds: 1) + RecognitionParts.noise(seconds: 1, amplitude: 8)
      + RecognitionParts.silence(seconds: 1)
    #expect(RecognitionParts.utterances(in: sound, by: EnergyDetector()) == [])
  }

  @Test("a noise that begins and stays becomes background, and a louder voice is heard above it")
  func newBackground() {
    var detector = EnergyDetector()
    let quiet = RecognitionParts.noise(seconds: 2, amplitude: 30)
    let fan = RecognitionParts.noise(seconds: 20, amplitude: 150)
    #expect(RecognitionParts.utterances(in: quiet + fan, by: &detector).count == 1)
    #expect(RecognitionParts.utterances(in: fan, by: &detector) == [])
    let voice = RecognitionParts.noise(seconds: 1, amplitude: 3_000)
    #expect(RecognitionParts.utterances(in: voice + fan, by: &detector).count == 1)
  }

  @Test("a sample that is no number does not make it deaf")
  func notANumber() {
    var detector = EnergyDetector()
    let broken = [Float](repeating: .nan, count: 320)
    let quiet = [Float](repeating: 0, count: 320)
    let loud = (0..<320).map { Float($0 % 2) * 0.5 }
    #expect(broken.withUnsafeBufferPointer { detector.probability(of: $0) } < 0.5)
    for _ in 0..<5 { #expect(quiet.withUnsafeBufferPointer { detector.probability(of: $0) } < 0.5) }
    _ = loud.withUnsafeBufferPointer { detector.probability(of: $0) }
    #expect(loud.withUnsafeBufferPointer { detector.probability(of: $0) } >= 0.5)
  }

  @Test("single loud frames are no speech")
  func clicks() {
    var sound = RecognitionParts.noise(seconds: 5, amplitude: 20)
    for start in stride(from: 3_200, to: sound.count - 400, by: 3_200) {
      for index in start..<(start + 60) { sound[index] = index % 2 == 0 ? 9_000 : -9_000 }
    }
    #expect(RecognitionParts.utterances(in: sound, by: EnergyDetector()) == [])
  }

  @Test("reset forgets the background")
  func reset() {
    let loud = RecognitionParts.noise(seconds: 1, amplitude: 3_000)
    var detector = EnergyDetector()
    _ = RecognitionParts.utterances(in: RecognitionParts.silence(seconds: 1), by: &detector)
    detector.reset()
    #expect(RecognitionParts.utterances(in: loud + RecognitionParts.silence(seconds: 1), by: &detector) == [])
  }

  @Test(
    "speech between pauses is one turn each",
    .enabled(if: RecognitionParts.haveVoice, "espeak-ng is not installed: run make setup"))
  func speech() throws {
    let background = RecognitionParts.noise(seconds: 1.5, amplitude: 20)
    let words = try RecognitionParts.speech("what is the weather in Paris")
    let found = RecognitionParts.utterances(
      in: background + words + background + words + background, by: EnergyDetector())
    #expect(found.count == 2)
    #expect(found.allSatisfy { $0.isPlausible && $0.speechSampleCount > words.count / 2 })
  }
}
