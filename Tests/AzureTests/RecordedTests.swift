import Envelope
import ParleyTesting
import SessionCore
import Testing

/// Recorded sessions of the services, played to a whole session.
@Suite(.enabled(if: TranscriptPlayer.folder != nil, "set REALTIME_RECORDINGS to the folder of the recordings"))
struct AzureRecordings {
  static let greeting =
    #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"Say a short greeting."}]}}"#

  @Test("R012 R039: what Azure OpenAI sends crosses as it is, but for the session's id")
  func azure() throws {
    var call = try RecordedCall(
      "azure-text-turn", .azure(), model: "my-voice",
      first: #"{"type":"session.update","session":{"instructions":"Answer in two or three words."}}"#)
    call.client(Self.greeting)
    call.client(#"{"type":"response.create"}"#)
    #expect(call.isFinished && call.violations == [])
    let recorded = call.recorded.filter { $0["type"] != "session.created" }
    #expect(call.events.count == recorded.count)
    for (event, original) in zip(call.events, recorded) {
      if event["type"] == "session.updated" {
        #expect(event["session"]?["id"]?.string == call.dialogue.session.id)
        #expect(event["session"]?["instructions"] == original["session"]?["instructions"])
      } else {
        #expect(event == original)
      }
    }
  }

  @Test("R012: what Voice Live sends becomes valid, in legal order")
  func voiceLive() throws {
    var call = try RecordedCall(
      "voicelive-text-turn", .azure(AzureSettings(api: .voiceLive)), model: "gpt-realtime",
      first: #"{"type":"session.update","session":{"instructions":"Answer in two or three words."}}"#)
    call.client(Self.greeting)
    call.client(#"{"type":"response.create"}"#)
    #expect(call.isFinished && call.violations == [])
    #expect(call.types.first == "session.updated")
    #expect(call.events[0]["session"]?["audio"]?["output"]?["voice"] == "alloy")
    #expect(call.text(of: "response.output_audio_transcript.delta") == "Hola, ¿qué tal?")
    #expect(call.types.contains("response.output_audio.delta") && !call.types.contains("response.audio.delta"))
    let response = try #require(call.lastResponse)
    #expect(response["status"] == "completed" && response["output_modalities"] == ["audio"])
    #expect(response["output"]?[0]?["content"] == [["type": "output_audio", "transcript": "Hola, ¿qué tal?"]])
    #expect(response["usage"]?["total_tokens"] == 61)
    let order = [
      "response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done",
      "conversation.item.done", "response.output_item.done", "response.done",
    ]
    #expect(Array(call.types.suffix(order.count)) == order)
  }
}
