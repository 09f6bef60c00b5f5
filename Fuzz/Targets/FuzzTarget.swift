import Foundation

/// One thing that is fed arbitrary bytes: by libFuzzer (`Fuzz/Package.swift`), and by the tests that replay what was found.
public struct FuzzTarget: Sendable {
  /// Names the folders of its corpus and of its failures.
  public let name: String
  /// What must hold and did not, in words; empty where all held. A trap is a failure as well.
  public let violations: @Sendable (_ bytes: [UInt8]) -> [String]

  init(_ name: String, _ violations: @escaping @Sendable (_ bytes: [UInt8]) -> [String]) {
    self.name = name
    self.violations = violations
  }

  public static let all: [FuzzTarget] =
    [.requestHead, .responseHead, .frames, .clientEvents, .serverEvents, .routes, .tokens, .audio, .session] + providers
}

extension FuzzTarget {
  /// With `FUZZ_LOG` in the environment, prints what is said in a call, to find out what led to a failure.
  static let log: (@Sendable (String) -> Void)? = {
    guard ProcessInfo.processInfo.environment["FUZZ_LOG"] != nil else { return nil }
    // What is buffered would be lost with the process.
    return { line in FileHandle.standardError.write(Data((line + "\n").utf8)) }
  }()
}

/// Collects what did not hold.
struct Findings {
  private(set) var violations: [String] = []

  mutating func expect(_ holds: Bool, _ violation: @autoclosure () -> String) {
    if !holds { violations.append(violation()) }
  }

  mutating func expectEqual<Value: Equatable>(_ left: Value, _ right: Value, _ violation: @autoclosure () -> String) {
    if left != right { violations.append("\(violation()): \(left) is not \(right)") }
  }

  mutating func add(_ more: [String]) { violations += more }
}
