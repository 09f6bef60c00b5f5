import Audio
public import Translation

/// Finds turns as the engine does for its own sessions: a voice activity detector judges frames at 16 kHz, an endpointer
/// finds the turns in its probabilities.
///
/// A turn starts at the first frame of its speech, and stops where it was certain to be over, at the end of the silence
/// that ended it. However long a turn is, nothing cuts it. Silero takes some 0.06 ms for each 32 ms of audio, on the thread of
/// the caller.
public struct SpeechTurnDetector: TurnDetector {
  public var settings: TurnDetectorSettings {
    didSet { tune() }
  }

  public var isAssistantHeard: Bool {
    get { endpointer.isAssistantHeard }
    set { endpointer.isAssistantHeard = newValue }
  }

  /// Hertz. Others count as the nearest of them.
  private static let rates = 8_000...48_000
  /// Samples of the input that are gone through at once, so that a long piece leaves no large buffers behind.
  private static let blockCount = 1_024

  private var detector: any VoiceActivityDetector
  private var endpointer = Endpointer()
  private var resampler = Resampler(from: SampleRate.hz16000.hertz, to: SampleRate.hz16000.hertz)
  /// At 16 kHz: what is less than a frame.
  private var pending: [Int16] = []
  /// Filled anew for each frame.
  private var frame: [Float]

  /// - Parameter detector: a new one, for nobody else.
  public init(_ detector: any VoiceActivityDetector, settings: TurnDetectorSettings = .init()) {
    self.detector = detector
    self.settings = settings
    frame = [Float](repeating: 0, count: detector.frameSampleCount)
    endpointer.settings.longestTurn = .max
    tune()
  }

  private mutating func tune() {
    endpointer.settings.threshold = Float(settings.threshold)
    endpointer.settings.silence = settings.silenceMs
  }

  /// Where the rate changes, the time may move by half a sample at 16 kHz.
  public mutating func hear(_ samples: UnsafeBufferPointer<Int16>, rate: Int) -> [TurnEvent] {
    var events: [TurnEvent] = []
    guard !samples.isEmpty else { return events }
    let rate = min(max(rate, Self.rates.lowerBound), Self.rates.upperBound)
    if rate != resampler.from {
      resampler.flush(into: &pending)
      resampler = Resampler(from: rate, to: resampler.to)
    }
    var taken = 0
    while taken < samples.count {
      let count = min(Self.blockCount, samples.count - taken)
      resampler.process(UnsafeBufferPointer(rebasing: samples[taken..<taken + count]), into: &pending)
      taken += count
      judge(&events)
    }
    return events
  }

  public mutating func forgetTurn() {
    endpointer.abandon()
  }

  /// Goes through every whole frame.
  private mutating func judge(_ events: inout [TurnEvent]) {
    let count = frame.count
    var start = 0
    while start + count <= pending.count {
      pending.withUnsafeBufferPointer { samples in
        frame.withUnsafeMutableBufferPointer { frame in
          for index in 0..<count { frame[index] = Float(samples[start &+ index]) * (1 / 32_768) }
        }
      }
      start += count
      let probability = frame.withUnsafeBufferPointer { detector.probability(of: $0) }
      switch endpointer.hear(probability, sampleCount: count) {
      case .started(let at)?: events.append(.started(atMs: Self.milliseconds(at)))
      case .stopped(let utterance)?: events.append(.stopped(atMs: Self.milliseconds(utterance.end)))
      case nil: break
      }
    }
    pending.removeFirst(start)
  }

  private static func milliseconds(_ samples: Int) -> Int { samples / Endpointer.samplesPerMillisecond }
}
