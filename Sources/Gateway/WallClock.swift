import Foundation
import Metering

/// The time of day; a test's is its own.
struct WallClock: Sendable {
  private let milliseconds: @Sendable () -> Int64

  init(milliseconds: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }) {
    self.milliseconds = milliseconds
  }

  func now() -> Timestamp { Timestamp(milliseconds: Int(milliseconds())) }
  var unixTime: Int { now().unixTime }
}
