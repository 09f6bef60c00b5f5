import Foundation

/// The folder of the parts that setup installs: `lib/` for shared libraries, `models/` for weights and voices.
public struct EngineFolder: Sendable, Hashable {
  public var root: String

  public init(root: String) {
    self.root = root
  }

  /// `$PARLEY_DATA` if it is set, else `/app/data` where that exists (the image's volume), else `data` in the working
  /// directory.
  ///
  /// - Parameter environment: of the process.
  public init(environment: [String: String]) {
    if let named = environment["PARLEY_DATA"], !named.isEmpty {
      root = named
    } else {
      var isDirectory: ObjCBool = false
      let isImage = FileManager.default.fileExists(atPath: "/app/data", isDirectory: &isDirectory)
      root = isImage && isDirectory.boolValue ? "/app/data" : "data"
    }
  }

  /// `lib/<name>`, absolute: the linker searches its own folders for a name without a slash.
  public func library(_ name: String) -> String {
    path("lib", name)
  }

  /// `models/<name>`, absolute.
  public func model(_ name: String) -> String {
    path("models", name)
  }

  private func path(_ folder: String, _ name: String) -> String {
    URL(fileURLWithPath: root, isDirectory: true).appendingPathComponent(folder).appendingPathComponent(name).path
  }
}
