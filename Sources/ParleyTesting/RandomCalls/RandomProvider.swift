public import Envelope
import Translation

/// What one kind of provider says, legally and otherwise: everything that is random comes from a generator, which may be
/// a seed's or the bytes of a fuzzer.
public protocol RandomProvider: Sendable {
  associatedtype Law: UpstreamLaw

  /// What takes a set-up.
  static var acceptance: JSONValue { get }

  /// Says what comes next in the course of things.
  mutating func play(to call: inout WatchedCall<Law>, _ random: inout some RandomNumberGenerator)
  /// Says anything, in its place or out of it.
  mutating func speak(to call: inout WatchedCall<Law>, _ random: inout some RandomNumberGenerator)
  /// Another connection knows nothing of what the last one was about to say.
  mutating func reset()
  /// A frame on a connection beside the session's own.
  mutating func sideFrame(_ random: inout some RandomNumberGenerator) -> JSONValue
}

/// A call in which anybody may say anything at any time, over any number of connections.
public struct RandomCall<Provider: RandomProvider>: Sendable {
  public var call: WatchedCall<Provider.Law>
  private var provider: Provider
  /// How often connections end, of 0...5: most end soon enough in a long call.
  private let fragility: Int
  /// Whether the provider only ever says what comes next.
  private let isOrderly: Bool

  public init(_ call: WatchedCall<Provider.Law>, _ provider: Provider, fragility: Int, isOrderly: Bool = false) {
    self.call = call
    self.provider = provider
    self.fragility = fragility
    self.isOrderly = isOrderly
  }

  /// Lets one thing happen.
  public mutating func step(_ random: inout some RandomNumberGenerator) {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<35: RandomClient.speak(to: &call, &random)
    case 35..<60:
      isOrderly ? provider.play(to: &call, &random) : provider.speak(to: &call, &random)
    case 60..<75: advance(&random)
    case 75..<85: call.wait(.milliseconds(Int.random(in: 0...3_000, using: &random)))
    case 85..<90: call.lag(.milliseconds(Int.random(in: 0...200, using: &random)))
    case 90..<91: call.wait(.seconds(Int.random(in: 0...300, using: &random)))
    case 91..<94: sides(&random)
    case 94..<(94 + fragility) where call.isOpen || call.isDialled: end(&random)
    case 99 where Int.random(in: 0..<100, using: &random) == 0: call.clientLeaves()
    default: provider.play(to: &call, &random)
    }
  }

  /// What a connection waits for comes.
  private mutating func advance(_ random: inout some RandomNumberGenerator) {
    if call.isDialled {
      call.opens()
    } else if call.isSettingUp {
      provider.reset()
      call.serves(Provider.acceptance)
    } else if !call.isReady {
      call.wait(.milliseconds(500))
    } else {
      provider.play(to: &call, &random)
    }
  }

  private static var ends: [UpstreamEnd] {
    [
      .lost, .lost, .closed(code: 1000, reason: ""), .closed(code: 1001, reason: ""), .framingBroken,
      .closed(code: 1011, reason: "Internal error occurred."),
      .closed(code: 1011, reason: "The service is currently unavailable."),
      .closed(code: 1007, reason: "Request contains an invalid argument."),
      .closed(code: 1008, reason: "Operation is not implemented, or supported, or enabled."),
      .closed(code: 1008, reason: "Requested entity was not found"),
    ]
  }

  private static var failures: [UpstreamEnd] {
    [
      .unreachable, .nameNotFound, .timedOut(.connect), .timedOut(.upgrade),
      .refused(status: 503, retryAfterSeconds: nil),
    ]
  }

  private mutating func end(_ random: inout some RandomNumberGenerator) {
    call.ends((call.isOpen ? Self.ends : Self.failures).randomElement(using: &random) ?? .lost)
  }

  private mutating func sides(_ random: inout some RandomNumberGenerator) {
    if let side = call.dialledSides.randomElement(using: &random), Bool.random(using: &random) {
      return Int.random(in: 0..<8, using: &random) == 0 ? call.sideEnds(side) : call.sideOpens(side)
    }
    guard let side = call.openSides.randomElement(using: &random) else { return }
    if !side.law.isSetUp { return call.sideServes(side.number, Provider.acceptance) }
    if Int.random(in: 0..<12, using: &random) == 0 { return call.sideEnds(side.number) }
    call.sideServes(side.number, provider.sideFrame(&random))
  }
}
