import Foundation
import ParleyTesting
import Testing

/// Every file in `Tests/Golden/gemini-live` is one situation.
@Suite struct GeminiLiveGolden {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../Golden/gemini-live").standardized
  static let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted() ?? []

  @Test("the transcripts are there")
  func folderIsFull() {
    #expect(Self.names.count >= 10)
  }

  @Test(
    "R012 R016 R017 R027 R029 R031-R033 R035-R039 R050 R085-R093 R097 R185 R186 R194: a transcript replays as written",
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
