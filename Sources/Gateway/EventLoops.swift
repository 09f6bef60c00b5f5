public import NIOPosix

import Foundation
import NIOCore

/// How many event loops serve: one for each processor that this process may use.
public enum EventLoops {
  /// The processors of the machine, of its control group's quota, and of this process's own affinity, whichever is
  /// least. More loops than processors only take turns with one another.
  public static var count: Int {
    max(1, min(System.coreCount, processorsInAffinity ?? .max))
  }

  /// A group of that many loops, for the life of the process.
  public static func makeGroup() -> MultiThreadedEventLoopGroup {
    MultiThreadedEventLoopGroup(numberOfThreads: count)
  }

  /// From the kernel's own account, as a mask in hexadecimal; nil where there is none.
  private static var processorsInAffinity: Int? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") })
    else { return nil }
    let digits = line.drop { $0 != ":" }.compactMap(\.hexDigitValue)
    let count = digits.reduce(0) { $0 + $1.nonzeroBitCount }
    return count > 0 ? count : nil
  }
}
