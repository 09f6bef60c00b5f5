import Envelope
import OpenAIWire
import ParleyTesting
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

  /// A row, and whose.
  struct Case: Sendable, CustomTestStringConvertible {
    var row: CoverageRow

    var testDescription: String {
      "\(row.subject) \(row.condition.map { JSONValue.object($0).text } ?? "")"
    }
  }

  static let fields: [Case] = rows.filter { $0.subject.hasPrefix("session.") && $0.subject != "session.update" }
    // What the example of an MCP server lacks is refused; `Tools` has whole ones.
    .filter { $0.condition != ["session.tools[].type": "mcp"] }.map { Case(row: $0) }

  @Test("R251 Q23: a field of a session is refused, without effect, or taken as its row says", arguments: fields)
  func field(_ it: Case) throws {
    guard let example = CoverageExample(it.row, model: "grok-voice-think-fast-1.0", voice: "leo") else { return }
    let service = Update.service
    var session = RealtimeSession.defaults(id: "sess_1", model: service.model, voice: "marin", expiresAt: 0)
    service.begin(&session)
    for earlier in example.before { session = try apply(earlier, to: session, service).session }
    let asked = try #require(example.event["session"])
    guard it.row.support != .refused else {
      let fault = #expect(throws: EventFault.self) { try apply(asked, to: session, service) }
      #expect(fault?.param?.hasPrefix("session.") == true)
      return
    }
    let after = try apply(asked, to: session, service)
    let isKept = Coverage.serverFields.contains { $0.subject == it.row.subject }
    switch it.row.support {
    case .ignored:
      #expect(value(after.session, it.row.subject) == value(session, it.row.subject))
      #expect(isKept || !after.missing.isEmpty)
    case .mapped, .emulated: #expect(after.missing.isEmpty)
    case .refused: break
    }
  }

  @Test(
    "R251 Q23: an option of a response is told of as ignored where its row says so",
    arguments: rows.filter { $0.subject.hasPrefix("response.") && !Coverage.events.contains($0.subject) })
  func option(_ row: CoverageRow) throws {
    let example = try #require(CoverageExample(row, model: "grok-voice-think-fast-1.0", voice: "leo"))
    let options = try #require(example.event["response"]?.object)
    #expect(Update.service.ignoredOptions(options).isEmpty == (row.support != .ignored))
  }

  private func value(_ session: RealtimeSession, _ path: String) -> JSONValue? {
    path.split(separator: ".").dropFirst().reduce(JSONCoding.encode(session)) { $0?[String($1)] }
  }

  private func apply(
    _ fields: JSONValue, to session: RealtimeSession, _ service: some WireService
  ) throws -> (session: RealtimeSession, missing: [String]) {
    let patch = SessionPatch(try #require(fields.object)).nestingFlatFields()
    var session = try patch.applied(to: session)
    let missing = try service.makeEffective(&session)
    return (session, missing)
  }
}
