import Envelope
import ParleyTesting
import SessionCore
import Testing

/// Sessions that transcribe only. The service answers every turn that it finds.
@Suite struct XAITranscription {
  private static func call() -> SessionDialogue {
    let provider = ProviderConfiguration(name: "xai", service: .wire(Update.service))
    return SessionDialogue(
      SessionParameters(
        provider: provider, requestedModel: "grok-voice-latest", purpose: .transcription, isStrict: true, unixTime: 1,
        seed: 1))
  }

  @Test("Q23: nothing is asked for that the service has no counterpart of, in a strict session either")
  func asked() {
    var call = Self.call()
    _ = call.begin()
    _ = call.upstreamOpens()
    let step = call.client(
      #"{"type":"session.update","session":{"type":"transcription","audio":{"input":{"turn_detection":{"type":"server_vad","threshold":0.4}}}}}"#
    )
    #expect(step.event("error") == nil && step.ignoredFields.isEmpty)
    let detection = step.upstream.last?["session"]?["turn_detection"]
    #expect(detection?["threshold"] == 0.4 && detection?["create_response"] == true)
  }

  @Test("What the service answers all the same stays here")
  func answered() {
    var call = Self.call()
    _ = call.begin()
    _ = call.upstreamOpens()
    let answer = [
      #"{"type":"response.created","event_id":"u1","response":{"id":"r1","status":"in_progress","output":[]}}"#,
      #"{"type":"response.output_item.added","event_id":"u2","response_id":"r1","output_index":0,"item":{"id":"a1","type":"message","role":"assistant","status":"in_progress","content":[]}}"#,
      #"{"type":"response.done","event_id":"u3","response":{"id":"r1","status":"completed","output":[]}}"#,
    ]
    for message in answer { #expect(call.upstream(message).events.isEmpty) }
  }
}
