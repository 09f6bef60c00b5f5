import Foundation

/// The counters that MallocCount/malloc_count.c keeps in a file while the counted process runs.
struct AllocationCounters {
  static let names = ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"]

  let path: String

  /// Calls so far, in the order of `names`.
  func read() throws(BenchFault) -> [UInt64] {
    guard let bytes = FileManager.default.contents(atPath: path), bytes.count == Self.names.count * 8 else {
      throw BenchFault("no allocation counters in \(path): is the counting library preloaded?")
    }
    return bytes.withUnsafeBytes { all in
      Self.names.indices.map { all.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
    }
  }

  /// Allocates `count` times by each of the five calls and reads the counters before and after: proves that none of the
  /// calls goes by uncounted. Run it under the counting library.
  func provePlanted(count: Int) throws(BenchFault) -> [UInt64] {
    var blocks: [UnsafeMutableRawPointer?] = []
    blocks.reserveCapacity(count * Self.names.count)
    let before = try read()
    for _ in 0..<count {
      // The compiler makes a malloc of a realloc of nothing.
      blocks.append(realloc(malloc(24), 40))
      blocks.append(calloc(3, 8))
      var block: UnsafeMutableRawPointer?
      posix_memalign(&block, 64, 64)
      blocks.append(block)
      blocks.append(aligned_alloc(64, 128))
    }
    let after = try read()
    blocks.forEach { free($0) }
    let counted = zip(after, before).map { $0 &- $1 }
    guard counted.allSatisfy({ $0 >= UInt64(count) }) else {
      throw BenchFault("\(count) planted allocations of each kind, but counted were \(counted)")
    }
    return counted
  }
}
