import Envelope
import ParleyTesting
import SessionCore
import Testing

/// Recorded sessions of the service, played to a whole session.
@Suite(.enabled(if: TranscriptPlayer.folder != nil, "set REALTIME_RECORDINGS to the folder of the recordings"))
struct XAIRecordings {
  static let greeting =
    #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"Say a short greeting."}]}}"#

  @Test("R012: a recorded text turn is one legal response, with the usage that stood beside it")
  func textTurn() throws {
    var call = try RecordedCall(
      "xai-text-turn", .xai, model: "grok-voice-latest",
      first: #"{"type":"session.update","session":{"instructions":"Answer in two or three words."}}"#)
    call.client(Self.greeting)
    call.client(#"{"type":"response.create"}"#)
    #expect(call.isFinished && call.violations == [])
    #expect(
      call.types == [
        "session.updated", "conversation.item.added", "conversation.item.done", "response.created",
        "response.output_item.added", "conversation.item.added", "response.content_part.added",
        "response.output_audio.delta", "response.output_audio_transcript.delta", "response.output_audio.delta",
        "response.output_audio.delta", "response.output_audio_transcript.done", "response.output_audio.done",
        "response.content_part.done", "conversation.item.done", "response.output_item.done", "response.done",
      ])
    #expect(call.text(of: "response.output_audio_transcript.delta") == "Hello there!")
    let response = try #require(call.lastResponse)
    #expect(response["status"] == "completed" && response["status_details"] == .some(.null))
    #expect(response["usage"]?["total_tokens"] == 47 && response["usage"]?["input_tokens"] == 5)
    #expect(response["output"]?[0]?["content"] == [["type": "output_audio", "transcript": "Hello there!"]])
    #expect(call.events[0]["session"]?["instructions"] == "Answer in two or three words.")
  }

  @Test("R012 R049 R217: the same turn for a client that wants text has no sound in it")
  func written() throws {
    var call = try RecordedCall(
      "xai-text-turn", .xai, model: "grok-voice-latest",
      first: #"{"type":"session.update","session":{"output_modalities":["text"]}}"#)
    call.client(Self.greeting)
    call.client(#"{"type":"response.create"}"#)
    #expect(call.isFinished && call.violations == [])
    #expect(!call.types.contains { $0.hasPrefix("response.output_audio") })
    #expect(call.text(of: "response.output_text.delta") == "Hello there!")
    #expect(call.lastResponse?["output"]?[0]?["content"] == [["type": "output_text", "text": "Hello there!"]])
  }

  @Test("R012 R049: a recorded tool round is speech and a call, its result, and a spoken answer")
  func toolRound() throws {
    var call = try RecordedCall(
      "xai-tool-round", .xai, model: "grok-voice-latest",
      first: #"{"type":"session.update","session":{"tools":[{"type":"function","name":"get_weather"}]}}"#)
    call.client(Self.greeting)
    call.client(#"{"type":"response.create"}"#)
    let arguments = try #require(call.events.last { $0["type"] == "response.function_call_arguments.done" })
    #expect(arguments["name"] == "get_weather" && arguments["arguments"] == #"{"city":"London"}"#)
    let done = try #require(call.events.last { $0["type"] == "response.output_item.done" })
    #expect(done["item"]?["status"] == "completed" && done["output_index"] == 1)
    let callID = try #require(arguments["call_id"]?.string)
    call.client(
      #"{"type":"conversation.item.create","item":{"type":"function_call_output","call_id":"\#(callID)","output":"foggy"}}"#
    )
    call.client(#"{"type":"response.create"}"#)
    #expect(call.isFinished && call.violations == [])
    #expect(call.types.count { $0 == "response.done" } == 2)
    #expect(call.lastResponse?["output"]?[0]?["content"]?[0]?["transcript"]?.string?.hasPrefix("It is foggy") == true)
    #expect(call.lastResponse?["usage"]?["total_tokens"] == 269)
  }
}
