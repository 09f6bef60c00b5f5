import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

/// What is measured when the service's half is a recording.
@Suite(.enabled(if: TranscriptPlayer.folder != nil, "set REALTIME_RECORDINGS to the folder of the recordings"))
struct RecordedTurns {
  @Test(
    "each answer of a recorded OpenAI session is one turn, with its tokens",
    arguments: [("openai-text-turn", 1), ("openai-audio-turn", 1), ("openai-tool-round", 2)])
  func openAI(_ name: String, _ turns: Int) throws {
    let sent = try TranscriptPlayer(recording: name).messages(.sent).map(RecordedSessions.wholeAppend)
    var call = try RecordedSessions.Call(name, .openAI, model: "gpt-realtime", first: sent.first?.text)
    for message in sent.dropFirst() { call.client(message.text) }
    try expect(turns, in: call)
  }

  @Test("each answer of a recorded Gemini session is one turn, with its tokens")
  func gemini() throws {
    var call = try RecordedSessions.Call(
      "gemini-audio-turn", .geminiLive(), model: "gemini-2.5-flash-native-audio-preview-09-2025")
    call.client(#"{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":"whisper-1"}}}}}"#)
    call.wait(.milliseconds(300))
    for _ in 0..<10 {
      call.client(#"{"type":"input_audio_buffer.append","audio":"\#(String(repeating: "AAAA", count: 320))"}"#)
    }
    try expect(1, in: call)
  }

  private func expect(_ turns: Int, in call: RecordedSessions.Call) throws {
    #expect(call.dialogue.turnViolations == [])
    let ended = call.dialogue.measures.compactMap { measure -> (TurnOutcome, Int?)? in
      guard case .ended(let outcome, _, _, let tokens) = measure else { return nil }
      return (outcome, tokens)
    }
    let told = call.events.filter { $0["type"] == "response.done" }.map {
      $0["response"]?["usage"]?["output_tokens"]?.int
    }
    #expect(ended.count == turns && ended.map(\.1) == told)
    #expect(ended.allSatisfy { $0.0 == .completed && ($0.1 ?? 0) > 0 })
  }
}
