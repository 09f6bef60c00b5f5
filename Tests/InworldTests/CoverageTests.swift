import Envelope
import OpenAIWire
import ParleyTesting
import Testing
import Translation

@testable import InworldProvider

/// That what `GET /v1/capabilities` says of Inworld is what happens.
@Suite struct InworldCoverage {
  static let rows = InworldForm.service().coverage

  @Test("R251: every event, every field of a session and every option of a response has one row")
  func complete() {
    let counts = Dictionary(
      Self.rows.filter { $0.condition == nil }.map { ($0.subject, 1) }, uniquingKeysWith: +)
    for subject in Coverage.subjects { #expect(counts[subject] == 1, "\(subject)") }
    #expect(counts.values.allSatisfy { $0 == 1 })
    for row in Self.rows where row.condition != nil { #expect(counts[row.subject] == 1, "\(row.subject)") }
  }

  @Test("A note is whole sentences; what has no effect takes none")
  func notes() {
    for row in Self.rows {
      #expect(row.note.hasSuffix("."), "\(row.subject)")
      if row.support == .ignored || row.support == .refused { #expect(row.takesEffect == nil, "\(row.subject)") }
    }
  }

  private static let serverFields: Set<String> = [
    "session.type", "session.id", "session.object", "session.expires_at",
  ]

  @Test(
    "Q23 R243: a field of a session goes up, stays here or is refused as its row says",
    arguments: rows.filter { row in
      row.subject.hasPrefix("session.") && row.subject != "session.update" && !serverFields.contains(row.subject)
    })
  func field(_ row: CoverageRow) throws {
    let example = try #require(CoverageExample(row, model: "openai/gpt-4.1-nano", voice: "Olivia"))
    let fields = try #require(example.event["session"]?.object)
    var form = try InworldForm()
    for before in example.before { try form.update(before.object ?? [:]) }
    let fault = form.fault(fields)
    #expect((fault != nil) == (row.support == .refused))
    guard fault == nil else { return }
    let old = form.session
    let frame = try form.frame(fields)
    switch row.support {
    case .mapped: #expect(frame.count > 1 && form.missing.isEmpty)
    case .ignored:
      #expect(!form.missing.isEmpty)
      #expect(form.session == old || row.subject.hasSuffix("strength"))
    case .emulated, .refused: Issue.record("\(row.subject)")
    }
  }

  @Test(
    "T6: an option of a response goes up, stays here or is refused as its row says",
    arguments: rows.filter { $0.subject.hasPrefix("response.") && !Coverage.events.contains($0.subject) })
  func option(_ row: CoverageRow) throws {
    let example = try #require(CoverageExample(row, model: "openai/gpt-4.1-nano", voice: "Olivia"))
    let event = try #require(example.event.object)
    let form = try InworldForm()
    guard row.support != .refused else {
      let fault = form.refusal(of: event)
      #expect(fault?.param?.hasPrefix(row.subject) == true)
      return
    }
    let told = try form.event(event)
    let options = try #require(event["response"]?.object)
    #expect(form.service.ignoredOptions(options).isEmpty == (row.support != .ignored))
    let isTold = told.first?["response"] != nil
    // The service does `auto` without being told.
    #expect(isTold == (row.support == .mapped && row.subject != "response.conversation"))
  }
}
