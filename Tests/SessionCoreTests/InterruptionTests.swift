import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

/// What makes the driver take back audio that the client has not taken yet.
@Suite struct QueuedAudio {
  private static func speaking(_ kind: ProviderKind, _ update: String? = nil) -> SessionDialogue {
    var call = SessionDialogue(kind, model: "some-model", requestedModel: "some-model")
    _ = call.begin()
    if let update { _ = call.client(update) }
    _ = call.upstreamOpens()
    _ = call.client(#"{"type":"input_audio_buffer.append","audio":"AAABAAIA"}"#)
    return call
  }

  private static func dropped(_ step: SessionDialogue.Step) -> [Action] {
    step.actions.filter { if case .dropQueuedAudio = $0 { true } else { false } }
  }

  private static let speech =
    #"{"type":"input_audio_buffer.speech_started","event_id":"e","item_id":"item_u","audio_start_ms":0}"#

  @Test("fault row 51: speech of the user takes back all audio that waits, even of an answer that is complete")
  func speechStarted() {
    var call = Self.speaking(.openAI)
    #expect(Self.dropped(call.upstream(Self.speech)) == [.dropQueuedAudio(ofResponse: nil)])
  }

  @Test("fault row 51: with interrupt_response false speech takes nothing back")
  func speechThatDoesNotInterrupt() {
    var call = Self.speaking(
      .openAI,
      #"{"type":"session.update","session":{"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","interrupt_response":false}}}}}"#
    )
    #expect(Self.dropped(call.upstream(Self.speech)).isEmpty)
  }

  @Test("fault row 51: a cancel of the client takes back the audio of the response that it names, or all")
  func clientCancels() {
    var call = Self.speaking(.openAI)
    #expect(
      Self.dropped(call.client(#"{"type":"response.cancel","response_id":"resp_1"}"#))
        == [.dropQueuedAudio(ofResponse: "resp_1")])
    #expect(Self.dropped(call.client(#"{"type":"response.cancel"}"#)) == [.dropQueuedAudio(ofResponse: nil)])
  }

  @Test("fault row 51: a response that the service cuts short takes its audio back, one that is complete does not")
  func cancelledByService() {
    var call = Self.speaking(.openAI)
    func done(_ status: String, _ id: String) -> String {
      #"{"type":"response.done","event_id":"e","response":{"object":"realtime.response","id":""# + id
        + #"","status":""# + status
        + #"","status_details":null,"output":[],"conversation_id":"conv","output_modalities":["audio"],"max_output_tokens":"inf","audio":{"output":{"format":{"type":"audio/pcm","rate":24000},"voice":"marin"}},"usage":null,"metadata":null}}"#
    }
    #expect(Self.dropped(call.upstream(done("completed", "resp_1"))).isEmpty)
    #expect(Self.dropped(call.upstream(done("cancelled", "resp_2"))) == [.dropQueuedAudio(ofResponse: "resp_2")])
  }

  @Test("fault row 51: an interruption of Gemini takes the audio back in the step that tells of it")
  func gemini() {
    var call = Self.speaking(.geminiLive())
    _ = call.upstream(#"{"setupComplete":{}}"#)
    _ = call.upstream(
      #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"AAABAAIA"}}]}}}"#
    )
    let step = call.upstream(#"{"serverContent":{"interrupted":true}}"#)
    #expect(step.types.contains("response.done"))
    #expect(Self.dropped(step).isEmpty == false)
  }
}
