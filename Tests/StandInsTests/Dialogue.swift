import Envelope
import StandIns
import Testing

/// What a script sent, in a form that tests can ask about.
struct Sent: Sendable {
  var frames: [StandInFrame]

  /// The JSON of the data frames.
  var messages: [JSONValue] {
    get throws {
      try frames.compactMap { frame in
        switch frame {
        case .text(let text), .binary(let text): try JSONValue(parsing: text)
        case .close, .abort, .violation: nil
        }
      }
    }
  }

  /// The types of the events, for dialogues in OpenAI events.
  var types: [String] {
    get throws { try messages.compactMap { $0["type"]?.string } }
  }

  var close: StandInFrame? {
    frames.first { if case .close = $0 { true } else { false } }
  }

  /// What Gemini said, by its transcript.
  var words: String {
    get throws {
      try messages.compactMap { $0["serverContent"]?["outputTranscription"]?["text"]?.string }.joined()
    }
  }

  /// The last resumption handle.
  var handle: String? {
    get throws {
      try messages.compactMap { $0["sessionResumptionUpdate"]?["newHandle"]?.string }.last
    }
  }

  /// The members of the frames of Gemini, those of `serverContent` by their own names.
  var members: [String] {
    get throws {
      try messages.flatMap { message -> [String] in
        let content = message["serverContent"]?.object?.keys ?? []
        return content + (message.object?.keys ?? []).filter { $0 != "serverContent" && $0 != "usageMetadata" }
      }
    }
  }

  /// The rules that the client broke.
  var violations: [JSONValue] {
    frames.compactMap { if case .violation(let violation) = $0 { violation } else { nil } }
  }

  /// The first event of that type.
  func event(_ type: String) throws -> JSONValue {
    try #require(try messages.first { $0["type"]?.string == type }, "no \(type) was sent")
  }
}

/// A script after its upgrade, driven without a socket.
struct Dialogue<Script: StandInScript> {
  var script: Script
  let opening: Sent
  let verdict: StandInVerdict

  init(_ script: Script, _ request: StandInRequest) {
    var script = script
    verdict = script.judge(request)
    opening = Sent(frames: script.begin())
    self.script = script
  }

  /// Says something and lets everything that follows from it happen.
  @discardableResult
  mutating func say(_ text: String) -> Sent {
    Sent(frames: script.exchange(.text(text)))
  }

  /// Says something and hears only what comes at once.
  mutating func begin(_ text: String) -> Sent {
    Sent(frames: script.receive(.text(text)))
  }

  mutating func advance(_ count: Int) -> Sent {
    Sent(frames: (0..<count).flatMap { _ in script.advance() })
  }
}

extension Dialogue<GeminiLiveStandIn> {
  static let path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
  /// A text turn as every family takes it.
  @discardableResult
  mutating func say(text: String) -> Sent {
    say(Self.textTurn(text))
  }

  static func textTurn(_ text: String) -> String {
    let message: JSONValue = ["realtimeInput": ["text": .string(text)]]
    return message.text
  }

  static let vertexPath = "/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent"

  /// - Parameter setUp: the members of the set-up beside the model, as JSON without its braces.
  static func gemini(
    _ options: GeminiLiveStandIn.Options = .init(), model: String = "models/gemini-3.8-live", setUp: String? = "",
    version: String = "v1beta", memory: GeminiMemory = GeminiMemory()
  ) -> Self {
    let path = options.platform == .vertex ? vertexPath : path.replacing("v1beta", with: version)
    var dialogue = Self(GeminiLiveStandIn(options: options, memory: memory), StandInRequest(path: path))
    if let setUp {
      dialogue.say(#"{"setup":{"model":"\#(model)"\#(setUp.isEmpty ? "" : ",")\#(setUp)}}"#)
    }
    return dialogue
  }
}

extension Dialogue<RealtimeStandIn> {
  /// - Parameter session: the members of a first `session.update` beside the type, as JSON without its braces.
  static func openAI(_ options: RealtimeStandIn.Options = .init(), session: String? = nil) -> Self {
    var options = options
    options.seed = options.seed ?? 7
    let request = StandInRequest(path: "/v1/realtime", query: [.init("model", "gpt-realtime")])
    var dialogue = Self(RealtimeStandIn(options: options), request)
    if let session {
      dialogue.say(#"{"type":"session.update","session":{"type":"realtime",\#(session)}}"#)
    }
    return dialogue
  }
}

/// Sound for the detectors: a loud square wave or silence as base64 of 16-bit PCM.
enum TestSound {
  static func speech(milliseconds: Int, rate: Int) -> String {
    base64(
      (0..<milliseconds * rate / 1_000).flatMap { index -> [UInt8] in
        index / 20 % 2 == 0 ? [0x00, 0x20] : [0x00, 0xE0]
      })
  }

  static func silence(milliseconds: Int, rate: Int) -> String {
    base64([UInt8](repeating: 0, count: milliseconds * rate / 1_000 * 2))
  }

  static func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0) { $0 << 8 | Int($1) } << ((3 - group.count) * 8)
      for position in 0...group.count { text.append(alphabet[bits >> (18 - 6 * position) & 63]) }
      text += String(repeating: "=", count: 3 - group.count)
    }
    return text
  }
}
