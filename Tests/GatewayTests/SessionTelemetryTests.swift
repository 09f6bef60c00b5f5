import HTTPWire
import Testing
import Tracing
import Translation

@testable import Gateway

/// What a session's measures become.
@Suite("Metrics and spans of a session")
struct SessionTelemetryTests {
  private static func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 0) + .milliseconds(milliseconds) }

  private static func reading(_ change: (inout SessionTelemetry.Reading) -> Void = { _ in }) -> SessionTelemetry.Reading
  {
    var reading = SessionTelemetry.Reading(traffic: SessionTraffic(), errors: ErrorTally(), model: "some-model")
    change(&reading)
    return reading
  }

  private static func head(_ fields: [(String, String)]) -> RequestHead {
    RequestHead(
      method: "GET", path: "/", query: nil, host: "h", fields: fields.map { .init(name: $0.0, value: $0.1) },
      body: .none)
  }

  private static func session(
    _ metrics: MeasuringFactory = MeasuringFactory(), tracer: SpanKeeper? = nil, _ fields: [(String, String)] = []
  ) -> SessionTelemetry {
    TelemetryDesk(metrics: metrics, tracer: tracer).session(
      id: "sess_1", provider: "main", kind: "azure", head: head(fields))
  }

  // MARK: Metrics

  @Test("the two shares of the first audio add up, and the time of the step itself is the gateway's")
  func shares() throws {
    let metrics = MeasuringFactory()
    let session = Self.session(metrics)
    session.begin(at: Self.at(0))
    session.turn(
      .firstAudio(sinceBegan: .milliseconds(500), upstream: .milliseconds(460)), stepBegan: Self.at(1_000),
      at: Self.at(1_002), clientIsBehind: false, Self.reading())
    let whole = try #require(metrics.recorded("parley_turn_first_audio_seconds provider=main").first)
    let upstream = try #require(metrics.recorded("parley_turn_upstream_seconds provider=main").first)
    let gateway = try #require(metrics.recorded("parley_turn_gateway_seconds provider=main").first)
    #expect(abs(whole - 0.502) < 1e-9 && abs(upstream - 0.46) < 1e-9 && abs(gateway - 0.042) < 1e-9)
  }

  @Test("a client that is behind is silenced when it has caught up, any other at once")
  func silence() {
    let metrics = MeasuringFactory()
    let session = Self.session(metrics)
    func silenced(at now: Int, isBehind: Bool) {
      session.turn(
        .silenced(after: .milliseconds(20)), stepBegan: Self.at(now), at: Self.at(now), clientIsBehind: isBehind,
        Self.reading())
    }
    silenced(at: 100, isBehind: false)
    silenced(at: 1_000, isBehind: true)
    session.clientCaughtUp(at: Self.at(1_380))
    session.clientCaughtUp(at: Self.at(9_000))
    let name = "parley_barge_in_silence_seconds provider=main"
    #expect(metrics.recorded(name).map { ($0 * 1_000).rounded() } == [20, 400])
  }

  @Test("messages and errors are told as what came since: when a turn ends, after ten seconds, and at the end")
  func traffic() {
    let metrics = MeasuringFactory()
    let session = Self.session(metrics)
    session.begin(at: Self.at(0))
    var traffic = SessionTraffic()
    var errors = ErrorTally()
    func reading() -> SessionTelemetry.Reading {
      Self.reading {
        $0.traffic = traffic
        $0.errors = errors
      }
    }
    let frames = "parley_frames_total provider=main leg=client direction=out"
    #expect(session.isFlushDue(at: Self.at(0)))
    session.flush(reading(), at: Self.at(0))
    traffic.clientOut.count(100)
    traffic.clientOut.count(50)
    errors.count(.upstream)
    #expect(!session.isFlushDue(at: Self.at(9_999)) && session.isFlushDue(at: Self.at(10_000)))
    session.turn(
      .ended(.completed, responseID: "r", inputTokens: nil, outputTokens: nil), stepBegan: Self.at(20), at: Self.at(20),
      clientIsBehind: false, reading())
    #expect(metrics.count(frames) == 2)
    #expect(metrics.count("parley_bytes_total provider=main leg=client direction=out") == 150)
    #expect(metrics.count("parley_errors_total provider=main source=upstream") == 1)
    #expect(metrics.count("parley_turns_total provider=main outcome=completed") == 1)
    traffic.clientOut.count(1)
    session.end(.none, fault: "completed", reading(), at: Self.at(30_000))
    #expect(metrics.count(frames) == 3)
    #expect(metrics.count("parley_errors_total provider=main source=upstream") == 1)
  }

  @Test("a session counts as open while it is, and ends once, with who caused it")
  func ends() {
    let metrics = MeasuringFactory()
    let desk = TelemetryDesk(metrics: metrics)
    let sessions = (0..<3).map { _ in desk.session(id: "s", provider: "main", kind: "openai", head: nil) }
    for session in sessions { session.begin(at: Self.at(0)) }
    #expect(metrics.level("parley_realtime_sessions provider=main") == 3)
    for (session, source) in zip(sessions, [SessionEndSource.none, .downstream, .upstream]) {
      for _ in 0..<2 { session.end(source, fault: "x", Self.reading(), at: Self.at(90_000)) }
    }
    #expect(metrics.level("parley_realtime_sessions provider=main") == 0)
    #expect(metrics.recorded("parley_session_seconds provider=main") == [90, 90, 90])
    let ended = ["none", "downstream", "upstream", "gateway"].map {
      metrics.count("parley_sessions_ended_total provider=main source=\($0)")
    }
    #expect(ended == [1, 1, 1, 0])
  }

  @Test("a connection that was replaced is hidden from the client or told to it")
  func reconnects() {
    let metrics = MeasuringFactory()
    let session = Self.session(metrics)
    session.begin(at: Self.at(0))
    var errors = ErrorTally()
    func reconnect(after wait: Int, _ happens: () -> Void) {
      session.lost(errors)
      happens()
      session.connects(at: Self.at(1_000))
      session.connected(at: Self.at(1_000 + wait), errors)
    }
    session.connects(at: Self.at(0))
    session.connected(at: Self.at(80), errors)
    reconnect(after: 50) {}
    reconnect(after: 60) { errors.count(.upstream) }
    reconnect(after: 70) {
      session.turn(
        .ended(.failed, responseID: "r", inputTokens: nil, outputTokens: nil), stepBegan: Self.at(1), at: Self.at(1),
        clientIsBehind: false, Self.reading())
    }
    // Renewed by the session itself.
    session.lost(errors)
    session.connects(at: Self.at(2_000))
    session.connected(at: Self.at(2_010), errors)
    func count(_ outcome: String) -> Int64 {
      metrics.count("parley_upstream_reconnects_total provider=main outcome=\(outcome)")
    }
    #expect([count("hidden"), count("told")] == [2, 2])
    session.lost(errors)
    session.end(.upstream, fault: "upstream_lost", Self.reading(), at: Self.at(3_000))
    #expect([count("hidden"), count("told")] == [2, 3])
    #expect(
      metrics.recorded("parley_upstream_connect_seconds provider=main").map { ($0 * 1_000).rounded() }
        == [80, 50, 60, 70, 10])
  }

  @Test("the metrics of a provider are made once, whoever needs them")
  func cached() {
    let desk = TelemetryDesk(metrics: MeasuringFactory())
    #expect(desk.metrics(of: "main") === desk.metrics(of: "main"))
    #expect(desk.metrics(of: "main") !== desk.metrics(of: "other"))
  }

  // MARK: Spans

  @Test("a turn is a span of its session's, with tokens and times, and without a word of what was said")
  func spans() throws {
    let tracer = SpanKeeper()
    let session = Self.session(
      tracer: tracer, [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")])
    session.begin(at: Self.at(0))
    func turn(_ measure: TurnMeasure) {
      session.turn(measure, stepBegan: Self.at(1), at: Self.at(1), clientIsBehind: false, Self.reading())
    }
    turn(.began)
    turn(.firstAudio(sinceBegan: .milliseconds(500), upstream: .milliseconds(450)))
    turn(.ended(.completed, responseID: "resp_1", inputTokens: 12, outputTokens: 7))
    turn(.began)
    turn(.ended(.failed, responseID: nil, inputTokens: nil, outputTokens: nil))
    turn(.began)
    session.end(.upstream, fault: "upstream_lost", Self.reading(), at: Self.at(9))
    let spans = tracer.spans
    #expect(spans.map(\.name) == ["chat some-model", "chat some-model", "chat some-model", "parley.session"])
    #expect(spans.map(\.kind) == [.client, .client, .client, .server])
    #expect(spans.map(\.failed) == [false, true, true, true])
    #expect(spans[3].parent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    #expect(spans.prefix(3).allSatisfy { $0.parent == spans[3].id })
    let attributes = spans[0].attributes
    #expect(attributes.get("gen_ai.operation.name") == .string("chat"))
    #expect(attributes.get("gen_ai.provider.name") == .string("azure.ai.openai"))
    #expect(attributes.get("gen_ai.request.model") == .string("some-model"))
    #expect(attributes.get("gen_ai.response.id") == .string("resp_1"))
    #expect(attributes.get("gen_ai.conversation.id") == .string("sess_1"))
    #expect(attributes.get("gen_ai.usage.input_tokens") == .int64(12))
    #expect(attributes.get("gen_ai.usage.output_tokens") == .int64(7))
    #expect(attributes.get("parley.first_audio.upstream_seconds") == .double(0.45))
    #expect(spans[0].events == ["first audio"])
    // It began when the user had stopped, whenever that was known.
    #expect(spans[0].nanoseconds >= 500_000_000)
  }

  @Test("a trace context that is none is not passed on, and tracestate not without one")
  func unsound() {
    let sound = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    func passed(_ fields: [(String, String)]) -> [String] {
      Self.session(MeasuringFactory(), fields).upstreamHeaders.map { "\($0.name): \($0.value.reveal())" }
    }
    #expect(
      passed([("traceparent", sound), ("tracestate", "a=1"), ("Tracestate", "b=2")])
        == ["traceparent: \(sound)", "tracestate: a=1,b=2"])
    #expect(passed([("traceparent", "01" + sound.dropFirst(2) + "-more")]).count == 1)
    #expect(passed([("traceparent", sound), ("tracestate", String(repeating: "a", count: 513))]).count == 1)
    for bad in [
      "", "00", sound + "-more", sound.uppercased(), "ff" + sound.dropFirst(2), sound + "\u{7f}",
      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
      "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01", sound.replacing("-01", with: "-0g"),
    ] {
      #expect(passed([("traceparent", bad), ("tracestate", "a=1")]).isEmpty, "\(bad)")
    }
    #expect(passed([("traceparent", sound), ("traceparent", sound)]).isEmpty)
    #expect(passed([("tracestate", "a=1")]).isEmpty)
  }
}
