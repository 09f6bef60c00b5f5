import Foundation

/// How much memory this process has taken, and how much it may take.
public enum ProcessMemory {
  /// Bytes in memory that belong to this process alone: files that it has mapped, as a model's weights, are the kernel's to
  /// drop. Nil where the system does not tell.
  static func takenBytes() -> Int? {
    guard let text = text(of: "/proc/self/statm") else { return nil }
    let pages = text.split(separator: " ").compactMap { Int($0) }
    guard pages.count >= 3 else { return nil }
    return (pages[1] - pages[2]) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// Hands back to the system what is free already: the allocator keeps it otherwise, and it would count as taken.
  public static func releaseFree() {
    // Of the GNU C library alone, whose header is not among those that Swift sees.
    guard let symbol = dlsym(nil, "malloc_trim") else { return }
    _ = unsafeBitCast(symbol, to: (@convention(c) (Int) -> Int32).self)(0)
  }

  /// Bytes that this process may take: the least limit of its control groups, or else the machine's memory. Nil where
  /// neither is told.
  static func budgetBytes(_ text: (_ path: String) -> String? = ProcessMemory.text(of:)) -> Int? {
    let groups = text("/proc/self/cgroup")?.split(separator: "\n") ?? []
    var limits = groups.flatMap { line -> [Int] in
      // number:controllers:path; the one hierarchy of version 2 has no controllers.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return [] }
      if fields[1].isEmpty { return limitBytes(below: "/sys/fs/cgroup", fields[2], "memory.max", text) }
      guard fields[1].split(separator: ",").contains("memory") else { return [] }
      return limitBytes(below: "/sys/fs/cgroup/memory", fields[2], "memory.limit_in_bytes", text)
    }
    if let total = text("/proc/meminfo")?.split(separator: "\n").first(where: { $0.hasPrefix("MemTotal:") }),
      let kibibytes = total.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    {
      limits.append(kibibytes * 1024)
    }
    return limits.min()
  }

  /// The limits of a group and of those around it. Inside a container the path may be one that only exists outside.
  private static func limitBytes(
    below root: String, _ path: Substring, _ file: String, _ text: (String) -> String?
  ) -> [Int] {
    let parts = path.split(separator: "/")
    return (0...parts.count).compactMap { depth in
      let folder = ([Substring(root)] + parts.prefix(depth)).joined(separator: "/")
      return text("\(folder)/\(file)").flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
  }

  private static func text(of path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }
}
