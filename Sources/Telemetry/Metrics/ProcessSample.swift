import Foundation

/// What the system says of this process, by the name of the metric.
enum ProcessSample {
  /// Empty where there is no `/proc`; a value that cannot be read is not there.
  static func values() -> [String: Double] {
    var values: [String: Double] = [:]
    values["process_resident_memory_bytes"] = residentBytes()
    values["process_open_fds"] = openDescriptors()
    values["process_max_fds"] = descriptorLimit()
    values.merge(times()) { first, _ in first }
    return values
  }

  private static func residentBytes() -> Double? {
    guard let fields = read("/proc/self/statm")?.split(separator: " "), fields.count > 1, let pages = Double(fields[1])
    else { return nil }
    return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
  }

  private static func openDescriptors() -> Double? {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") else { return nil }
    // One of them is the folder that was just read.
    return Double(max(0, names.count - 1))
  }

  /// `/proc/self/limits` says what `getrlimit` does, with one spelling for every C library.
  private static func descriptorLimit() -> Double? {
    let name = "Max open files"
    guard let line = read("/proc/self/limits")?.split(separator: "\n").first(where: { $0.hasPrefix(name) })
    else { return nil }
    guard let soft = line.dropFirst(name.count).split(separator: " ").first else { return nil }
    return soft == "unlimited" ? .infinity : Double(soft)
  }

  /// Fields 14, 15 and 22 of `/proc/self/stat` (proc(5)), in clock ticks; the name in the second one may hold anything.
  private static func times() -> [String: Double] {
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    guard ticks > 0, let stat = read("/proc/self/stat"), let end = stat.lastIndex(of: ")") else { return [:] }
    let fields = stat[end...].split(separator: " ")
    guard fields.count > 20, let user = Double(fields[12]), let system = Double(fields[13]),
      let start = Double(fields[20])
    else { return [:] }
    var values = ["process_cpu_seconds_total": (user + system) / ticks]
    let boot = read("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
    if let boot, let seconds = Double(boot.dropFirst(6)) {
      values["process_start_time_seconds"] = seconds + start / ticks
    }
    return values
  }

  /// Files there have no length: they are read to their end.
  private static func read(_ path: String) -> String? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? file.close() }
    guard let bytes = try? file.readToEnd() else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
