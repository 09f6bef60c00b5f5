import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// That what `GET /v1/capabilities` says of Gemini Live is what happens.
@Suite struct GeminiCoverage {
  typealias Call = GeminiCall

  /// A row of the table of one model.
  struct Case: Sendable, CustomTestStringConvertible {
    var model = GeminiCall.live38
    var isLenient = true
    var row: CoverageRow

    var testDescription: String {
      "\(model)\(isLenient ? "" : ", strict"): \(row.subject) \(row.condition.map { JSONValue.object($0).text } ?? "")"
    }

    func configure(_ configuration: inout GeminiLiveConfiguration) {
      configuration.isLenient = isLenient
      configuration.makeDetector = { ScriptedDetector() }
    }

    func ready(_ before: [JSONValue] = []) -> SessionDialogue {
      var call = GeminiCall.open(model, configure)
      for fields in before { _ = call.client(update(fields)) }
      _ = call.wait(.seconds(5))
      _ = call.upstream(GeminiCall.setupComplete)
      return call
    }

    private func update(_ session: JSONValue) -> String {
      (["type": "session.update", "session": session] as JSONValue).text
    }
  }

  static func cases(_ isIncluded: (CoverageRow) -> Bool) -> [Case] {
    [(Call.live38, true), (Call.live38, false), (Call.thinking38, true), (Call.halfCascade, true)].flatMap {
      model, isLenient in
      var configuration = Call.configuration(model)
      configuration.isLenient = isLenient
      return configuration.coverage.filter(isIncluded).map { Case(model: model, isLenient: isLenient, row: $0) }
    }
  }

  // MARK: Fields of a session

  @Test(
    "R243 R251 R288 Q23: a field of a session is refused, ignored or taken as its row says, and when it says",
    arguments: cases { $0.subject.hasPrefix("session.") && $0.subject != "session.update" })
  func field(_ it: Case) throws {
    let row = it.row
    let example = try #require(CoverageExample(row, model: Call.flash31, voice: "Kore"))
    var call = it.ready(example.before)
    let before = call.session.session
    let step = call.client(example.event.text) + call.wait(.seconds(3))
    let param = step.error?["param"]?.string
    if row.support == .refused {
      #expect(
        param.map {
          $0.hasPrefix("session.")
            && ($0.hasPrefix(row.subject) || row.subject.hasPrefix($0) || row.subject == "session.*")
        } ?? false)
      #expect(step.error?["event_id"] == "event")
      #expect(call.session.session == before, "nothing else happens either")
    } else {
      #expect(step.error == nil)
      #expect(step.event("session.updated") != nil)
    }
    switch (row.support, row.takesEffect) {
    case (.mapped, .nextResponse):
      #expect(step.dials == 1, "another connection, at the next moment that suits")
    case (.emulated, .nextResponse):
      break  // Some need one, some do not.
    default:
      #expect(step.dials == 0)
    }
    #expect(row.takesEffect != .atSetUp)
    if row.takesEffect != nil { #expect(row.support == .mapped || row.support == .emulated) }
  }

  @Test(
    "R251: while somebody speaks a change waits; it holds before the next response",
    arguments: ["threshold", "silence_duration_ms", "interrupt_response", "create_response"])
  func delay(_ field: String) throws {
    let subject = "session.audio.input.turn_detection." + field
    let row = try #require(
      Call.configuration(Call.live38).coverage.first { $0.subject == subject && $0.condition == nil })
    #expect(row.takesEffect == .nextResponse)
    let example = try #require(CoverageExample(row, model: Call.flash31, voice: "Kore"))
    var call = Case(row: row).ready(example.before)
    _ = call.client(Call.text("Hello"))
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    #expect((call.client(example.event.text) + call.wait(.seconds(1))).dials == 0)
    _ = call.upstream(Call.complete)
    _ = call.upstream(Call.end)
    #expect((call.client(Call.text("And?")) + call.client(Call.create)).dials == 1)
  }

  @Test("R251: where our own detector runs, a change is heard in the next chunk")
  func nextChunk() throws {
    let record = ScriptedDetector.Record()
    var call = Call.ready(
      Call.live38, #""audio":{"input":{"turn_detection":{"type":"server_vad","create_response":false}}}"#
    ) {
      $0.makeDetector = { ScriptedDetector([], record) }
    }
    _ = call.client(Call.append(ms: 100))
    _ = call.client(Call.update(#""audio":{"input":{"turn_detection":{"threshold":0.9,"silence_duration_ms":900}}}"#))
    _ = call.client(Call.append(ms: 100))
    #expect(
      record.value.settings == [
        TurnDetectorSettings(threshold: 0.5, silenceMs: 500), TurnDetectorSettings(threshold: 0.9, silenceMs: 900),
      ])
  }

  // MARK: Options of a response

  @Test(
    "gemini 5.5: an option of a response is refused, ignored or taken as its row says",
    arguments: cases {
      $0.subject.hasPrefix("response.") && !["response.create", "response.cancel"].contains($0.subject)
    })
  func option(_ it: Case) throws {
    let row = it.row
    let example = try #require(CoverageExample(row, model: Call.flash31, voice: "Kore"))
    let plain: JSONValue =
      row.condition == nil
      ? ["type": "response.create"] : ["type": "response.create", "response": ["conversation": "none"]]
    let given = said(example.event, it, example.before)
    let baseline = said(plain, it, example.before)
    #expect((given.error != nil) == (row.support == .refused))
    switch row.support {
    case .refused:
      let field = row.subject == "response.*" ? "response.unheard_of" : row.subject
      #expect(given.error?["param"]?.string?.hasPrefix(field) ?? false)
      #expect(given.error?["event_id"] == "event")
      #expect(given.sent.isEmpty)
    case .ignored:
      #expect(given.sent == baseline.sent)
    case .mapped where row.condition != nil:
      #expect(given.sent != baseline.sent)
    case .mapped, .emulated:
      #expect(!given.sent.isEmpty)
    }
  }

  /// What a `response.create` makes the service hear, on whichever connection.
  private func said(_ event: JSONValue, _ it: Case, _ before: [JSONValue]) -> (error: JSONValue?, sent: [JSONValue]) {
    var call = it.ready(before)
    _ = call.client(Call.text("Hello"))
    let step = call.client(event.text)
    guard let line = step.dialledSide else { return (step.error, step.upstream) }
    let opened = call.sideOpens(line) + call.side(line, Call.setupComplete)
    return (step.error, opened.sent(on: line))
  }

  // MARK: Events

  @Test(
    "gemini 5.5: an event is refused or taken as its row says",
    arguments: cases { row in
      Coverage.events.contains(row.subject) || row.subject == "previous_item_id"
    }.filter(\.isLenient))
  func event(_ it: Case) throws {
    let event = try #require(Self.example(it.row))
    var call = it.ready(Self.before(it.row))
    for text in event.before { _ = call.client(text) }
    if event.isAnswered { _ = call.upstream(Call.speech(ms: 100)) }
    let itemID = call.history.last { $0["type"] == "conversation.item.added" }?["item"]?["id"]?.string ?? ""
    let step = call.client(event.text.replacing("ITEM", with: itemID))
    #expect((step.error != nil) == (it.row.support == .refused))
    if it.row.support == .refused { #expect(step.error?["param"]?.string?.hasPrefix("item.") ?? false) }
  }

  private static func before(_ row: CoverageRow) -> [JSONValue] {
    (row.condition ?? [:]).compactMap { path, value in
      guard path.hasPrefix("session.") else { return nil }
      return CoverageExample.nested(value, at: path.split(separator: ".").dropFirst().map(String.init))
    }
  }

  struct Example {
    var before: [String] = []
    /// The service has begun to answer.
    var isAnswered = false
    var text: String
  }

  private static func example(_ row: CoverageRow) -> Example? {
    if row.subject == "conversation.item.create" { return item(row.condition) }
    let spoken = [Call.text("Hello"), Call.create]
    return switch row.subject {
    case "session.update": Example(text: Call.update(#""instructions":"Be brief.""#))
    case "input_audio_buffer.append": Example(text: Call.append(ms: 100))
    case "input_audio_buffer.commit": Example(before: [Call.append(ms: 200)], text: Call.commit)
    case "input_audio_buffer.clear": Example(before: [Call.append(ms: 200)], text: Call.clear)
    case "output_audio_buffer.clear":
      Example(before: spoken, isAnswered: true, text: #"{"type":"output_audio_buffer.clear"}"#)
    case "conversation.item.retrieve":
      Example(before: [Call.text("Hello")], text: #"{"type":"conversation.item.retrieve","item_id":"ITEM"}"#)
    case "conversation.item.delete":
      Example(before: [Call.text("Hello")], text: #"{"type":"conversation.item.delete","item_id":"ITEM"}"#)
    case "conversation.item.truncate":
      Example(
        before: spoken, isAnswered: true,
        text: #"{"type":"conversation.item.truncate","item_id":"ITEM","content_index":0,"audio_end_ms":50}"#)
    case "response.create": Example(text: Call.create)
    case "response.cancel": Example(before: spoken, isAnswered: true, text: Call.cancel)
    case "previous_item_id": Example(before: [Call.text("Hello")], text: Call.text("Before it", after: "root"))
    default: nil
    }
  }

  private static func item(_ condition: JSONObject?) -> Example? {
    guard let (path, value) = condition.flatMap({ $0.first { _ in true } }) else {
      return Example(text: Call.text("Hello"))
    }
    let call = Call.item(#""type":"function_call","call_id":"call_1","name":"known","arguments":"{}""#)
    return switch (path, value) {
    case ("item.content[].type", "input_image"):
      Example(
        text: Call.item(
          #""type":"message","role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]"#
        ))
    case ("item.content[].type", "input_audio"):
      Example(
        text: Call.item(
          #""type":"message","role":"user","content":[{"type":"input_audio","audio":"\#(Call.silence(ms: 100))"}]"#))
    case ("item.role", _): Example(text: Call.text("Hello", role: value.string ?? ""))
    case ("item.type", "function_call"): Example(text: call)
    case ("item.type", "function_call_output"): Example(before: [call], text: Call.result("call_1", "5"))
    case ("item.type", _): Example(text: Call.item(#""type":\#(value.text)"#))
    default: nil
    }
  }
}
