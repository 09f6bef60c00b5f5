import Envelope
import NIOCore
import ParleyTesting
import SessionCore
import Translation

extension FuzzTarget {
  /// One target for each provider's wire: a session that is under way, and arbitrary messages to it, one a line. Before
  /// the messages to Azure a decision on which of its APIs it is.
  static let providers: [FuzzTarget] =
    [.gemini, .openAI, .xai, .inworld, .vowel, .local].map { provider in
      FuzzTarget("wire-\(provider.rawValue)") { wire(provider, FuzzInput($0)) }
    } + [
      FuzzTarget("wire-azure") { bytes in
        var input = FuzzInput(bytes)
        return wire(input.pick([.azure, .azurePreview, .azureVoiceLive]) ?? .azure, input)
      }
    ]

  private static func wire(_ provider: FuzzedProvider, _ input: FuzzInput) -> [String] {
    provider == .gemini ? wire(provider, GeminiFrameLaw.self, input) : wire(provider, AnyFrameLaw.self, input)
  }

  private static func wire<Law: UpstreamLaw>(
    _ provider: FuzzedProvider, _ law: Law.Type, _ input: FuzzInput
  ) -> [String] {
    let parameters = SessionParameters(
      provider: provider.configuration, requestedModel: nil, dialect: .fixed(.ga), unixTime: 1_767_229_435, seed: 12)
    var call = WatchedCall<Law>(parameters, provider.expectations(isOrderly: false, of: law))
    call.log = log
    call.client("session.update", #""session":{"audio":{"input":{"transcription":{"model":"whisper-1"}}}}"#)
    call.client("conversation.item.create", said)
    call.client("response.create", "")
    var input = input
    while !input.isEmpty, !call.isOver {
      if call.isDialled { call.opens() }
      let line = input.line()
      if line.count == 1 { client(line.first ?? 0, &call) } else { call.serves(bytes: ByteBuffer(bytes: line)) }
    }
    return call.finish()
  }

  private static let said = #""item":{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}"#

  /// A line of one letter: what the client does meanwhile, or time.
  private static func client<Law: UpstreamLaw>(_ letter: UInt8, _ call: inout WatchedCall<Law>) {
    switch letter {
    case UInt8(ascii: "r"): call.client("response.create", "")
    case UInt8(ascii: "c"): call.client("response.cancel", "")
    case UInt8(ascii: "i"): call.client("conversation.item.create", said)
    case UInt8(ascii: "a"): call.client("input_audio_buffer.append", #""audio":"AAABAAIA""#)
    case UInt8(ascii: "m"): call.client("input_audio_buffer.commit", "")
    case UInt8(ascii: "l"): call.ends(.lost)
    case UInt8(ascii: "t"): call.wait(.milliseconds(300))
    case UInt8(ascii: "T"): call.wait(.seconds(20))
    default: break
    }
  }
}
