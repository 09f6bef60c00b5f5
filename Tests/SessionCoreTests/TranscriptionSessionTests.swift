import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

/// `?intent=transcription`: transcripts and nothing else, whoever serves it.
@Suite struct TranscriptionSessions {
  static let kinds: [ProviderKind] = [.openAI, .geminiLive(), .azure(), .xai, .inworld(), .vowel()]

  static func session(_ kind: ProviderKind) throws -> SessionDialogue {
    let endpoint = UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: 9)
    let service = try #require(kind.service(at: endpoint, key: nil, model: "gemini-3.8-live"))
    let provider = ProviderConfiguration(name: "p", service: service).detectingTurns { LevelTurnDetector() }
    return SessionDialogue(
      SessionParameters(provider: provider, requestedModel: nil, purpose: .transcription, unixTime: 1, seed: 3))
  }

  @Test("the client is shown a transcription session, and may ask for no response", arguments: kinds)
  func hello(_ kind: ProviderKind) throws {
    var call = try Self.session(kind)
    let step = call.begin()
    let created = try #require(step.event("session.created")?["session"])
    #expect(created["type"] == "transcription" && created["object"] == "realtime.transcription_session")
    #expect(created["output_modalities"] == nil && created["audio"]?["output"] == nil)
    #expect(step.dialled != nil, "no model is to come")
    // Who has such sessions judges by itself.
    if kind == .openAI || kind == .azure() { return }
    let refused = call.client(#"{"type":"response.create","event_id":"r"}"#)
    #expect(
      refused.event("error")?["error"]?["param"] == "type" && refused.event("error")?["error"]?["event_id"] == "r")
  }

  @Test("OpenAI is asked for such a session: no model in the address, no answers in the update")
  func native() throws {
    var call = try Self.session(.openAI)
    #expect(call.begin().dialled?.pathAndQuery == "/v1/realtime?intent=transcription")
    let update = try #require(call.upstreamOpens().upstream.first?["session"])
    #expect(update["type"] == "transcription")
    #expect(update["audio"]?["input"]?["turn_detection"]?["type"] == "server_vad")
    #expect(update["audio"]?["input"]?["turn_detection"]?["create_response"] == nil)
  }

  @Test("Gemini transcribes what it answers: a turn that the client ends is asked for, and the answer stays here")
  func gemini() throws {
    var call = try Self.session(.geminiLive())
    _ = call.begin()
    _ = call.client(
      #"{"type":"session.update","session":{"type":"transcription","audio":{"input":{"turn_detection":null}}}}"#)
    _ = call.wait(.seconds(1))
    _ = call.upstreamOpens()
    _ = call.upstream(#"{"setupComplete":{}}"#)
    let audio = String(repeating: "A", count: 12_800)
    _ = call.client(#"{"type":"input_audio_buffer.append","audio":"\#(audio)"}"#)
    let step = call.client(#"{"type":"input_audio_buffer.commit"}"#)
    #expect(step.types == ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"])
    #expect(step.upstream.contains { $0["realtimeInput"]?["activityEnd"] != nil })
    let heard = call.upstream(#"{"serverContent":{"inputTranscription":{"text":"hello"}}}"#)
    #expect(heard.types == ["conversation.item.input_audio_transcription.delta"])
    let answered = call.upstream(#"{"serverContent":{"outputTranscription":{"text":"Hi."}}}"#)
    #expect(!answered.types.contains { $0.hasPrefix("response.") })
  }
}
