public import Metering
public import Routing

/// A store of keys and apps that many processes share.
public protocol KeyStorage: Sendable {
  /// The key whose digest agrees, revoked and expired ones too.
  func key(with digest: KeyDigest) async throws(StorageFault) -> KeyRecord?
  /// All keys, revoked and expired ones too.
  func keys() async throws(StorageFault) -> [KeyRecord]
  /// - Throws: `.conflict` where a key of this id, or of the same digest, is there.
  func insert(_ record: KeyRecord) async throws(StorageFault)
  /// Revokes a key; one that is revoked already keeps its time.
  ///
  /// - Returns: the key as it is now; nil where there is no such id.
  func revoke(id: String, at unixTime: Int) async throws(StorageFault) -> KeyRecord?
  func apps() async throws(StorageFault) -> [App]
  /// Makes an app, or replaces the one of this name.
  ///
  /// - Returns: whether it is new.
  func put(_ app: App) async throws(StorageFault) -> Bool
  /// - Returns: whether there was one of this name.
  func removeApp(_ name: String) async throws(StorageFault) -> Bool
}

/// What is known of a store at some moment: read now and then, and asked where the store itself does not answer.
public struct StoredAccess: Sendable {
  private let ring: KeyRing
  private let apps: [String: App]
  private let isRead: Bool

  /// A store that did not answer yet. It counts as one with keys: what it holds must not be opened by its being away.
  public static let unread = StoredAccess(keys: [], apps: [], isRead: false)

  /// A store in which nothing is, as far as is known.
  public init() {
    self.init(keys: [], apps: [])
  }

  /// - Parameters:
  ///   - keys: of `KeyStorage.keys()`.
  ///   - apps: of `KeyStorage.apps()`.
  public init(keys: [KeyRecord], apps: [App]) {
    self.init(keys: keys, apps: apps, isRead: true)
  }

  private init(keys: [KeyRecord], apps: [App], isRead: Bool) {
    self.isRead = isRead
    ring = KeyRing(keys)
    self.apps = Dictionary(apps.map { ($0.name, $0) }) { first, _ in first }
  }

  /// Whether there is any key, be it revoked or expired: whoever has made keys does not mean to serve those without.
  public var holdsKeys: Bool { !ring.isEmpty || !isRead }

  public func key(with digest: KeyDigest) -> KeyRecord? { ring.find(digest) }
  public func key(id: String) -> KeyRecord? { ring.find(id: id) }
  public func app(_ name: String) -> App? { apps[name] }
}
