public import Translation

/// Where a secret is kept. The configuration names the place, never the value.
public enum SecretReference: Sendable, Hashable, CustomStringConvertible {
  /// `env:NAME`
  case environment(String)
  /// `file:PATH`; a relative path is relative to the folder of the configuration file.
  case file(String)

  /// Nil if the text is not a reference: neither prefix, or nothing usable behind it.
  public init?(_ text: String) {
    if text.hasPrefix("env:") {
      let name = text.dropFirst(4)
      guard Self.isVariableName(name) else { return nil }
      self = .environment(String(name))
    } else if text.hasPrefix("file:") {
      let path = text.dropFirst(5)
      guard !path.isEmpty, !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return nil }
      self = .file(String(path))
    } else {
      return nil
    }
  }

  public var description: String {
    switch self {
    case .environment(let name): "env:\(name)"
    case .file(let path): "file:\(path)"
    }
  }

  private static func isVariableName(_ name: Substring) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return name.utf8.allSatisfy { $0 == 0x5F || $0.isLetter || (0x30...0x39).contains($0) }
  }
}

/// Why a referenced secret cannot be had. No case holds any part of the secret.
public enum SecretFault: Error, Sendable, Hashable, CustomStringConvertible {
  case variableNotSet(String)
  case variableEmpty(String)
  case fileUnreadable(path: String, FileFault)
  case fileEmpty(path: String)
  /// The value has a space, a control or a non-ASCII character, or is too long: it could not travel in a header.
  case unusable(SecretReference)
  /// The value is not the JSON of a service account's key; the text says why.
  case notAServiceAccount(SecretReference, String)

  /// For the operator: names the place.
  public var description: String {
    switch self {
    case .variableNotSet(let name): "environment variable \(name) is not set"
    case .variableEmpty(let name): "environment variable \(name) is empty"
    case .fileUnreadable(let path, let fault): "\(path): \(fault)"
    case .fileEmpty(let path): "\(path) is empty"
    case .unusable(let reference):
      "\(reference) holds a character other than visible ASCII, or more than \(SecretSources.longestSecretBytes) bytes"
    case .notAServiceAccount(let reference, let cause):
      "\(reference) is not the key of a service account: \(cause)"
    }
  }

  /// For a client: the same cause without paths of the server's file system.
  public var publicText: String {
    switch self {
    case .variableNotSet, .variableEmpty: description
    case .fileUnreadable: "its key file cannot be read"
    case .fileEmpty: "its key file is empty"
    case .unusable: "its key has characters that cannot be sent"
    case .notAServiceAccount: "its service account's key is not usable"
    }
  }
}

/// Where references lead to: the process's environment and files, or a test's.
public struct SecretSources: Sendable {
  /// The longest secret that is taken, in bytes. Service keys are below 200, signed tokens below 4,096.
  public static let longestSecretBytes = 8_192

  public var environment: @Sendable (_ name: String) -> String?
  public var file: @Sendable (_ path: String, _ limitBytes: Int) throws(FileFault) -> [UInt8]

  public init(
    environment: @escaping @Sendable (_ name: String) -> String?,
    file: @escaping @Sendable (_ path: String, _ limitBytes: Int) throws(FileFault) -> [UInt8]
  ) {
    self.environment = environment
    self.file = file
  }

  /// This process's environment and the file system.
  public static let process = SecretSources(
    environment: { name in SystemFile.environment(name) },
    file: { (path, limitBytes) throws(FileFault) in try SystemFile.read(path, limitBytes: limitBytes) })

  /// The secret behind `reference`. Line ends that follow a file's value are dropped, because editors and `echo` add them.
  ///
  /// - Parameter directory: the folder that a relative path starts from; empty for the working directory.
  public func secret(
    _ reference: SecretReference, directory: String
  ) throws(SecretFault) -> Redacted<String> {
    let bytes = try content(reference, directory: directory, limitBytes: Self.longestSecretBytes + 2)
    var value = String(decoding: bytes, as: UTF8.self)[...]
    if case .file(let path) = reference {
      while let last = value.last, last.isNewline { value.removeLast() }
      guard !value.isEmpty else { throw .fileEmpty(path: Self.resolve(path, in: directory)) }
    }
    guard value.utf8.count <= Self.longestSecretBytes, value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw .unusable(reference)
    }
    return Redacted(String(value))
  }

  /// What is behind `reference`, as it is; never nothing.
  func content(
    _ reference: SecretReference, directory: String, limitBytes: Int
  ) throws(SecretFault) -> [UInt8] {
    switch reference {
    case .environment(let name):
      guard let text = environment(name) else { throw .variableNotSet(name) }
      guard !text.isEmpty else { throw .variableEmpty(name) }
      return Array(text.utf8)
    case .file(let path):
      let resolved = Self.resolve(path, in: directory)
      let bytes: [UInt8]
      do {
        bytes = try file(resolved, limitBytes)
      } catch {
        throw .fileUnreadable(path: resolved, error)
      }
      guard !bytes.isEmpty else { throw .fileEmpty(path: resolved) }
      return bytes
    }
  }

  static func resolve(_ path: String, in directory: String) -> String {
    if path.hasPrefix("/") || directory.isEmpty { return path }
    return directory.hasSuffix("/") ? directory + path : directory + "/" + path
  }
}

extension UInt8 {
  /// A to Z or a to z.
  var isLetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
  /// 0 to 9.
  var isDigit: Bool { (0x30...0x39).contains(self) }
}
