import Envelope
import NIOCore
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// Fields that the service has no counterpart for, and recordings that are files.
@Suite struct GeminiCounterparts {
  typealias Call = GeminiCall

  private static func transcription(_ fields: String) -> String {
    Call.update(#""audio":{"input":{"transcription":\#(fields)}}"#)
  }

  private static func shown(_ step: SessionDialogue.Step) -> JSONValue? {
    step.event("session.updated")?["session"]?["audio"]?["input"]?["transcription"]
  }

  // MARK: Who transcribes

  @Test(
    "R232 R255 Q23: whoever is named, the model that answers transcribes, and the session shows it",
    arguments: ["whisper-1", "assemblyai/u3-rt-pro", "soniox/stt-rt-v4", "grok-transcribe"])
  func transcriber(_ name: String) {
    var call = Call.ready()
    let step = call.client(Self.transcription(#"{"model":"\#(name)","language":"pt-BR"}"#))
    #expect(Self.shown(step) == ["model": "gemini-3.8-live", "language": .null, "prompt": .null])
    #expect(
      step.ignoredFields == [
        "session.audio.input.transcription.model", "session.audio.input.transcription.language",
      ])
    #expect(
      call.client(Self.transcription(#"{"model":"gemini-3.8-live"}"#)).ignoredFields.isEmpty, "that is what it is")
  }

  @Test("R235 R236: a model that nobody has is refused, and the rest of its update has no effect")
  func unknownTranscriber() {
    var call = Call.ready()
    let before = call.session.session
    let step = call.client(
      Call.update(#""audio":{"input":{"transcription":{"model":"nonsense"}},"output":{"voice":"Puck"}}"#))
    #expect(step.types == ["error"])
    #expect(step.error?["type"] == "invalid_request_error" && step.error?["code"] == "invalid_value")
    #expect(step.error?["param"] == "session.audio.input.transcription.model" && step.error?["event_id"] == "update")
    #expect(call.session.session == before)
  }

  @Test("R254: a prompt of 2 kB passes, and the operator reads that it does nothing")
  func prompt() {
    var call = Call.ready()
    let step = call.client(Self.transcription(#"{"prompt":"\#(String(repeating: "ä", count: 1024))"}"#))
    #expect(step.types == ["session.updated"])
    #expect(step.ignoredFields == ["session.audio.input.transcription.prompt"])
  }

  @Test("the model that transcribes is the session's when that changes")
  func otherModel() {
    var call = Call.ready()
    _ = call.client(Self.transcription("{}"))
    let step = call.client(Call.update(#""model":"\#(Call.thinking38)""#))
    #expect(Self.shown(step)?["model"]?.string == Call.thinking38)
    #expect(step.ignoredFields.isEmpty)
  }

  // MARK: Strict

  @Test(
    "Q23: strictly, an option of a response without a counterpart is refused by its name",
    arguments: [
      (#""parallel_tool_calls":true"#, "response.parallel_tool_calls"),
      (#""max_output_tokens":9"#, "response.max_output_tokens"),
      (#""audio":{"output":{"voice":"Puck"}}"#, "response.audio.output.voice"),
      (#""unheard_of":1"#, "response.unheard_of"),
    ])
  func strictOptions(_ option: String, _ param: String) {
    var strict = Call.ready(Call.live38) { $0.isLenient = false }
    let refused = strict.client(Call.create(option))
    #expect(refused.error?["param"]?.string == param && refused.error?["event_id"] == "create")
    #expect(refused.upstream.isEmpty)
    var lenient = Call.ready()
    let step = lenient.client(Call.create(option))
    #expect(step.error == nil && step.ignoredFields == [param])
  }

  @Test("Q23: a provider's configuration can be made strict")
  func strict() {
    let lenient = ProviderConfiguration(name: "gemini", service: .geminiLive(Call.configuration(Call.live38)))
    #expect(lenient.coverage.contains { $0.subject == "session.audio.output.speed" && $0.support == .ignored })
    #expect(lenient.strict().coverage.contains { $0.subject == "session.audio.output.speed" && $0.support == .refused })
  }

  // MARK: Files

  private static let ogg =
    "T2dnUwACAAAAAAAAAAAHAAAAAAAAAMB9QfwBE09wdXNIZWFkAQE4AcBdAAAAAABPZ2dTAAAAAAAAAAAAAAcAAAABAAAAGMARqAEQT3B1c1RhZ3MAAAAA"
    + "AAAAAE9nZ1MABMADAAAAAAAABwAAAAIAAABRTzQMAQQIBwcH"

  private static func item(_ audio: String) -> String {
    Call.item(#""type":"message","role":"user","content":[{"type":"input_audio","audio":"\#(audio)"}]"#)
  }

  @Test("R259: a recording in Ogg Opus goes up as what it sounds like")
  func opus() {
    let decode: RecordingDecoder = { _ in [Int16](repeating: 0x0102, count: 2_400) }
    var call = Call.ready(Call.live38) { $0.decodeRecording = decode }
    #expect(call.client(Self.item(Self.ogg)).types == ["conversation.item.added", "conversation.item.done"])
    let sent = call.client(Call.create).upstream.compactMap { $0["realtimeInput"]?["audio"]?["data"]?.string }.joined()
    #expect(sent == Self.tone)
  }

  /// 100 ms of samples of the value 0x0102.
  private static let tone = String(repeating: "AgECAQIB", count: 800)

  @Test("R259 Q13: without a decoder it is refused by the part's name, and nothing of the item stays")
  func noDecoder() {
    var call = Call.ready()
    let step = call.client(Self.item(Self.ogg))
    #expect(step.types == ["error"] && step.error?["param"] == "item.content[0].audio")
    #expect(step.error?["code"] == "unsupported_value" && step.error?["event_id"] == "item")
    let other = call.client(Self.item("GkXfowAC"))
    #expect(other.types == ["error"] && other.error?["param"] == "item.content[0].audio")
    #expect(call.client(Call.create).upstream.allSatisfy { $0["realtimeInput"]?["audio"] == nil })
  }
}
