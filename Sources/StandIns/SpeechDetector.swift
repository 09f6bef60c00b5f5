/// Finds speech in 16-bit mono PCM by its energy, in windows of 10 ms, on the clock of the audio itself.
///
/// Speech begins with 60 ms of loud windows in a row and ends with the configured silence. That is far simpler than any
/// real service's detector; it is meant to be predictable.
struct SpeechDetector: Sendable {
  enum Event: Sendable, Hashable {
    /// Speech began at that many milliseconds of the audio.
    case started(atMilliseconds: Int)
    /// Enough silence has passed; the position is the end of that silence.
    case stopped(atMilliseconds: Int)
  }

  /// Root mean square of a loud window, of 32,768.
  static let loudness = 500.0
  static let onsetWindows = 6

  var silenceMilliseconds: Int
  private(set) var isSpeaking = false
  /// All audio ever fed, in whole windows.
  private(set) var milliseconds = 0
  private var loudWindows = 0
  private var quietWindows = 0
  private var squares = 0
  private var samplesInWindow = 0

  init(silenceMilliseconds: Int) {
    self.silenceMilliseconds = silenceMilliseconds
  }

  /// Feeds samples at `rate` samples a second.
  mutating func feed(_ samples: [Int16], rate: Int) -> [Event] {
    let window = max(rate / 100, 1)
    var events: [Event] = []
    var start = 0
    while start < samples.count {
      // None where the rate has fallen in the middle of a window.
      let count = max(min(window - samplesInWindow, samples.count - start), 0)
      squares += Self.squares(of: samples, start..<(start + count))
      start += count
      samplesInWindow += count
      guard samplesInWindow >= window else { continue }
      let isLoud = (Double(squares) / Double(samplesInWindow)).squareRoot() >= Self.loudness
      squares = 0
      samplesInWindow = 0
      milliseconds += 10
      if let event = windowEnded(isLoud: isLoud) { events.append(event) }
    }
    return events
  }

  /// A plain loop over the storage: long calls are heard in debug builds, where iterators cost most of the time.
  private static func squares(of samples: [Int16], _ range: Range<Int>) -> Int {
    samples.withUnsafeBufferPointer { samples in
      var sum = 0
      var index = range.lowerBound
      while index < range.upperBound {
        let sample = Int(samples[index])
        sum &+= sample &* sample
        index &+= 1
      }
      return sum
    }
  }

  /// Ends the speech in progress, if any, without waiting for silence.
  mutating func flush() -> Event? {
    loudWindows = 0
    guard isSpeaking else { return nil }
    return stop()
  }

  private mutating func windowEnded(isLoud: Bool) -> Event? {
    guard isSpeaking else {
      loudWindows = isLoud ? loudWindows + 1 : 0
      guard loudWindows >= Self.onsetWindows else { return nil }
      isSpeaking = true
      quietWindows = 0
      return .started(atMilliseconds: milliseconds - loudWindows * 10)
    }
    quietWindows = isLoud ? 0 : quietWindows + 1
    return quietWindows * 10 >= silenceMilliseconds ? stop() : nil
  }

  private mutating func stop() -> Event {
    isSpeaking = false
    loudWindows = 0
    quietWindows = 0
    return .stopped(atMilliseconds: milliseconds)
  }
}
