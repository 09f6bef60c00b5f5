/// How long the pieces are that audio goes up in, in samples.
public struct PieceLengths: Sendable, Hashable {
  public static let leastMilliseconds = 20
  public static let mostMilliseconds = 100

  /// 20 ms, rounded up.
  public let least: Int
  /// 100 ms, rounded down.
  public let most: Int

  /// - Parameter rate: hertz; less than 8,000 counts as that.
  public init(rate: Int) {
    let rate = min(max(rate, Resampler.rates.lowerBound), Resampler.rates.upperBound)
    least = (rate * Self.leastMilliseconds + 999) / 1000
    most = rate * Self.mostMilliseconds / 1000
  }

  /// The length of the first piece of `count` samples. Unless it is all of them, its base64 ends with a whole group, and
  /// what stays behind is enough for a piece too.
  public func next(of count: Int) -> Int {
    guard count > most else { return count }
    let cut = most / Self.group * Self.group
    // Two halves rather than a long piece and a crumb.
    return count >= 2 * cut ? cut : Self.wholeGroups((count + 1) / 2)
  }

  /// Three samples of one or two bytes are whole groups of base64.
  public static func wholeGroups(_ count: Int) -> Int {
    (count + group - 1) / group * group
  }

  private static let group = 3
}
