import Envelope
import ParleyTesting
import SessionCore
import Translation

@testable import GeminiLiveProvider

/// A call to Gemini Live by hand: the frames of both sides, and calls that are set up.
enum GeminiCall {
  static let live38 = "gemini-3.8-live"
  static let thinking38 = "gemini-3.8-live-extended-thinking"
  static let flash31 = "gemini-3.1-flash-live-preview"
  static let native25 = "gemini-2.5-flash-native-audio-preview-12-2025"
  static let halfCascade = "gemini-live-2.5-flash"

  // MARK: The client

  static let create = #"{"type":"response.create","event_id":"create"}"#
  static let cancel = #"{"type":"response.cancel","event_id":"cancel"}"#
  static let commit = #"{"type":"input_audio_buffer.commit","event_id":"commit"}"#
  static let clear = #"{"type":"input_audio_buffer.clear"}"#

  static func create(_ options: String) -> String {
    #"{"type":"response.create","event_id":"create","response":{\#(options)}}"#
  }

  static func update(_ fields: String) -> String {
    #"{"type":"session.update","event_id":"update","session":{\#(fields)}}"#
  }

  /// Silence as PCM16 at 24 kHz; a multiple of 3 samples needs no padding.
  static func append(ms: Int) -> String {
    #"{"type":"input_audio_buffer.append","event_id":"append","audio":"\#(silence(ms: ms))"}"#
  }

  static func silence(ms: Int) -> String { String(repeating: "A", count: ms * 64) }

  static func text(_ text: String, role: String = "user", id: String? = nil, after previous: String? = nil) -> String {
    let part = role == "assistant" ? "output_text" : "input_text"
    return item(
      #""type":"message","role":"\#(role)","content":[{"type":"\#(part)","text":"\#(text)"}]"#, id: id, after: previous)
  }

  static func item(_ fields: String, id: String? = nil, after previous: String? = nil) -> String {
    let id = id.map { #""id":"\#($0)","# } ?? ""
    let previous = previous.map { #""previous_item_id":"\#($0)","# } ?? ""
    return #"{"type":"conversation.item.create","event_id":"item",\#(previous)"item":{\#(id)\#(fields)}}"#
  }

  static func result(_ callID: String, _ output: String) -> String {
    item(#""type":"function_call_output","call_id":"\#(callID)","output":\#(JSONValue.string(output).text)"#)
  }

  // MARK: The service

  static let setupComplete = #"{"setupComplete":{}}"#
  static let handle = #"{"sessionResumptionUpdate":{"newHandle":"handle-1","resumable":true}}"#
  static let audio = #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"AAABAAIA"}}]}}}"#
  static let complete = #"{"serverContent":{"generationComplete":true}}"#
  static let end =
    #"{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":7,"responseTokenCount":2}}"#
  static let interrupted = #"{"serverContent":{"interrupted":true}}"#

  static func heard(_ text: String) -> String {
    #"{"serverContent":{"inputTranscription":{"text":"\#(text)"}}}"#
  }

  static func said(_ text: String) -> String {
    #"{"serverContent":{"outputTranscription":{"text":"\#(text)"}}}"#
  }

  /// `ms` of speech, 24 kHz.
  static func speech(ms: Int) -> String {
    #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"\#(silence(ms: ms))"}}]}}}"#
  }

  static func activity(_ type: String, at offset: String) -> String {
    #"{"serverContent":{},"voiceActivity":{"type":"\#(type)","audioOffset":"\#(offset)"}}"#
  }

  static func calls(_ calls: String...) -> String {
    #"{"toolCall":{"functionCalls":[\#(calls.joined(separator: ","))]}}"#
  }

  static func called(_ id: String, _ name: String = "get_weather") -> String {
    #"{"id":"\#(id)","name":"\#(name)","args":{}}"#
  }

  // MARK: Calls

  static func configuration(_ model: String) -> GeminiLiveConfiguration {
    GeminiLiveConfiguration(
      endpoint: UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: 9), key: Redacted("upstream-key"),
      model: model)
  }

  /// A call whose client has said nothing yet, with an open connection.
  static func open(
    _ model: String = live38, _ configure: (inout GeminiLiveConfiguration) -> Void = { _ in }
  ) -> SessionDialogue {
    var configuration = configuration(model)
    configure(&configuration)
    var call = SessionDialogue(
      ProviderConfiguration(name: "gemini", service: .geminiLive(configuration)), requestedModel: model)
    _ = call.begin()
    _ = call.upstreamOpens()
    return call
  }

  /// A call that is set up.
  static func ready(
    _ model: String = live38, _ fields: String = "", _ configure: (inout GeminiLiveConfiguration) -> Void = { _ in }
  ) -> SessionDialogue {
    var call = open(model, configure)
    if !fields.isEmpty { _ = call.client(update(fields)) }
    _ = call.wait(.seconds(5))
    _ = call.upstream(setupComplete)
    return call
  }

  /// What the service is set up with.
  static func setUp(
    _ model: String = live38, _ fields: String = "", _ configure: (inout GeminiLiveConfiguration) -> Void = { _ in }
  ) -> JSONValue {
    var call = open(model, configure)
    let updated = fields.isEmpty ? [] : call.client(update(fields)).upstream
    return (updated + call.wait(.seconds(5)).upstream).first?["setup"] ?? .null
  }

  /// What the client is told that it has, after an update.
  static func session(
    _ model: String = live38, _ fields: String, _ configure: (inout GeminiLiveConfiguration) -> Void = { _ in }
  ) -> JSONValue {
    var call = open(model, configure)
    return call.client(update(fields)).event("session.updated")?["session"] ?? .null
  }

  static func turns(_ texts: (role: String, text: String)...) -> JSONValue {
    .array(texts.map { ["role": .string($0.role), "parts": [["text": .string($0.text)]]] })
  }
}

extension SessionDialogue {
  /// The connection that was asked for opens and is set up.
  mutating func reconnect() -> Step {
    upstreamOpens() + upstream(GeminiCall.setupComplete)
  }

  /// A whole answer of the service, with its end.
  mutating func answer() -> Step {
    upstream(GeminiCall.audio) + upstream(GeminiCall.said("Yes.")) + upstream(GeminiCall.complete)
      + upstream(GeminiCall.end)
  }
}

extension SessionDialogue.Step {
  /// The first set-up that was sent.
  var setUp: JSONValue? { upstream.first { $0["setup"] != nil }?["setup"] }

  /// How often another connection was asked for.
  var dials: Int { actions.count { if case .dial = $0 { true } else { false } } }

  var response: JSONValue? { event("response.done")?["response"] }

  /// What the log says.
  var notes: [SessionNote] { actions.compactMap { if case .note(let note) = $0 { note } else { nil } } }

  var error: JSONValue? { event("error")?["error"] }
}

extension [JSONValue] {
  /// Null where there is none: a test that fails must not end the others.
  func at(_ index: Int) -> JSONValue { indices.contains(index) ? self[index] : .null }
}
