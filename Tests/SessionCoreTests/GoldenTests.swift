import Foundation
import ParleyTesting
import Testing

/// Every file in `Tests/Golden/<provider>` is one situation.
@Suite struct GoldenTranscripts {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Golden").standardized
  static let names = (FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? [])
    .filter { $0.hasSuffix(".jsonl") }.sorted()

  @Test("the transcripts are there")
  func folderIsFull() {
    #expect(Self.names.count { $0.hasPrefix("gemini-live/") } >= 61)
    #expect(Self.names.count { $0.hasPrefix("openai/") } >= 3)
    #expect(Self.names.count { $0.hasPrefix("local/") } >= 9)
  }

  @Test(
    "R012 R016 R017 R027 R029-R033 R035-R039 R050 R085-R093 R097 R098 R102 R145 R149 R151 R180 R185 R186 R193 R194 R224 R241 R242 R248 R252 R270 R284 R288, gemini 8.1-8.19: as written",
    arguments: names)
  func replays(_ name: String) throws {
    for difference in try Self.transcript(name).differences() { Issue.record("\(difference)") }
  }

  @Test(
    "R098, gemini 4.6, fault row 33: whatever ends after any step, the call ends once or goes on, and nothing stays open",
    arguments: names)
  func survivesFaults(_ name: String) throws {
    for violation in try Self.transcript(name).violationsUnderFaults() { Issue.record("\(violation)") }
  }

  private static func transcript(_ name: String) throws -> GoldenTranscript {
    try GoldenTranscript(lines: try String(contentsOf: folder.appending(path: name), encoding: .utf8))
  }
}
