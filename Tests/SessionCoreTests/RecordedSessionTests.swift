import Envelope
import ParleyTesting
import SessionCore
import Testing

/// The services' halves of recorded sessions, played to a session as its provider.
@Suite(.enabled(if: TranscriptPlayer.folder != nil, "set REALTIME_RECORDINGS to the folder of the recordings"))
struct RecordedSessions {
  /// A call whose provider is a recording.
  struct Call {
    var dialogue: SessionDialogue
    var player: TranscriptPlayer
    /// Everything the client got after the session's hello.
    var events: [JSONValue] = []

    /// - Parameter first: what the client says before the connection is open.
    init(_ recording: String, _ kind: ProviderKind, model: String, first: String? = nil) throws {
      player = try TranscriptPlayer(recording: recording)
      dialogue = SessionDialogue(kind, model: model, requestedModel: model)
      _ = dialogue.begin()
      if let first { take(dialogue.client(first)) }
      let opened = dialogue.upstreamOpens()
      // A recording of OpenAI's begins with the service's hello, one of Gemini's with the set-up.
      if first == nil { take(opened) }
      for message in player.begin() { take(dialogue.upstream(RecordedSessions.whole(message).text)) }
      if first != nil { take(opened) }
    }

    mutating func client(_ event: String) { take(dialogue.client(event)) }
    mutating func wait(_ duration: Duration) { take(dialogue.wait(duration)) }

    private mutating func take(_ step: SessionDialogue.Step) {
      events += step.events
      for frame in step.upstream {
        for message in player.sent(frame) { take(dialogue.upstream(RecordedSessions.whole(message).text)) }
      }
    }

    var types: [String] { events.map { $0["type"]?.string ?? "?" } }

    func text(of type: String) -> String {
      events.filter { $0["type"]?.string == type }.compactMap { $0["delta"]?.string }.joined()
    }
  }

  /// The recordings cut audio in the middle of a sample: what is left is cut to whole ones.
  static func whole(_ message: JSONValue) -> JSONValue {
    switch message {
    case .array(let elements): return .array(elements.map(whole))
    case .object(var object):
      let isDelta = object["type"] == "response.output_audio.delta"
      for (key, value) in object {
        if key == "data" || (key == "delta" && isDelta), let text = value.string {
          object[key] = .string(String(text.prefix(text.utf8.count / 8 * 8)))
        } else {
          object[key] = whole(value)
        }
      }
      return .object(object)
    default: return message
    }
  }

  @Test("R012 R036: a recorded Gemini text turn becomes one legal response; the thought is not shown")
  func geminiText() throws {
    var call = try Call("gemini-text-turn", .geminiLive(), model: "gemini-2.5-flash-native-audio-preview-09-2025")
    call.client(
      #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"Say a short greeting."}]}}"#
    )
    call.client(#"{"type":"response.create"}"#)
    #expect(call.player.isFinished)
    #expect(EventInvariants.violations(in: call.dialogue.history, isComplete: true) == [])
    #expect(call.text(of: "response.output_audio_transcript.delta") == "Hello there.")
    #expect(!call.events.contains { $0.text.contains("Crafting") })
    let response = try #require(call.events.last { $0["type"] == "response.done" }?["response"])
    #expect(response["status"] == "completed")
    #expect(response["usage"]?["input_tokens"] == 1131)
    #expect(response["usage"]?["output_tokens"] == 50)
  }

  @Test("R092 R093: a recorded Gemini audio turn has speech, transcript and answer, each once and in order")
  func geminiAudio() throws {
    var call = try Call("gemini-audio-turn", .geminiLive(), model: "gemini-2.5-flash-native-audio-preview-09-2025")
    call.client(#"{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":"whisper-1"}}}}}"#)
    call.wait(.milliseconds(300))
    for _ in 0..<10 {
      call.client(#"{"type":"input_audio_buffer.append","audio":"\#(String(repeating: "AAAA", count: 320))"}"#)
    }
    #expect(call.player.isFinished)
    #expect(EventInvariants.violations(in: call.dialogue.history, isComplete: true) == [])
    #expect(call.text(of: "conversation.item.input_audio_transcription.delta") == "Hello, my name is Marcelo.")
    #expect(call.text(of: "response.output_audio_transcript.delta") == "Hello, Marcelo.")
    let order = [
      "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
      "response.created", "response.output_audio.done",
      "conversation.item.input_audio_transcription.completed", "response.done",
    ]
    #expect(call.types.filter(order.contains) == order)
  }

  @Test(
    "R012 R049: a recorded tool round of Gemini, on AI Studio and on Vertex, is a call, its result and one spoken answer",
    arguments: [
      ("gemini-tool-round", "record_reading", 1370), ("gemini-previous-tool-round", "get_weather", 602),
      ("vertex-tool-round", "get_weather", 105),
    ])
  func geminiTools(_ name: String, _ function: String, _ tokens: Int) throws {
    var call = try Call(name, .geminiLive(), model: "gemini-2.5-flash-native-audio-preview-09-2025")
    call.client(#"{"type":"session.update","session":{"tools":[{"type":"function","name":"\#(function)"}]}}"#)
    call.client(
      #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"Go."}]}}"#
    )
    call.client(#"{"type":"response.create"}"#)
    let arguments = try #require(call.events.last { $0["type"] == "response.function_call_arguments.done" })
    #expect(arguments["name"]?.string == function)
    let callID = try #require(arguments["call_id"]?.string)
    #expect(call.types.last == "response.done")
    call.client(
      #"{"type":"conversation.item.create","item":{"type":"function_call_output","call_id":"\#(callID)","output":"ok"}}"#
    )
    call.client(#"{"type":"response.create"}"#)
    #expect(call.player.isFinished)
    #expect(EventInvariants.violations(in: call.dialogue.history, isComplete: true) == [])
    #expect(call.types.count { $0 == "response.done" } == 2, "the bare end after the call is none")
    let answer = try #require(call.events.last { $0["type"] == "response.done" }?["response"])
    #expect(answer["status"] == "completed" && answer["output"]?.array?.count == 1)
    #expect(answer["usage"]?["total_tokens"]?.int ?? 0 >= tokens)
    let words = try #require(answer["output"]?[0]?["content"]?[0]?["transcript"]?.string)
    #expect(words.hasPrefix("I") && !words.contains("**"), "spoken words, no thoughts")
    #expect(call.types.contains("response.output_audio.delta"))
  }

  @Test(
    "R012 R039: recorded OpenAI sessions cross unchanged but for the session's id",
    arguments: ["openai-text-turn", "openai-audio-turn", "openai-tool-round"])
  func openAI(_ name: String) throws {
    let recorded = try TranscriptPlayer(recording: name).messages(.received).map(Self.whole)
      .filter { $0["type"] != "session.created" }
    let sent = try TranscriptPlayer(recording: name).messages(.sent).map(Self.wholeAppend)
    var call = try Call(name, .openAI, model: "gpt-realtime", first: sent.first?.text)
    for message in sent.dropFirst() { call.client(message.text) }
    #expect(call.player.isFinished)
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

  static func wholeAppend(_ message: JSONValue) -> JSONValue {
    guard message["type"] == "input_audio_buffer.append", var object = message.object,
      let audio = object["audio"]?.string
    else { return message }
    object["audio"] = .string(String(audio.prefix(audio.utf8.count / 8 * 8)))
    return .object(object)
  }
}
