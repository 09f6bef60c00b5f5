import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

/// What is measured of single turns.
@Suite struct MeasuredTurns {
  typealias Calls = MeteredSessionTests

  private static let started =
    #"{"type":"input_audio_buffer.speech_started","event_id":"e","item_id":"item_u","audio_start_ms":0}"#
  private static let stopped =
    #"{"type":"input_audio_buffer.speech_stopped","event_id":"e","item_id":"item_u","audio_end_ms":90}"#

  private static func delta(_ response: String, _ number: Int = 0) -> String {
    #"{"type":"response.output_audio.delta","event_id":"d\#(number)","response_id":"\#(response)","item_id":"item_\#(response)","output_index":0,"content_index":0,"delta":"\#(Calls.base64(480))"}"#
  }

  private static func done(_ response: String, _ status: String, conversation: String = #""conv_1""#) -> String {
    #"{"type":"response.done","event_id":"f","response":{"id":"\#(response)","object":"realtime.response","status":"\#(status)","status_details":null,"output":[],"conversation_id":\#(conversation),"output_modalities":["audio"],"max_output_tokens":"inf","audio":{},"usage":null,"metadata":null}}"#
  }

  /// An answer that speaks.
  private static func speaking(_ kind: ProviderKind = .openAI) -> SessionDialogue {
    var call = Calls.call(kind)
    _ = call.client(#"{"type":"response.create"}"#)
    Calls.begin(&call, response: "r1")
    _ = call.upstream(Self.delta("r1"))
    return call
  }

  @Test("what waits for the first connection is the gateway's share of the first audio")
  func heldAtFirst() {
    var call = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = call.begin()
    #expect(call.client(#"{"type":"response.create"}"#).measures == [.began])
    call.lag(.milliseconds(700))
    Calls.open(&call)
    call.lag(.milliseconds(400))
    Calls.begin(&call, response: "r1")
    call.lag(.milliseconds(50))
    let step = call.upstream(Self.delta("r1"))
    #expect(step.measures == [.firstAudio(sinceBegan: .milliseconds(1_150), upstream: .milliseconds(450))])
    #expect(call.upstream(Self.delta("r1", 1)).measures.isEmpty)
  }

  @Test("what the account's limit holds back is the gateway's share")
  func paced() {
    var call = Calls.call(.openAI)
    _ = call.client(#"{"type":"response.create"}"#)
    _ = call.step { $0.upstreamMessagesWait(at: $1) }
    call.lag(.milliseconds(80))
    _ = call.step { $0.upstreamMessagesLeft(at: $1) }
    call.lag(.milliseconds(300))
    Calls.begin(&call, response: "r1")
    #expect(
      call.upstream(Self.delta("r1")).measures
        == [.firstAudio(sinceBegan: .milliseconds(380), upstream: .milliseconds(300))])
  }

  @Test("audio that waits for its turn after the user has stopped delays no answer")
  func pacedAudio() {
    var call = Calls.call(.openAI)
    _ = call.upstream(Self.started)
    #expect(call.upstream(Self.stopped).measures == [.began])
    _ = call.step { $0.upstreamMessagesWait(at: $1) }
    call.lag(.milliseconds(80))
    _ = call.step { $0.upstreamMessagesLeft(at: $1) }
    Calls.begin(&call, response: "r1")
    #expect(
      call.upstream(Self.delta("r1")).measures
        == [.firstAudio(sinceBegan: .milliseconds(80), upstream: .milliseconds(80))])
  }

  @Test("an interruption lasts to the last audio that the provider still had for the client")
  func trailingAudio() {
    var call = Self.speaking()
    _ = call.upstream(Self.started)
    call.lag(.milliseconds(40))
    _ = call.upstream(Self.delta("r1", 1))
    call.lag(.milliseconds(60))
    #expect(
      call.upstream(Self.done("r1", "cancelled")).measures == [
        .silenced(after: .milliseconds(40)), .ended(.cancelled, responseID: "r1", inputTokens: nil, outputTokens: nil),
      ])
  }

  @Test(
    "what a cancelled answer still says stays here, and it is silent at once", arguments: [ProviderKind.openAI, .xai])
  func cancelled(_ kind: ProviderKind) {
    var call = Self.speaking(kind)
    _ = call.client(#"{"type":"response.cancel"}"#)
    call.lag(.milliseconds(40))
    _ = call.upstream(Self.delta("r1", 1))
    let step = call.upstream(Self.done("r1", "cancelled"))
    #expect(step.measures.first == .silenced(after: .zero))
  }

  @Test("speech that interrupts nothing is no interruption")
  func noInterruption() {
    var call = Calls.call(.openAI)
    _ = call.client(
      #"{"type":"session.update","session":{"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","interrupt_response":false}}}}}"#
    )
    Calls.begin(&call, response: "r1")
    _ = call.upstream(Self.delta("r1"))
    _ = call.upstream(Self.started)
    #expect(
      call.upstream(Self.done("r1", "completed")).measures
        == [.ended(.completed, responseID: "r1", inputTokens: nil, outputTokens: nil)])
  }

  @Test("an answer that is over and still waits for the client is silenced by dropping it")
  func droppedRest() {
    var call = Self.speaking()
    _ = call.upstream(Self.done("r1", "completed"))
    let interrupted = call.upstream(Self.started)
    #expect(interrupted.measures.isEmpty)
    #expect(call.step { session, _ in session.tookBack(bytes: 480) }.measures == [.silenced(after: .zero)])
    #expect(call.step { session, _ in session.tookBack(bytes: 480) }.measures.isEmpty)
  }

  @Test("an answer of the provider's own accord has no first-audio time")
  func unasked() {
    var call = Calls.call(.openAI)
    Calls.begin(&call, response: "r1")
    #expect(call.upstream(Self.delta("r1")).measures.isEmpty)
    #expect(call.measures == [.began])
  }

  @Test(
    "a request that the session refuses is no turn; one that the provider refuses is cancelled, or failed for reasons of its own"
  )
  func refused() {
    var call = Calls.call(.inworld())
    #expect(
      call.client(#"{"type":"response.create","response":{"output_modalities":["smell"]}}"#).measures.isEmpty)
    _ = call.client(#"{"type":"response.create","event_id":"mine"}"#)
    let step = call.upstream(
      #"{"type":"error","event_id":"e","error":{"type":"invalid_request_error","code":"no","message":"No.","event_id":"mine"}}"#
    )
    #expect(step.measures == [.ended(.cancelled, responseID: nil, inputTokens: nil, outputTokens: nil)])
    _ = call.client(#"{"type":"response.create","event_id":"again"}"#)
    let failed = call.upstream(
      #"{"type":"error","event_id":"f","error":{"type":"server_error","code":"no","message":"No.","event_id":"again"}}"#
    )
    #expect(failed.measures == [.ended(.failed, responseID: nil, inputTokens: nil, outputTokens: nil)])
  }

  @Test("noise is no turn that ends, and the next one is measured from its own end")
  func noise() {
    var call = Calls.call(.openAI)
    for _ in 0..<2 {
      _ = call.upstream(Self.started.replacing("item_u", with: "item_n"))
      #expect(call.upstream(Self.stopped.replacing("item_u", with: "item_n")).measures == [.began])
      call.lag(.seconds(20))
    }
    _ = call.upstream(Self.started)
    _ = call.upstream(Self.stopped)
    call.lag(.milliseconds(300))
    Calls.begin(&call, response: "r1")
    #expect(
      call.upstream(Self.delta("r1")).measures
        == [.firstAudio(sinceBegan: .milliseconds(300), upstream: .milliseconds(300))])
  }

  @Test("a response beside the conversation is no turn, and its audio is nobody's first")
  func beside() {
    var call = Calls.call(.openAI)
    #expect(call.client(#"{"type":"response.create","response":{"conversation":"none"}}"#).measures.isEmpty)
    _ = call.upstream(Self.started)
    _ = call.upstream(Self.stopped)
    Calls.begin(&call, response: "r1")
    #expect(call.upstream(Self.delta("beside")).measures.isEmpty)
    call.lag(.milliseconds(10))
    #expect(call.upstream(Self.delta("r1")).measures.count == 1)
    #expect(call.upstream(Self.done("beside", "completed", conversation: "null")).measures.isEmpty)
  }

  @Test("a session that only transcribes has no turns", arguments: MeteredSessionTests.kinds)
  func transcription(_ kind: ProviderKind) {
    var call = Calls.call(kind, purpose: .transcription)
    _ = call.client(Calls.append(9_600))
    if call.speaksOpenAIWire {
      _ = call.upstream(Self.started)
      _ = call.upstream(Self.stopped)
    }
    Calls.speak(&call, kind, chunks: [480])
    #expect(call.measures.isEmpty)
  }

  @Test("the turns of every family are told, with their tokens", arguments: MeteredSessionTests.kinds)
  func families(_ kind: ProviderKind) {
    var call = Calls.call(kind)
    if kind.name != "local" { _ = call.client(#"{"type":"response.create"}"#) }
    Calls.speak(&call, kind, chunks: [480, 480])
    let words = call.measures.map(\.words)
    #expect(words.prefix(2) == ["began", "first 0 upstream 0"])
    #expect(words.count == 3 && words[2].hasPrefix("completed "))
    #expect(call.turnViolations == [])
  }

  @Test("steady audio marks nothing: neither the client's nor the provider's")
  func nothingPerFrame() {
    var call = Self.speaking()
    for number in 1...50 {
      #expect(call.client(Calls.append(960)).actions.isEmpty)
      #expect(call.upstream(Self.delta("r1", number)).actions.isEmpty)
    }
  }

  @Test("errors are counted by whose doing they are")
  func errors() {
    var call = Calls.call(.openAI)
    _ = call.client("garbage")
    _ = call.upstream(
      #"{"type":"error","event_id":"e","error":{"type":"server_error","code":null,"message":"No.","event_id":null}}"#)
    _ = call.shutsDown()
    let errors = call.session.errors
    #expect(ErrorSource.allCases.map { errors[$0] } == [1, 1, 1])
  }
}
