import Envelope
import Testing
import Translation

@testable import XAIProvider

@Suite struct XAICoverage {
  static let rows = Update.service.coverage

  @Test("R251: every event, every field of a session and every option of a response has one row")
  func complete() {
    let counts = Dictionary(
      Self.rows.filter { $0.condition == nil }.map { ($0.subject, 1) }, uniquingKeysWith: +)
    for subject in Coverage.subjects { #expect(counts[subject] == 1, "\(subject)") }
    #expect(counts.values.allSatisfy { $0 == 1 })
    for row in Self.rows where row.condition != nil { #expect(counts[row.subject] == 1, "\(row.subject)") }
  }

  @Test("a note is one sentence; what has no effect takes none")
  func notes() {
    for row in Self.rows {
      #expect(row.note.hasSuffix(".") && !row.note.contains("\n"), "\(row.subject)")
      if row.support == .ignored || row.support == .refused { #expect(row.takesEffect == nil, "\(row.subject)") }
    }
  }
}
