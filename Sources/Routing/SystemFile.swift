#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Why a file could not be used.
public enum FileFault: Error, Sendable, Hashable, CustomStringConvertible {
  case notFound
  case notPermitted
  case isDirectory
  /// More bytes than the reader was told to take.
  case tooLarge(limitBytes: Int)
  /// Any other answer of the system, by its `errno`.
  case system(Int32)

  public var description: String {
    switch self {
    case .notFound: "no such file"
    case .notPermitted: "permission denied"
    case .isDirectory: "is a directory"
    case .tooLarge(let limit): "larger than \(limit) bytes"
    case .system(let code): "system error \(code)"
    }
  }

  init(errno code: Int32) {
    switch code {
    case ENOENT, ENOTDIR: self = .notFound
    case EACCES, EPERM: self = .notPermitted
    case EISDIR: self = .isDirectory
    default: self = .system(code)
    }
  }
}

/// Reading of small files with a bound, so that a wrong path (a device, a log) cannot fill the memory.
enum SystemFile {
  /// The bytes of the file at `path`; a file of more than `limitBytes` is refused after reading one byte more than that.
  static func read(_ path: String, limitBytes: Int) throws(FileFault) -> [UInt8] {
    // A NUL would silently cut the path that the system sees.
    guard !path.utf8.contains(0) else { throw .notFound }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileFault(errno: errno) }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while content.count <= limitBytes {
      let count = chunk.withUnsafeMutableBytes { readOnce(descriptor, $0) }
      if count == 0 { return content }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw FileFault(errno: errno)
      }
      content.append(contentsOf: chunk[..<count])
    }
    throw .tooLarge(limitBytes: limitBytes)
  }

  private static func readOnce(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard let base = buffer.baseAddress else { return 0 }
    #if canImport(Glibc)
      return Glibc.read(descriptor, base, buffer.count)
    #elseif canImport(Musl)
      return Musl.read(descriptor, base, buffer.count)
    #else
      return Darwin.read(descriptor, base, buffer.count)
    #endif
  }

  /// A variable of this process's environment; nil if it is not set.
  static func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    return String(cString: value)
  }
}
