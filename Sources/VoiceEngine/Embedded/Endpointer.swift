/// Finds where a turn begins and ends in the probabilities of a voice activity detector.
///
/// A turn begins when the probability stays at `threshold` or above for `speechToStart`; it ends when it fell below
/// `stopThreshold` and did not come back to `threshold` for `silence`. What lies between the two changes nothing: detectors
/// show dips of a frame inside words. Time is counted in samples at 16 kHz since the first frame heard.
public struct Endpointer: Sendable, Hashable {
  /// Samples in a millisecond.
  public static let samplesPerMillisecond = 16

  /// May be changed at any time; holds from the next frame on.
  public struct Settings: Sendable, Hashable {
    /// From which probability on a frame is speech, 0…1.
    public var threshold: Float = 0.5
    /// How long it must be quiet before the turn ends, in milliseconds.
    public var silence = 550
    /// How long speech must last before the turn begins, in milliseconds: three frames of 32 ms.
    public var speechToStart = 96
    /// The same while the assistant is heard, whose echo is not to interrupt it: ten frames.
    public var speechToInterrupt = 320
    /// A longer turn is cut, in milliseconds.
    public var longestTurn = 25_000

    public init() {}

    /// Below which probability a frame is silence: 0.15 less than `threshold`, but never so low that a turn could not end.
    public var stopThreshold: Float { max(threshold - 0.15, threshold / 2, 0.01) }
  }

  /// A turn that has ended.
  public struct Utterance: Sendable, Hashable {
    /// Of the first frame of speech.
    public var start: Int
    /// Where the silence began that ended the turn; the end, if it was cut.
    public var speechEnd: Int
    /// Of the last frame heard.
    public var end: Int
    /// The highest probability.
    public var peak: Float
    /// Whether it was ended for its length and not by silence.
    public var wasCut: Bool

    /// Samples from the start to where the silence began, short pauses included.
    public var speechSampleCount: Int { speechEnd - start }
    /// Whether it is worth transcribing: 250 ms, and one frame that is clearly speech.
    public var isPlausible: Bool { speechSampleCount >= 250 * samplesPerMillisecond && peak >= 0.6 }
  }

  public enum Event: Sendable, Hashable {
    /// A turn began at this sample, which lies back by the time it took to be sure. Never before the end of the turn
    /// before.
    case started(at: Int)
    case stopped(Utterance)
  }

  public var settings: Settings
  /// Whether the assistant is presumed to be heard: then `speechToInterrupt` holds.
  public var isAssistantHeard = false
  /// Samples heard.
  public private(set) var position = 0
  /// Whether a turn is going on.
  public var isInTurn: Bool { turn != nil }

  /// For how long it has been silent in the turn that is going on; nil outside of one, and while somebody speaks.
  public var quietMilliseconds: Int? {
    turn?.silenceStart.map { Self.milliseconds(position - $0) }
  }

  private struct Turn: Hashable {
    var start: Int
    var peak: Float
    /// Where the probability fell below the lower threshold.
    var silenceStart: Int?
  }
  private var turn: Turn?
  /// Speech that is not long enough yet.
  private var candidate: Turn?

  public init(settings: Settings = .init()) {
    self.settings = settings
  }

  /// - Parameters:
  ///   - probability: of the frame; what is no number counts as 0.
  ///   - sampleCount: of the frame.
  public mutating func hear(_ probability: Float, sampleCount: Int) -> Event? {
    let probability = probability.isFinite ? probability : 0
    let start = position
    position += max(0, sampleCount)
    return turn == nil ? listen(probability, from: start) : follow(probability, from: start)
  }

  /// Forgets the turn that is going on or beginning, without an event; time goes on.
  public mutating func abandon() {
    turn = nil
    candidate = nil
  }

  private mutating func listen(_ probability: Float, from start: Int) -> Event? {
    guard probability >= settings.threshold else {
      candidate = nil
      return nil
    }
    var begun = candidate ?? Turn(start: start, peak: 0)
    begun.peak = max(begun.peak, probability)
    let needed = isAssistantHeard ? settings.speechToInterrupt : settings.speechToStart
    guard Self.milliseconds(position - begun.start) >= needed else {
      candidate = begun
      return nil
    }
    candidate = nil
    turn = begun
    return .started(at: begun.start)
  }

  private mutating func follow(_ probability: Float, from start: Int) -> Event? {
    guard var going = turn else { return nil }
    going.peak = max(going.peak, probability)
    let isSilent = probability < settings.stopThreshold
    if probability >= settings.threshold {
      going.silenceStart = nil
    } else if isSilent, going.silenceStart == nil {
      going.silenceStart = start
    }
    turn = going
    if isSilent, let silenceStart = going.silenceStart,
      Self.milliseconds(position - silenceStart) >= settings.silence
    {
      return stop(going, speechEnd: silenceStart, wasCut: false)
    }
    if Self.milliseconds(position - going.start) >= settings.longestTurn {
      return stop(going, speechEnd: going.silenceStart ?? position, wasCut: true)
    }
    return nil
  }

  private static func milliseconds(_ samples: Int) -> Int { samples / samplesPerMillisecond }

  private mutating func stop(_ turn: Turn, speechEnd: Int, wasCut: Bool) -> Event {
    abandon()
    return .stopped(
      Utterance(start: turn.start, speechEnd: speechEnd, end: position, peak: turn.peak, wasCut: wasCut))
  }
}
