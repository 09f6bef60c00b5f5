public import Envelope

/// Where a turn of the user begins and ends, in milliseconds of the audio that was heard since the detector was made.
public enum TurnEvent: Sendable, Hashable {
  case started(atMs: Int)
  case stopped(atMs: Int)
}

/// What a turn is to a detector.
public struct TurnDetectorSettings: Sendable, Hashable {
  /// From which probability on sound is speech, 0…1.
  public var threshold: Double
  /// How long it must be quiet before the turn ends, in milliseconds.
  public var silenceMs: Int

  public init(threshold: Double = 0.5, silenceMs: Int = 500) {
    self.threshold = threshold
    self.silenceMs = silenceMs
  }
}

/// Finds the user's turns in audio, for providers whose own detection cannot do what the client asked for.
///
/// A value: a copy goes on by itself. How the audio is cut changes nothing.
public protocol TurnDetector: Sendable {
  /// May be changed at any time; holds from the next frame on (R251).
  var settings: TurnDetectorSettings { get set }

  /// Whether the assistant is presumed to be heard: speech must last longer then, so that its echo does not interrupt it.
  var isAssistantHeard: Bool { get set }

  /// Hears more of the audio.
  ///
  /// - Parameter rate: hertz, 8,000 to 48,000; a change of it counts from the next sample on.
  mutating func hear(_ samples: UnsafeBufferPointer<Int16>, rate: Int) -> [TurnEvent]

  /// Forgets the turn that goes on or begins, without an event; time goes on.
  mutating func forgetTurn()
}

/// How long semantic detection waits in silence. Our detectors do not know what a sentence means; the eagerness says how
/// likely a pause is the end (OpenAI's own longest waits are 8, 4 and 2 s, reached only in the middle of a thought).
public enum SemanticWindow {
  public static func silenceMs(_ eagerness: SemanticVAD.Eagerness) -> Int {
    switch eagerness {
    case .low: 1_200
    case .medium, .auto: 700
    case .high: 350
    }
  }
}
