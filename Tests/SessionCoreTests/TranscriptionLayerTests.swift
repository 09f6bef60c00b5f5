import Envelope
import Testing

@testable import SessionCore

@Suite("Transcription sessions on providers that have only conversations")
struct TranscriptionLayerTests {
  private static func session() -> RealtimeSession {
    .defaults(id: "sess_1", model: "m", voice: "marin", expiresAt: 17)
  }

  private func fault(_ event: JSONValue) -> EventFault? {
    do {
      _ = try TranscriptionLayer(preventsAnswers: true).incoming(event)
      return nil
    } catch {
      return error
    }
  }

  private func event(_ body: ServerEvent.Body) -> JSONObject {
    ServerEvent(eventID: "event_1", body).encoded().object ?? [:]
  }

  private let user = Item.message(id: "item_u", role: .user, content: [.inputAudio(transcript: nil)])
  private let answer = Item.message(id: "item_a", role: .assistant, content: [.outputText("No.")])
  private let call = Item.functionCall(id: "item_f", callID: "call_1", name: "f", arguments: "{}")
  private let position = PartPosition(responseID: "resp_1", itemID: "item_a")

  // MARK: The session

  @Test("A fresh session listens: transcripts are on, turns are found and not answered")
  func prepared() {
    var session = Self.session()
    TranscriptionLayer(preventsAnswers: true).prepare(&session)
    #expect(session.audio.input.transcription == InputTranscription() && session.outputModalities == [.text])
    #expect(session.audio.input.turnDetection == .serverVAD(ServerVAD(createResponse: false, interruptResponse: false)))

    session.audio.input.transcription = InputTranscription(model: "whisper-1")
    session.audio.input.turnDetection = .semanticVAD(SemanticVAD(eagerness: .low))
    TranscriptionLayer(preventsAnswers: true).prepare(&session)
    #expect(session.audio.input.transcription?.model == "whisper-1")
    #expect(
      session.audio.input.turnDetection
        == .semanticVAD(SemanticVAD(eagerness: .low, createResponse: false, interruptResponse: false)))

    session.audio.input.turnDetection = nil
    TranscriptionLayer(preventsAnswers: true).prepare(&session)
    #expect(session.audio.input.turnDetection == nil)
  }

  @Test("The session is told as a transcription session, in session.created and session.updated")
  func told() throws {
    var session = Self.session()
    TranscriptionLayer(preventsAnswers: true).prepare(&session)
    session.include = ["item.input_audio_transcription.logprobs"]
    var layer = TranscriptionLayer(preventsAnswers: true)
    for body in [ServerEvent.Body.sessionCreated(session), .sessionUpdated(session)] {
      let told = layer.outgoing(event(body))
      let shown = try #require(told)
      #expect(shown["event_id"] == "event_1" && shown["type"] == event(body)["type"])
      #expect(
        shown["session"] == [
          "type": "transcription", "object": "realtime.transcription_session", "id": "sess_1", "expires_at": 17,
          "audio": [
            "input": [
              "format": ["type": "audio/pcm", "rate": 24000],
              "transcription": ["model": nil, "language": nil, "prompt": nil], "noise_reduction": nil,
              "turn_detection": [
                "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
              ],
            ]
          ],
          "include": ["item.input_audio_transcription.logprobs"],
        ])
    }
  }

  @Test(
    "An update becomes one of the conversation, without answers",
    arguments: [
      (["type": "transcription"], [:]),
      ([:], [:]),
      (
        ["audio": ["input": ["turn_detection": ["type": "server_vad", "create_response": true, "threshold": 0.2]]]],
        [
          "audio": [
            "input": [
              "turn_detection": [
                "type": "server_vad", "create_response": false, "threshold": 0.2, "interrupt_response": false,
              ]
            ]
          ]
        ]
      ),
      (["audio": ["input": ["turn_detection": nil]]], ["audio": ["input": ["turn_detection": nil]]]),
      (
        ["turn_detection": ["type": "semantic_vad"]],
        [
          "audio": [
            "input": [
              "turn_detection": [
                "type": "semantic_vad", "create_response": false, "interrupt_response": false,
              ]
            ]
          ]
        ]
      ),
      (
        [
          "audio": ["input": ["transcription": ["model": "whisper-1"]], "output": ["voice": "alloy"]], "include": nil,
          "instructions": "Answer!", "tools": [], "model": "gpt-4o-transcribe", "output_modalities": ["audio"], "x": 1,
        ],
        ["audio": ["input": ["transcription": ["model": "whisper-1"]]], "include": nil, "x": 1]
      ),
      (["audio": 7], ["audio": 7]),
      (["audio": ["input": 7]], ["audio": ["input": 7]]),
    ] as [(JSONValue, JSONObject)])
  func update(given: JSONValue, expected: JSONObject) throws {
    let next = try TranscriptionLayer(preventsAnswers: true).incoming([
      "type": "session.update", "event_id": "e", "session": given,
    ])
    var expected = expected
    expected["type"] = "realtime"
    #expect(next == ["type": "session.update", "event_id": "e", "session": .object(expected)])
    // What the conversation makes of it can never answer by itself.
    var session = Self.session()
    TranscriptionLayer(preventsAnswers: true).prepare(&session)
    let updated = (try? SessionPatch(expected).applied(to: session)) ?? session
    #expect(updated.audio.input.turnDetection?.createResponse != true && updated.type == .realtime)
  }

  @Test("A conversation cannot be made of it, and no other type is known")
  func otherType() throws {
    let update: JSONValue = ["type": "session.update", "session": ["type": "realtime"]]
    #expect(fault(update) == .sessionTypeMismatch(update: .realtime, session: .transcription))
    for type in ["chat", 7, nil] as [JSONValue] {
      let odd: JSONValue = ["type": "session.update", "session": ["type": type]]
      #expect(
        try TranscriptionLayer(preventsAnswers: true).incoming(odd) == odd,
        "left to be refused by the checks of every session")
    }
  }

  // MARK: From the client

  @Test(
    "What asks for or is about answers is refused by name",
    arguments: [
      ClientEventType.responseCreate, .responseCancel, .conversationItemTruncate, .outputAudioBufferClear,
    ])
  func refused(type: ClientEventType) {
    let fault = fault(["type": .string(type.rawValue), "event_id": "e"])
    #expect(fault?.type == "invalid_request_error" && fault?.code == "invalid_value" && fault?.param == "type")
    #expect(fault?.message.contains("'\(type.rawValue)'") == true)
  }

  @Test("Only the user has items")
  func items() throws {
    func create(_ item: JSONValue) -> JSONValue { ["type": "conversation.item.create", "item": item] }
    let own = create(["type": "message", "role": "user", "content": [["type": "input_text", "text": "a"]]])
    #expect(try TranscriptionLayer(preventsAnswers: true).incoming(own) == own)
    for role in ["assistant", "system"] as [JSONValue] {
      #expect(fault(create(["type": "message", "role": role, "content": []]))?.param == "item.role")
    }
    for type in ["function_call", "function_call_output", "mcp_call"] as [JSONValue] {
      #expect(fault(create(["type": type]))?.param == "item.type")
    }
  }

  @Test("Everything else passes as it is, what is no event too")
  func passed() throws {
    let events: [JSONValue] = [
      ["type": "input_audio_buffer.append", "audio": "AAA="], ["type": "input_audio_buffer.commit", "x": 1],
      ["type": "input_audio_buffer.clear"], ["type": "conversation.item.retrieve", "item_id": "i"],
      ["type": "conversation.item.delete", "item_id": "i"], ["type": "no.such"], ["type": 7], [:], [1], nil,
      ["type": "session.update"], ["type": "session.update", "session": 7], ["type": "conversation.item.create"],
      ["type": "conversation.item.create", "item": [1]],
    ]
    for event in events { #expect(try TranscriptionLayer(preventsAnswers: true).incoming(event) == event) }
  }

  // MARK: To the client

  @Test("No event of an answer reaches the client")
  func answers() {
    let response = Response(id: "resp_1", conversationID: "conv_1")
    let bodies: [ServerEvent.Body] = [
      .responseCreated(response), .responseDone(response), .rateLimitsUpdated([]),
      .responseOutputItemAdded(responseID: "resp_1", outputIndex: 0, item: answer),
      .responseOutputItemDone(responseID: "resp_1", outputIndex: 0, item: user),
      .responseContentPartAdded(position, part: .text("")), .responseOutputTextDelta(position, delta: "a"),
      .responseOutputAudioDelta(position, delta: "AAAB"), .responseOutputAudioDone(position),
      .responseOutputAudioTranscriptDelta(position, delta: "a"),
      .responseFunctionCallArgumentsDone(
        responseID: "resp_1", itemID: "item_f", outputIndex: 0, callID: "call_1", name: "f", arguments: "{}"),
      .conversationItemAdded(item: answer, previousItemID: "item_u"),
      .conversationItemDone(item: call, previousItemID: nil),
      .conversationItemCreated(item: answer, previousItemID: nil), .conversationItemRetrieved(item: answer),
      .conversationItemTruncated(itemID: "item_a", contentIndex: 0, audioEndMs: 5),
      .outputAudioBufferStarted(responseID: "resp_1"), .mcpListToolsCompleted(itemID: "mcpl_1"),
      .responseMCPCallFailed(itemID: "mcp_1", outputIndex: 0),
      .conversationCreated(ConversationObject(id: "conv_1")), .conversationItemDeleted(itemID: "item_a"),
    ]
    var layer = TranscriptionLayer(preventsAnswers: true)
    for event in bodies.map(event) + [["type": "response.vendors_own"]] {
      let told = layer.outgoing(event)
      #expect(told == nil)
    }
  }

  @Test("What the user said reaches the client as it is")
  func heard() {
    let bodies: [ServerEvent.Body] = [
      .inputAudioBufferSpeechStarted(audioStartMs: 1, itemID: "item_u"),
      .inputAudioBufferSpeechStopped(audioEndMs: 2, itemID: "item_u"),
      .inputAudioBufferCommitted(itemID: "item_u", previousItemID: nil), .inputAudioBufferCleared,
      .conversationItemAdded(item: user, previousItemID: nil), .conversationItemDone(item: user, previousItemID: nil),
      .conversationItemRetrieved(item: user), .conversationItemDeleted(itemID: "item_u"),
      .inputAudioTranscriptionDelta(itemID: "item_u", contentIndex: 0, delta: "Hel"),
      .inputAudioTranscriptionCompleted(
        itemID: "item_u", contentIndex: 0, transcript: "Hello.", usage: .duration(seconds: 1)),
      .error(ErrorObject(type: "server_error", code: "x", message: "y")),
    ]
    var layer = TranscriptionLayer(preventsAnswers: true)
    for event in bodies.map(event) {
      let told = layer.outgoing(event)
      #expect(told == event)
    }
  }

  @Test("No item follows one that the client does not see")
  func previous() {
    var layer = TranscriptionLayer(preventsAnswers: true)
    _ = layer.outgoing(event(.conversationItemAdded(item: user, previousItemID: nil)))
    _ = layer.outgoing(event(.conversationItemAdded(item: call, previousItemID: "item_u")))
    _ = layer.outgoing(event(.conversationItemDone(item: call, previousItemID: "item_u")))
    _ = layer.outgoing(event(.conversationItemAdded(item: answer, previousItemID: "item_f")))
    var next = user
    next.id = "item_v"
    let committed = layer.outgoing(event(.inputAudioBufferCommitted(itemID: "item_v", previousItemID: "item_a")))
    #expect(committed?["previous_item_id"] == "item_u")
    let added = layer.outgoing(event(.conversationItemAdded(item: next, previousItemID: "item_a")))
    #expect(added?["previous_item_id"] == "item_u" && added?["item"]?["id"] == "item_v")
  }

  @Test("An answer at the very beginning leaves nothing before the first item; memory of answers is bounded")
  func bounded() {
    var layer = TranscriptionLayer(preventsAnswers: true)
    _ = layer.outgoing(event(.conversationItemAdded(item: answer, previousItemID: nil)))
    let first = layer.outgoing(event(.conversationItemAdded(item: user, previousItemID: "item_a")))
    #expect(first?["previous_item_id"] == .some(.null))
    var previous = "item_u"
    for number in 0..<1_000 {
      var item = answer
      item.id = "item_\(number)"
      _ = layer.outgoing(event(.conversationItemAdded(item: item, previousItemID: previous)))
      previous = "item_\(number)"
    }
    let last = layer.outgoing(event(.inputAudioBufferCommitted(itemID: "item_v", previousItemID: previous)))
    #expect(last?["previous_item_id"] == "item_u")
  }
}
