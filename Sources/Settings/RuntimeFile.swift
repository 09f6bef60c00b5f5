public import VoiceEngine

import Foundation

/// Where the runtime configuration is, or would be.
public struct RuntimeFile: Sendable, Hashable {
  public var path: String
  /// An operator said that it is to be there, by a name or by a folder for it: where it is absent, the first boot writes
  /// it. A developer's machine gets no file before the first change.
  public var isExpected: Bool

  public init(path: String, isExpected: Bool) {
    self.path = path
    self.isExpected = isExpected
  }

  /// - Parameters:
  ///   - named: on the command line; nil for `RUNTIME_CONFIG_PATH`, else `runtime.yaml` in `/app/data/config` where that
  ///     folder exists, else in `dataFolder`.
  public init(named: String?, environment: [String: String], dataFolder: String) {
    path = named ?? RuntimeConfiguration.defaultFile(environment: environment, dataFolder: dataFolder)
    isExpected =
      named != nil || environment["RUNTIME_CONFIG_PATH"]?.isEmpty == false
      || path.hasPrefix(RuntimeConfiguration.imageFolder + "/")
  }
}
