import Envelope
import ParleyTesting
import Testing
import Translation

@testable import OpenAIWire

/// The order in which the client learns of a turn of the user's, whatever the provider's is.
@Suite struct UserTurnTests {
  private static let transcription = "conversation.item.input_audio_transcription"

  /// As xAI tells of an item: when its speech begins.
  private static let announced = #"""
    {"type":"conversation.item.added","previous_item_id":null,"item":{"id":"u","object":"realtime.item","type":"message",
    "status":"in_progress","role":"user","content":[{"type":"input_audio","transcript":""}]}}
    """#

  private static func call() -> MendingCall {
    .completing { $0.cumulativeTranscripts = [transcription + ".updated"] }
  }

  private static func words(_ end: String, _ text: String) -> String {
    #"{"type":"\#(transcription).\#(end)","item_id":"u","content_index":0,"transcript":"\#(text)"}"#
  }

  @Test("R161: an item that is announced with its speech is added and done when it is committed")
  func announcedEarly() throws {
    var call = Self.call()
    let told = try call.tell(
      #"{"type":"input_audio_buffer.speech_started","item_id":"u","audio_start_ms":0}"#, Self.announced,
      Self.words("updated", "what time"), Self.words("updated", "what time is it"),
      #"{"type":"input_audio_buffer.speech_stopped","item_id":"u","audio_end_ms":700}"#,
      #"{"type":"input_audio_buffer.committed","item_id":"u","previous_item_id":null}"#,
      Self.words("completed", "what time is it"))
    #expect(
      told.types == [
        "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
        "conversation.item.added", "conversation.item.done", Self.transcription + ".delta",
        Self.transcription + ".completed",
      ])
    let done = try #require(told.first("conversation.item.done")?["item"])
    #expect(done["status"] == "completed" && done["content"] == [["type": "input_audio", "transcript": nil]])
    #expect(told.first(Self.transcription + ".delta")?["delta"] == "what time is it")
    #expect(call.invariants.violations == [])
  }

  @Test("words that come before the speech is announced wait for its commit, and go on as deltas after it")
  func wordsFirst() throws {
    var call = Self.call()
    func delta(_ text: String) -> String {
      #"{"type":"\#(Self.transcription).delta","item_id":"u","content_index":0,"delta":"\#(text)"}"#
    }
    let told = try call.tell(
      delta("Good "), #"{"type":"input_audio_buffer.speech_started","item_id":"u","audio_start_ms":0}"#, delta("mor"),
      #"{"type":"input_audio_buffer.speech_stopped","item_id":"u","audio_end_ms":700}"#,
      #"{"type":"input_audio_buffer.committed","item_id":"u","previous_item_id":null}"#, delta("ning"))
    #expect(
      told.types.map { $0.split(separator: ".").last } == [
        "speech_started", "speech_stopped", "committed", "delta", "delta",
      ])
    #expect(told.all(Self.transcription + ".delta").map { $0["delta"] } == ["Good mor", "ning"])
  }

  private static func inworld() -> MendingCall {
    .completing {
      $0.repeatsTranscripts = true
      $0.announcesSpeechLate = true
    }
  }

  @Test("inworld quirk 3: a final transcript that comes again and longer is told once, the longest, after its commit")
  func growing() throws {
    var call = Self.inworld()
    let told = try call.tell(
      #"{"type":"input_audio_buffer.speech_started","item_id":"u","audio_start_ms":0}"#,
      Self.words("completed", "what"), Self.words("completed", "what time"),
      #"{"type":"input_audio_buffer.speech_stopped","item_id":"u","audio_end_ms":700}"#)
    #expect(told.types == ["input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"])
    #expect(!call.mender.awaitsTranscript)
    let committed = try call.tell(
      #"{"type":"input_audio_buffer.committed","item_id":"u","previous_item_id":null}"#,
      Self.words("completed", "what time is it"), Self.words("completed", "what time"))
    #expect(
      committed.types == [
        "input_audio_buffer.committed", Self.transcription + ".delta", Self.transcription + ".delta",
      ])
    #expect(committed.all(Self.transcription + ".delta").map { $0["delta"] } == ["what time", " is it"])
    #expect(call.mender.awaitsTranscript)
    let ended = call.mender.endTranscripts()
    #expect(ended.types == [Self.transcription + ".completed"] && ended[0]["transcript"] == "what time is it")
    #expect(!call.mender.awaitsTranscript)
    #expect(try call.tell(Self.words("completed", "what time is it now")) == [])
  }

  @Test("a transcript that may grow is told before the answer to it, and when the connection is lost")
  func growingEnds() throws {
    for ends in [true, false] {
      var call = Self.inworld()
      _ = try call.tell(
        #"{"type":"input_audio_buffer.committed","item_id":"u","previous_item_id":null}"#,
        Self.words("completed", "what"))
      let told =
        ends
        ? call.mender.closeAll(UpstreamVerdict(code: "c", message: "m", outlook: .mayRecover))
        : try call.tell(#"{"type":"response.created","response":{"id":"r"}}"#)
      #expect(told.types == [Self.transcription + ".completed"] + (ends ? [] : ["response.created"]))
    }
  }

  @Test("inworld quirk 4: words during an answer tell of the speech that the service announces later, and once")
  func lateSpeech() throws {
    var call = Self.inworld()
    _ = try call.tell(#"{"type":"response.created","response":{"id":"r"}}"#)
    call.mender.heardAudio(milliseconds: 300)
    let told = try call.tell(
      Self.words("completed", "what"), Self.words("completed", "what time"),
      #"{"type":"input_audio_buffer.speech_started","item_id":"u","audio_start_ms":100}"#)
    #expect(told.types == ["input_audio_buffer.speech_started"])
    #expect(told.first?["audio_start_ms"] == 300 && told.first?["item_id"] == "u")
    // Where the client ends its turns, it is not interrupted by words.
    call.session.audio.input.turnDetection = nil
    #expect(try call.tell(Self.words("completed", "what").replacing(#""u""#, with: #""v""#)) == [])
  }

  @Test("what was being said when the buffer was cleared is not told with the next turn")
  func cleared() throws {
    var call = Self.call()
    _ = try call.tell(
      #"{"type":"input_audio_buffer.speech_started","item_id":"u","audio_start_ms":0}"#, Self.announced)
    let told = try call.tell(
      #"{"type":"input_audio_buffer.cleared"}"#,
      #"{"type":"input_audio_buffer.committed","item_id":"v","previous_item_id":null}"#)
    #expect(told.types == ["input_audio_buffer.cleared", "input_audio_buffer.committed"])
  }

  @Test("a session that goes on for days remembers its newest items and turns only")
  func bounded() {
    var memory = Remembered<Int>(limit: 3)
    for number in 0..<5 { memory["\(number)"] = number }
    memory["2"] = 20
    #expect(memory.values == ["2": 20, "3": 3, "4": 4])
    memory["3"] = nil
    memory["5"] = 5
    memory["6"] = 6
    #expect(memory.values == ["4": 4, "5": 5, "6": 6])
  }
}
