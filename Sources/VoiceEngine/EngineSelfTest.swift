import NativeCode
import Audio

/// The engine hears itself: its voice speaks a sentence, its detector looks for the turn in it, its transcriber writes it
/// down. No network but what the configured stages use.
public enum EngineSelfTest {
  public static let sentence = "Please tell me what the weather will be tomorrow morning."
  /// What must be in the transcript.
  public static let keyWords = ["tell", "weather", "tomorrow", "morning"]

  public struct Report: Sendable {
    public var clip: Duration
    /// Until the voice had made its first samples, and all of them.
    public var firstAudio: Duration
    public var speaking: Duration
    /// To judge the whole clip.
    public var detecting: Duration
    /// Where the detector found the turn, from the beginning of the clip; nil if it found none.
    public var turn: Range<Duration>?
    public var transcribing: Duration
    /// What was understood.
    public var transcript: String

    /// The key words that did not come back.
    public var missingWords: [String] {
      let words = Set(transcript.lowercased().split { !$0.isLetter }.map(String.init))
      return EngineSelfTest.keyWords.filter { !words.contains($0) }
    }

    /// Whether the sentence was found and understood.
    public var isPassed: Bool { turn != nil && missingWords.isEmpty }
  }

  /// Why there is nothing to test: a sentence for each of the two stages that is not there.
  public static func obstacles(_ parts: EngineParts) -> [String] {
    var sentences: [String] = []
    if parts.transcriber == nil { sentences.append(parts.absence(of: .stt)) }
    if parts.synthesizer == nil { sentences.append(parts.absence(of: .tts)) }
    return sentences
  }

  /// - Throws: `StageFault` of a stage that is missing or fails.
  public static func run(_ parts: EngineParts) async throws -> Report {
    guard let transcriber = parts.transcriber else {
      throw StageFault(.stt, code: "stt_unavailable", message: parts.absence(of: .stt))
    }
    guard let synthesizer = parts.synthesizer else {
      throw StageFault(.tts, code: "tts_unavailable", message: parts.absence(of: .tts))
    }
    let clock = ContinuousClock()
    let begin = clock.now
    var firstAudio: Duration?
    var recording = SpeechRecording(rate: SampleRate.hz16000.hertz)
    for try await chunk in synthesizer.speak(sentence, voice: synthesizer.voices.first ?? "", speed: 1) {
      firstAudio = firstAudio ?? begin.duration(to: clock.now)
      recording.add(chunk)
    }
    let clip = recording.finish()
    let speaking = begin.duration(to: clock.now)

    // Detectors learn the room's quiet first and want to hear that the turn is over.
    let quiet = [Int16](repeating: 0, count: SampleRate.hz16000.hertz)
    let detection = Detection(executor: parts.hearingExecutor)
    let detectionBegin = clock.now
    let turn = await detection.turn(in: quiet + clip + quiet, by: parts.makeDetector)
    let detecting = detectionBegin.duration(to: clock.now)

    let transcriptionBegin = clock.now
    let transcription = transcriber.begin(TranscriptionOptions()) { _ in }
    transcription.append(clip)
    let transcript = try await transcription.finish()
    return Report(
      clip: duration(samples: clip.count), firstAudio: firstAudio ?? speaking, speaking: speaking, detecting: detecting,
      turn: turn.map {
        duration(samples: $0.lowerBound - quiet.count)..<duration(samples: $0.upperBound - quiet.count)
      },
      transcribing: transcriptionBegin.duration(to: clock.now), transcript: transcript)
  }

  private static func duration(samples: Int) -> Duration {
    .microseconds(samples * 1_000_000 / SampleRate.hz16000.hertz)
  }
}

/// One run of a detector over a clip, where sessions are heard.
private actor Detection {
  nonisolated let executor: NativeExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(executor: NativeExecutor) {
    self.executor = executor
  }

  /// The first turn: from where the speech begins to where it ends, in samples at 16 kHz.
  func turn(in clip: [Int16], by makeDetector: @Sendable () -> any VoiceActivityDetector) -> Range<Int>? {
    var detector = makeDetector()
    let frame = detector.frameSampleCount
    var endpointer = Endpointer()
    for start in stride(from: 0, through: clip.count - frame, by: frame) {
      let samples = clip[start..<start + frame].map { Float($0) / 32_768 }
      let probability = samples.withUnsafeBufferPointer { detector.probability(of: $0) }
      if case .stopped(let utterance) = endpointer.hear(probability, sampleCount: frame) {
        return utterance.start..<max(utterance.start, utterance.speechEnd)
      }
    }
    return nil
  }
}
