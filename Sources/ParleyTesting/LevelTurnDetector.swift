public import Translation

/// Takes for speech what is not nearly silent: an exact detector of turns for sound that is made for a test, at a rate that
/// divides 48 kHz.
public struct LevelTurnDetector: TurnDetector {
  public var settings = TurnDetectorSettings()
  public var isAssistantHeard = false
  private var isSpeaking = false
  /// In 1/48000 of a second.
  private var heard = 0
  private var silence = 0

  public init() {}

  public mutating func hear(_ samples: UnsafeBufferPointer<Int16>, rate: Int) -> [TurnEvent] {
    var events: [TurnEvent] = []
    let step = 48_000 / rate
    for sample in samples {
      if abs(Int(sample)) > 100 {
        if !isSpeaking { events.append(.started(atMs: heard / 48)) }
        isSpeaking = true
        silence = 0
      } else if isSpeaking {
        silence += step
        if silence >= settings.silenceMs * 48 {
          isSpeaking = false
          events.append(.stopped(atMs: (heard + step) / 48))
        }
      }
      heard += step
    }
    return events
  }

  public mutating func forgetTurn() {
    isSpeaking = false
    silence = 0
  }
}
