import Envelope
import GeminiLiveProvider
import OpenAIProvider
import ParleyTesting
import SessionCore
import Testing
import Translation

@Suite struct SessionBehaviour {
  static let append = #"{"type":"input_audio_buffer.append","audio":"AAABAAIA"}"#

  @Test("R032 R185 R091: session.created is the first event, before anything is known of the provider")
  func hello() {
    var call = SessionDialogue(.geminiLive(), model: "gemini-3.8-live")
    let step = call.begin()
    #expect(step.types == ["session.created"])
    #expect(step.events[0]["session"]?["id"]?.string?.hasPrefix("sess_") == true)
    #expect(step.dialled == nil)
  }

  @Test("R029: with the model in the address the provider is dialled at once")
  func dialsAtOnce() {
    var call = SessionDialogue(.openAI, model: "gpt-realtime", requestedModel: "gpt-realtime-mini")
    #expect(call.begin().dialled?.pathAndQuery == "/v1/realtime?model=gpt-realtime-mini")
  }

  @Test("R029 R214: without it, 300 ms after the first update, at the first content, or after 5 s", arguments: 0..<3)
  func dialsLate(_ way: Int) {
    var call = SessionDialogue(.openAI, model: "gpt-realtime")
    #expect(call.begin().dialled == nil)
    switch way {
    case 0:
      #expect(call.client(#"{"type":"session.update","session":{"type":"realtime"}}"#).dialled == nil)
      _ = call.wait(.milliseconds(200))
      #expect(call.client(#"{"type":"session.update","session":{"type":"realtime"}}"#).dialled == nil)
      #expect(call.wait(.milliseconds(99)).dialled == nil)
      #expect(call.wait(.milliseconds(1)).dialled != nil)
    case 1:
      #expect(call.client(Self.append).dialled != nil)
    default:
      #expect(call.wait(.milliseconds(4999)).dialled == nil)
      #expect(call.wait(.milliseconds(1)).dialled != nil)
    }
    #expect(call.client(Self.append).dialled == nil, "one connection, not two")
  }

  @Test("what is held for the provider is bounded: beyond it the client is not read, and nothing is refused")
  func holding() {
    var limits = SessionLimits()
    limits.heldBytes = 200
    var call = SessionDialogue(.openAI, model: "gpt-realtime", requestedModel: "gpt-realtime", limits: limits)
    _ = call.begin()
    var sent = 0
    var pauses = 0
    for _ in 0..<10 {
      pauses += call.client(Self.append).actions.count { $0 == .pauseDownstreamReading }
      sent += 1
    }
    #expect(pauses == 1)
    let opened = call.upstreamOpens()
    // The set-up goes first.
    #expect(opened.upstream.count == sent + 1)
    #expect(opened.actions == [.resumeDownstreamReading])
  }

  @Test("R026: a binary message is an error event; the session lives on")
  func binary() {
    var call = SessionDialogue(.openAI, model: "gpt-realtime")
    _ = call.begin()
    let step = call.clientBinary()
    #expect(step.event("error")?["error"]?["code"] == "invalid_event")
    #expect(step.clientCloseCode == nil)
  }

  @Test(
    "R098 R180 R193, fault rows 35-39: a bad event is exactly one error; the session lives on",
    arguments: [
      ("", "invalid_json", nil), ("{", "invalid_json", nil), ("{}x", "invalid_json", nil),
      ("\u{FEFF}{}", "invalid_json", nil), ("[1,2]", "invalid_event", nil), ("3", "invalid_event", nil),
      (#"{"type":"a","type":"b"}"#, "invalid_json", nil),
      (#"{"type":"response.create","x":NaN}"#, "invalid_json", nil),
      (#"{}"#, "invalid_value", "type"), (#"{"type":"no.such"}"#, "invalid_value", "type"),
      (#"{"type":7}"#, "invalid_type", "type"),
      (#"{"type":"input_audio_buffer.append"}"#, "missing_required_parameter", "audio"),
      (#"{"type":"input_audio_buffer.append","audio":7}"#, "invalid_type", "audio"),
      (#"{"type":"input_audio_buffer.append","audio":"!!"}"#, "invalid_value", "audio"),
      (#"{"type":"input_audio_buffer.append","audio":"AAAA"}"#, "invalid_value", "audio"),
    ])
  func badEvents(_ text: String, _ code: String, _ param: String?) {
    for kind in [ProviderKind.openAI, .geminiLive()] {
      var call = SessionDialogue(kind, model: "m", requestedModel: "m")
      _ = call.begin()
      let step = call.client(text)
      #expect(step.types == ["error"])
      #expect(step.events.first?["error"]?["code"]?.string == code, "\(text)")
      #expect(step.events.first?["error"]?["param"]?.string == param, "\(text)")
      #expect(step.upstream.isEmpty && step.clientCloseCode == nil)
    }
  }

  @Test("audio that must be normalised keeps the rest of its event; other audio crosses as it came")
  func appendsKeepTheirFields() {
    var call = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = call.begin()
    _ = call.upstreamOpens()
    let normalised = call.client(#"{"type":"input_audio_buffer.append","event_id":"a","audio":"_-8","x":{"y":1}}"#)
    #expect(
      normalised.upstream == [
        ["type": "input_audio_buffer.append", "event_id": "a", "audio": "/+8=", "x": ["y": 1]]
      ])
    let asItCame = call.client(#"{"type":"input_audio_buffer.append","audio":"AAABAAIA","x":1.50}"#)
    #expect(
      asItCame.upstream.map(\.text) == [#"{"type":"input_audio_buffer.append","audio":"AAABAAIA","x":1.50}"#])
  }

  @Test(
    "any number of bytes is whole in G.711 and only an even one in PCM16",
    arguments: [("audio/pcmu", true), ("audio/pcma", true), ("audio/pcm", false)])
  func oddBytes(_ format: String, _ passes: Bool) {
    let odd = #"{"type":"input_audio_buffer.append","audio":"AAAA"}"#
    let session = #"{"type":"realtime","audio":{"input":{"format":{"type":"\#(format)"}}}}"#
    // As the client asked for it, and as the provider confirms it.
    for isConfirmed in [false, true] {
      var call = SessionDialogue(.openAI, model: "m", requestedModel: "m")
      _ = call.begin()
      _ = call.upstreamOpens()
      #expect(call.client(odd).types == ["error"])
      if isConfirmed {
        _ = call.upstream(#"{"type":"session.updated","event_id":"e","session":\#(session)}"#)
      } else {
        _ = call.client(#"{"type":"session.update","session":\#(session)}"#)
      }
      let step = call.client(odd)
      #expect(step.upstream.count == (passes ? 1 : 0) && step.events.isEmpty == passes)
    }
  }

  @Test("a session that a client lets grow is bounded where it is kept: the update beyond it has no effect")
  func growingSession() {
    let text = String(repeating: "x", count: 100_000)
    func update(_ fields: String) -> String { #"{"type":"session.update","session":{\#(fields)}}"# }
    var call = SessionDialogue(.geminiLive(), model: "gemini-3.8-live", requestedModel: "gemini-3.8-live")
    _ = call.begin()
    let tools = #""tools":[{"type":"function","name":"known","description":"\#(text)"}]"#
    for fields in [#""instructions":"\#(text)""#, tools] {
      #expect(call.client(update(fields)).types == ["session.updated"])
    }
    let refused = call.client(update(#""gemini":{"labels":{"a":"\#(text)"}}"#))
    #expect(refused.types == ["error"] && refused.event("error")?["error"]?["code"] == "too_much_held")
    let session = call.client(update(#""temperature":1"#)).event("session.updated")?["session"]
    #expect(session?["instructions"]?.string == text && session?["gemini"] == nil && session?["temperature"] == 1)
  }

  @Test("an append of exactly 15 MiB of PCM passes, one sample more is an error event")
  func appendLimit() {
    var call = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = call.begin()
    _ = call.upstreamOpens()
    let full = String(repeating: "A", count: 20_971_520)
    let passed = call.client(#"{"type":"input_audio_buffer.append","audio":"\#(full)"}"#)
    #expect(passed.upstream.count == 1 && passed.events.isEmpty)
    let step = call.client(#"{"type":"input_audio_buffer.append","event_id":"big","audio":"\#(full)AAA="}"#)
    #expect(step.types == ["error"] && step.upstream.isEmpty)
    #expect(step.events.first?["error"]?["param"] == "audio")
    #expect(step.events.first?["error"]?["event_id"] == "big")
  }

  @Test(
    "fault rows 42-46: each way of ending is an error event and a close code that says whether to come back",
    arguments: [
      (UpstreamEnd.unreachable, "upstream_unreachable", 1013), (.nameNotFound, "upstream_unreachable", 1013),
      (.tlsRefused, "upstream_tls_failed", 1014), (.timedOut(.connect), "upstream_timeout", 1013),
      (.refused(status: 401, retryAfterSeconds: nil), "upstream_credentials_refused", 1014),
      (.refused(status: 429, retryAfterSeconds: 7), "rate_limit_exceeded", 1014),
      (.refused(status: 503, retryAfterSeconds: nil), "upstream_refused", 1013),
      (.refused(status: 302, retryAfterSeconds: nil), "upstream_refused", 1014),
      (.badHandshake, "upstream_protocol_error", 1014), (.addressRefused, "upstream_unreachable", 1014),
      (.proxyFailed(status: 407), "upstream_unreachable", 1014),
      (.proxyFailed(status: 502), "upstream_unreachable", 1013),
      (.proxyFailed(status: nil), "upstream_unreachable", 1013),
    ])
  func failedDial(_ end: UpstreamEnd, _ code: String, _ close: UInt16) {
    for kind in [ProviderKind.openAI, .geminiLive()] {
      var call = SessionDialogue(kind, model: "m", requestedModel: "m")
      _ = call.begin()
      let step = call.upstreamEnds(end)
      #expect(step.types == ["error"])
      #expect(step.events.first?["error"]?["code"]?.string == code)
      #expect(step.events.first?["error"]?["type"] == "server_error")
      #expect(step.clientCloseCode == close)
      #expect(call.client(Self.append).events.isEmpty, "nothing follows the end")
      #expect(call.session.deadline == nil)
    }
  }

  @Test("a provider that ends the session as agreed ends the call with 1000 and no error")
  func agreedEnd() {
    var call = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = call.begin()
    _ = call.upstreamOpens()
    let step = call.upstreamEnds(.closed(code: 1000, reason: ""))
    #expect(step.events.isEmpty && step.clientCloseCode == 1000)
  }

  @Test("fault row 46: a provider that says goodbye in the middle of a response is told as a failure")
  func goodbyeMidTurn() {
    var openAI = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = openAI.begin()
    _ = openAI.upstreamOpens()
    _ = openAI.upstream(#"{"type":"session.created","session":{}}"#)
    _ = openAI.upstream(#"{"type":"response.created","event_id":"e","response":{"id":"r","status":"in_progress"}}"#)
    var gemini = SessionDialogue(.geminiLive(), model: "gemini-3.8-live", requestedModel: "gemini-3.8-live")
    _ = gemini.begin()
    _ = gemini.upstreamOpens()
    _ = gemini.client(#"{"type":"response.create"}"#)
    for var call in [openAI, gemini] {
      let step = call.upstreamEnds(.closed(code: 1000, reason: ""))
      #expect(step.event("response.done")?["response"]?["status"] == "failed")
      #expect(step.event("error")?["error"]?["code"] == "upstream_closed")
      #expect(step.clientCloseCode == 1013)
    }
  }

  @Test("a model's name in an update must be one that can go into an address", arguments: ["é", "a b", "a\\r\\nb"])
  func modelNames(_ name: String) {
    for kind in [ProviderKind.openAI, .geminiLive()] {
      var call = SessionDialogue(kind, model: "m")
      _ = call.begin()
      let step = call.client(#"{"type":"session.update","session":{"type":"realtime","model":"\#(name)"}}"#)
      #expect(step.event("error")?["error"]?["param"] == "session.model")
    }
  }

  @Test("a provider that says nothing after the open connection is given 10 s")
  func firstEvent() {
    var call = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = call.begin()
    _ = call.upstreamOpens()
    _ = call.wait(.milliseconds(5000))  // The configuration window closes; the wait counts from here.
    #expect(call.wait(.milliseconds(9999)).events.isEmpty)
    let step = call.wait(.milliseconds(1))
    #expect(step.event("error")?["error"]?["code"] == "upstream_timeout")
    #expect(step.clientCloseCode == 1013)
  }

  @Test("fault row 33: a client that leaves takes the upstream connection with it")
  func clientLeaves() {
    var call = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = call.begin()
    #expect(call.clientCloses().actions == [.closeUpstream(code: 1000)])
    #expect(call.clientCloses().actions.isEmpty)
    #expect(call.upstreamOpens().upstream.isEmpty)
  }

  @Test("a gateway that goes down tells the client to come back")
  func shutDown() {
    var call = SessionDialogue(.openAI, model: "m", requestedModel: "m")
    _ = call.begin()
    let step = call.shutsDown()
    #expect(step.event("error")?["error"]?["code"] == "gateway_restarting")
    #expect(step.clientCloseCode == 1012)
  }

  @Test("no credential appears in anything that can be printed", arguments: [ProviderKind.openAI, .geminiLive()])
  func redaction(_ kind: ProviderKind) throws {
    let secret = "planted-secret"
    var call = SessionDialogue(kind, model: "m", requestedModel: "m", key: secret)
    let step = call.begin()
    let target = try #require(step.dialled)
    #expect(target.headers.first?.value.reveal().hasSuffix(secret) == true)
    let endpoint = target.endpoint
    let service = try #require(kind.service(at: endpoint, key: Redacted(secret), model: "m"))
    let provider = ProviderConfiguration(name: "p", service: service)
    let values: [Any] = [
      target, call.session, step.actions, provider,
      SessionParameters(provider: provider, requestedModel: nil, unixTime: 0, seed: 1),
      OpenAIService(endpoint: endpoint, key: Redacted(secret), model: "m"),
      GeminiLiveConfiguration(endpoint: endpoint, key: Redacted(secret), model: "m"),
    ]
    for value in values {
      var text = "\(value) " + String(reflecting: value)
      dump(value, to: &text)
      #expect(!text.contains(secret), "\(type(of: value))")
    }
  }
}
