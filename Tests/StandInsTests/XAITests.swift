import Envelope
import StandIns
import Testing

@Suite("The xAI stand-in")
struct XAITests {
  typealias Talk = Dialogue<RealtimeStandIn>
  private static let manual =
    #"{"turn_detection":null,"audio":{"input":{"transcription":{"model":"grok-transcribe"}}}}"#
  private static let create = #"{"type":"response.create"}"#
  private static let commit = #"{"type":"input_audio_buffer.commit"}"#

  @Test("the session is flat, its answer says little, and the conversation is announced")
  func session() throws {
    var dialogue = Talk.family(.xAI)
    #expect(try dialogue.opening.types == ["session.created", "conversation.created", "ping"])
    let created = try dialogue.opening.event("session.created")["session"]
    #expect(created?["turn_detection"] == ["type": nil])
    #expect(created?["voice"]?.string == "ara")
    let sent = dialogue.say(
      #"{"type":"session.update","session":{"voice":"Eve","turn_detection":{"type":"server_vad"},\#(Talk.tools)}}"#
    )
    let updated = try sent.event("session.updated")["session"]
    #expect(updated?["input_audio_format"]?.string == "not specified")
    #expect(updated?["turn_detection"] == ["type": "server_vad"])
    #expect(updated?["tools"]?[0]?["function"]?["name"]?.string == "f")
    #expect(updated?["voice"] == nil)
    #expect(try words(dialogue.turn("what is your voice")) == "My voice is Eve.")
  }

  private func words(_ sent: Sent) throws -> String? {
    try sent.event("response.output_audio_transcript.done")["transcript"]?.string
  }

  @Test("text alone cannot be had")
  func text() throws {
    var dialogue = Talk.family(
      .xAI, session: #"{"output_modalities":["text"],"modalities":["text"]}"#)
    dialogue.say(Talk.item("hello"))
    let sent = dialogue.say(#"{"type":"response.create","response":{"modalities":["text"]}}"#)
    #expect(try sent.types.contains("response.output_audio.delta"))
    #expect(try !sent.types.contains { $0.hasPrefix("response.output_text") })
    #expect(sent.violations.isEmpty)
  }

  @Test(
    "no item is done; responses have no details, their usage lies beside them; metadata comes back")
  func sparse() throws {
    var dialogue = Talk.family(.xAI)
    let item = dialogue.say(Talk.item("hello"))
    #expect(try item.types == ["conversation.item.added"])
    let sent = dialogue.say(#"{"type":"response.create","response":{"metadata":{"k":"v"}}}"#)
    let done = try sent.event("response.done")
    #expect(done["response"]?["status_details"] == "unimplemented")
    #expect(done["response"]?["usage"] == [:])
    #expect(done["response"]?["metadata"] == ["k": "v"])
    #expect(done["usage"]?["total_tokens"]?.int == 8)
    #expect(try sent.event("response.output_item.done")["item"]?["content"] == nil)
    let id = try item.event("conversation.item.added")["item"]?["id"]?.string ?? ""
    let deleted = dialogue.say(#"{"type":"conversation.item.delete","item_id":"\#(id)"}"#)
    #expect(try deleted.event("conversation.item.deleted")["item_id"]?.string == "")
    let cancel = try dialogue.say(#"{"type":"response.cancel"}"#).event("error")["error"]
    #expect(cancel?["message"]?.string == "Cancellation failed: no active response found")
    #expect(cancel?["code"] == nil)
  }

  @Test("what the user says is told as it grows; create_response: false changes nothing")
  func transcripts() throws {
    let detection = #""turn_detection":{"type":"server_vad","create_response":false}"#
    var dialogue = Talk.family(
      .xAI,
      session: #"{\#(detection),"audio":{"input":{"transcription":{"model":"grok-transcribe"}}}}"#)
    let sent = dialogue.speak()
    let transcription = "conversation.item.input_audio_transcription"
    #expect(
      try sent.order.prefix(7) == [
        "input_audio_buffer.speech_started", "conversation.item.added", transcription + ".updated",
        "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
        transcription + ".completed",
        "response.created",
      ])
    #expect(
      try sent.events(transcription + ".updated").map { $0["transcript"]?.string } == [
        "what time", "what time is it",
      ])
    #expect(try sent.event(transcription + ".completed")["status"]?.string == "completed")
    #expect(try sent.events("conversation.item.added").count == 2, "the user's and the answer's")
  }

  @Test("manual turns: a commit of speech is answered at once, one of silence never")
  func manualTurns() throws {
    var dialogue = Talk.family(.xAI, session: Self.manual)
    dialogue.append(TestSound.silence(milliseconds: 300, rate: 24_000))
    let silence = dialogue.say(Self.commit)
    #expect(try !silence.types.contains("response.created"))
    #expect(try dialogue.say(Self.create).types.contains("response.done"))
    dialogue.append(TestSound.speech(milliseconds: 300, rate: 24_000))
    let speech = dialogue.say(Self.commit)
    #expect(try speech.events("response.created").count == 1)
    #expect(dialogue.say(Self.create).frames.isEmpty, "dropped until something else comes in")
    #expect(try dialogue.turn("hello").types.contains("response.done"))
    dialogue.append(TestSound.speech(milliseconds: 300, rate: 24_000))
    let request = dialogue.say(Self.create)
    #expect(try request.types.contains("input_audio_buffer.committed"))
    #expect(try request.events("response.created").count == 1)
    #expect(dialogue.say(Self.commit).frames.isEmpty, "nothing is left to commit")
  }

  @Test("a conversation is resumed by its id where both connections have opted in")
  func resumption() throws {
    let memory = RealtimeMemory()
    let resumable = #"{"resumption":{"enabled":true}}"#
    var first = Talk.family(.xAI, session: resumable, memory: memory)
    first.turn("the word is cobalt")
    let conversation =
      try first.opening.event("conversation.created")["conversation"]?["id"]?.string ?? ""
    first.script.connectionEnded()
    let query = [StandInRequest.Item("conversation_id", conversation)]
    var second = Talk.family(.xAI, memory: memory, query: query)
    #expect(
      try second.opening.event("conversation.created")["conversation"]?["id"]?.string
        == conversation)
    let sent = second.say(#"{"type":"session.update","session":\#(resumable)}"#)
    #expect(
      try sent.types == ["conversation.item.added", "conversation.item.added", "session.updated"])
    let items = try sent.events("conversation.item.added").compactMap { $0["item"] }
    #expect(
      items.map { $0["content"]?[0]?["text"]?.string } == [
        "the word is cobalt", "You said: the word is cobalt.",
      ])
    #expect(items.map { $0["content"]?[0]?["type"]?.string } == ["input_text", "text"])
    #expect(items.allSatisfy { $0["replayed"]?.bool == true })
    #expect(try words(second.turn("what did I say")) == "I heard: the word is cobalt.")
    var shy = Talk.family(.xAI, session: "{}", memory: memory, query: query)
    #expect(try words(shy.turn("what did I say")) == "I heard nothing.")
    second.turn("forget my handles")
    var other = RealtimeStandIn.Options()
    other.seed = 8
    var late = Talk.family(.xAI, other, session: resumable, memory: memory, query: query)
    #expect(
      try late.opening.event("conversation.created")["conversation"]?["id"]?.string != conversation)
    #expect(try words(late.turn("what did I say")) == "I heard nothing.")
  }

  @Test("an interrupted response can end without a word")
  func abandoned() throws {
    for abandons in [false, true] {
      var options = RealtimeStandIn.Options()
      options.abandonsResponses = abandons
      options.answerInterval = .milliseconds(20)
      var dialogue = Talk.family(
        .xAI, options, session: #"{"turn_detection":{"type":"server_vad"}}"#)
      dialogue.say(Talk.item("hello"))
      _ = dialogue.begin(Self.create)
      _ = dialogue.advance(3)
      let speech = TestSound.speech(milliseconds: 300, rate: 24_000)
      let sent = dialogue.begin(#"{"type":"input_audio_buffer.append","audio":"\#(speech)"}"#)
      #expect(try sent.types.contains("input_audio_buffer.speech_started"))
      #expect(try sent.types.contains("response.done") == !abandons)
      #expect(dialogue.script.pause == nil)
    }
  }

  @Test("sound at other rates than 24 kHz", arguments: [8_000, 16_000, 48_000])
  func rates(_ rate: Int) throws {
    let format = #"{"format":{"type":"audio/pcm","rate":\#(rate)}}"#
    var dialogue = Talk.family(
      .xAI,
      session:
        #"{"turn_detection":{"type":"server_vad"},"audio":{"input":\#(format),"output":\#(format)}}"#
    )
    dialogue.append(TestSound.speech(milliseconds: 300, rate: rate))
    let sent = dialogue.append(TestSound.silence(milliseconds: 1_200, rate: rate))
    let deltas = try sent.events("response.output_audio.delta")
    #expect(deltas.count == 4)
    #expect(deltas.allSatisfy { $0["audio_duration_ms"]?.int == 100 })
  }
}
