import VoiceEngine

/// Where the runtime configuration is, or would be.
public struct RuntimeFile: Sendable, Hashable {
  /// How much an operator has said about it.
  public enum Presence: Sendable, Hashable {
    /// Nothing: a developer's machine gets no file before the first change.
    case optional
    /// By a variable, or by a folder for it: where the file is absent, the first boot writes it (R129).
    case expected
    /// By its name on the command line: its folder at least has to be there.
    case named
  }

  public var path: String
  public var presence: Presence

  public init(path: String, presence: Presence) {
    self.path = path
    self.presence = presence
  }

  /// - Parameters:
  ///   - named: on the command line; nil for `RUNTIME_CONFIG_PATH`, else `runtime.yaml` in `/app/data/config` where that
  ///     folder exists, else in `dataFolder`.
  public init(named: String?, environment: [String: String], dataFolder: String) {
    if let named {
      self.init(path: named, presence: .named)
      return
    }
    let path = RuntimeConfiguration.defaultFile(environment: environment, dataFolder: dataFolder)
    let isExpected =
      environment["RUNTIME_CONFIG_PATH"]?.isEmpty == false || path.hasPrefix(RuntimeConfiguration.imageFolder + "/")
    self.init(path: path, presence: isExpected ? .expected : .optional)
  }

  /// With the slash at its end; empty for the working directory.
  var folder: String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "" }
}
