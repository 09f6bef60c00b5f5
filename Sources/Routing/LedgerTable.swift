public import Translation

/// Section `ledger`: where keys, apps and usage are kept.
public struct LedgerTable: Sendable {
  public var store: LedgerSettings
  /// Where every record of usage is told; nil: nowhere.
  public var webhook: WebhookSettings?
  /// How much may wait on disk for a store or a webhook that does not answer, for each of them. Default 67,108,864.
  public var spoolBytes: Int

  public init(
    store: LedgerSettings = .sqlite(path: nil), webhook: WebhookSettings? = nil, spoolBytes: Int = 67_108_864
  ) {
    self.store = store
    self.webhook = webhook
    self.spoolBytes = spoolBytes
  }
}

/// The store of a ledger.
public enum LedgerSettings: Sendable {
  /// Nothing is kept, nothing is written to disk.
  case none
  /// A file; nil: the usual one in the data folder, which may be unusable without being a fault.
  case sqlite(path: String?)
  /// What libpq takes for a connection string, and where it comes from.
  case postgres(Redacted<String>, SecretReference)
}

/// A receiver of usage as CloudEvents.
public struct WebhookSettings: Sendable {
  /// `https://…`, or `http://…` of a loopback address.
  public var url: String
  /// Sent as `Authorization: Bearer`; nil: no such header.
  public var key: (reference: SecretReference, secret: Redacted<String>)?
  /// Records of sessions that go on are told too, rather than only the last of each.
  public var sendsUpdates: Bool

  public init(
    url: String, key: (reference: SecretReference, secret: Redacted<String>)? = nil, sendsUpdates: Bool = false
  ) {
    self.url = url
    self.key = key
    self.sendsUpdates = sendsUpdates
  }
}
