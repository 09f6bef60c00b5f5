import Foundation
import Testing

@Suite struct CoverageDocumentIsCurrent {
  @Test("Q23: docs/coverage.md is current; with PARLEY_WRITE_DOCS=1 in the environment it is written")
  func current() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = root.appending(path: "docs/coverage.md")
    let text = CoverageDocument(providers: CoverageTables.ordinary).text
    if ProcessInfo.processInfo.environment["PARLEY_WRITE_DOCS"] == "1" {
      try Data(text.utf8).write(to: file)
    }
    #expect(
      (try? String(contentsOf: file, encoding: .utf8)) == text,
      "not current: run PARLEY_WRITE_DOCS=1 swift test --filter CoverageDocument")
  }
}
