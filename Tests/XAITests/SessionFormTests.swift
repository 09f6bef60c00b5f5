import Envelope
import Testing
import Translation

@testable import XAIProvider

/// The service's own form of a session.
@Suite struct SessionForm {
  @Test("R196 R202: instructions and functions as they are; nothing of the session's own names")
  func plain() throws {
    let update = try Update(
      #"""
      {"type":"realtime","instructions":"Be brief.","output_modalities":["audio"],
       "tools":[{"type":"function","name":"get_weather","parameters":{"type":"object"}}]}
      """#)
    #expect(
      update.wire == [
        "instructions": "Be brief.",
        "tools": [["type": "function", "name": "get_weather", "parameters": ["type": "object"]]],
        "resumption": resumption,
      ])
    #expect(update.missing.isEmpty)
  }

  @Test("R155: an update of nothing still asks for resumption")
  func empty() throws {
    #expect(try Update("{}").wire == ["resumption": resumption])
  }

  // MARK: Voices

  @Test(
    "R197: the service's own voices in lower case, other services' by a table",
    arguments: [
      ("Ara", "ara"), ("EVE", "eve"), ("Orion", "orion"), ("alloy", "eve"), ("echo", "rex"), ("nova", "eve"),
      ("shimmer", "eve"), ("Clive", "leo"), ("aura-2-thalia-en", "eve"), ("nlbqfwi9", "nlbqfwi9"),
    ])
  func voices(_ name: String, _ expected: String) throws {
    let update = try Update(#"{"audio":{"output":{"voice":"\#(name)"}}}"#)
    #expect(update.wire["voice"]?.string == expected)
    #expect(update.wire["audio"] == nil)
    #expect(update.session.audio.output.voice == .named(expected))
    #expect(update.missing.isEmpty)
  }

  @Test("Q23: a voice that nobody knows is the standard one")
  func unknownVoice() throws {
    let update = try Update(#"{"voice":"Zaphod"}"#)
    #expect(update.wire["voice"] == "eve")
    #expect(update.missing == ["session.audio.output.voice"])
  }

  @Test("a custom voice goes by its id, as the client wrote it")
  func customVoice() throws {
    let update = try Update(#"{"audio":{"output":{"voice":{"id":"Voice_1"}}}}"#)
    #expect(update.wire["voice"] == "Voice_1")
    #expect(update.missing.isEmpty)
  }

  @Test("a session begins with the service's voice")
  func standardVoice() throws {
    #expect(try Update("{}").session.audio.output.voice == "eve")
  }

  // MARK: Turn detection

  @Test("R284: server_vad stands at the top, whole, with explicit numbers")
  func serverVAD() throws {
    let update = try Update(#"{"audio":{"input":{"turn_detection":{"type":"server_vad"}}}}"#)
    #expect(
      update.wire == [
        "turn_detection": [
          "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
          "idle_timeout_ms": nil, "create_response": true, "interrupt_response": true,
        ], "resumption": resumption,
      ])
  }

  @Test("R243 R250: a partial update keeps the rest, and is sent whole")
  func partial() throws {
    let update = try Update(
      #"{"turn_detection":{"threshold":0.7}}"#,
      after: #"{"turn_detection":{"type":"server_vad","silence_duration_ms":900,"idle_timeout_ms":6000}}"#)
    #expect(update.wire["turn_detection"]?["threshold"] == 0.7)
    #expect(update.wire["turn_detection"]?["silence_duration_ms"] == 900)
    #expect(update.wire["turn_detection"]?["idle_timeout_ms"] == 6000)
  }

  @Test(
    "R244 R245: numbers stay within the service's bounds, and the session shows them",
    arguments: [(0.0, 0.1), (0.05, 0.1), (0.1, 0.1), (0.5, 0.5), (0.9, 0.9), (1.0, 0.9)])
  func threshold(_ asked: Double, _ sent: Double) throws {
    let update = try Update(#"{"turn_detection":{"type":"server_vad","threshold":\#(asked)}}"#)
    #expect(update.wire["turn_detection"]?["threshold"]?.double == sent)
    let shown = JSONCoding.encode(update.session)["audio"]?["input"]?["turn_detection"]
    #expect(shown?["threshold"]?.double == sent)
  }

  @Test("R244: the service waits ten seconds at most")
  func longSilence() throws {
    let update = try Update(
      #"{"turn_detection":{"type":"server_vad","silence_duration_ms":60000,"prefix_padding_ms":60000}}"#)
    #expect(update.wire["turn_detection"]?["silence_duration_ms"] == 10_000)
    #expect(update.wire["turn_detection"]?["prefix_padding_ms"] == 10_000)
  }

  @Test(
    "R141 R158 R239: semantic_vad is server_vad with a silence by eagerness; the session shows what was asked for",
    arguments: [("low", 1200), ("medium", 700), ("auto", 700), ("high", 350)])
  func semanticVAD(_ eagerness: String, _ silence: Int) throws {
    let update = try Update(
      #"""
      {"audio":{"input":{"turn_detection":{"type":"semantic_vad","eagerness":"\#(eagerness)",
       "interrupt_response":false}}}}
      """#)
    #expect(
      update.wire["turn_detection"] == [
        "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300,
        "silence_duration_ms": .number(JSONNumber(silence)), "idle_timeout_ms": nil, "create_response": true,
        "interrupt_response": false,
      ])
    #expect(
      update.session.audio.input.turnDetection
        == .semanticVAD(
          SemanticVAD(
            eagerness: try #require(SemanticVAD.Eagerness(rawValue: eagerness)), interruptResponse: false)))
    #expect(update.missing.isEmpty)
  }

  @Test(
    "R148 Q23: the service answers every turn that it finds, and the session shows so",
    arguments: ["server_vad", "semantic_vad"])
  func gate(_ type: String) throws {
    let update = try Update(#"{"turn_detection":{"type":"\#(type)","create_response":false}}"#)
    #expect(update.wire["turn_detection"]?["create_response"] == true)
    #expect(update.session.audio.input.turnDetection?.createResponse == true)
    #expect(update.missing == ["session.audio.input.turn_detection.create_response"])
  }

  @Test("R201: no detection is an object whose type is null")
  func pushToTalk() throws {
    let update = try Update(#"{"audio":{"input":{"turn_detection":null}}}"#)
    #expect(update.wire["turn_detection"] == ["type": nil])
    #expect(update.session.audio.input.turnDetection == nil)
  }

  @Test("R249: an idle timeout of 0 is none")
  func noIdleTimeout() throws {
    let update = try Update(#"{"turn_detection":{"type":"server_vad","idle_timeout_ms":0}}"#)
    #expect(update.wire["turn_detection"]?["idle_timeout_ms"] == .some(.null))
  }

  @Test("R275: a detection of another type is refused")
  func unknownDetection() throws {
    #expect(
      try Update.fault(#"{"audio":{"input":{"turn_detection":{"type":"foo"}}}}"#).param
        == "session.audio.input.turn_detection.type")
  }

  // MARK: Audio

  @Test(
    "R198 R199: formats stand nested, as the client has them",
    arguments: [#"{"type":"audio/pcm","rate":24000}"#, #"{"type":"audio/pcmu"}"#, #"{"type":"audio/pcma"}"#])
  func formats(_ format: String) throws {
    let update = try Update(#"{"audio":{"input":{"format":\#(format)},"output":{"format":\#(format)}}}"#)
    let value = try JSONValue(parsing: format)
    #expect(
      update.wire == ["audio": ["input": ["format": value], "output": ["format": value]], "resumption": resumption])
  }

  @Test("R218: the speed stays within the service's bounds", arguments: [(0.25, 0.7), (1.0, 1.0), (1.5, 1.5)])
  func speed(_ asked: Double, _ sent: Double) throws {
    let update = try Update(#"{"audio":{"output":{"speed":\#(asked)}}}"#)
    #expect(update.wire["audio"]?["output"] == ["speed": .number(JSONNumber(sent))])
    #expect(update.session.audio.output.speed == sent)
  }

  // MARK: Transcription

  @Test(
    "R200 R231 R232: every transcriber of another service is the service's own, and the session shows it",
    arguments: ["whisper-1", "gpt-4o-mini-transcribe", "assemblyai/u3-rt-pro", "soniox/stt-rt-v4", "grok-transcribe"])
  func transcriber(_ name: String) throws {
    let update = try Update(#"{"audio":{"input":{"transcription":{"model":"\#(name)"}}}}"#)
    #expect(update.wire["audio"] == ["input": ["transcription": ["model": "grok-transcribe"]]])
    #expect(update.session.audio.input.transcription?.model == "grok-transcribe")
    #expect(update.missing.isEmpty)
  }

  @Test("R235 R236: a transcriber that nobody knows is refused, and nothing of the update is applied")
  func unknownTranscriber() throws {
    let fault = try Update.fault(#"{"voice":"ara","audio":{"input":{"transcription":{"model":"no-such-stt"}}}}"#)
    #expect(fault.type == "invalid_request_error" && fault.code == "invalid_value")
    #expect(fault.param == "session.audio.input.transcription.model")
  }

  @Test("R200: null switches transcripts off")
  func noTranscription() throws {
    let update = try Update(#"{"audio":{"input":{"transcription":null}}}"#, after: Self.transcribed)
    #expect(update.wire["audio"] == ["input": ["transcription": nil]])
  }

  @Test(
    "R255: the language is a hint; Spanish and Portuguese need a region",
    arguments: [("en", "en"), ("es", "es-ES"), ("pt", "pt-BR"), ("pt-PT", "pt-PT"), ("de", "de")])
  func language(_ asked: String, _ sent: String) throws {
    let update = try Update(
      #"{"audio":{"input":{"transcription":{"language":"\#(asked)"}}}}"#, after: Self.transcribed)
    #expect(
      update.wire["audio"]?["input"]?["transcription"] == [
        "model": "grok-transcribe", "language_hint": .string(sent),
      ])
    #expect(update.session.audio.input.transcription?.language == asked)
  }

  @Test("keywords are key terms: a hundred of fifty characters")
  func keywords() throws {
    let long = String(repeating: "x", count: 51)
    let terms = (["Ada", long] + (1...120).map { "term \($0)" }).map { "\"\($0)\"" }.joined(separator: ",")
    let update = try Update(
      #"{"audio":{"input":{"transcription":{"keywords":[\#(terms)]}}}}"#, after: Self.transcribed)
    let sent = try #require(update.wire["audio"]?["input"]?["transcription"]?["keyterms"]?.array)
    #expect(sent.count == 100 && sent.first == "Ada" && sent[1] == "term 1")
  }

  private static let transcribed = #"{"audio":{"input":{"transcription":{"model":"whisper-1"}}}}"#

  // MARK: The model's thinking

  @Test(
    "R288: the service thinks much or not at all",
    arguments: [
      ("minimal", "none", "minimal"), ("low", "none", "minimal"), ("medium", "high", "high"), ("high", "high", "high"),
      ("xhigh", "high", "high"),
    ])
  func reasoning(_ asked: String, _ sent: String, _ shown: String) throws {
    let update = try Update(#"{"reasoning":{"effort":"\#(asked)"}}"#)
    #expect(update.wire["reasoning"] == ["effort": .string(sent)])
    #expect(update.session.reasoning?.effort?.rawValue == shown)
  }
}
