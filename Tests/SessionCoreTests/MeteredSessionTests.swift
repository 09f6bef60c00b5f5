import Envelope
import GeminiLiveProvider
import Metering
import NIOCore
import ParleyTesting
import SessionCore
import Testing
import Translation

/// What a session counts against what its client has sent and had.
@Suite struct MeteredSessionTests {
  static let kinds: [ProviderKind] = [.openAI, .geminiLive(), .azure(), .xai, .inworld(), .vowel(), .local]
  static let formats = [
    #"{"type":"audio/pcm","rate":24000}"#, #"{"type":"audio/pcmu"}"#, #"{"type":"audio/pcma"}"#,
  ]

  static func base64(_ byteCount: Int) -> String {
    AudioTestText.base64(byteCount)
  }

  static func append(_ byteCount: Int) -> String {
    #"{"type":"input_audio_buffer.append","audio":"\#(base64(byteCount))"}"#
  }

  /// A call whose provider takes content.
  static func call(
    _ kind: ProviderKind, format: String = formats[0], purpose: SessionType = .realtime,
    deltaFields: AudioDeltaWriter.Fields = .delta
  ) -> SessionDialogue {
    let endpoint = UpstreamEndpoint(
      isSecure: false, host: "127.0.0.1", port: 9, basePath: kind == .openAI ? "/v1/realtime" : "")
    let service = kind.service(at: endpoint, key: Redacted("k"), model: "gemini-3.8-live")
    let provider = ProviderConfiguration(
      name: kind.name, service: service ?? .local(SessionDialogue.engine)
    ).detectingTurns { LevelTurnDetector() }
    var call = SessionDialogue(
      SessionParameters(
        provider: provider, requestedModel: nil, purpose: purpose, deltaFields: deltaFields, unixTime: 1, seed: 3))
    _ = call.begin()
    let type = purpose == .transcription ? #""type":"transcription","# : ""
    let output = purpose == .transcription ? "" : #","output":{"format":\#(format)}"#
    _ = call.client(
      #"{"type":"session.update","session":{\#(type)"audio":{"input":{"format":\#(format)}\#(output)}}}"#)
    _ = call.wait(.seconds(1))
    open(&call)
    return call
  }

  /// A connection to the provider opens and works.
  static func open(_ call: inout SessionDialogue) {
    _ = greeted(&call)
  }

  /// A connection opens, and the provider says that it takes content.
  static func greeted(_ call: inout SessionDialogue) -> SessionDialogue.Step {
    let opened = call.upstreamOpens()
    guard call.speaksOpenAIWire else {
      let isEngine = call.session.session.model == "parley-rules"
      return opened + call.upstream(isEngine ? #"{"type":"ready"}"# : #"{"setupComplete":{}}"#)
    }
    let session = JSONCoding.encode(call.session.session).text
    return opened + call.upstream(#"{"type":"session.created","event_id":"event_1","session":\#(session)}"#)
      + call.upstream(#"{"type":"session.updated","event_id":"event_2","session":\#(session)}"#)
  }

  /// The provider speaks so many bytes of its own audio.
  static func speak(_ call: inout SessionDialogue, _ kind: ProviderKind, chunks: [Int], response: String = "resp_1") {
    switch kind {
    case .geminiLive:
      for count in chunks {
        let data = #"{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"\#(base64(count))"}}"#
        _ = call.upstream(#"{"serverContent":{"modelTurn":{"parts":[\#(data)]}}}"#)
      }
      _ = call.upstream(#"{"serverContent":{"generationComplete":true}}"#)
      _ = call.upstream(
        #"{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":5,"responseTokenCount":7,"totalTokenCount":12}}"#
      )
    case .local:
      let asked = call.client(#"{"type":"response.create"}"#).event("response.created")?["response"]?["id"]?.string
      for count in chunks {
        _ = call.upstream(#"{"type":"audio","response":"\#(asked ?? "")","audio":"\#(base64(count))"}"#)
      }
      _ = call.upstream(
        #"{"type":"finished","end":{"response":"\#(asked ?? "")","reason":"complete","input_tokens":5,"output_tokens":7,"audio_ms":1}}"#
      )
    default:
      begin(&call, response: response)
      let place = #""response_id":"\#(response)","item_id":"item_\#(response)","output_index":0,"content_index":0"#
      for (index, count) in chunks.enumerated() {
        _ = call.upstream(
          #"{"type":"response.output_audio.delta","event_id":"event_d\#(response)\#(index)",\#(place),"delta":"\#(base64(count))"}"#
        )
      }
      _ = call.upstream(#"{"type":"response.output_audio.done","event_id":"event_e\#(response)",\#(place)}"#)
      end(&call, response: response)
    }
  }

  static func begin(_ call: inout SessionDialogue, response: String, format: String? = nil) {
    let format = format ?? JSONCoding.encode(call.session.session.audio.output.format).text
    let audio = #"{"output":{"format":\#(format),"voice":"alloy"}}"#
    _ = call.upstream(
      #"{"type":"response.created","event_id":"event_c\#(response)","response":{"id":"\#(response)","object":"realtime.response","status":"in_progress","status_details":null,"output":[],"conversation_id":"conv_1","output_modalities":["audio"],"max_output_tokens":"inf","audio":\#(audio),"usage":null,"metadata":null}}"#
    )
    let item =
      #"{"id":"item_\#(response)","object":"realtime.item","type":"message","status":"in_progress","role":"assistant","content":[]}"#
    _ = call.upstream(
      #"{"type":"response.output_item.added","event_id":"event_i\#(response)","response_id":"\#(response)","output_index":0,"item":\#(item)}"#
    )
    _ = call.upstream(
      #"{"type":"response.content_part.added","event_id":"event_p\#(response)","response_id":"\#(response)","item_id":"item_\#(response)","output_index":0,"content_index":0,"part":{"type":"audio","transcript":""}}"#
    )
  }

  static func end(_ call: inout SessionDialogue, response: String, usage: String = usage) {
    _ = call.upstream(
      #"{"type":"response.done","event_id":"event_f\#(response)","response":{"id":"\#(response)","object":"realtime.response","status":"completed","status_details":null,"output":[],"conversation_id":"conv_1","output_modalities":["audio"],"max_output_tokens":"inf","audio":{},"usage":\#(usage),"metadata":null}}"#
    )
  }

  static let usage =
    #"{"total_tokens":12,"input_tokens":5,"output_tokens":7,"input_token_details":{"text_tokens":2,"audio_tokens":3,"image_tokens":0,"cached_tokens":1,"cached_tokens_details":{"text_tokens":1,"audio_tokens":0,"image_tokens":0}},"output_token_details":{"text_tokens":3,"audio_tokens":4}}"#

  /// The speech that the client has had, in bytes.
  static func had(_ call: SessionDialogue) -> Int {
    call.history.reduce(0) { sum, event in
      guard event["type"] == "response.output_audio.delta", let delta = event["delta"]?.string else { return sum }
      return sum + AudioTestText.byteCount(delta)
    }
  }

  @Test("heard and spoken are the client's own bytes", arguments: kinds, formats)
  func directions(kind: ProviderKind, format: String) throws {
    var call = Self.call(kind, format: format)
    let session = call.session.session
    let (input, output) = (session.audio.input.format, session.audio.output.format)
    let chunks = input == .standard ? [334, 4_800, 65_536, 2] : [333, 4_800, 65_537, 1]
    for count in chunks {
      let step = call.client(Self.append(count))
      #expect(step.event("error") == nil)
    }
    Self.speak(&call, kind, chunks: [4_800, 334, 9_602])
    let meter = call.session.meter
    #expect(meter.heard.parts == [AudioTally.Part(format: input, bytes: chunks.reduce(0, +))])
    #expect(Self.had(call) > 0)
    #expect(meter.spoken.parts == [AudioTally.Part(format: output, bytes: Self.had(call))])
    #expect(meter.responses == 1)
    #expect(meter.tokens.total >= 12)
    #expect(meter.tokens.isEstimated == (kind == .local))
    #expect(meter.takenBack.isEmpty)
  }

  @Test("audio that had to be put into standard form counts as the bytes that it stands for")
  func slowly() {
    var call = Self.call(.geminiLive())
    _ = call.client(#"{"type":"input_audio_buffer.append","audio":"_-8AAQ","extra":1}"#)
    #expect(call.session.meter.heard.bytes == 4)
  }

  @Test(
    "refused audio is not metered",
    arguments: [
      #"{"type":"input_audio_buffer.append","audio":"AAA="}{"#, #"{"type":"input_audio_buffer.append","audio":""}"#,
      #"{"type":"input_audio_buffer.append","audio":"AAAA"}"#, #"{"type":"input_audio_buffer.append","audio":"!!!!"}"#,
      #"{"type":"input_audio_buffer.append"}"#, #"{"type":"input_audio_buffer.append","audio":7}"#,
    ])
  func refused(_ text: String) {
    var call = Self.call(.geminiLive())
    #expect(call.client(text).types == ["error"])
    #expect(call.session.meter == Meter())
  }

  @Test("audio that a full buffer refuses is not metered")
  func full() {
    var call = Self.call(.local)
    _ = call.client(#"{"type":"session.update","session":{"audio":{"input":{"turn_detection":null}}}}"#)
    var taken = 0
    var isRefused = false
    for _ in 0..<200 {
      let step = call.client(Self.append(96_000))
      if step.event("error") == nil { taken += 96_000 } else { isRefused = true }
    }
    #expect(isRefused)
    #expect(call.session.meter.heard.bytes == taken)
  }

  @Test("a change of the format in the call settles what was counted, each in its own")
  func formatChanges() {
    var call = Self.call(.geminiLive())
    _ = call.client(Self.append(4_800))
    _ = call.client(
      #"{"type":"session.update","session":{"audio":{"input":{"format":{"type":"audio/pcmu"}},"output":{"format":{"type":"audio/pcma"}}}}}"#
    )
    _ = call.client(Self.append(801))
    Self.speak(&call, .geminiLive(), chunks: [4_800])
    let meter = call.session.meter
    #expect(
      meter.heard.parts == [
        AudioTally.Part(format: .standard, bytes: 4_800), AudioTally.Part(format: .pcmu, bytes: 801),
      ])
    #expect(meter.spoken.parts == [AudioTally.Part(format: .pcma, bytes: Self.had(call))])
  }

  @Test(
    "what is told again to a new connection is metered once", arguments: [ProviderKind.openAI, .vowel(), .geminiLive()])
  func replay(kind: ProviderKind) {
    var call = Self.call(kind)
    for _ in 0..<20 { _ = call.client(Self.append(4_800)) }
    let before = call.session.meter
    let lost = call.upstreamEnds(.lost) + call.wait(.seconds(1))
    #expect(lost.clientCloseCode == nil)
    let again = Self.greeted(&call)
    let isRepeated = again.upstream.contains {
      $0["type"] == "input_audio_buffer.append" || $0["realtimeInput"]?["audio"] != nil
    }
    #expect(isRepeated)
    #expect(call.session.meter == before)
    #expect(before.heard.bytes == 96_000)
  }

  @Test("an answer with a format of its own")
  func ownFormat() {
    var call = Self.call(.openAI)
    Self.begin(&call, response: "resp_own", format: Self.formats[1])
    Self.begin(&call, response: "resp_usual")
    for (index, response) in ["resp_own", "resp_usual", "resp_own"].enumerated() {
      _ = call.upstream(
        #"{"type":"response.output_audio.delta","event_id":"event_d\#(index)","response_id":"\#(response)","item_id":"item_\#(response)","output_index":0,"content_index":0,"delta":"\#(Self.base64(480))"}"#
      )
    }
    let expected = [
      AudioTally.Part(format: .standard, bytes: 480), AudioTally.Part(format: .pcmu, bytes: 960),
    ]
    #expect(call.session.meter.spoken.parts == expected)
    #expect(Self.had(call) == 1_440)

    var other = Self.call(.geminiLive())
    _ = other.client(
      #"{"type":"response.create","response":{"audio":{"output":{"format":{"type":"audio/pcmu"}}}}}"#)
    Self.speak(&other, .geminiLive(), chunks: [4_800])
    #expect(other.session.meter.spoken.parts == [AudioTally.Part(format: .pcmu, bytes: Self.had(other))])
    #expect(Self.had(other) > 0)
  }

  @Test("a recorded item counts by its length", arguments: ["samples", "wav"])
  func recordings(_ kind: String) {
    // 0.5 s.
    let audio = kind == "samples" ? Self.base64(24_000) : AudioTestText.wav(rate: 16_000, sampleCount: 8_000)
    for input in [false, true] {
      var call = Self.call(.openAI)
      let item =
        #"{"type":"message","role":"user","content":[{"type":"input_audio","audio":"\#(audio)"},{"type":"input_text","text":"x"}]}"#
      let step = call.client(
        input
          ? #"{"type":"response.create","response":{"conversation":"none","input":[\#(item)]}}"#
          : #"{"type":"conversation.item.create","item":\#(item)}"#)
      #expect(step.event("error") == nil)
      #expect(call.session.meter.heard.parts == [AudioTally.Part(format: .standard, bytes: 24_000)])
    }
  }

  @Test("a recorded item that is refused is not metered")
  func refusedRecording() {
    var call = Self.call(.geminiLive())
    let step = call.client(
      #"{"type":"conversation.item.create","previous_item_id":"item_none","item":{"type":"message","role":"user","content":[{"type":"input_audio","audio":"\#(Self.base64(24_000))"}]}}"#
    )
    #expect(step.event("error") != nil)
    #expect(call.session.meter.heard.isEmpty)
  }

  @Test("usage that comes late is counted")
  func lateUsage() {
    var call = Self.call(.geminiLive())
    Self.speak(&call, .geminiLive(), chunks: [4_800])
    #expect(call.session.meter.tokens.total == 12)
    _ = call.upstream(#"{"usageMetadata":{"promptTokenCount":1,"responseTokenCount":2,"totalTokenCount":3}}"#)
    #expect(call.session.meter.tokens.total == 15)
    #expect(!call.session.meter.tokens.isEstimated)
  }

  @Test("a provider that counts nothing is estimated, and the record says so", arguments: [ProviderKind.vowel(), .xai])
  func estimates(kind: ProviderKind) {
    var call = Self.call(kind)
    Self.begin(&call, response: "resp_1")
    Self.end(&call, response: "resp_1", usage: "null")
    #expect(call.session.meter.tokens.isEstimated)
    Self.speak(&call, kind, chunks: [4_800], response: "resp_2")
    let told = call.history.reduce(0) { $0 + ($1["response"]?["usage"]?["total_tokens"]?.int ?? 0) }
    #expect(told >= 12)
    #expect(call.session.meter.tokens.total == told)
  }

  @Test("the service's late word on an answer that the client has cancelled takes the place of the estimate")
  func lateWord() {
    var call = Self.call(.vowel())
    _ = call.client(Self.append(96_000))
    Self.begin(&call, response: "resp_1")
    _ = call.client(#"{"type":"response.cancel"}"#)
    _ = call.client(#"{"type":"response.create"}"#)
    #expect(call.history.contains { $0["type"] == "response.done" && $0["response"]?["status"] == "cancelled" })
    #expect(call.session.meter.tokens.isEstimated && call.session.meter.tokens.total > 0)
    Self.end(&call, response: "resp_1")
    var expected = TokenTally()
    expected.inputText = 2
    expected.inputAudio = 3
    expected.inputCached = 1
    expected.outputText = 3
    expected.outputAudio = 4
    expected.total = 12
    #expect(call.session.meter.tokens == expected)
    Self.end(&call, response: "resp_1")
    #expect(call.session.meter.tokens == expected)
  }

  @Test("what a transcription costs is counted apart, and what nobody has counted is not")
  func transcriptions() {
    var call = Self.call(.openAI)
    for usage in [
      #","usage":{"type":"tokens","total_tokens":12,"input_tokens":9,"output_tokens":3}"#,
      #","usage":{"type":"duration","seconds":1.5}"#,
    ] {
      _ = call.upstream(
        #"{"type":"conversation.item.input_audio_transcription.completed","event_id":"e","item_id":"i","content_index":0,"transcript":"x"\#(usage)}"#
      )
    }
    let tokens = call.session.meter.tokens
    #expect(tokens.transcriptionInput == 9)
    #expect(tokens.transcriptionOutput == 3)
    #expect(tokens.transcriptionSeconds == 1.5)
    #expect(tokens.total == 0)
  }

  @Test("the alias of a delta does not count twice", arguments: [ProviderKind.openAI, .geminiLive(), .vowel()])
  func aliases(kind: ProviderKind) {
    var call = Self.call(kind, deltaFields: .deltaAndAudio)
    Self.speak(&call, kind, chunks: [4_800, 4_800])
    let delta = call.history.last { $0["type"] == "response.output_audio.delta" }
    #expect(delta?["delta"] != nil && delta?["audio"] == delta?["delta"])
    #expect(call.session.meter.spoken.bytes == 9_600)
  }

  @Test("where the client wants transcripts only, the answer is not spoken to it, and its tokens count")
  func hiddenAnswers() {
    var call = Self.call(.geminiLive(), purpose: .transcription)
    _ = call.client(Self.append(4_800))
    Self.speak(&call, .geminiLive(), chunks: [4_800])
    #expect(!call.history.contains { $0["type"]?.string?.hasPrefix("response.") ?? true })
    #expect(call.session.meter.spoken.isEmpty)
    #expect(call.session.meter.heard.bytes == 4_800)
    #expect(call.session.meter.tokens.total == 12)
  }

  @Test("audio that was taken back is counted in the format that it was spoken in")
  func takenBack() {
    var call = Self.call(.geminiLive(), format: Self.formats[2])
    Self.speak(&call, .geminiLive(), chunks: [4_800])
    _ = call.step { session, _ in session.tookBack(bytes: 400) }
    #expect(call.session.meter.takenBack.parts == [AudioTally.Part(format: .pcma, bytes: 400)])
    #expect(call.session.meter.spoken.bytes == Self.had(call))
  }

  @Test("nothing is counted after the end")
  func over() {
    var call = Self.call(.openAI)
    _ = call.client(Self.append(4_800))
    _ = call.clientCloses()
    let meter = call.session.meter
    _ = call.client(Self.append(4_800))
    Self.speak(&call, .openAI, chunks: [4_800])
    #expect(call.session.meter == meter)
    #expect(meter.heard.bytes == 4_800)
  }
}
