import Audio
import Testing
import VoiceEngine

@Suite("Speech in one piece")
struct SpeechRecordingTests {
  /// A tone that has no rhythm in common with the pieces.
  private func tone(_ count: Int) -> [Int16] {
    var samples: [Int16] = []
    var value = 0
    for index in 0..<count {
      value = (value + 317 + index % 7) % 4_000
      samples.append(Int16(abs(value - 2_000) * 10 - 10_000))
    }
    return samples
  }

  @Test("how the voice cuts its speech changes nothing", arguments: [1, 7, 441, 2_205])
  func cuts(pieceCount: Int) {
    let samples = tone(4_410)
    var recording = SpeechRecording(rate: 16_000)
    for start in stride(from: 0, to: samples.count, by: pieceCount) {
      let piece = samples[start..<min(start + pieceCount, samples.count)]
      recording.add(SpeechChunk(samples: Array(piece), rate: 22_050))
    }
    #expect(recording.finish() == Resampler.convert(samples, from: 22_050, to: 16_000))
  }

  @Test("a voice that changes its rate keeps its length")
  func rates() {
    var recording = SpeechRecording(rate: 24_000)
    recording.add(SpeechChunk(samples: tone(1_600), rate: 16_000))
    recording.add(SpeechChunk(samples: tone(2_400), rate: 24_000))
    recording.add(SpeechChunk(samples: tone(800), rate: 8_000))
    let all = recording.finish()
    #expect(all.count == 7_200)
    #expect(Array(all[2_400..<4_800]) == tone(2_400))
  }

  @Test("nothing said is nothing")
  func silence() {
    var recording = SpeechRecording(rate: 24_000)
    #expect(recording.finish().isEmpty)
    recording.add(SpeechChunk(samples: [], rate: 16_000))
    #expect(recording.finish().isEmpty)
  }
}
