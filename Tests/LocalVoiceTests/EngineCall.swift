import Envelope
import LocalVoiceProvider
import ParleyTesting
import SessionCore
import Translation

/// A session with a voice engine that is played by hand: client events and engine events in, both sides' messages out.
struct EngineCall {
  typealias Step = SessionDialogue.Step

  private(set) var dialogue: SessionDialogue
  private var turnCount = 0

  /// A session whose engine is ready, after an update of `audio.input` and one of the session's top level.
  init(
    _ engine: LocalVoiceConfiguration = SessionDialogue.engine, input: String = "", session: String = "",
    isReady: Bool = true
  ) {
    dialogue = SessionDialogue(engine)
    _ = dialogue.begin()
    guard isReady else { return }
    _ = dialogue.upstreamOpens()
    _ = says(.ready)
    if !input.isEmpty { _ = update(#""audio":{"input":{\#(input)}}"#) }
    if !session.isEmpty { _ = update(session) }
  }

  var history: [JSONValue] { dialogue.history }
  var violations: [String] { EventInvariants.violations(in: history, isComplete: false) }
  var session: RealtimeSession { dialogue.session.session }
  var deadline: Instant? { dialogue.session.deadline }
  var now: Instant { dialogue.now }

  // MARK: The client

  mutating func client(_ text: String) -> Step { dialogue.client(text) }

  mutating func update(_ fields: String) -> Step {
    client(#"{"type":"session.update","session":{"type":"realtime",\#(fields)}}"#)
  }

  /// Appends silence: PCM16 at 24 kHz.
  mutating func append(ms: Int) -> Step {
    client(#"{"type":"input_audio_buffer.append","audio":"\#(Self.silence(bytes: ms * 48))"}"#)
  }

  mutating func commit() -> Step { client(#"{"type":"input_audio_buffer.commit","event_id":"commit"}"#) }
  mutating func clear() -> Step { client(#"{"type":"input_audio_buffer.clear"}"#) }
  mutating func cancel() -> Step { client(#"{"type":"response.cancel","event_id":"cancel"}"#) }

  mutating func create(_ options: String = "") -> Step {
    client(#"{"type":"response.create","event_id":"create","response":{\#(options)}}"#)
  }

  mutating func item(_ item: String, after previous: String = "") -> Step {
    client(#"{"type":"conversation.item.create","event_id":"item"\#(previous),"item":{\#(item)}}"#)
  }

  mutating func text(_ text: String, role: String = "user", id: String? = nil) -> Step {
    let type = role == "assistant" ? "output_text" : "input_text"
    let id = id.map { #""id":"\#($0)","# } ?? ""
    return item(#"\#(id)"type":"message","role":"\#(role)","content":[{"type":"\#(type)","text":"\#(text)"}]"#)
  }

  mutating func delete(_ id: String) -> Step {
    client(#"{"type":"conversation.item.delete","event_id":"delete","item_id":"\#(id)"}"#)
  }

  mutating func retrieve(_ id: String) -> JSONValue? {
    client(#"{"type":"conversation.item.retrieve","item_id":"\#(id)"}"#)
      .event("conversation.item.retrieved")?["item"]
  }

  mutating func truncate(_ id: String, toMs end: Int, index: Int = 0) -> Step {
    client(
      #"{"type":"conversation.item.truncate","event_id":"cut","item_id":"\#(id)","content_index":\#(index),"audio_end_ms":\#(end)}"#
    )
  }

  // MARK: The engine

  mutating func says(_ event: EngineEvent) -> Step { dialogue.upstream(event.encoded().text) }
  mutating func opens() -> Step { dialogue.upstreamOpens() }
  mutating func raw(_ text: String) -> Step { dialogue.upstream(text) }

  mutating func wait(ms: Int) -> Step { dialogue.wait(.milliseconds(ms)) }
  mutating func ends(_ end: UpstreamEnd) -> Step { dialogue.upstreamEnds(end) }

  /// The user speaks, and the engine detects both ends of it; what it recognises is still to come.
  ///
  /// - Returns: what the end produced, and what the engine calls the turn.
  mutating func speech(ms: Int = 1_000, isSpeech: Bool = true) -> (Step, turn: String) {
    turnCount += 1
    let turn = "vad_\(turnCount)"
    let start = spoken
    _ = append(ms: ms)
    spoken += ms
    let started = says(.speechStarted(turn: turn, atMs: start))
    let stopped = says(.speechStopped(turn: turn, atMs: spoken, isSpeech: isSpeech, wasCut: false))
    return (started + stopped, turn)
  }

  /// The same with the words of it.
  mutating func turn(_ words: String, ms: Int = 1_000) -> Step {
    let (_, turn) = speech(ms: ms)
    return says(.transcribed(turn: turn, text: words))
  }

  /// What was appended by `speech`.
  private var spoken = 0

  /// An answer to the request of a step: words and speech of a length, without its end.
  mutating func answers(_ response: String, _ words: String = "Hello there.", ms: Int = 1_000) -> Step {
    let text = says(.text(response: response, delta: words))
    guard ms > 0 else { return text }
    return text + says(.audio(response: response, base64: Self.silence(bytes: ms * 48)))
  }

  mutating func finishes(
    _ response: String, _ reason: AnswerEnd.Reason = .complete, input: Int = 10, output: Int = 5
  ) -> Step {
    says(
      .finished(AnswerEnd(response: response, reason: reason, inputTokens: input, outputTokens: output, audioMs: 0)))
  }

  /// A whole spoken answer to `response.create`; gives the id of its item.
  mutating func spokenAnswer(_ words: String = "one two three four", ms: Int = 1_000) -> String {
    let response = create().answer?.id ?? ""
    let item = answers(response, words, ms: ms).event("response.output_item.added")?["item"]?["id"]?.string
    _ = finishes(response)
    return item ?? ""
  }

  static func silence(bytes: Int) -> String {
    let rest = bytes % 3
    let tail = rest == 0 ? "" : rest == 1 ? "AA==" : "AAA="
    return String(repeating: "AAAA", count: bytes / 3) + tail
  }
}

extension SessionDialogue.Step {
  /// What the engine was asked.
  var requests: [EngineRequest] {
    upstream.compactMap { try? EngineRequest($0) }
  }

  /// The request for an answer, if there is one.
  var answer: AnswerRequest? {
    for case .answer(let request) in requests { return request }
    return nil
  }

  /// The error event's object, if there is exactly one.
  var error: JSONValue? {
    let errors = events.filter { $0["type"] == "error" }
    return errors.count == 1 ? errors.first?["error"] : nil
  }

  /// The response of `response.done`.
  var done: JSONValue? { event("response.done")?["response"] }
}
