import NIOCore
import Routing
import Synchronization
import Testing
import Tracing
import VoiceEngine
import WebSocketWire

@testable import Gateway

/// What a running gateway measures.
@Suite("Metrics and spans, live")
struct LiveTelemetryTests {
  private static let path = "/v1/realtime?model=gpt-realtime"
  private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  private struct Rig {
    let metrics = MeasuringFactory()
    let tracer: SpanKeeper?
    let log = LogCapture()
    let gateway: TestGateway
    let upstream: ScriptedUpstream

    init(_ script: ScriptedUpstream.Script, tracer: SpanKeeper? = nil) async throws {
      self.tracer = tracer
      upstream = try await ScriptedUpstream.start(script)
      let text = #"""
        {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "main",
         "providers": {"main": {"kind": "openai", "url": "ws://127.0.0.1:\#(upstream.port)/v1/realtime", "model": "gpt-realtime"}},
         "routes": [{"path": "/v1/realtime"}], "ledger": "none"}
        """#
      let table = try RouteTable.decode(Array(text.utf8), file: "test.json")
      var limits = EdgeLimits(table.limits)
      limits.headTimeout = .seconds(120)
      limits.closeTimeout = .milliseconds(300)
      limits.lingerTimeout = .milliseconds(200)
      let server = GatewayServer(
        table: table, engine: .absent, books: .none, limits: limits, clock: WallClock(), metrics: metrics,
        tracer: tracer, logger: log.logger)
      gateway = TestGateway(running: try await server.start())
    }

    func stop() async {
      await gateway.stop()
      await upstream.stop()
    }
  }

  /// An answer to speech, as the service says it.
  private static let answer: [String] = {
    let place = #""response_id":"r1","item_id":"i1","output_index":0,"content_index":0"#
    func response(_ status: String, _ usage: String) -> String {
      #"{"id":"r1","object":"realtime.response","status":"\#(status)","status_details":null,"output":[],"conversation_id":"c1","output_modalities":["audio"],"max_output_tokens":"inf","audio":{"output":{"format":{"type":"audio/pcm","rate":24000},"voice":"marin"}},"usage":\#(usage),"metadata":null}"#
    }
    let usage =
      #"{"total_tokens":12,"input_tokens":5,"output_tokens":7,"input_token_details":{"text_tokens":2,"audio_tokens":3,"image_tokens":0,"cached_tokens":0,"cached_tokens_details":{"text_tokens":0,"audio_tokens":0,"image_tokens":0}},"output_token_details":{"text_tokens":3,"audio_tokens":4}}"#
    return [
      #"{"type":"session.created","event_id":"e0","session":{"type":"realtime","id":"s1"}}"#,
      #"{"type":"input_audio_buffer.speech_started","event_id":"e1","item_id":"u1","audio_start_ms":0}"#,
      #"{"type":"input_audio_buffer.speech_stopped","event_id":"e2","item_id":"u1","audio_end_ms":500}"#,
      #"{"type":"response.created","event_id":"e3","response":\#(response("in_progress", "null"))}"#,
      #"{"type":"response.output_audio.delta","event_id":"e4",\#(place),"delta":"AAABAAIA"}"#,
      #"{"type":"response.output_audio.delta","event_id":"e5",\#(place),"delta":"AAABAAIA"}"#,
      #"{"type":"response.done","event_id":"e6","response":\#(response("completed", usage))}"#,
    ]
  }()

  private func hear(_ socket: TestSocket, until type: String) async {
    while let message = await socket.message() {
      if message.contains(#""type":"\#(type)""#) { return }
    }
  }

  @Test("an answer is measured from its first byte to its last, and the session with it", .timeLimit(.minutes(1)))
  func answered() async throws {
    let tracer = SpanKeeper()
    let rig = try await Rig(.open(texts: Self.answer), tracer: tracer)
    let socket = try await rig.gateway.connect()
    #expect(try await socket.upgrade(path: Self.path, fields: ["traceparent: \(Self.trace)"]))
    await hear(socket, until: "response.done")
    #expect(rig.metrics.level("parley_realtime_sessions provider=main") == 1)
    let chat = try #require(await tracer.span(named: "chat gpt-realtime"))
    #expect(chat.attributes.get("gen_ai.usage.output_tokens") == .int64(7))
    try await socket.sendFrames { $0.close(.normal, reason: "") }
    let session = try #require(await tracer.span(named: "parley.session"))
    #expect(session.parent == Self.trace && chat.parent == session.id)
    // The provider is told of our span, which is part of the client's trace.
    var requests = rig.upstream.requests.makeAsyncIterator()
    #expect(await requests.next()?.contains("traceparent: \(session.id)\r\n") == true)
    let provider = "provider=main"
    for name in ["parley_turn_first_audio_seconds", "parley_turn_upstream_seconds", "parley_turn_gateway_seconds"] {
      let values = rig.metrics.recorded("\(name) \(provider)")
      #expect(values.count == 1 && values[0] >= 0 && values[0] < 60, "\(name)")
    }
    #expect(rig.metrics.recorded("parley_upstream_connect_seconds \(provider)").count == 1)
    #expect(rig.metrics.recorded("parley_session_seconds \(provider)").count == 1)
    #expect(rig.metrics.level("parley_realtime_sessions \(provider)") == 0)
    #expect(rig.metrics.count("parley_turns_total \(provider) outcome=completed") == 1)
    #expect(rig.metrics.count("parley_sessions_ended_total \(provider) source=none") == 1)
    #expect(rig.metrics.count("parley_sessions_total \(provider)") == 1)
    let bytes = Int64(Self.answer.reduce(0) { $0 + $1.utf8.count })
    #expect(rig.metrics.count("parley_frames_total \(provider) leg=upstream direction=in") == 7)
    #expect(rig.metrics.count("parley_bytes_total \(provider) leg=upstream direction=in") == bytes)
    // Ours in the place of the service's greeting.
    #expect(rig.metrics.count("parley_frames_total \(provider) leg=client direction=out") == 7)
    #expect(rig.metrics.count("parley_frames_total \(provider) leg=client direction=in") == 0)
    #expect(rig.metrics.count("parley_frames_total \(provider) leg=upstream direction=out") == 1)
    await rig.stop()
  }

  @Test("without a tracer the client's trace context goes on as it is", .timeLimit(.minutes(1)))
  func passedOn() async throws {
    let rig = try await Rig(.silence)
    let socket = try await rig.gateway.connect()
    #expect(
      try await socket.upgrade(
        path: Self.path, fields: ["traceparent: \(Self.trace)", "tracestate: vendor=1", "traceresponse: no"]))
    var requests = rig.upstream.requests.makeAsyncIterator()
    let head = try #require(await requests.next())
    #expect(head.contains("traceparent: \(Self.trace)\r\ntracestate: vendor=1\r\n"))
    #expect(!head.contains("traceresponse"))
    await rig.stop()
  }

  @Test("a connection that is replaced between turns is hidden, and counted", .timeLimit(.minutes(1)))
  func reconnected() async throws {
    let connections = Mutex(0)
    let tracer = SpanKeeper()
    let rig = try await Rig(
      .asked { _ in
        let number = connections.withLock { number in
          number += 1
          return number
        }
        return number == 1 ? .open(texts: [Self.answer[0]], close: 1012) : .open(texts: Self.answer)
      }, tracer: tracer)
    let socket = try await rig.gateway.connect()
    #expect(try await socket.upgrade(path: Self.path))
    await hear(socket, until: "response.done")
    try await socket.sendFrames { $0.close(.normal, reason: "") }
    _ = await tracer.span(named: "parley.session")
    #expect(rig.metrics.count("parley_upstream_reconnects_total provider=main outcome=hidden") == 1)
    #expect(rig.metrics.count("parley_upstream_reconnects_total provider=main outcome=told") == 0)
    #expect(rig.metrics.recorded("parley_upstream_connect_seconds provider=main").count == 2)
    await rig.stop()
  }

  @Test("who caused a bad end is counted, and errors that the client was told", .timeLimit(.minutes(1)))
  func badEnd() async throws {
    let tracer = SpanKeeper()
    let rig = try await Rig(.answer("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"), tracer: tracer)
    let socket = try await rig.gateway.connect()
    #expect(try await socket.upgrade(path: Self.path))
    while await socket.event() != nil {}
    let session = try #require(await tracer.span(named: "parley.session"))
    #expect(session.failed && session.attributes.get("error.type") == .string("upstream_refused"))
    #expect(rig.metrics.count("parley_sessions_ended_total provider=main source=upstream") == 1)
    #expect(rig.metrics.count("parley_errors_total provider=main source=upstream") == 1)
    #expect(rig.metrics.count("parley_upstream_reconnects_total provider=main outcome=told") == 0)
    await rig.stop()
  }
}
