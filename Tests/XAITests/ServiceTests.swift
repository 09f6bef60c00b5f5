import Envelope
import OpenAIWire
import Testing
import Translation

@testable import XAIProvider

@Suite struct Service {
  static let service = Update.service

  static func target(
    path: String = "/v1/realtime", key: String? = "k", model: String = "grok-voice-latest", resuming: String? = nil
  ) -> UpstreamTarget {
    XAIService(
      endpoint: UpstreamEndpoint(isSecure: true, host: "api.example.test", port: 443, basePath: path),
      key: key.map { Redacted($0) }, model: "grok-voice-latest"
    ).target(.defaults(id: "sess_1", model: model, voice: "eve", expiresAt: 0), resuming: resuming)
  }

  // MARK: The address

  @Test("R038: the model in the address, the key as a bearer token")
  func address() {
    let target = Self.target()
    #expect(target.pathAndQuery == "/v1/realtime?model=grok-voice-latest")
    #expect(target.headers.map(\.name) == ["Authorization"])
    #expect(target.headers.first?.value.reveal() == "Bearer k")
    #expect(Self.target(path: "").pathAndQuery == "/v1/realtime?model=grok-voice-latest")
    #expect(Self.target(path: "/other").pathAndQuery == "/other?model=grok-voice-latest")
    #expect(Self.target(key: nil).headers.isEmpty)
    #expect(Self.target(model: "grok/ä&").pathAndQuery == "/v1/realtime?model=grok%2F%C3%A4%26")
  }

  @Test("R273: a conversation is taken up again by its id")
  func resumption() {
    #expect(
      Self.target(resuming: "8d525b4d-a514").pathAndQuery
        == "/v1/realtime?model=grok-voice-latest&conversation_id=8d525b4d-a514")
    #expect(Self.target(resuming: "a&b").pathAndQuery.hasSuffix("&conversation_id=a%26b"))
    #expect(Self.service.traits.resumesConversations)
    #expect(Self.service.traits.mending.dropped.contains("conversation.created"))
  }

  // MARK: Models

  @Test(
    "R168 Q16: a Grok model passes, any other is the configured one and shows so",
    arguments: [
      ("grok-voice-think-fast-1.0", "grok-voice-think-fast-1.0", true),
      ("xai/grok-voice-fast", "grok-voice-fast", true),
      ("gpt-realtime", "grok-voice-latest", false), ("anthropic/claude-sonnet-4-6", "grok-voice-latest", false),
    ])
  func models(_ asked: String, _ effective: String, _ isKnown: Bool) throws {
    let update = try Update(#"{"model":"\#(asked)"}"#)
    #expect(update.session.model == effective)
    #expect(update.missing == (isKnown ? [] : ["session.model"]))
    #expect(update.wire == ["resumption": XAITests.resumption], "the address says it")
  }

  // MARK: What it lacks

  @Test(
    "Q23: what the service has nothing of is not sent, and the session shows what really happens",
    arguments: [
      (#"{"max_output_tokens":100}"#, "session.max_output_tokens"),
      (#"{"temperature":0.8}"#, "session.temperature"),
      (#"{"tracing":"auto"}"#, "session.tracing"),
      (#"{"truncation":"disabled"}"#, "session.truncation"),
      (#"{"include":["item.input_audio_transcription.logprobs"]}"#, "session.include"),
      (#"{"parallel_tool_calls":false}"#, "session.parallel_tool_calls"),
      (#"{"providerData":{"user":"u"}}"#, "session.providerData"),
      (#"{"unheard_of":1}"#, "session.unheard_of"),
      (#"{"audio":{"output":{"model":"inworld-tts-1.5-max"}}}"#, "session.audio.output.model"),
      (#"{"audio":{"input":{"noise_reduction":{"type":"near_field"}}}}"#, "session.audio.input.noise_reduction"),
      (
        #"{"audio":{"input":{"transcription":{"model":"whisper-1","prompt":"Ada"}}}}"#,
        "session.audio.input.transcription.prompt"
      ),
    ])
  func counterless(_ fields: String, _ path: String) throws {
    let update = try Update(fields)
    #expect(update.missing == [path])
    let plain = try Update(path.contains("transcription") ? Self.transcribed : "{}")
    #expect(update.session == plain.session)
    #expect(update.wire == plain.wire)
  }

  private static let transcribed = #"{"audio":{"input":{"transcription":{"model":"whisper-1"}}}}"#

  @Test("R253: the service stores no prompts; one is refused in any mode")
  func prompts() throws {
    #expect(try Update.fault(#"{"prompt":{"id":"pmpt_1"}}"#).param == "session.prompt")
  }

  @Test("R222 R274: the updates of the guide pass, and nothing of another service's goes up")
  func guide() throws {
    let update = try Update(
      #"""
      {"type":"realtime","model":"google-ai-studio/gemini-2.5-flash","instructions":"You are Clive.",
       "output_modalities":["audio","text"],"temperature":0.8,"max_output_tokens":"inf","tools":[],"tool_choice":"auto",
       "audio":{"input":{"transcription":{"model":"assemblyai/u3-rt-pro","prompt":"Names","language":"en"},
         "turn_detection":{"type":"semantic_vad","eagerness":"medium","create_response":true,"interrupt_response":true}},
        "output":{"voice":"Clive","model":"inworld-tts-1.5-mini","speed":1.0}}}
      """#)
    let text = update.wire.text
    for foreign in ["temperature", "inworld", "assemblyai", "prompt", "gemini", "Clive\"", "semantic", "modalities"] {
      #expect(!text.contains(foreign), "\(foreign)")
    }
    #expect(update.wire["voice"] == "leo")
    #expect(update.wire["turn_detection"]?["silence_duration_ms"] == 700)
  }

  @Test("a field of the service's own passes")
  func replacements() throws {
    #expect(try Update(#"{"replace":{"Acme":"Ackmee"}}"#).wire["replace"] == ["Acme": "Ackmee"])
  }

  // MARK: Events

  static func told(_ event: JSONObject) throws -> [JSONObject] {
    try service.wireEvent(event, of: .defaults(id: "sess_1", model: "grok-voice-latest", voice: "eve", expiresAt: 0))
  }

  @Test("R147: a response has instructions and metadata of its own, and nothing else")
  func request() throws {
    let full: JSONObject = [
      "type": "response.create", "event_id": "e",
      "response": [
        "instructions": "In Spanish.", "metadata": ["k": "v"], "output_modalities": ["text"], "tool_choice": "none",
        "max_output_tokens": 10,
      ],
    ]
    #expect(
      try Self.told(full) == [
        [
          "type": "response.create", "event_id": "e",
          "response": ["instructions": "In Spanish.", "metadata": ["k": "v"]],
        ]
      ])
    #expect(
      try Self.told(["type": "response.create", "response": ["output_modalities": ["text"]]])
        == [["type": "response.create"]])
    #expect(try Self.told(["type": "response.create", "response": nil]) == [["type": "response.create"]])
  }

  @Test("R291: an image is refused, and named")
  func image() throws {
    let item: JSONValue = [
      "type": "message", "role": "user",
      "content": [
        ["type": "input_text", "text": "What is this?"],
        ["type": "input_image", "image_url": "data:image/png;base64,AAAA"],
      ],
    ]
    let fault = #expect(throws: EventFault.self) {
      try Self.told(["type": "conversation.item.create", "item": item])
    }
    #expect(fault?.param == "item.content[1].type" && fault?.code == "unsupported_value")
  }

  @Test("Q23: the options that a response has not of its own are told of; what is null or served here is not one")
  func ignoredOptions() {
    let options: JSONObject = [
      "conversation": "auto", "metadata": ["k": "v"], "instructions": "Be brief.", "output_modalities": ["text"],
      "tool_choice": "required", "tools": [], "max_output_tokens": 5, "parallel_tool_calls": true, "prompt": nil,
      "reasoning": ["effort": "low"], "unheard_of": 1,
      "audio": ["output": ["voice": "rex", "format": ["type": "audio/pcmu"]]],
    ]
    #expect(
      Self.service.ignoredOptions(options) == [
        "response.tool_choice", "response.tools", "response.max_output_tokens", "response.parallel_tool_calls",
        "response.reasoning.effort", "response.unheard_of", "response.audio.output.voice",
        "response.audio.output.format",
      ])
    #expect(Self.service.ignoredOptions(["audio": nil, "reasoning": ["effort": nil], "metadata": [:]]).isEmpty)
  }

  @Test("what the service has no event for is refused by its type")
  func refused() {
    let clear = #expect(throws: EventFault.self) { try Self.told(["type": "output_audio_buffer.clear"]) }
    #expect(clear?.param == "type")
    let call = #expect(throws: EventFault.self) {
      try Self.told(["type": "conversation.item.create", "item": ["type": "mcp_call"]])
    }
    #expect(call?.param == "item.type")
  }

  @Test("R144 R145: everything else goes up as it is")
  func untouched() throws {
    let events: [JSONObject] = [
      ["type": "input_audio_buffer.commit"], ["type": "response.cancel", "response_id": "r"],
      ["type": "conversation.item.delete", "item_id": "i"],
      ["type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": 10],
      [
        "type": "conversation.item.create", "previous_item_id": "root",
        "item": ["type": "function_call_output", "call_id": "c", "output": "ok"],
      ],
    ]
    for event in events { #expect(try Self.told(event) == [event]) }
  }
}
