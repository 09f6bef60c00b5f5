import Envelope
import OpenAIWire
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import InworldProvider

@Suite struct InworldVendorEvents {
  private static let events: [JSONObject] = [
    [
      "type": "input_audio_buffer.turn_suggestion", "event_id": "u1", "item_id": "i1", "utterance_index": 0,
      "probability": 0.8, "trailing_silence_ms": 320, "audio_duration_ms": 1200, "inference_ms": 12,
    ], ["type": "input_audio_buffer.turn_suggestion_revoked", "event_id": "u2", "item_id": "i1", "utterance_index": 0],
    ["type": "response.backchannel.audio.delta", "event_id": "u3", "backchannel_id": "b1", "delta": "AAAA"],
    ["type": "response.backchannel.audio.done", "event_id": "u4", "backchannel_id": "b1", "phrase": "mhm"],
    ["type": "response.backchannel.skipped", "event_id": "u5", "backchannel_id": "b2", "reason": "gap"],
  ]

  /// A session whose client has asked for the provider's own events, or has not.
  private func call(_ asked: Bool) -> SessionDialogue {
    let provider = ProviderConfiguration(
      name: "inworld", service: .wire(InworldForm.service()))
    return SessionDialogue(
      SessionParameters(
        provider: provider, requestedModel: "openai/gpt-4.1-nano", passesVendorEvents: asked, unixTime: 1, seed: 1))
  }

  @Test("B5 Q19 quirk 8: who asked for them gets them unchanged, and others do not", arguments: [true, false])
  func told(_ asked: Bool) {
    var call = call(asked)
    _ = call.begin()
    _ = call.upstreamOpens()
    _ = call.upstream(#"{"type":"session.updated","event_id":"u0","session":{}}"#)
    for event in Self.events {
      let told = call.upstream(JSONValue.object(event).text).events
      #expect(told == (asked ? [.object(event)] : []))
    }
    #expect(call.upstream(#"{"type":"ping","timestamp":1}"#).events.isEmpty)
  }
}
