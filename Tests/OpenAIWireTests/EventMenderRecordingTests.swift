import Envelope
import OpenAIWire
import ParleyTesting
import Testing

/// What real services sent, event by event. The recordings are read from the folder that `REALTIME_RECORDINGS` names.
@Suite(.enabled(if: TranscriptPlayer.folder != nil, "set REALTIME_RECORDINGS to the folder of the recordings"))
struct EventMenderRecordingTests {
  /// What the service said, without what the translator answers for.
  private static func events(of recording: String) throws -> [JSONObject] {
    let own: Set<String> = ["session.created", "session.updated", "error"]
    return try TranscriptPlayer(recording: recording).messages(.received).compactMap(\.object)
      .filter { !own.contains($0["type"]?.string ?? "") }
  }

  @Test(
    "what OpenAI and Azure sent is left as it is",
    arguments: ["openai-text-turn", "openai-audio-turn", "openai-tool-round", "azure-text-turn"])
  func native(_ recording: String) throws {
    let events = try Self.events(of: recording)
    var call = MendingCall(MendingRules())
    for event in events {
      let isUntouched = call.isUntouched(event)
      #expect(isUntouched, "\(recording): \(JSONValue.object(event).text)")
    }
    #expect(!call.mender.isMidTurn && !events.isEmpty)
  }

  @Test(
    "legal sequences stay as they are under completing rules too, but for the order of a user's item and its end",
    arguments: ["openai-text-turn", "openai-audio-turn", "openai-tool-round", "azure-text-turn"])
  func nativeCompleted(_ recording: String) throws {
    let events = try Self.events(of: recording)
    var call = MendingCall.completing()
    let told = events.flatMap { call.tell($0) }
    #expect(told.types == events.types)
    #expect(call.invariants.violations == [])
  }

  @Test(
    "what xAI and Voice Live sent becomes valid, in legal order",
    arguments: [
      ("xai-text-turn", 16, 6, 17), ("xai-tool-round", 49, 16, 53), ("voicelive-text-turn", 22, 17, 24),
    ])
  func mended(_ recording: String, _ sent: Int, _ invalid: Int, _ expected: Int) throws {
    let events = try Self.events(of: recording)
    let faulty = events.count { ServerFixtures.isInvalid($0) }
    #expect(events.count == sent && faulty == invalid)
    var call = MendingCall.completing { $0.dropped = ["ping"] }
    let told = events.flatMap { call.tell($0) }
    #expect(told.count == expected && told.count { ServerFixtures.isInvalid($0) } == 0)
    #expect(call.invariants.violations == [])
    for event in told { _ = try ServerEvent.decode(.object(event)) }
    print("\(recording): \(faulty) of \(sent) events were not GA; \(told.count) are told")
  }
}
