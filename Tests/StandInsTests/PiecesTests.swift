import Envelope
import ParleyTesting
import StandIns
import Testing

@Suite("The stand-ins' pieces")
struct PiecesTests {
  @Test("the tone is 400 ms of 1 kHz at 24 kHz, in four equal parts")
  func tone() {
    #expect(StandInSound.tone.count == 19_200)
    #expect(StandInSound.parts.map(\.count) == [4_800, 4_800, 4_800, 4_800])
    #expect(StandInSound.parts.flatMap { $0 } == StandInSound.tone)
    #expect(Array(StandInSound.tone.prefix(48)) == Array(StandInSound.tone[48..<96]), "one period is 24 samples")
  }

  @Test("a clock stands still until it is moved, and never goes back")
  func clock() {
    var clock = ManualClock()
    let start = clock.now
    clock.advance(by: .milliseconds(5))
    #expect(clock.elapsed == .milliseconds(5))
    clock.advance(by: .milliseconds(-5))
    clock.advance(to: start)
    #expect(clock.elapsed == .milliseconds(5))
  }

  @Test("protobuf names: both spellings of a field, once")
  func spellings() throws {
    let table = GeminiFields.client(version: "v1beta", platform: .aiStudio)
    let canonical = try table.canonical(
      ["client_content": ["turns": nil, "turn_complete": true]], as: "ClientMessage")
    #expect(canonical == ["clientContent": ["turnComplete": true]])
    #expect(throws: FieldFault.self) {
      try table.canonical(["client_content": ["turn_complete": true, "turnComplete": true]], as: "ClientMessage")
    }
    #expect(throws: FieldFault.self) {
      try table.canonical(["Client_content": [:]], as: "ClientMessage")
    }
  }

  @Test("a free object keeps its keys")
  func freeObjects() throws {
    let table = GeminiFields.client(version: "v1beta", platform: .aiStudio)
    let message: JSONValue = [
      "toolResponse": ["functionResponses": [["name": "f", "response": ["snake_key": nil, "a": [1, 2]]]]]
    ]
    #expect(try table.canonical(message, as: "ClientMessage") == message)
  }

  @Test("the dump names every table's messages")
  func dump() {
    let dump = FieldDump.all()
    #expect(dump["gemini"]?["client"]?["Setup"]?["tools"]?.string == "[Tool]")
    #expect(dump["gemini"]?["server"]?["ServerContent"]?["modelTurn"]?.string == "Content")
    #expect(dump["openai"]?["client"]?["session.update"]?["session"]?.string == "Session|TranscriptionSession")
  }

  @Test("every message that a table mentions is in it")
  func closed() {
    for table in [
      GeminiFields.client(version: "v1alpha", platform: .vertex), GeminiFields.server, OpenAIFields.client,
      OpenAIFields.azure, BetaFields.client, VoiceLiveFields.client, XAIFields.client, InworldFields.client,
      VowelFields.client,
    ] {
      for (name, shape) in table.shapes {
        for kind in shape.fields.values {
          for mentioned in messages(in: kind) { #expect(table.shapes[mentioned] != nil, "\(name): \(mentioned)") }
        }
      }
    }
  }

  private func messages(in kind: FieldKind) -> [String] {
    switch kind {
    case .message(let name): [name]
    case .tagged(_, let names): Array(names.values)
    case .list(let kind), .map(let kind), .nullable(let kind): messages(in: kind)
    case .either(let kinds): kinds.flatMap { messages(in: $0) }
    default: []
    }
  }
}
