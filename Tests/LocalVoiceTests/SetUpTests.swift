import Envelope
import LocalVoiceProvider
import ParleyTesting
import Testing
import Translation

/// What a session with the engine is, and what it becomes by updates.
@Suite struct LocalVoiceSetUp {
  static let silent = LocalVoiceConfiguration(
    model: "parley-rules", voices: [], transcriptionModel: nil, turnDetection: nil)

  private static func hearing(_ step: SessionDialogue.Step) -> HearingSettings? {
    for case .hear(let settings) in step.requests { return settings }
    return nil
  }

  @Test("the session says what runs before the engine is asked, which is dialled at once and told what to hear")
  func begins() {
    var call = SessionDialogue(SessionDialogue.engine)
    let step = call.begin()
    #expect(step.types == ["session.created"])
    #expect(step.actions == [.dial(.voiceEngine)])
    let session = step.events.first?["session"]
    #expect(session?["model"] == "parley-rules" && session?["engine"] == ["llm": "rules"])
    #expect(session?["audio"]?["output"]?["voice"] == "en-us")
    #expect(session?["audio"]?["input"]?["transcription"]?["model"] == "tiny.en")
    #expect(session?["audio"]?["input"]?["turn_detection"]?["silence_duration_ms"] == 550)
    let settings = HearingSettings(
      format: .pcm(rate: 24_000), detection: .automatic, threshold: 0.5, prefixPaddingMs: 300, silenceMs: 550)
    #expect(call.upstreamOpens().upstream == [EngineRequest.hear(settings).encoded()])
  }

  @Test("content waits for the engine and comes in its order; the settings are ahead of it")
  func held() {
    var call = EngineCall(isReady: false)
    #expect(call.append(ms: 100).upstream.isEmpty)
    #expect(call.commit().upstream.isEmpty)
    #expect(call.opens().upstream.map { $0["type"]?.string } == ["hear"])
    let sent = call.says(.ready).upstream.map { $0["type"]?.string }
    #expect(sent == ["audio", "commit", "transcribe"])
  }

  @Test("a second ready changes nothing")
  func readyTwice() {
    var call = EngineCall()
    let step = call.says(.ready)
    #expect(step.events.isEmpty && step.upstream.isEmpty)
  }

  @Test("an engine without parts: written answers, no transcription, and what is degraded is said")
  func degraded() {
    var engine = Self.silent
    engine.stages = [
      .init(name: "stt", label: "none", degradation: "no weights"), .init(name: "llm", label: "rules"),
    ]
    var call = EngineCall(engine)
    let session = call.history.first?["session"]
    #expect(session?["engine"] == ["stt": "none", "llm": "rules", "degraded": ["stt: no weights"]])
    #expect(session?["output_modalities"] == ["text"])
    #expect(session?["audio"]?["input"]?["transcription"] == .null)
    #expect(session?["audio"]?["input"]?["turn_detection"] == .null)
    let updated = call.update(#""output_modalities":["audio"]"#).events.first?["session"]
    #expect(updated?["output_modalities"] == ["text"])
    #expect(call.create(#""output_modalities":["audio"]"#).answer?.modality == .text)
  }

  @Test("Q16 Q23: an update shows what will really be done")
  func effective() {
    var call = EngineCall()
    let step = call.update(
      #""model":"gpt-realtime","audio":{"input":{"transcription":{"model":"whisper-1","language":"en","prompt":"Ada"}},"output":{"voice":"marin"}}"#
    )
    let session = step.event("session.updated")?["session"]
    #expect(session?["model"] == "parley-rules")
    #expect(session?["audio"]?["output"]?["voice"] == "en-us")
    #expect(
      session?["audio"]?["input"]?["transcription"] == ["model": "tiny.en", "language": "en", "prompt": "Ada"])
    #expect(Self.hearing(step)?.language == "en" && Self.hearing(step)?.prompt == "Ada")
    #expect(
      call.update(#""audio":{"output":{"voice":"en-gb"}}"#).events.first?["session"]?["audio"]?["output"]?["voice"]
        == "en-gb")
    #expect(call.update(#""model":"\u0007""#).error?["param"] != nil, "a name that is none is refused all the same")
  }

  @Test("R100: voice and turn_detection at the top level count; the nested ones win")
  func flatFields() {
    var call = EngineCall()
    let flat = call.update(#""voice":"en-gb","turn_detection":{"type":"server_vad","threshold":0.8}"#)
    let session = flat.event("session.updated")?["session"]
    #expect(session?["audio"]?["output"]?["voice"] == "en-gb" && session?["voice"] == nil)
    #expect(Self.hearing(flat)?.threshold == 0.8)
    let both = call.update(#""voice":"en-gb","audio":{"output":{"voice":"en-us","speed":1.5}}"#)
    #expect(both.events.first?["session"]?["audio"]?["output"]?["voice"] == "en-us")
    #expect(both.events.first?["session"]?["audio"]?["output"]?["speed"] == 1.5)
    let none = call.update(#""turn_detection":null"#)
    #expect(Self.hearing(none)?.detection == .manual)
  }

  @Test("R243 R244 R246 R247 R250: an update of one field keeps the others; the engine is always told all of them")
  func partialUpdate() {
    var call = EngineCall()
    let step = call.update(#""audio":{"input":{"turn_detection":{"type":"server_vad","threshold":0.7}}}"#)
    let settings = Self.hearing(step)
    #expect(settings?.threshold == 0.7 && settings?.silenceMs == 550 && settings?.prefixPaddingMs == 300)
    let next = call.update(
      #""audio":{"input":{"turn_detection":{"type":"server_vad","prefix_padding_ms":100,"silence_duration_ms":900}}}"#)
    #expect(Self.hearing(next)?.threshold == 0.7 && Self.hearing(next)?.prefixPaddingMs == 100)
    #expect(Self.hearing(next)?.silenceMs == 900)
  }

  @Test("a padding that would have an hour of audio kept is cut, and the session says so")
  func longPadding() {
    var call = EngineCall()
    let step = call.update(
      #""audio":{"input":{"turn_detection":{"type":"server_vad","prefix_padding_ms":3600000}}}"#)
    #expect(Self.hearing(step)?.prefixPaddingMs == 5_000)
    let detection = step.event("session.updated")?["session"]?["audio"]?["input"]?["turn_detection"]
    #expect(detection?["prefix_padding_ms"] == 5_000)
  }

  @Test("R251: what is heard changes before the next audio; what changes nothing of it says nothing to the engine")
  func nextChunk() {
    var call = EngineCall()
    _ = call.append(ms: 20)
    let sent = call.update(#""turn_detection":{"type":"server_vad","threshold":0.9}"#) + call.append(ms: 20)
    #expect(sent.upstream.map { $0["type"]?.string } == ["hear", "audio"])
    #expect(call.update(#""instructions":"Be brief.""#).upstream.isEmpty)
    #expect(call.update(#""turn_detection":{"type":"server_vad","create_response":false}"#).upstream.isEmpty)
  }

  @Test("R245: a threshold that is none is refused and changes nothing")
  func badThreshold() {
    var call = EngineCall()
    let step = call.update(
      #""instructions":"x","audio":{"input":{"turn_detection":{"type":"server_vad","threshold":1.5}}}"#)
    #expect(step.types == ["error"] && step.upstream.isEmpty)
    #expect(call.session.instructions == "")
  }

  @Test(
    "semantic_vad is silence of a length",
    arguments: [("low", 1_200), ("medium", 700), ("auto", 700), ("high", 350)])
  func semantic(_ eagerness: String, _ silence: Int) {
    var call = EngineCall()
    let step = call.update(#""audio":{"input":{"turn_detection":{"type":"semantic_vad","eagerness":"\#(eagerness)"}}}"#)
    #expect(Self.hearing(step)?.silenceMs == silence && Self.hearing(step)?.detection == .automatic)
  }

  @Test("an update that is wrong anywhere has no effect at all")
  func atomic() {
    var call = EngineCall()
    let step = call.update(#""voice":"en-gb","instructions":5"#)
    #expect(step.error?["param"] == "session.instructions" && step.upstream.isEmpty)
    #expect(call.session.audio.output.voice.name == "en-us")
  }

  // MARK: G.711

  @Test("G.711: one byte is a sample, the engine is told, and the answer is in the format of the output")
  func g711() {
    var call = EngineCall()
    let step = call.update(
      #""audio":{"input":{"format":{"type":"audio/pcmu"}},"output":{"format":{"type":"audio/pcma"}}}"#)
    #expect(Self.hearing(step)?.format == .pcmu)
    // 801 bytes: no whole PCM16, and 100 ms of G.711.
    let bytes = EngineCall.silence(bytes: 801)
    let sent = call.client(#"{"type":"input_audio_buffer.append","audio":"\#(bytes)"}"#)
    #expect(sent.error == nil && sent.requests == [.audio(bytes)])
    let commit = call.commit()
    #expect(commit.types.first == "input_audio_buffer.committed")
    _ = call.says(.transcribed(turn: "commit_1", text: "hello"))
    #expect(call.history.contains { $0["type"] == "response.created" })
    _ = call.cancel()
    #expect(call.create().answer?.format == .pcma)
  }

  @Test("the position in the audio goes on when its format changes")
  func clockAcrossFormats() {
    var call = EngineCall(input: #""turn_detection":null"#)
    _ = call.append(ms: 60)
    _ = call.update(#""audio":{"input":{"format":{"type":"audio/pcmu"}}}"#)
    #expect(call.commit().error?["message"]?.string?.contains("60.00ms") == true)
    _ = call.client(#"{"type":"input_audio_buffer.append","audio":"\#(EngineCall.silence(bytes: 320))"}"#)
    #expect(call.commit().error == nil, "60 ms of PCM16 and 40 ms of G.711 are 100 ms")
    _ = call.update(#""audio":{"input":{"format":{"type":"audio/pcm","rate":24000}}}"#)
    _ = call.append(ms: 99)
    #expect(call.commit().error?["message"]?.string?.contains("99.00ms") == true)
  }

  @Test("G.711: the length of an answer is counted at a byte a sample, and padding is no sample")
  func g711Length() {
    var call = EngineCall(session: #""audio":{"output":{"format":{"type":"audio/pcmu"}}}"#)
    let response = call.create().answer?.id ?? ""
    _ = call.says(.text(response: response, delta: "Hello."))
    for _ in 0..<10 { _ = call.says(.audio(response: response, base64: EngineCall.silence(bytes: 800))) }
    let done = call.finishes(response, input: 0, output: 0).done
    #expect(done?["usage"]?["output_token_details"]?["audio_tokens"] == 20)
    let item = done?["output"]?[0]?["id"]?.string ?? ""
    #expect(call.truncate(item, toMs: 1_001).error?["param"] == "audio_end_ms")
    #expect(call.truncate(item, toMs: 1_000).error == nil)
  }
}
