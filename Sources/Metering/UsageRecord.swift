public import Envelope

/// On whose bill a session runs.
public enum UsageMode: String, Sendable, Hashable, CaseIterable {
  /// With the gateway's own credential at the provider.
  case managedInference = "managed_inference"
  /// With the client's own.
  case ownKey = "own_key"
  /// On this machine.
  case local
}

/// What is known of a session when it begins.
public struct UsageIdentity: Sendable, Equatable {
  /// The id that the client knows; also the record's.
  public var sessionID: String
  /// The provider's name in the configuration; nil in records of other services that do not say.
  public var provider: String?
  /// What kind of provider that is.
  public var kind: String?
  public var mode: UsageMode
  /// The name of the key; nil for a session without one.
  public var key: String?
  public var keyID: String?
  public var app: String
  /// `jti` of the token that opened it.
  public var tokenID: String?
  public var startedAt: Timestamp
  /// The process that served it.
  public var instance: String?
  /// What the operator wrote beside the key.
  public var metadata: JSONObject

  public init(
    sessionID: String, provider: String?, kind: String?, mode: UsageMode, key: String? = nil, keyID: String? = nil,
    app: String = "default", tokenID: String? = nil, startedAt: Timestamp, instance: String? = nil,
    metadata: JSONObject = [:]
  ) {
    self.sessionID = sessionID
    self.provider = provider
    self.kind = kind
    self.mode = mode
    self.key = key
    self.keyID = keyID
    self.app = app
    self.tokenID = tokenID
    self.startedAt = startedAt
    self.instance = instance
    self.metadata = metadata
  }
}

/// One session's usage as of a moment; a later record of the same id replaces it (R285).
public struct UsageRecord: Sendable, Equatable {
  public enum State: String, Sendable, Hashable {
    case live
    case ended
    /// Live when it was written last, and too long ago; only ever read, never written.
    case lost
  }

  /// The modality of our own sessions (R041).
  public static let voice = "voice_realtime"
  /// A live record that is older than this many milliseconds belongs to a process that is gone.
  public static let longestSilence = 30_000

  /// Of two records of an id, the one with the greater number is newer.
  public var sequence: Int
  public var modality: String
  public var state: State
  public var identity: UsageIdentity
  public var model: String?
  public var updatedAt: Timestamp
  public var endedAt: Timestamp?
  /// How it ended, such as `completed`; nil while it is live.
  public var end: String?
  /// From the 101 to the end of the connection, by the monotonic clock; unrounded.
  public var seconds: Double
  public var meter: Meter

  public var id: String { identity.sessionID }
  public var minutes: Double { seconds / 60 }
  /// The UTC day on which it began.
  public var day: Int { identity.startedAt.day }

  public init(
    _ identity: UsageIdentity, sequence: Int, modality: String = Self.voice, state: State, model: String?,
    updatedAt: Timestamp, endedAt: Timestamp? = nil, end: String? = nil, seconds: Double, meter: Meter
  ) {
    self.identity = identity
    self.sequence = sequence
    self.modality = modality
    self.state = state
    self.model = model
    self.updatedAt = updatedAt
    self.endedAt = endedAt
    self.end = end
    self.seconds = seconds
    self.meter = meter
  }

  /// The record as a reader has it: a live one that was not updated for long is lost.
  public func read(at now: Timestamp) -> UsageRecord {
    guard state == .live, now.milliseconds - updatedAt.milliseconds > Self.longestSilence else { return self }
    var record = self
    record.state = .lost
    return record
  }

  /// Whether it replaces `other`, a record of the same id.
  public func isNewer(than other: UsageRecord) -> Bool { sequence > other.sequence }
}
