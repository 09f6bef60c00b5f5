import Envelope
import Testing
import Translation

@testable import AzureProvider

@Suite struct AzureCoverage {
  @Test(
    "R251: every event, every field of a session and every option of a response has one row",
    arguments: AzureAPI.allCases)
  func complete(_ api: AzureAPI) {
    let rows = Update.service(api).coverage
    let counts = Dictionary(rows.filter { $0.condition == nil }.map { ($0.subject, 1) }, uniquingKeysWith: +)
    for subject in Coverage.subjects { #expect(counts[subject] == 1, "\(subject)") }
    #expect(counts.values.allSatisfy { $0 == 1 })
    for row in rows where row.condition != nil { #expect(counts[row.subject] == 1, "\(row.subject)") }
  }

  @Test("a note is one sentence; what has no effect takes none", arguments: AzureAPI.allCases)
  func notes(_ api: AzureAPI) {
    for row in Update.service(api).coverage {
      #expect(row.note.hasSuffix(".") && !row.note.contains("\n"), "\(row.subject)")
      if row.support == .ignored || row.support == .refused { #expect(row.takesEffect == nil, "\(row.subject)") }
    }
  }
}
