#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Why a library or a function of it could not be had.
public struct DynamicLibraryFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// The library as it was asked for; all candidates if there was more than one.
  public var library: String
  /// The function that is missing; nil if the library itself is.
  public var symbol: String?
  /// What the dynamic linker said.
  public var reason: String

  public init(library: String, symbol: String? = nil, reason: String) {
    self.library = library
    self.symbol = symbol
    self.reason = reason
  }

  public var description: String {
    guard let symbol else { return "\(library) cannot be opened: \(reason)" }
    return "\(library) has no \(symbol): \(reason)"
  }
}

/// A shared library opened at run time, so that neither the build nor the start of the program needs it.
///
/// It is never closed: the libraries used here leave threads and registered callbacks behind.
public final class DynamicLibrary: Sendable {
  /// The candidate that could be opened.
  public let name: String
  /// The handle as a number: a pointer cannot cross threads, and this one is only handed back to the linker, which
  /// may be called from any thread.
  private let handle: UInt

  private init(name: String, handle: UnsafeMutableRawPointer) {
    self.name = name
    self.handle = UInt(bitPattern: handle)
  }

  /// Opens the first candidate that can be opened.
  ///
  /// - Parameters:
  ///   - candidates: paths, or names that the system's linker finds (`libespeak-ng.so.1`).
  ///   - flags: of `dlopen`; nil for `RTLD_NOW`.
  public static func open(
    _ candidates: [String], flags: Int32? = nil
  ) throws(DynamicLibraryFault) -> DynamicLibrary {
    var reasons: [String] = []
    for candidate in candidates {
      if candidate.contains("/"), !ELFFile.isWhole(candidate) {
        reasons.append("the file is damaged")
        continue
      }
      if let handle = dlopen(candidate, flags ?? RTLD_NOW) { return DynamicLibrary(name: candidate, handle: handle) }
      reasons.append(lastError())
    }
    throw DynamicLibraryFault(
      library: candidates.joined(separator: ", "),
      reason: reasons.isEmpty ? "no name was given" : reasons.joined(separator: "; "))
  }

  /// A function of the library.
  ///
  /// - Parameter type: a `@convention(c)` function type with the function's own signature; nothing can check that.
  public func symbol<T>(_ name: String, as type: T.Type) throws(DynamicLibraryFault) -> T {
    guard MemoryLayout<T>.size == MemoryLayout<UnsafeMutableRawPointer>.size else {
      throw DynamicLibraryFault(library: self.name, symbol: name, reason: "\(type) is not a C function type")
    }
    guard let address = dlsym(UnsafeMutableRawPointer(bitPattern: handle), name) else {
      throw DynamicLibraryFault(library: self.name, symbol: name, reason: Self.lastError())
    }
    return unsafeBitCast(address, to: type)
  }

  /// The linker's message about the call before, which it keeps per thread.
  private static func lastError() -> String {
    guard let text = dlerror() else { return "no reason given" }
    return String(cString: text)
  }
}
