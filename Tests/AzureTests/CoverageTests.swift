import Envelope
import OpenAIWire
import ParleyTesting
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

  /// A row, and whose.
  struct Case: Sendable, CustomTestStringConvertible {
    var api: AzureAPI
    var row: CoverageRow

    var testDescription: String {
      "\(api) \(row.subject) \(row.condition.map { JSONValue.object($0).text } ?? "")"
    }
  }

  static let fields: [Case] = AzureAPI.allCases.flatMap { api in
    Update.service(api).coverage.filter { $0.subject.hasPrefix("session.") && $0.subject != "session.update" }
      // Examples know nothing of Azure's transcribers; `VoiceLive` has some.
      .filter { $0.condition?[Rows.transcription + ".model"] == nil }.map { Case(api: api, row: $0) }
  }

  @Test("R251 Q23: a field of a session is refused, without effect, or taken as its row says", arguments: fields)
  func field(_ it: Case) throws {
    guard let example = CoverageExample(it.row, model: "their-model", voice: "coral") else { return }
    let service = Update.service(it.api)
    var session = RealtimeSession.defaults(id: "sess_1", model: service.model, voice: "marin", expiresAt: 0)
    service.begin(&session)
    let voice: [JSONValue] = it.row.subject.hasSuffix(".speed") ? [["voice": "en-US-AvaNeural"]] : []
    for earlier in example.before + voice { session = try apply(earlier, to: session, service).session }
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
