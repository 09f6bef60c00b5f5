import Foundation
import FuzzTargets

/// libFuzzer starts its own copies of this process with its own arguments, so the target comes by the environment.
private let target: FuzzTarget = {
  let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
  guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
    let names = FuzzTarget.all.map(\.name).joined(separator: " ")
    FileHandle.standardError.write(Data("FUZZ_TARGET is \"\(name)\", not one of: \(names)\n".utf8))
    exit(64)
  }
  return target
}()

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let violations = target.violations(Array(UnsafeBufferPointer(start: start, count: count)))
  if !violations.isEmpty { fatalError(violations.joined(separator: "\n")) }
  return 0
}
