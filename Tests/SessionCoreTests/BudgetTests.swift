import Envelope
import Metering
import ParleyTesting
import SessionCore
import Testing
import Translation

/// Minutes that run out, and what a client is told of its limits.
@Suite struct BudgetTests {
  static func call(
    _ kind: ProviderKind = .geminiLive(), dialect: DialectChoice = .auto,
    _ change: (inout SessionLimits) -> Void = { _ in }
  ) -> SessionDialogue {
    var limits = SessionLimits()
    change(&limits)
    var call = SessionDialogue(kind, model: "gemini-3.8-live", dialect: dialect, limits: limits)
    _ = call.begin()
    _ = call.client(MeteredSessionTests.append(960))
    MeteredSessionTests.open(&call)
    return call
  }

  static func warnings(_ step: SessionDialogue.Step) -> [JSONValue] {
    step.events.compactMap { $0["type"] == "rate_limits.updated" ? $0["warning"] : nil }
  }

  static func grant(
    _ call: inout SessionDialogue, _ time: Duration, isFinal: Bool, most: Double = 2
  ) -> SessionDialogue.Step {
    call.step { session, now in
      session.grant(TimeGrant(endsAt: now + time, isFinal: isFinal, name: .maxMinutesPerDay, most: most), at: now)
    }
  }

  static func stands(_ call: inout SessionDialogue, minutes: Double) {
    _ = call.step { session, _ in
      session.limitsStand(
        LimitStanding([
          .init(name: .maxMinutesPerDay, holder: "app", limit: 600, remaining: minutes, resetSeconds: 51_230),
          .init(name: .maxSessions, holder: "key", limit: 10, remaining: 7, resetSeconds: 0),
        ]))
    }
  }

  // MARK: The longest duration

  @Test("a warning once, then the error and 1000: the minutes of a session")
  func length() throws {
    var call = Self.call {
      $0.length = .seconds(1800)
      $0.lengthHolder = "key"
    }
    #expect(call.wait(.milliseconds(1_739_999)).events.isEmpty)
    let warned = call.wait(.milliseconds(1))
    #expect(warned.types == ["rate_limits.updated"])
    let event = try #require(warned.events.first)
    #expect(
      event["warning"] == [
        "code": "limit_approaching", "limit": "maxMinutesPerSession", "seconds_left": 60,
        "message": "This session may last 1800 seconds; it ends in 60 seconds.",
      ])
    #expect(event["event_id"]?.string?.isEmpty == false)
    #expect(event["limits"]?[0]?["name"] == "maxMinutesPerSession")
    #expect(event["limits"]?[0]?["holder"] == "key")
    #expect(event["limits"]?[0]?["limit"] == 30)
    #expect(event["limits"]?[0]?["remaining"] == 1)
    #expect(event["limits"]?[0]?["reset_seconds"] == 60)
    #expect(event["rate_limits"]?[0]?["name"] == "requests")
    #expect(event["rate_limits"]?[0]?["limit"] == 200)
    #expect(event["rate_limits"]?[0]?["remaining"] == 200)
    #expect(call.wait(.milliseconds(59_999)).events.isEmpty)
    let end = call.wait(.milliseconds(2))
    #expect(end.types == ["error"])
    let error = try #require(end.events.first?["error"])
    #expect(error["type"] == "rate_limit_error" && error["code"] == "session_expired")
    #expect(error["param"] == "maxMinutesPerSession")
    #expect(end.clientCloseCode == 1000)
  }

  @Test("where less than the warning's time is left, the warning comes at once")
  func short() {
    var call = SessionDialogue(
      .geminiLive(), model: "m",
      limits: {
        var limits = SessionLimits()
        limits.length = .seconds(20)
        return limits
      }())
    #expect(call.begin().types.first == "session.created")
    let warned = call.wait(.zero)
    #expect(Self.warnings(warned).map { $0["seconds_left"] } == [20])
    #expect(Self.warnings(call.wait(.milliseconds(19_999))).isEmpty)
    #expect(call.wait(.milliseconds(1)).clientCloseCode == 1000)
  }

  @Test("without a warning time there is no warning")
  func silent() {
    var call = Self.call {
      $0.length = .seconds(100)
      $0.warning = .zero
    }
    #expect(call.wait(.milliseconds(99_999)).events.isEmpty)
    #expect(call.wait(.milliseconds(1)).types == ["error"])
  }

  @Test("what is being said when the minutes end is ended whole, before the error")
  func midTurn() {
    var call = Self.call {
      $0.length = .seconds(30)
      $0.warning = .seconds(1)
    }
    _ = call.upstream(
      #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"\#(MeteredSessionTests.base64(4_800))"}}]}}}"#)
    let end = call.wait(.seconds(30))
    #expect(end.types.suffix(2) == ["response.done", "error"])
    #expect(end.types.first == "rate_limits.updated")
    #expect(EventInvariants.violations(in: call.history, isComplete: true).isEmpty)
  }

  // MARK: Minutes of the day

  @Test("a warning once, then the error and 1000: the minutes of a day")
  func day() throws {
    var call = Self.call()
    Self.stands(&call, minutes: 1.5)
    #expect(Self.grant(&call, .seconds(15), isFinal: false).events.isEmpty)
    // 15 s and one and a half minutes are left: the warning comes 60 s before their end.
    #expect(call.wait(.milliseconds(44_999)).events.isEmpty)
    let warned = call.wait(.milliseconds(1))
    #expect(Self.warnings(warned).map { $0["seconds_left"] } == [60])
    #expect(Self.warnings(warned).map { $0["limit"] } == ["maxMinutesPerDay"])
    // A grant that is not final ends nothing.
    #expect(call.wait(.seconds(50)).clientCloseCode == nil)
    #expect(Self.grant(&call, .seconds(5), isFinal: true).events.isEmpty)
    #expect(call.wait(.milliseconds(4_999)).events.isEmpty)
    let end = call.wait(.milliseconds(1))
    #expect(end.types == ["error"])
    let error = try #require(end.events.first?["error"])
    #expect(error["type"] == "rate_limit_error" && error["code"] == "minutes_exhausted")
    #expect(error["param"] == "maxMinutesPerDay")
    #expect(error["message"]?.string?.contains("2 minutes") == true)
    #expect(end.clientCloseCode == 1000)
  }

  @Test("a grant that grows takes the warning back for its end")
  func growing() {
    var call = Self.call()
    _ = Self.grant(&call, .seconds(30), isFinal: true)
    #expect(Self.warnings(call.wait(.seconds(1))).count == 1)
    // A little more is no news.
    _ = Self.grant(&call, .seconds(40), isFinal: true)
    #expect(call.wait(.seconds(1)).events.isEmpty)
    _ = Self.grant(&call, .seconds(300), isFinal: true)
    #expect(call.wait(.milliseconds(239_999)).events.isEmpty)
    #expect(Self.warnings(call.wait(.milliseconds(1))).map { $0["seconds_left"] } == [60])
    #expect(call.wait(.seconds(59)).clientCloseCode == nil)
    #expect(call.wait(.seconds(1)).clientCloseCode == 1000)
  }

  @Test("what is not limited is granted for ever")
  func endless() {
    var call = Self.call()
    _ = call.step { session, now in
      session.grant(
        TimeGrant(endsAt: Instant(nanoseconds: .max), isFinal: false, name: .maxMinutesPerDay, most: 1), at: now)
    }
    #expect(call.wait(.seconds(1_000_000)).clientCloseCode == nil)
  }

  // MARK: What the client is told

  @Test("no limit, no event", arguments: MeteredSessionTests.kinds)
  func unlimited(kind: ProviderKind) {
    var call = MeteredSessionTests.call(kind)
    MeteredSessionTests.speak(&call, kind, chunks: [4_800])
    _ = call.wait(.seconds(3_600))
    #expect(call.history.contains { $0["type"] == "response.created" })
    let told = call.history.filter { $0["type"] == "rate_limits.updated" }
    // Gemini's own are empty, as ever.
    #expect(told.allSatisfy { $0["rate_limits"] == [] && $0["limits"] == nil })
    if case .geminiLive = kind { #expect(told.count == 1) } else { #expect(told.isEmpty) }
  }

  @Test(
    "R151: with a limit there is one event for each response, after response.created",
    arguments: MeteredSessionTests.kinds)
  func perResponse(kind: ProviderKind) throws {
    var call = MeteredSessionTests.call(kind)
    Self.stands(&call, minutes: 412.25)
    for number in 1...2 {
      let before = call.history.count
      MeteredSessionTests.speak(&call, kind, chunks: [4_800], response: "resp_\(number)")
      let types = call.history.dropFirst(before).compactMap { $0["type"]?.string }
      #expect(types.count { $0 == "rate_limits.updated" } == 1)
      let created = try #require(types.firstIndex(of: "response.created"))
      let told = try #require(types.firstIndex(of: "rate_limits.updated"))
      let done = try #require(types.firstIndex(of: "response.done"))
      #expect(created < told && told < done)
    }
    let event = try #require(call.history.last { $0["type"] == "rate_limits.updated" })
    #expect(event["limits"]?.array?.map { $0["name"]?.string } == ["maxMinutesPerDay", "maxSessions"])
    #expect(event["limits"]?[0]?["remaining"] == 412.25)
    #expect(event["warning"] == nil)
  }

  @Test("a client of the beta is told the same")
  func beta() {
    var call = Self.call(dialect: .fixed(.beta)) { $0.length = .seconds(61) }
    let warned = call.wait(.seconds(1))
    #expect(Self.warnings(warned).count == 1)
    #expect(warned.events.first?["limits"] != nil)
  }

  @Test("a client that wants transcripts only is warned, and told of no responses")
  func transcription() throws {
    var call = MeteredSessionTests.call(.geminiLive(), purpose: .transcription)
    Self.stands(&call, minutes: 0)
    MeteredSessionTests.speak(&call, .geminiLive(), chunks: [4_800])
    #expect(!call.history.contains { $0["type"] == "rate_limits.updated" })
    _ = Self.grant(&call, .seconds(5), isFinal: true)
    #expect(Self.warnings(call.wait(.zero)).count == 1)
    #expect(call.wait(.seconds(5)).clientCloseCode == 1000)
  }

  // MARK: Shared rates

  private struct Closed: SharedRate {
    func admits(at now: Instant) -> Bool { false }
    var fault: EventFault {
      EventFault(
        type: "rate_limit_error", code: "rate_limit_exceeded", message: "Too many.", param: "maxEventsPerSecond")
    }
  }

  @Test(
    "R166: a control event that is one too many for the holder is refused by its id, audio is not, and the call goes on"
  )
  func sharedRates() throws {
    let service = try #require(
      ProviderKind.geminiLive().service(
        at: UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: 9), key: nil, model: "m"))
    var parameters = SessionParameters(
      provider: ProviderConfiguration(name: "p", service: service), requestedModel: nil, unixTime: 1, seed: 3)
    parameters.sharedRates = [Closed()]
    var call = SessionDialogue(parameters)
    #expect(call.session.id == parameters.sessionID)
    _ = call.begin()
    for _ in 0..<100 {
      #expect(call.client(MeteredSessionTests.append(960)).types.isEmpty)
      let refused = call.client(#"{"type":"input_audio_buffer.clear","event_id":"mine"}"#)
      #expect(refused.types == ["error"])
      #expect(refused.events.first?["error"]?["code"] == "rate_limit_exceeded")
      #expect(refused.events.first?["error"]?["param"] == "maxEventsPerSecond")
      #expect(refused.events.first?["error"]?["event_id"] == "mine")
      #expect(refused.clientCloseCode == nil)
    }
    #expect(call.session.meter.heard.bytes == 96_000)
  }

  @Test("a pinned model cannot be changed", arguments: [false, true])
  func modelRule(isStrict: Bool) throws {
    for kind in [ProviderKind.openAI, .geminiLive(), .inworld()] {
      let endpoint = UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: 9)
      let service = try #require(kind.service(at: endpoint, key: nil, model: "gemini-3.8-live"))
      var parameters = SessionParameters(
        provider: ProviderConfiguration(name: "p", service: service), requestedModel: "gemini-3.8-live",
        isStrict: isStrict, unixTime: 1, seed: 3)
      parameters.modelRule = ModelRule(pinned: "gemini-3.8-live", allowed: ["gemini-*"])
      var call = SessionDialogue(parameters)
      _ = call.begin()
      for key in ["model", "modelId"] {
        let step = call.client(
          #"{"type":"session.update","event_id":"mine","session":{"\#(key)":"gemini-3.1-flash-live-preview","instructions":"x"}}"#
        )
        if isStrict {
          let error = step.event("error")?["error"]
          #expect(error?["code"] == "model_not_allowed" && error?["event_id"] == "mine")
          #expect(error?["param"] == .string("session.\(key)"))
          #expect(call.session.session.instructions != "x")
        } else {
          #expect(step.event("error") == nil)
          #expect(call.session.session.instructions == "x")
        }
        #expect(call.session.session.model == "gemini-3.8-live")
      }
      let same = call.client(#"{"type":"session.update","session":{"model":"gemini-3.8-live"}}"#)
      #expect(same.event("error")?["error"]?["code"] != "model_not_allowed")
    }
  }

  @Test("a rule admits exact names, beginnings before a star, and everything where there is none")
  func rules() {
    #expect(ModelRule().admits("any"))
    #expect(ModelRule(allowed: []).admits("any") == false)
    let rule = ModelRule(allowed: ["gemini-*", "gpt-realtime"])
    #expect(rule.admits("gemini-3.8-live") && rule.admits("gpt-realtime"))
    #expect(!rule.admits("gpt-realtime-mini") && !rule.admits("Gemini-3.8-live"))
    #expect(ModelRule(pinned: "a", allowed: ["b*"]).admits("a") == false)
  }
}
