/// Coins, dice and numbers, by the given source of chance.
struct ChanceSkills {
  let random: @Sendable (ClosedRange<Int>) -> Int

  func coin(_ utterance: Utterance) -> String? {
    let verbs: Set<String> = ["flip", "toss", "throw"]
    let isToss = utterance.texts.contains("coin") && utterance.texts.contains(where: verbs.contains)
    guard isToss || utterance.hasAny("heads or tails", "coin flip", "coin toss") else { return nil }
    return random(0...1) == 0 ? "Heads." : "Tails."
  }

  func dice(_ utterance: Utterance) -> String? {
    let words = utterance.texts
    let verbs: Set<String> = ["roll", "throw", "role", "cast"]
    let nouns: Set<String> = ["dice", "die", "dye"]
    // "d20" is two words: a letter and a number.
    let sided = utterance.words.indices.first { words[$0] == "d" && $0 + 1 < words.count && Int(words[$0 + 1]) != nil }
    guard words.contains(where: verbs.contains), sided != nil || words.contains(where: nouns.contains) else {
      return nil
    }
    var sides = sided.flatMap { Int(words[$0 + 1]) } ?? 6
    var count = 1
    if let index = words.firstIndex(of: "sided"), index > 0, let number = SpokenNumber.parse(words[(index - 1)...]) {
      sides = Int(exactly: number.value) ?? 6
    } else if sided == nil, let number = SpokenNumber.all(in: words).first {
      count = Int(exactly: number) ?? 1
    }
    guard (2...1_000).contains(sides) else { return "A die has two to a thousand sides." }
    guard (1...10).contains(count) else { return "I roll one to ten dice." }
    let rolls = (0..<count).map { _ in random(1...sides) }
    guard count > 1 else { return "You rolled \(rolls[0])." }
    let all = rolls.dropLast().map(String.init).joined(separator: ", ") + " and \(rolls[count - 1])"
    return "You rolled \(all), together \(rolls.reduce(0, +))."
  }

  /// "pick a number between 1 and 10", "a random number".
  func number(_ utterance: Utterance) -> String? {
    let picks = utterance.has("random number") || utterance.hasAny("pick a number", "choose a number")
    guard picks else { return nil }
    let bounds = SpokenNumber.all(in: utterance.texts).compactMap { Int(exactly: $0) }
      .filter { (-1_000_000_000...1_000_000_000).contains($0) }
    switch bounds.count {
    case 2...: return "\(random(min(bounds[0], bounds[1])...max(bounds[0], bounds[1])))."
    case 1: return "\(random(min(1, bounds[0])...max(1, bounds[0])))."
    default: return "\(random(1...100))."
    }
  }
}
