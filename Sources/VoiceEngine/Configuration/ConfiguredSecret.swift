public import Translation

import Foundation

/// A key of a service and where it came from. The key itself is in no output.
public struct ConfiguredSecret: Sendable, CustomStringConvertible, CustomReflectable {
  public let value: Redacted<String>
  /// `env:NAME` or `file:PATH`; nil for a key that stands in the configuration itself.
  public let reference: String?

  /// What is shown for a key without a reference.
  public static let mask = "********"

  public init(_ value: String, reference: String?) {
    self.value = Redacted(value)
    self.reference = reference
  }

  /// The reference, or the mask.
  public var description: String { reference ?? Self.mask }
  public var customMirror: Mirror { Mirror(reflecting: description) }
}

/// Follows references to secrets. The configuration of the voice engine takes keys in the open too, because operators
/// bring files that hold them so.
struct SecretReader: Sendable {
  /// Service keys are below 200 bytes, signed tokens below 4,096.
  static let longestBytes = 8_192

  var environment: [String: String]
  /// The folder from which a relative path starts.
  var folder: String

  func secret(_ text: String) throws(RuntimeConfigurationFault.Cause) -> ConfiguredSecret {
    if text.hasPrefix("env:") {
      let name = String(text.dropFirst(4))
      guard Self.isVariableName(name) else { throw .badSecret("env: needs the name of a variable behind it") }
      guard let value = environment[name], !value.isEmpty else {
        throw .badSecret("environment variable \(name) is not set")
      }
      return ConfiguredSecret(try Self.checked(value, place: text), reference: text)
    }
    if text.hasPrefix("file:") {
      let name = String(text.dropFirst(5))
      guard !name.isEmpty, !name.utf8.contains(0) else { throw .badSecret("file: needs a path behind it") }
      let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
      let content: String
      do {
        content = try BoundedFile.read(path, limitBytes: Self.longestBytes + 2)
      } catch {
        throw .badSecret("\(path): \(error.reason)")
      }
      return ConfiguredSecret(try Self.checked(content, place: path), reference: "file:" + path)
    }
    return ConfiguredSecret(try Self.checked(text, place: "the key"), reference: nil)
  }

  /// A variable that is itself the key.
  func secret(ofVariable name: String, _ value: String) throws(RuntimeConfigurationFault.Cause) -> ConfiguredSecret {
    ConfiguredSecret(try Self.checked(value, place: name), reference: "env:" + name)
  }

  private static func checked(_ text: String, place: String) throws(RuntimeConfigurationFault.Cause) -> String {
    let key = text.trimmingCharacters(in: .newlines)
    guard !key.isEmpty else { throw .badSecret("\(place) is empty") }
    guard key.utf8.count <= longestBytes, key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw .badSecret("\(place) holds a character other than visible ASCII, or more than \(longestBytes) bytes")
    }
    return key
  }

  private static func isVariableName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return name.utf8.allSatisfy {
      $0 == 0x5F || (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF)
    }
  }
}

/// Reading of small text files with a bound, so that a wrong path (a device, a log) cannot fill the memory.
enum BoundedFile {
  struct Fault: Error {
    var reason: String
    var isAbsent = false
  }

  static func read(_ path: String, limitBytes: Int) throws(Fault) -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw Fault(reason: "no such file", isAbsent: true)
    }
    guard !isDirectory.boolValue else { throw Fault(reason: "is a directory") }
    guard let handle = FileHandle(forReadingAtPath: path) else { throw Fault(reason: "permission denied") }
    defer { try? handle.close() }
    var content = Data()
    do {
      while content.count <= limitBytes, let more = try handle.read(upToCount: limitBytes + 1 - content.count) {
        if more.isEmpty { break }
        content.append(more)
      }
    } catch {
      throw Fault(reason: "cannot be read")
    }
    guard content.count <= limitBytes else { throw Fault(reason: "larger than \(limitBytes) bytes") }
    guard let text = String(data: content, encoding: .utf8) else { throw Fault(reason: "is not UTF-8") }
    return text
  }
}
