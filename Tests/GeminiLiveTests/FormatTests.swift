import Audio
import Envelope
import NIOCore
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// Formats of audio: the rows of section 5.3 on G.711 and on PCM.
@Suite struct GeminiFormats {
  typealias Call = GeminiCall

  static let laws: [(String, G711.Law)] = [("audio/pcmu", .muLaw), ("audio/pcma", .aLaw)]

  static func both(_ type: String) -> String {
    #""audio":{"input":{"format":{"type":"\#(type)"}},"output":{"format":{"type":"\#(type)"}}}"#
  }

  static func decoded(_ base64: String) -> [UInt8] {
    var bytes = ByteBuffer()
    _ = ByteBuffer(string: base64).withUnsafeReadableBytes { Base64.decode($0, into: &bytes) }
    return Array(bytes.readableBytesView)
  }

  static func encoded(_ bytes: [UInt8]) -> String {
    var text = ByteBuffer()
    bytes.withUnsafeBytes { Base64.encode($0, into: &text) }
    return String(buffer: text)
  }

  @Test("gemini 5.3: PCM goes up as it came, its rate in the mime type, nothing resampled")
  func pcm() throws {
    var specimen = SoundSpecimen(seed: 3)
    let sound = SoundSpecimen.base64(specimen.bytes(4_800))
    var call = Call.ready()
    let step = call.client(#"{"type":"input_audio_buffer.append","audio":"\#(String(buffer: sound))"}"#)
    #expect(
      step.upstream.map { $0["realtimeInput"]?["audio"]?["data"]?.string ?? "" }.joined() == String(buffer: sound))
    #expect(step.upstream.allSatisfy { $0["realtimeInput"]?["audio"]?["mimeType"] == "audio/pcm;rate=24000" })
  }

  @Test("gemini 5.3: G.711 goes up as PCM16 at 8 kHz, never as audio/pcmu", arguments: laws)
  func g711Up(_ type: String, _ law: G711.Law) throws {
    let codes = (0..<800).map { UInt8(truncatingIfNeeded: $0 * 7) }
    var call = Call.ready(Call.live38, Self.both(type))
    let step = call.client(#"{"type":"input_audio_buffer.append","audio":"\#(Self.encoded(codes))"}"#)
    #expect(step.upstream.allSatisfy { $0["realtimeInput"]?["audio"]?["mimeType"] == "audio/pcm;rate=8000" })
    let pcm = step.upstream.flatMap { Self.decoded($0["realtimeInput"]?["audio"]?["data"]?.string ?? "") }
    var samples: [Int16] = []
    codes.withUnsafeBytes { G711.decode($0, law, into: &samples) }
    let expected = samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    #expect(pcm == expected)
  }

  @Test(
    "gemini 5.3: G.711 output is 8 kHz, a byte a sample, however the speech is cut; nothing of its end is lost",
    arguments: laws)
  func g711Down(_ type: String, _ law: G711.Law) throws {
    var specimen = SoundSpecimen(seed: 5)
    let bytes = Array(specimen.bytes(24 * 2 * 600).readableBytesView)  // 600 ms.
    func heard(_ cuts: [Int]) -> (deltas: [UInt8], all: SessionDialogue.Step) {
      var call = Call.ready(Call.live38, Self.both(type))
      var step = call.client(Call.create)
      var from = 0
      for end in cuts + [bytes.count] {
        let base64 = Self.encoded(Array(bytes[from..<end]))
        step =
          step + call.upstream(#"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"\#(base64)"}}]}}}"#)
        from = end
      }
      step = step + call.upstream(Call.complete) + call.upstream(Call.end)
      let deltas = step.events.filter { $0["type"] == "response.output_audio.delta" }
      return (deltas.flatMap { Self.decoded($0["delta"]?.string ?? "") }, step)
    }
    let whole = heard([])
    #expect(abs(whole.deltas.count - 4_800) <= 8, "600 ms at 8 kHz")
    #expect(heard([96, 1_000, 10_002, 20_000]).deltas == whole.deltas)
    let types = whole.all.types
    let last = try #require(types.lastIndex(of: "response.output_audio.delta"))
    #expect(last < (types.firstIndex(of: "response.output_audio.done") ?? 0))
    #expect(whole.all.response?["audio"]?["output"]?["format"]?["type"]?.string == type)
  }

  @Test("gemini 5.3: without G.711 the output is what the service sent, to the bit")
  func untouched() {
    var call = Call.ready()
    _ = call.client(Call.create)
    let step = call.upstream(Call.audio)
    #expect(step.event("response.output_audio.delta")?["delta"] == "AAABAAIA")
  }

  @Test("gemini 5.3: offsets and lengths of G.711 count a byte a sample")
  func g711Clock() {
    var call = Call.ready(Call.live38, Self.both("audio/pcmu"))
    let second = Self.encoded(Array(repeating: 0xFF, count: 8_000))
    _ = call.client(#"{"type":"input_audio_buffer.append","audio":"\#(second)"}"#)
    #expect(call.upstream(Call.interrupted).events.first?["audio_start_ms"] == 1000)
    let half = Self.encoded(Array(repeating: 0xFF, count: 799))
    var manual = Call.ready(
      Call.live38, #""audio":{"input":{"format":{"type":"audio/pcma"},"turn_detection":null}}"#)
    _ = manual.client(#"{"type":"input_audio_buffer.append","audio":"\#(half)"}"#)
    #expect(manual.client(Call.commit).error?["code"] == "input_audio_buffer_commit_empty", "99 ms")
  }

  @Test("gemini 5.5: a format changes with the next chunk, and the time of the audio goes on")
  func change() {
    var call = Call.ready()
    _ = call.client(Call.append(ms: 500))
    #expect(
      call.client(Call.update(#""audio":{"input":{"format":{"type":"audio/pcmu"}}}"#)).types == ["session.updated"])
    let step = call.client(
      #"{"type":"input_audio_buffer.append","audio":"\#(Self.encoded(Array(repeating: 0xFF, count: 4_000)))"}"#)
    #expect(step.upstream.allSatisfy { $0["realtimeInput"]?["audio"]?["mimeType"] == "audio/pcm;rate=8000" })
    #expect(call.upstream(Call.interrupted).events.first?["audio_start_ms"] == 1000)
  }

  @Test("gemini 5.5: one response in another format than the session's")
  func responseFormat() {
    var call = Call.ready()
    _ = call.client(Call.create(#""audio":{"output":{"format":{"type":"audio/pcmu"}}}"#))
    let created = call.upstream(Call.speech(ms: 300))
    #expect(created.response == nil)
    #expect(created.events.first?["response"]?["audio"]?["output"]?["format"]?["type"] == "audio/pcmu")
    let delta = created.event("response.output_audio.delta")?["delta"]?.string ?? ""
    #expect(Self.decoded(delta).count <= 2_400)
  }
}
