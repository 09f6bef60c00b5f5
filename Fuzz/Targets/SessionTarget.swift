import Envelope
import NIOCore
import ParleyTesting
import SessionCore
import Translation

extension FuzzTarget {
  /// A decision on the provider, one on the session, then who speaks, what, and when time passes.
  static let session = FuzzTarget("session") { bytes in
    var input = FuzzInput(bytes)
    let provider = input.pick(FuzzedProvider.allCases) ?? .gemini
    let conditions = input.byte()
    switch provider {
    case .gemini: return violations(of: RandomGemini(), provider, conditions, &input)
    case .local: return violations(of: RandomEngine(), provider, conditions, &input)
    case .openAI, .azure, .azurePreview, .azureVoiceLive, .xai, .inworld, .vowel:
      return violations(of: RandomWire(), provider, conditions, &input)
    }
  }

  /// Nothing more is learnt of a longer call.
  private static let mostSteps = 600

  private static func violations<Provider: RandomProvider>(
    of random: Provider, _ provider: FuzzedProvider, _ conditions: UInt8, _ input: inout FuzzInput
  ) -> [String] {
    let isOrderly = conditions & 1 != 0
    let expectations = provider.expectations(isOrderly: isOrderly, of: Provider.Law.self)
    var played = RandomCall(
      WatchedCall<Provider.Law>(parameters(provider, conditions), expectations), random,
      fragility: conditions & 2 != 0 ? 5 : 1, isOrderly: isOrderly)
    played.call.log = log
    for _ in 0..<mostSteps where !input.isEmpty && !played.call.isOver {
      // Most of the bytes decide; some are what is said.
      switch input.byte() {
      case 0xFF where !isOrderly: played.call.serves(bytes: ByteBuffer(bytes: input.line()))
      case 0xFE: played.call.client(text: String(decoding: input.line(), as: UTF8.self))
      case 0xFD: played.call.clientBinary()
      case 0xFC where input.byte() == 0xFC: played.call.shutsDown()
      default: played.step(&input)
      }
    }
    return played.call.finish()
  }

  private static func parameters(_ provider: FuzzedProvider, _ conditions: UInt8) -> SessionParameters {
    var configuration = provider.configuration
    if conditions & 4 != 0 { configuration = configuration.detectingTurns { LevelTurnDetector() } }
    var parameters = SessionParameters(
      provider: configuration, requestedModel: conditions & 8 != 0 ? provider.model : nil,
      dialect: conditions & 16 != 0 ? .fixed(.ga) : .auto, unixTime: 1_767_229_435, seed: 12)
    parameters.isStrict = conditions & 32 != 0
    parameters.passesVendorEvents = conditions & 64 != 0
    return parameters
  }
}

extension FuzzInput: RandomNumberGenerator {
  /// One byte decides: choices are drawn from the highest bits. The other bits keep a choice from being drawn again.
  mutating func next() -> UInt64 {
    UInt64(byte()) << 56 | 0x0055_5555_5555_5555
  }
}
