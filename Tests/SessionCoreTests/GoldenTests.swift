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
    #expect(Self.names.count { $0.hasPrefix("gemini-live/") } >= 10)
    #expect(Self.names.count { $0.hasPrefix("openai/") } >= 3)
    #expect(Self.names.count { $0.hasPrefix("local/") } >= 9)
  }

  @Test(
    "R012 R016 R017 R027 R029-R033 R035-R039 R050 R085-R093 R097 R098 R102 R180 R185 R186 R193 R194 R241 R242 R248 R252: as written",
    arguments: names)
  func replays(_ name: String) throws {
    #expect(try Self.transcript(name).differences() == [])
  }

  @Test("R098: whatever ends after any step, the client is told once and nothing stays open", arguments: names)
  func survivesFaults(_ name: String) throws {
    #expect(try Self.transcript(name).violationsUnderFaults() == [])
  }

  private static func transcript(_ name: String) throws -> GoldenTranscript {
    try GoldenTranscript(lines: try String(contentsOf: folder.appending(path: name), encoding: .utf8))
  }
}
