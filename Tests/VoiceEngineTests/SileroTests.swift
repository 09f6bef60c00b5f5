import Foundation
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
    #expect(try SileroFactory(folder: RecognitionParts.folder).description.label == "silero silero-v6.2.0")
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
    "reset makes it hear the same sound the same way again, and copies share no memory",
    .enabled(if: RecognitionParts.haveVoice, "espeak-ng is not installed: run make setup"))
  func memory() throws {
    let words = try RecognitionParts.speech("good morning").map { Float($0) / 32_768 }
    func hear(_ detector: inout SileroDetector) -> [Float] {
      stride(from: 0, through: words.count - 512, by: 512).map { start in
        words[start..<(start + 512)].withUnsafeBufferPointer { detector.probability(of: $0) }
      }
    }
    let factory = try SileroFactory(folder: RecognitionParts.folder)
    var detector = factory.detector()
    var other = detector
    let first = hear(&detector)
    #expect(first.contains { $0 > 0.9 })
    // The network remembers: the same frames after speech are heard differently.
    #expect(hear(&detector) != first)
    detector.reset()
    #expect(hear(&detector) == first)
    #expect(hear(&other) == first)
  }

  @Test("a frame of another length is no speech")
  func length() throws {
    var detector = try Self.detector()
    let frame = [Float](repeating: 0.5, count: 2_000)
    for count in [0, 1, 511, 513, 2_000] {
      #expect(frame[..<count].withUnsafeBufferPointer { detector.probability(of: $0) } == 0)
    }
  }

  @Test("a missing model is refused by name")
  func unavailable() {
    let fault = #expect(throws: StageFault.self) { try SileroFactory(folder: EngineFolder(root: "/nowhere")) }
    #expect(fault?.code == "model_file_invalid")
    #expect(fault?.stage == .vad)
    #expect(fault?.message.contains("/nowhere/models/ggml-silero-v6.2.0.bin does not exist") == true)
  }

  /// An “ah” of 120 Hz with three resonances, which wavers and swells; the probabilities are those of the publishers' own
  /// file (silero_vad 6.2) in ONNX Runtime.
  @Test("the probabilities are those of the original network")
  func original() throws {
    let resonances: [(hertz: Double, width: Double)] = [(700, 100), (1_200, 120), (2_600, 200)]
    let amplitudes = (1...30).map { harmonic in
      resonances.reduce(0) { sum, resonance in
        let distance = (120 * Double(harmonic) - resonance.hertz) / resonance.width
        return sum + 1 / (1 + distance * distance)
      }
    }
    let samples = (0..<512 * 24).map { index -> Float in
      let time = Double(index) / 16_000
      let phase = 2 * .pi * 120 * time + 15 * sin(2 * .pi * 3 * time)
      let voice = amplitudes.enumerated().reduce(0) { $0 + sin(Double($1.offset + 1) * phase) * $1.element }
      return Float(voice * 0.1 * (1 - cos(2 * .pi * 4 * time)) / 2)
    }
    var detector = try Self.detector()
    let found = stride(from: 0, to: samples.count, by: 512).map { start in
      samples[start..<(start + 512)].withUnsafeBufferPointer { detector.probability(of: $0) }
    }
    let original: [Float] = [
      0.0127, 0.5639, 0.6442, 0.8025, 0.8575, 0.8625, 0.8865, 0.7837, 0.7960, 0.7907, 0.7342, 0.7797,
      0.8548, 0.9749, 0.9739, 0.9690, 0.9560, 0.9853, 0.9871, 0.9816, 0.9759, 0.9789, 0.9795, 0.9599,
    ]
    #expect(found.count == original.count)
    for (found, original) in zip(found, original) { #expect(abs(found - original) < 0.02) }
  }

  @Test("samples that are no numbers do not stay in the memory", arguments: [Float.nan, .infinity, 1e30])
  func notANumber(sample: Float) throws {
    var detector = try Self.detector()
    let broken = [Float](repeating: sample, count: 512)
    let quiet = [Float](repeating: 0, count: 512)
    _ = broken.withUnsafeBufferPointer { detector.probability(of: $0) }
    var last: Float = 1
    for _ in 0..<20 {
      last = quiet.withUnsafeBufferPointer { detector.probability(of: $0) }
      #expect((0...1).contains(last))
    }
    #expect(last < 0.3)
  }
}
