import Foundation
import ParleyTesting
import Testing

/// Every file in `Tests/Golden/openai` is one situation.
@Suite struct OpenAIGolden {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../Golden/openai").standardized
  static let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted() ?? []

  @Test("the transcripts are there")
  func folderIsFull() {
    #expect(Self.names.count >= 3)
  }

  @Test(
    "R012 R029 R030 R038 R086 R098 R102 R180 R185 R193: a transcript replays as written",
    arguments: names)
  func replays(_ name: String) throws {
    let transcript = try GoldenTranscript(lines: try Self.text(name))
    #expect(transcript.differences() == [])
  }

  @Test("R098: whatever ends after any step, the client is told once and nothing stays open", arguments: names)
  func survivesFaults(_ name: String) throws {
    let transcript = try GoldenTranscript(lines: try Self.text(name))
    #expect(transcript.violationsUnderFaults() == [])
  }

  private static func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }
}
