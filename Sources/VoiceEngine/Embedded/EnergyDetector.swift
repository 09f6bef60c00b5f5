#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A voice activity detector without a model: speech is what is clearly louder than the background. Good in a quiet room,
/// useless where the noise is as loud as the voice.
///
/// Frames of 20 ms, high frequencies emphasised by taking the difference of neighbours. The background is tracked in
/// decibels: fast when it becomes quieter, slowly when it becomes louder, so that speech does not pass for it.
public struct EnergyDetector: VoiceActivityDetector {
  public let frameSampleCount = 320

  /// The quietest background there is, in dBFS of the emphasised frame: what does not exceed it by `margin`, -62 dBFS, is
  /// no speech, even after the perfect silence of a file.
  static let quietest: Float = -71
  /// Decibels above the background that count as speech.
  static let margin: Float = 9
  /// Decibels by which the background may rise in a frame: 2 dB/s.
  static let rise: Float = 0.04
  /// The part of the way down that the background goes in a frame.
  static let fall: Float = 0.3

  /// How much of a frame's verdict is taken at once, so that a single loud frame does not pass for speech.
  static let haste: Float = 0.4

  /// Of the background, in dBFS; nil before the first frame.
  private var floor: Float?
  private var last: Float = 0
  private var smoothed: Float = 0

  public init() {}

  public static var description: StageDescription { StageDescription(.vad, "energy") }

  /// Near 1 while it is loud, near 0 while it is not; from one end it takes two frames to cross 0.5, and three to fall below
  /// 0.35.
  public mutating func probability(of frame: UnsafeBufferPointer<Float>) -> Float {
    guard !frame.isEmpty else { return smoothed }
    var sum: Float = 0
    for sample in frame {
      let difference = sample - last
      last = sample
      sum += difference * difference
    }
    let mean = sum / Float(frame.count)
    // A sample that is no number must not stay in the memory of the detector.
    if !last.isFinite { last = 0 }
    let level = mean.isFinite ? 10 * log10f(max(mean, 1e-10)) : -100

    let background = max(floor ?? level, Self.quietest)
    let isSpeech = level > background + Self.margin
    floor = level < background ? background + (level - background) * Self.fall : min(level, background + Self.rise)
    smoothed += Self.haste * ((isSpeech ? 1 : 0) - smoothed)
    return smoothed
  }

  public mutating func reset() {
    floor = nil
    last = 0
    smoothed = 0
  }
}
