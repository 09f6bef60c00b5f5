public import Envelope

/// What a session has cost so far: the audio by our own count of bytes, and the tokens as the provider tells them.
///
/// Audio is metered in the client's format, once: what a new connection hears again after a loss is not counted again.
public struct Meter: Sendable, Hashable {
  /// Audio of the client that was accepted.
  public private(set) var heard = AudioTally()
  /// Audio that was handed to the client's queue.
  public private(set) var spoken = AudioTally()
  /// The part of it that an interruption recalled before it left.
  public private(set) var takenBack = AudioTally()
  public var tokens = TokenTally()
  /// Responses that have begun.
  public var responses = 0
  /// Not: the provider's speech stays here, because the client wants transcripts only. Its tokens count all the same.
  public var speechIsHeard = true

  public init() {}

  public init(heard: AudioTally, spoken: AudioTally, takenBack: AudioTally, tokens: TokenTally, responses: Int) {
    self.heard = heard
    self.spoken = spoken
    self.takenBack = takenBack
    self.tokens = tokens
    self.responses = responses
  }

  @inline(__always)
  public mutating func heard(bytes: Int, _ format: AudioFormat) {
    heard.add(bytes: bytes, format)
  }

  @inline(__always)
  public mutating func spoke(bytes: Int, _ format: AudioFormat) {
    guard speechIsHeard else { return }
    spoken.add(bytes: bytes, format)
  }

  /// Audio of the format that was spoken last did not leave.
  public mutating func tookBack(bytes: Int) {
    takenBack.add(bytes: bytes, spoken.latestFormat)
  }

  /// - Parameter isEstimated: the counts are our own guess.
  public mutating func count(_ usage: Usage, isEstimated: Bool = false) {
    tokens.count(usage)
    if isEstimated { tokens.isEstimated = true }
  }

  /// The provider says after all what a response has cost that was estimated.
  ///
  /// - Parameter areOthersEstimated: other estimates stand.
  public mutating func replace(estimate: Usage, by usage: Usage, areOthersEstimated: Bool) {
    tokens.takeBack(estimate)
    tokens.count(usage)
    tokens.isEstimated = areOthersEstimated
  }

  public mutating func count(_ usage: TranscriptionUsage) {
    tokens.count(usage)
  }

  public mutating func responseBegan() {
    responses &+= 1
  }
}
