import ParleyTesting

/// What happens to the two links of one session, and when.
struct FaultPlan: Sendable {
  enum Side: Sendable, CaseIterable { case client, upstream }

  enum Action: Sendable {
    case strike(FaultyLink.Fault)
    /// The same at an exact byte, this far on.
    case strikeLater(FaultyLink.Fault, bytes: Int, FaultyLink.Direction)
    /// A behaviour of a direction, and how long it lasts.
    case behave(String, FaultyLink.Behaviour, FaultyLink.Direction, milliseconds: Int)
  }

  struct Entry: Sendable {
    /// From the beginning of the session.
    var atMs: Int
    var side: Side
    var action: Action
  }

  var entries: [Entry] = []

  init(session: Int, seed: UInt64, count: Int) {
    var generator = SplitMix64(seed: seed &+ 1, lane: UInt64(session))
    for _ in 0..<count {
      let at = Int.random(in: 0...7_000, using: &generator)
      var side: Side = Bool.random(using: &generator) ? .client : .upstream
      let action = Self.action(using: &generator)
      // What ends the client's connection ends the session: most of these strike where a call can go on.
      if action.isTheEnd, Int.random(in: 0..<3, using: &generator) > 0 { side = .upstream }
      entries.append(Entry(atMs: at, side: side, action: action))
    }
    entries.sort { $0.atMs < $1.atMs }
  }

  private static func action(using generator: inout SplitMix64) -> Action {
    let direction: FaultyLink.Direction = Bool.random(using: &generator) ? .toTarget : .toClient
    let lasts = Int.random(in: 200...1_500, using: &generator)
    var behaviour = FaultyLink.Behaviour()
    switch Int.random(in: 0..<100, using: &generator) {
    case 0..<12:
      behaviour.delay = .milliseconds(Int.random(in: 5...250, using: &generator))
      return .behave("delay", behaviour, direction, milliseconds: lasts)
    case 12..<26:
      behaviour.jitter = .milliseconds(Int.random(in: 10...300, using: &generator))
      return .behave("jitter", behaviour, direction, milliseconds: lasts)
    case 26..<34:
      behaviour.segmentBytes = Int.random(in: 1...7, using: &generator)
      return .behave("drip", behaviour, direction, milliseconds: lasts)
    case 34..<42:
      behaviour.bytesPerSecond = Int.random(in: 4_000...40_000, using: &generator)
      return .behave("cap", behaviour, direction, milliseconds: lasts)
    case 42..<66: return .strike(.stall(.milliseconds(Int.random(in: 50...1_500, using: &generator))))
    case 66..<78: return .strike(.duplicateClose)
    case 78..<83: return .strike(.cut)
    case 83..<88: return .strikeLater(.cut, bytes: Int.random(in: 0...6_000, using: &generator), direction)
    case 88..<93: return .strike(.halfClose(direction))
    case 93..<98: return .strike(.close)
    default: return .strike(.vanish)
    }
  }
}

extension FaultPlan.Action {
  var isTheEnd: Bool {
    switch self {
    case .strike(let fault), .strikeLater(let fault, _, _): fault.isTheEnd
    case .behave: false
    }
  }
}

extension FaultyLink.Fault {
  var isTheEnd: Bool {
    switch self {
    case .cut, .halfClose, .close, .vanish: true
    case .stall, .duplicateClose: false
    }
  }

  var isStall: Bool { if case .stall = self { true } else { false } }

  /// The kind, for the tally.
  var name: String {
    switch self {
    case .stall: "stall"
    case .cut: "cut"
    case .vanish: "vanish"
    case .halfClose: "half-close"
    case .close: "close"
    case .duplicateClose: "duplicate close"
    }
  }
}
