public import Metering
public import Translation

/// How long a session may go on by the minutes that are left to somebody it belongs to.
public struct TimeGrant: Sendable, Hashable {
  public var endsAt: Instant
  /// Nothing more is left: the session ends then, unless a later grant says otherwise. One that is not final ends nothing.
  public var isFinal: Bool
  /// The limit that grants it.
  public var name: LimitName
  /// The limit itself, in minutes.
  public var most: Double

  public init(endsAt: Instant, isFinal: Bool, name: LimitName, most: Double) {
    self.endsAt = endsAt
    self.isFinal = isFinal
    self.name = name
    self.most = most
  }
}
