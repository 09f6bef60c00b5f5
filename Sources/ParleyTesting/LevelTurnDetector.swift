public import Translation

/// Takes for speech what is not nearly silent: an exact detector of turns for sound that is made for a test.
public struct LevelTurnDetector: TurnDetector {
  public var settings = TurnDetectorSettings()
  public var isAssistantHeard = false
  private var heardNanoseconds = 0
  private var isSpeaking = false
  private var silenceNanoseconds = 0

  public init() {}

  public mutating func hear(_ samples: UnsafeBufferPointer<Int16>, rate: Int) -> [TurnEvent] {
    var events: [TurnEvent] = []
    let step = 1_000_000_000 / rate
    for sample in samples {
      if abs(Int(sample)) > 100 {
        if !isSpeaking { events.append(.started(atMs: heardNanoseconds / 1_000_000)) }
        isSpeaking = true
        silenceNanoseconds = 0
      } else if isSpeaking {
        silenceNanoseconds += step
        if silenceNanoseconds >= settings.silenceMs * 999_000 {
          isSpeaking = false
          events.append(.stopped(atMs: (heardNanoseconds + step) / 1_000_000))
        }
      }
      heardNanoseconds += step
    }
    return events
  }

  public mutating func forgetTurn() {
    isSpeaking = false
    silenceNanoseconds = 0
  }
}
