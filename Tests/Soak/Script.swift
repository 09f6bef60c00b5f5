import ParleyTesting

/// What a client does, drawn from the run's seed and its number.
struct Script: Sendable {
  enum Step: Sendable, Equatable {
    /// Writes a note and asks for an answer; may cancel it this long after it has begun.
    case typed(isStory: Bool, cancelAfterMs: Int?)
    /// Speaks, and is silent long enough to be answered.
    case spoken(loudBlocks: Int)
    /// Changes the session.
    case update
  }

  enum Farewell: Sendable, Equatable {
    case close
    /// The TCP connection just ends.
    case drop
  }

  var provider: String
  var steps: [Step] = []
  var farewell: Farewell

  init(session: Int, seed: UInt64, kinds: [String]) {
    var generator = SplitMix64(seed: seed, lane: UInt64(session))
    provider = kinds[Int.random(in: 0..<kinds.count, using: &generator)]
    for _ in 0..<Int.random(in: 3...6, using: &generator) {
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<3: steps.append(.typed(isStory: false, cancelAfterMs: nil))
      case 3..<5: steps.append(.typed(isStory: true, cancelAfterMs: nil))
      case 5: steps.append(.typed(isStory: true, cancelAfterMs: Int.random(in: 0...400, using: &generator)))
      case 6..<9: steps.append(.spoken(loudBlocks: Int.random(in: 15...40, using: &generator)))
      default: steps.append(.update)
      }
    }
    farewell = Int.random(in: 0..<8, using: &generator) == 0 ? .drop : .close
  }
}
