public import Envelope

/// Who keeps the configuration of a running server (R075).
public protocol ConfigurationDesk: Sendable {
  /// The answer to `GET /config`, secrets masked.
  func shown() async -> JSONObject

  /// Lays a JSON merge patch (RFC 7396) over the document, and returns what `shown` then does: new sessions have it, running
  /// ones keep theirs (R112).
  ///
  /// - Parameter persists: false for a change that the file does not get and the next reload drops (Q6).
  func update(_ patch: JSONObject, persists: Bool) async throws(ConfigurationRefusal) -> JSONObject

  /// What `update` would say, with nothing changed.
  func validate(_ patch: JSONObject) async throws(ConfigurationRefusal)

  /// Reads the files again, and drops what no file has.
  func reload() async throws(ConfigurationRefusal) -> JSONObject

  /// Patches for common arrangements: `{"name","description","config","available","missing"}`.
  func presets() async -> [JSONObject]
}

/// Why a change is not taken; what held before still holds.
public struct ConfigurationRefusal: Error, Sendable, Hashable {
  public struct Fault: Sendable, Hashable {
    /// `llm.provider`; empty for the whole document.
    public var path: String
    /// Holds nothing secret.
    public var message: String

    public init(path: String, message: String) {
      self.path = path
      self.message = message
    }
  }

  /// 400 where something is wrong, 507 or 500 where it is right and could not be saved.
  public var status: Int
  public var faults: [Fault]

  public init(status: Int = 400, faults: [Fault]) {
    self.status = status
    self.faults = faults
  }
}
