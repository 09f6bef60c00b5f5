import Envelope
import Testing

@Suite("Beta and GA, there and back")
struct BetaFixtureTests {
  // MARK: Client events

  private static let gaClient = RoundTrip(
    lost: ["session.update": ["session.truncation", "session.reasoning", "session.parallel_tool_calls"]])

  @Test("Every GA event of a client comes back from beta", arguments: EventFixtures.clientTypes)
  func clientThroughBeta(type: String) throws {
    let event = try #require(EventFixtures.client[type])
    let beta = BetaWire.clientEvent(fromGA: try #require(event.object))
    var wire = ClientWire.beta
    #expect(try wire.incoming(.object(beta)) == Self.gaClient.expected(event))
  }

  @Test("R195, R198-R204: every beta event of a client comes back from GA", arguments: EventFixtures.betaClientTypes)
  func clientThroughGA(type: String) throws {
    let event = try #require(EventFixtures.betaClient[type])
    var wire = ClientWire.beta
    let neutral = try wire.incoming(event)
    let decoded = try ClientEvent.decode(neutral)
    #expect(decoded.encoded() == neutral, "nothing is lost in the GA types")
    #expect(.object(BetaWire.clientEvent(fromGA: try #require(neutral.object))) == event)
  }

  @Test("R100, R195-R202: a flat session means what the nested one means")
  func sessionMeans() throws {
    let event = try #require(EventFixtures.betaClient["session.update"])
    var wire = ClientWire.beta
    guard case .sessionUpdate(let patch) = try ClientEvent.decode(try wire.incoming(event)).body else {
      Issue.record("no session.update")
      return
    }
    let session = try patch.applied(to: .defaults(id: "sess_1", model: "m", voice: "marin", expiresAt: 1))
    #expect(session.type == .realtime && session.outputModalities == [.audio])
    #expect(session.audio.output.voice == "alloy" && session.audio.output.speed == 1)
    #expect(session.audio.input.format == .standard && session.audio.output.format == .standard)
    #expect(session.audio.input.transcription?.model == "whisper-1")
    #expect(session.audio.input.noiseReduction == NoiseReduction(type: .nearField))
    #expect(session.audio.input.turnDetection == .serverVAD(ServerVAD(silenceDurationMs: 200)))
    #expect(session.maxOutputTokens == .count(4096) && session.tools.count == 1 && session.toolChoice == .auto)
    #expect(session.unknown.fields == ["temperature": 0.8], "for providers that have it")
  }

  // MARK: Server events

  private static let gaServer = RoundTrip(
    lost: [
      "session.created": ["session.truncation", "session.audio.input.turn_detection.idle_timeout_ms"],
      "session.updated": ["session.truncation", "session.audio.input.transcription.prompt"],
      "conversation.item.input_audio_transcription.delta": ["obfuscation"],
      "response.output_text.delta": ["obfuscation"],
      "response.output_audio_transcript.delta": ["obfuscation"],
      "response.function_call_arguments.delta": ["obfuscation"],
      "response.done": [
        "response.usage.input_token_details.image_tokens",
        "response.usage.input_token_details.cached_tokens_details.image_tokens",
      ],
    ],
    gained: [
      "session.created": [("session.temperature", 0.8)],
      "session.updated": [("session.temperature", 0.8)],
      "response.created": [("response.temperature", 0.8)],
      "response.done": [("response.temperature", 0.8)],
    ],
    renamed: ["conversation.item.created": "conversation.item.added"])

  /// What a client of the beta never hears of.
  private static let untold: Set<String> = [
    "conversation.item.done", "conversation.item.input_audio_transcription.segment",
    "input_audio_buffer.timeout_triggered", "input_audio_buffer.dtmf_event_received", "mcp_list_tools.in_progress",
    "mcp_list_tools.completed", "mcp_list_tools.failed", "response.mcp_call_arguments.delta",
    "response.mcp_call_arguments.done", "response.mcp_call.in_progress", "response.mcp_call.completed",
    "response.mcp_call.failed",
  ]

  @Test(
    "R094-R098, R187-R193: every GA event of the server has its beta form, and comes back",
    arguments: EventFixtures.serverTypes)
  func serverThroughBeta(type: String) throws {
    let event = try #require(EventFixtures.server[type])
    var wire = ClientWire.beta
    guard let beta = wire.told(event) else {
      #expect(Self.untold.contains(type))
      return
    }
    #expect(!Self.untold.contains(type))
    #expect(EventFixtures.betaServerTypes.contains(try #require(beta["type"]?.string)))
    let back = JSONValue.object(BetaWire.serverEvent(toGA: try #require(beta.object)))
    #expect(back == Self.gaServer.expected(event))
  }

  private static let betaServer = RoundTrip(
    gained: ["transcription_session.updated": [("session.client_secret", nil)]])

  @Test("Every beta event of a server is a GA event, and comes back", arguments: EventFixtures.betaServerTypes)
  func serverThroughGA(type: String) throws {
    let event = try #require(EventFixtures.betaServer[type])
    let neutral = JSONValue.object(BetaWire.serverEvent(toGA: try #require(event.object)))
    let decoded = try ServerEvent.decode(neutral)
    if case .unknown = decoded.body { Issue.record("\(type) is not in the vocabulary") }
    #expect(!neutral.text.contains("client_secret"))
    var wire = ClientWire.beta
    #expect(wire.told(neutral) == Self.betaServer.expected(event))
  }

  @Test("What a provider says in GA is left as it is", arguments: EventFixtures.serverTypes)
  func alreadyGA(type: String) throws {
    let event = try #require(EventFixtures.server[type]?.object)
    let mended = BetaWire.serverEvent(toGA: event)
    #expect(.object(mended) == RoundTrip(renamed: Self.gaServer.renamed).expected(.object(event)))
  }

  @Test("No GA name of a field or an event reaches a client of the beta", arguments: EventFixtures.serverTypes)
  func noGANames(type: String) throws {
    var wire = ClientWire.beta
    let text = wire.told(try #require(EventFixtures.server[type]))?.text ?? ""
    for name in [
      "output_modalities", "\"output_text\"", "\"output_audio\"", "audio/pcm", "response.output_", "obfuscation",
    ]
    where name != "response.output_" || !type.hasPrefix("response.output_item") {
      #expect(!text.contains(name), "\(name) in \(text)")
    }
  }
}
