import Envelope
import StandIns

extension Dialogue<RealtimeStandIn> {
  /// The request that each form of each service expects.
  enum Form: String, Sendable, CaseIterable {
    case openAI, azure, azurePreview, voiceLive, xAI, inworld, vowel

    var service: RealtimeService {
      switch self {
      case .openAI: .openAI
      case .azure, .azurePreview, .voiceLive: .azure
      case .xAI: .xAI
      case .inworld: .inworld
      case .vowel: .vowel
      }
    }

    var request: StandInRequest {
      let model = StandInRequest.Item("model", "m")
      let version = StandInRequest.Item("api-version", "2026-04-10")
      return switch self {
      case .openAI, .xAI: StandInRequest(path: "/v1/realtime", query: [model])
      case .azure: StandInRequest(path: "/openai/v1/realtime", query: [model])
      case .azurePreview:
        StandInRequest(path: "/openai/realtime", query: [version, .init("deployment", "d")])
      case .voiceLive: StandInRequest(path: "/voice-live/realtime", query: [version, model])
      case .inworld:
        StandInRequest(
          path: "/api/v1/realtime/session",
          query: [.init("key", "k"), .init("protocol", "realtime")])
      case .vowel: StandInRequest(path: "/v1/realtime")
      }
    }
  }

  /// - Parameter session: a first `session.update`'s session as JSON.
  static func family(
    _ form: Form, _ options: RealtimeStandIn.Options = .init(), session: String? = nil,
    memory: RealtimeMemory = RealtimeMemory(), query: [StandInRequest.Item] = []
  ) -> Self {
    var options = options
    options.service = form.service
    options.seed = options.seed ?? 7
    var request = form.request
    request.query += query
    if form == .vowel {
      request.headers.append(.init("Authorization", "Bearer \(token(options, memory))"))
    }
    var dialogue = Self(RealtimeStandIn(options: options, memory: memory), request)
    if let session { dialogue.say(#"{"type":"session.update","session":\#(session)}"#) }
    return dialogue
  }

  /// A token of the vowel stand-in's own.
  static func token(
    _ options: RealtimeStandIn.Options, _ memory: RealtimeMemory, claims: String = "{}"
  ) -> String {
    var options = options
    options.service = .vowel
    var script = RealtimeStandIn(options: options, memory: memory)
    let call = StandInCall(
      method: "POST",
      request: StandInRequest(
        path: "/v1/realtime/sessions",
        headers: [.init("Authorization", "Bearer \(options.key ?? "any")")]),
      body: claims)
    return script.answer(call)?.body["value"]?.string ?? ""
  }

  static func item(_ text: String) -> String {
    let part: JSONValue = ["type": "input_text", "text": .string(text)]
    let item: JSONValue = ["type": "message", "role": "user", "content": [part]]
    let event: JSONValue = ["type": "conversation.item.create", "item": item]
    return event.text
  }

  /// A text turn, with everything that follows from it.
  @discardableResult
  mutating func turn(_ text: String, asks: Bool = true) -> Sent {
    var sent = say(Self.item(text))
    if asks { sent.frames += say(#"{"type":"response.create"}"#).frames }
    return sent
  }

  /// 300 ms of speech and the silence that ends it.
  @discardableResult
  mutating func speak(silence: Int = 1_200) -> Sent {
    var sent = append(TestSound.speech(milliseconds: 300, rate: 24_000))
    sent.frames += append(TestSound.silence(milliseconds: silence, rate: 24_000)).frames
    return sent
  }

  @discardableResult
  mutating func append(_ audio: String) -> Sent {
    say(#"{"type":"input_audio_buffer.append","audio":"\#(audio)"}"#)
  }

  static let tools =
    #""tools":[{"type":"function","name":"f","parameters":{}},{"type":"function","name":"g","parameters":{}}]"#
}

extension Sent {
  /// The event types with runs of the same one as one.
  var order: [String] {
    get throws {
      try types.reduce(into: []) { order, type in
        if order.last != type { order.append(type) }
      }
    }
  }

  func events(_ type: String) throws -> [JSONValue] {
    try messages.filter { $0["type"]?.string == type }
  }
}
