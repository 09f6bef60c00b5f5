import Foundation

/// What the kernel tells about processes.
enum Processes {
  /// The process and all that descend from it (nginx works in a child).
  static func tree(of process: Int32) throws(BenchFault) -> [Int32] {
    var all = [process]
    for thread in try threads(of: process) {
      let children = try? String(contentsOfFile: "/proc/\(process)/task/\(thread)/children", encoding: .utf8)
      for child in children?.split(separator: " ").compactMap({ Int32($0) }) ?? [] { all += try tree(of: child) }
    }
    return all
  }

  static func threads(of process: Int32) throws(BenchFault) -> [String] {
    guard let threads = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task") else {
      throw BenchFault("process \(process) is gone")
    }
    return threads
  }

  static func field(_ name: String, of process: Int32) -> Int? {
    guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else { return nil }
    let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
  }
}

/// CPU time of a process and its children.
struct ProcessTime {
  /// Of all threads, in nanoseconds.
  private(set) var onCPU: UInt64 = 0
  /// The kernel's shares, in clock ticks.
  private(set) var user: UInt64 = 0
  private(set) var system: UInt64 = 0

  init(_ process: Int32) throws(BenchFault) {
    for process in try Processes.tree(of: process) {
      for thread in try Processes.threads(of: process) {
        // A thread may end between the listing and the reading.
        let path = "/proc/\(process)/task/\(thread)/schedstat"
        guard let fields = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
        guard let time = fields.split(separator: " ").first.flatMap({ UInt64($0) }) else {
          throw BenchFault("the kernel keeps no schedstat for process \(process)")
        }
        onCPU += time
      }
      // Behind the name, which may hold spaces: the state, ten other fields, user and system time.
      guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let fields = stat.split(separator: ")").last?.split(separator: " "), fields.count > 12
      else { throw BenchFault("process \(process) is gone") }
      user += UInt64(fields[11]) ?? 0
      system += UInt64(fields[12]) ?? 0
    }
  }

  func since(_ before: ProcessTime) -> ProcessTime {
    var time = self
    time.onCPU &-= before.onCPU
    time.user &-= before.user
    time.system &-= before.system
    return time
  }
}

enum ResidentMemory {
  /// Of the process and its children.
  static func bytes(of process: Int32) throws(BenchFault) -> Int {
    try Processes.tree(of: process).reduce(0) { $0 + (Processes.field("VmRSS", of: $1) ?? 0) * 1_024 }
  }
}

/// Counts what a process calls, by the name of the call.
protocol CallCounter {
  mutating func start() throws(BenchFault)
  mutating func stop() throws(BenchFault) -> [String: UInt64]
}

/// The calls of the allocator, as the counting library sees them.
struct Allocations: CallCounter {
  private let counters: AllocationCounters
  private let idle: [UInt64]
  private var before: [UInt64] = []
  private let name: String

  init(_ target: Plan.Target) throws(BenchFault) {
    guard let path = target.counters else { throw BenchFault("\(target.name) counts no allocations") }
    name = target.name
    counters = AllocationCounters(path: path)
    idle = try counters.read()
  }

  mutating func start() throws(BenchFault) {
    before = try counters.read()
    // No proxy carries its first frames without allocating: a still counter is a dead one.
    guard before != idle else { throw BenchFault("\(name): the counters stand still; nothing is counted") }
  }

  mutating func stop() throws(BenchFault) -> [String: UInt64] {
    let calls = zip(try counters.read(), before).map { $0 &- $1 }
    return Dictionary(uniqueKeysWithValues: zip(AllocationCounters.names, calls))
  }
}

/// The system calls, counted by strace.
struct SystemCalls: CallCounter {
  private let processes: [Int32]
  private let summary: String
  private let tracer = Process()

  init(_ target: Plan.Target) throws(BenchFault) {
    guard let process = target.process else { throw BenchFault("\(target.name) has no process to trace") }
    processes = try Processes.tree(of: process)
    summary = FileManager.default.temporaryDirectory.appending(path: "strace-\(UUID()).txt").path()
  }

  mutating func start() throws(BenchFault) {
    tracer.executableURL = URL(filePath: "/usr/bin/env")
    tracer.arguments = ["strace", "-f", "-c", "-qq", "-o", summary] + processes.flatMap { ["-p", "\($0)"] }
    do { try tracer.run() } catch { throw BenchFault("strace: \(error)") }
    for _ in 0..<100 where !processes.allSatisfy({ Processes.field("TracerPid", of: $0) ?? 0 > 0 }) {
      usleep(50_000)
    }
    // The other threads follow the first.
    usleep(200_000)
    guard tracer.isRunning else { throw BenchFault("strace could not attach: it needs ptrace, which root may") }
  }

  mutating func stop() throws(BenchFault) -> [String: UInt64] {
    tracer.interrupt()
    tracer.waitUntilExit()
    defer { try? FileManager.default.removeItem(atPath: summary) }
    guard let text = try? String(contentsOfFile: summary, encoding: .utf8) else { throw BenchFault("no \(summary)") }
    var calls: [String: UInt64] = [:]
    // % time, seconds, usecs/call, calls, errors where there are any, name.
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count >= 5, let name = fields.last, name != "total", let count = UInt64(fields[3]) else { continue }
      calls[String(name)] = count
    }
    guard !calls.isEmpty else { throw BenchFault("strace counted nothing") }
    return calls
  }
}
