import Envelope
import GeminiLiveProvider
import LocalVoiceProvider
import NIOCore
import ParleyTesting
import SessionCore
import Testing
import Translation

/// How a session ends whose gateway goes out of service: with its turn.
@Suite struct Draining {
  private static let append =
    #"{"type":"input_audio_buffer.append","audio":"\#(String(repeating: "A", count: 12_800))"}"#
  private static let manual =
    #"{"type":"session.update","session":{"type":"realtime","audio":{"input":{"turn_detection":null}}}}"#

  private static func drain(_ call: inout SessionDialogue) -> SessionDialogue.Step {
    call.step { $0.drain(at: $1) }
  }

  /// That the step ends the session as a drain does, with nothing behind it.
  private static func left(_ step: SessionDialogue.Step) -> Bool {
    step.events.last?["error"]?["code"] == "gateway_restarting" && step.clientCloseCode == 1012
      && step.actions.contains(.closeUpstream(code: 1001))
  }

  private static func response(_ type: String, _ status: String, output: String = "") -> String {
    #"{"type":"response.\#(type)","event_id":"e_\#(type)","response":{"object":"realtime.response","id":"resp_1","status":"\#(status)","status_details":null,"output":[\#(output)],"conversation_id":"conv","output_modalities":["audio"],"max_output_tokens":"inf","audio":{"output":{"format":{"type":"audio/pcm","rate":24000},"voice":"marin"}},"usage":null,"metadata":null}}"#
  }

  /// A call to OpenAI that is set up.
  private static func openAI(_ update: String? = nil) -> SessionDialogue {
    var call = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = call.begin()
    if let update { _ = call.client(update) }
    _ = call.upstreamOpens()
    _ = call.client(append)
    _ = call.client(#"{"type":"input_audio_buffer.clear"}"#)
    return call
  }

  // MARK: Between turns

  @Test(
    "fault row 57: a session in no turn ends at once with 1012", arguments: [ProviderKind.openAI, .geminiLive(), .xai])
  func idle(_ kind: ProviderKind) {
    var call = SessionDialogue(kind, model: "m", requestedModel: "m")
    _ = call.begin()
    _ = call.upstreamOpens()
    #expect(!call.session.isInTurn)
    #expect(Self.left(Self.drain(&call)))
    #expect(Self.drain(&call).actions.isEmpty, "once")
    #expect(!call.session.isInTurn && call.session.deadline == nil)
  }

  @Test("fault row 57: so does one that hears silence, and one whose provider is still dialled")
  func silence() {
    var call = Self.openAI()
    _ = call.client(Self.append)
    #expect(Self.left(Self.drain(&call)))
    var dialling = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = dialling.begin()
    #expect(Self.left(Self.drain(&dialling)))
  }

  // MARK: In a turn

  @Test("fault row 57: speech, the wait for an answer and the answer are one turn; 1012 comes behind its last event")
  func spokenTurn() {
    var call = Self.openAI()
    _ = call.upstream(
      #"{"type":"input_audio_buffer.speech_started","event_id":"e1","item_id":"item_u","audio_start_ms":0}"#)
    #expect(call.session.isInTurn)
    #expect(Self.drain(&call).actions.isEmpty)
    for message in [
      #"{"type":"input_audio_buffer.speech_stopped","event_id":"e2","item_id":"item_u","audio_end_ms":900}"#,
      #"{"type":"input_audio_buffer.committed","event_id":"e3","item_id":"item_u","previous_item_id":null}"#,
      Self.response("created", "in_progress"),
    ] {
      let step = call.upstream(message)
      #expect(step.clientCloseCode == nil && call.session.isInTurn, "\(message)")
    }
    // A draining session is served like any other.
    #expect(call.client(Self.append).upstream.count == 1)
    let step = call.upstream(Self.response("done", "completed"))
    #expect(step.types == ["response.done", "error"])
    #expect(Self.left(step))
  }

  @Test("fault row 57: an answer that was asked for is awaited, and may be cancelled")
  func requestedAnswer() {
    var call = Self.openAI()
    _ = call.client(#"{"type":"response.create"}"#)
    #expect(Self.drain(&call).actions.isEmpty && call.session.isInTurn)
    #expect(call.upstream(Self.response("created", "in_progress")).clientCloseCode == nil)
    _ = call.client(#"{"type":"response.cancel"}"#)
    #expect(Self.left(call.upstream(Self.response("done", "cancelled"))))
  }

  @Test("fault row 57: whoever holds the key of push-to-talk speaks")
  func pushToTalk() {
    var call = Self.openAI(Self.manual)
    #expect(!call.session.isInTurn)
    _ = call.client(Self.append)
    #expect(call.session.isInTurn)
    #expect(Self.drain(&call).actions.isEmpty)
    #expect(Self.left(call.client(#"{"type":"input_audio_buffer.clear"}"#)))
  }

  @Test("fault rows 54 and 57: a call of a tool keeps the turn open until its result is answered")
  func tool() {
    var call = Self.openAI()
    let item =
      #"{"id":"item_f","object":"realtime.item","type":"function_call","status":"completed","call_id":"call_1","name":"time","arguments":"{}"}"#
    _ = call.client(#"{"type":"response.create"}"#)
    _ = call.upstream(Self.response("created", "in_progress"))
    for type in ["added", "done"] {
      _ = call.upstream(
        #"{"type":"conversation.item.\#(type)","event_id":"e_\#(type)","previous_item_id":null,"item":\#(item)}"#)
    }
    #expect(Self.drain(&call).actions.isEmpty)
    #expect(call.upstream(Self.response("done", "completed", output: item)).clientCloseCode == nil)
    #expect(call.session.isInTurn)
    let result =
      #"{"id":"item_r","type":"function_call_output","call_id":"call_1","output":"noon"}"#
    #expect(
      call.client(#"{"type":"conversation.item.create","item":\#(result)}"#).clientCloseCode == nil)
    for type in ["added", "done"] {
      let step = call.upstream(
        #"{"type":"conversation.item.\#(type)","event_id":"r_\#(type)","previous_item_id":"item_f","item":{"id":"item_r","object":"realtime.item","type":"function_call_output","status":"completed","call_id":"call_1","output":"noon"}}"#
      )
      #expect(step.clientCloseCode == nil)
    }
    _ = call.client(#"{"type":"response.create"}"#)
    let words =
      #"{"id":"item_m","object":"realtime.item","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Noon."}]}"#
    _ = call.upstream(Self.response("created", "in_progress").replacing("resp_1", with: "resp_2"))
    for type in ["added", "done"] {
      _ = call.upstream(
        #"{"type":"conversation.item.\#(type)","event_id":"m_\#(type)","previous_item_id":"item_r","item":\#(words)}"#)
    }
    #expect(
      Self.left(
        call.upstream(Self.response("done", "completed", output: words).replacing("resp_1", with: "resp_2"))))
  }

  @Test("fault row 57: a turn of Gemini ends with its last event")
  func gemini() {
    var call = SessionDialogue(.geminiLive(), model: "gemini-3.8-live", requestedModel: "gemini-3.8-live")
    _ = call.begin()
    _ = call.client(Self.append)
    _ = call.upstreamOpens()
    _ = call.upstream(#"{"setupComplete":{}}"#)
    _ = call.upstream(#"{"serverContent":{"inputTranscription":{"text":"hello"}}}"#)
    #expect(call.session.isInTurn)
    #expect(Self.drain(&call).actions.isEmpty)
    _ = call.upstream(#"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"AAABAAIA"}}]}}}"#)
    _ = call.upstream(#"{"serverContent":{"generationComplete":true}}"#)
    var step = call.upstream(
      #"{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":7,"responseTokenCount":2}}"#)
    if step.clientCloseCode == nil { step = step + call.wait(.seconds(5)) }
    #expect(step.types.contains("response.done") && Self.left(step))
  }

  @Test("fault row 57: a turn of the engine of this process ends with its last event")
  func local() {
    var call = SessionDialogue(SessionDialogue.engine)
    _ = call.begin()
    _ = call.upstreamOpens()
    #expect(!call.session.isInTurn)
    _ = call.client(#"{"type":"response.create"}"#)
    #expect(call.session.isInTurn && Self.drain(&call).actions.isEmpty)
    let step = call.client(#"{"type":"response.cancel"}"#)
    #expect(step.types.contains("response.done") && Self.left(step))
  }

  @Test(
    "fault row 57: at the end of the grace a turn is cut with 1012: its answer is closed, and nothing of it is left")
  func cut() throws {
    var call = Self.openAI()
    _ = call.client(#"{"type":"response.create"}"#)
    _ = call.upstream(Self.response("created", "in_progress"))
    _ = Self.drain(&call)
    let step = call.step { $0.drainEnded(at: $1) }
    #expect(Self.left(step))
    #expect(EventInvariants.violations(in: call.history, isComplete: true).isEmpty)
  }

  @Test("fault row 57: a client that leaves while it drains, and a provider that fails, end it as ever")
  func otherEnds() {
    var leaving = Self.openAI()
    _ = leaving.client(#"{"type":"response.create"}"#)
    _ = Self.drain(&leaving)
    #expect(leaving.clientCloses().clientCloseCode == nil)
    var failing = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = failing.begin()
    _ = failing.client(#"{"type":"response.create"}"#)
    _ = Self.drain(&failing)
    #expect(failing.upstreamEnds(.tlsRefused).clientCloseCode == 1014)
  }

  @Test("R287: the operator's end is an error event and 1000")
  func byOperator() {
    var call = Self.openAI()
    _ = call.client(#"{"type":"response.create"}"#)
    let step = call.step { $0.endByOperator(at: $1) }
    #expect(step.event("error")?["error"]?["code"] == "session_ended_by_operator")
    #expect(step.clientCloseCode == 1000)
    #expect(call.step { $0.endByOperator(at: $1) }.actions.isEmpty)
  }

  // MARK: Anything in any order

  @Test(
    "fault row 57: whatever is going on, a draining session ends no later and no earlier than its turn",
    arguments: 0..<8)
  func random(_ block: Int) throws {
    for number in 0..<6 {
      let seed = UInt64(block * 100 + number)
      var random = RandomSessions.Random(state: seed)
      let kind: ProviderKind = [.openAI, .xai, .geminiLive()][Int(seed % 3)]
      let endpoint = UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: 9)
      let service = try #require(kind.service(at: endpoint, key: nil, model: "gemini-3.8-live"))
      let parameters = SessionParameters(
        provider: ProviderConfiguration(name: "p", service: service), requestedModel: "gemini-3.8-live",
        unixTime: 1_767_229_435, seed: 12)
      let violations =
        kind == .geminiLive()
        ? Self.play(RandomGemini(), parameters, &random) : Self.play(RandomWire(), parameters, &random)
      #expect(violations == [], "seed \(seed)")
    }
  }

  private static func play<Provider: RandomProvider>(
    _ provider: Provider, _ parameters: SessionParameters, _ random: inout RandomSessions.Random
  ) -> [String] {
    var expectations = WatchedCall<Provider.Law>.Expectations()
    expectations.answersAtOnce = Provider.self == RandomGemini.self
    expectations.endsEverything = expectations.answersAtOnce
    var played = RandomCall(
      WatchedCall<Provider.Law>(parameters, expectations), provider, fragility: 1, isOrderly: true)
    for _ in 0..<Int.random(in: 5...120, using: &random) where !played.call.isOver { played.step(&random) }
    if !played.call.isOver { played.call.drains() }
    for _ in 0..<200 where !played.call.isOver { played.step(&random) }
    return played.call.finish()
  }
}
