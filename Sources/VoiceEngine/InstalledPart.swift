import NativeCode
import Envelope
import Foundation

/// A part of the engine on this machine: what setup fetched into the data folder, or a library of the system.
public struct InstalledPart: Sendable, Hashable {
  public var name: String
  /// Of the package that it came in; empty for a library of the system.
  public var version: String
  /// Where it is, or the name by which the linker finds it.
  public var place: String
  /// Why it cannot be used, in a few words; nil if nothing speaks against it.
  public var fault: String?
}

extension EngineFolder {
  /// The parts that `parts.json` names, and the libraries of the system that the engine opens. Files are judged by their
  /// sizes only; whether they are sound shows when they are loaded.
  public var installedParts: [InstalledPart] {
    fetchedParts
      + Self.systemLibraries.map { name, library in
        let isThere = (try? DynamicLibrary.open([library])) != nil
        return InstalledPart(name: name, version: "", place: library, fault: isThere ? nil : "not installed")
      }
  }

  private static let systemLibraries = [
    ("espeak-ng", "libespeak-ng.so.1"), ("flite", "libflite.so.1"), ("opus", "libopus.so.0"),
  ]

  private var fetchedParts: [InstalledPart] {
    let list = root + "/parts.json"
    guard let text = try? BoundedFile.read(list, limitBytes: 1_048_576), let value = try? JSONValue(parsing: text),
      let parts = value["parts"]?.array
    else { return [] }
    return parts.compactMap { part in
      guard let name = part["name"]?.string else { return nil }
      let files = part["files"]?.array ?? []
      return InstalledPart(
        name: name, version: part["version"]?.string ?? "", place: files.last?["path"]?.string ?? "",
        fault: files.lazy.compactMap { fault(of: $0) }.first)
    }
  }

  private func fault(of file: JSONValue) -> String? {
    guard let path = file["path"]?.string else { return nil }
    let attributes = try? FileManager.default.attributesOfItem(atPath: root + "/" + path)
    guard let size = (attributes?[.size] as? NSNumber)?.intValue else { return "\(path) is missing" }
    guard let expected = file["bytes"]?.int, expected != size else { return nil }
    return "\(path) has \(size) bytes instead of \(expected)"
  }
}
