import Foundation
import FuzzTargets
import Testing

/// What the fuzzer has found interesting, and all that it has ever broken, is tried again on every run of the tests.
@Suite("Fuzz replay")
struct FuzzReplayTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Fuzz").standardized

  static let names = FuzzTarget.all.map(\.name).sorted()

  private static func inputs(_ kind: String, _ target: String) -> [URL] {
    let base = folder.appending(path: kind).appending(path: target)
    let files = try? FileManager.default.contentsOfDirectory(at: base, includingPropertiesForKeys: nil)
    return (files ?? []).sorted { $0.path < $1.path }
  }

  private static func replay(_ kind: String, _ name: String) throws -> Int {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let inputs = inputs(kind, name)
    for input in inputs {
      let bytes = [UInt8](try Data(contentsOf: input))
      #expect(target.violations(bytes) == [], "\(kind)/\(name)/\(input.lastPathComponent)")
    }
    return inputs.count
  }

  @Test("the corpus of each fuzz target breaks nothing", arguments: names)
  func corpus(_ target: String) throws {
    #expect(try Self.replay("Corpus", target) > 0, "no corpus")
  }

  @Test("what once broke something does not any more", arguments: names)
  func failCases(_ target: String) throws {
    _ = try Self.replay("FailCases", target)
  }

  @Test("every corpus and every fail case belongs to a target", arguments: ["Corpus", "FailCases"])
  func folders(_ kind: String) throws {
    let found = try FileManager.default.contentsOfDirectory(atPath: Self.folder.appending(path: kind).path)
    #expect(Set(found).subtracting([".gitignore"]).isSubset(of: Self.names))
  }
}
