import Foundation

/// Arithmetic with two numbers, in words or digits.
enum ArithmeticSkill {
  private enum Operation {
    case plus, minus, times, over, percent, power
  }

  /// Nil if this is no arithmetic.
  static func answer(_ utterance: Utterance) -> String? {
    let words = stripped(utterance.texts)
    return root(words) ?? imperative(words) ?? infix(words)
  }

  private static let before: Set<String> = [
    "what", "is", "how", "much", "calculate", "compute", "the", "tell", "me", "answer", "does", "do", "you", "know",
    "can", "could", "please", "solve", "work", "out", "result", "of", "so", "and", "okay", "ok", "hey", "um", "uh",
    "parley", "now", "well", "to", "are", "then", "sum", "product", "difference", "between", "would", "quick", "give",
  ]

  private static let after: Set<String> = [
    "is", "equals", "equal", "=", "what", "make", "makes", "be", "please", "now", "for", "me", "to", "are", "thanks",
    "parley", "does", "it",
  ]

  /// Without the words around the numbers; the words of a sum, product or difference stay.
  private static func stripped(_ texts: [String]) -> ArraySlice<String> {
    var rest = texts[...]
    while let first = rest.first, before.contains(first), !["sum", "product", "difference"].contains(first) {
      rest.removeFirst()
    }
    while let last = rest.last, after.contains(last) {
      // "to" and "for" may be what was heard of "two" and "four".
      if ["to", "for"].contains(last), let previous = rest.dropLast().last, operation([previous][...]) != nil { break }
      rest.removeLast()
    }
    return rest
  }

  private static func operation(_ words: ArraySlice<String>) -> (operation: Operation, count: Int)? {
    let table: [(String, Operation)] = [
      ("multiplied by", .times), ("divided by", .over), ("to the power of", .power), ("raised to", .power),
      ("percent of", .percent), ("per cent of", .percent), ("% of", .percent), ("plus", .plus), ("+", .plus),
      ("added to", .plus), ("minus", .minus), ("less", .minus), ("-", .minus), ("−", .minus), ("times", .times),
      ("time", .times), ("x", .times), ("×", .times), ("*", .times), ("over", .over), ("/", .over), ("÷", .over),
      ("^", .power),
    ]
    for (phrase, operation) in table {
      let parts = phrase.split(separator: " ").map(String.init)
      if words.starts(with: parts) { return (operation, parts.count) }
    }
    return nil
  }

  private static func number(_ words: ArraySlice<String>, isSecond: Bool = false) -> (value: Double, count: Int)? {
    if let number = SpokenNumber.parse(words) { return number }
    guard isSecond, words.count == 1, let word = words.first else { return nil }
    return ["to": (2, 1), "too": (2, 1), "for": (4, 1)][word]
  }

  private static func root(_ words: ArraySlice<String>) -> String? {
    for phrase in [["square", "root", "of"], ["square", "root"], ["√"], ["root", "of"]] {
      guard words.starts(with: phrase) else { continue }
      let rest = words.dropFirst(phrase.count)
      guard let (value, count) = number(rest), count == rest.count else { return nil }
      guard value >= 0 else { return "A negative number has no real square root." }
      return sentence("The square root of \(SpokenNumber.spoken(value).text)", value.squareRoot())
    }
    return nil
  }

  /// "add 3 and 4", "subtract 3 from 10", "the product of 6 and 7", "half of 9".
  private static func imperative(_ words: ArraySlice<String>) -> String? {
    let forms: [(start: [String], middle: Set<String>, operation: Operation, isSwapped: Bool)] = [
      (["add"], ["and", "to"], .plus, false), (["sum", "of"], ["and"], .plus, false),
      (["subtract"], ["from"], .minus, true), (["take"], ["from"], .minus, true),
      (["difference", "between"], ["and"], .minus, false), (["difference", "of"], ["and"], .minus, false),
      (["multiply"], ["by", "and", "with"], .times, false), (["product", "of"], ["and"], .times, false),
      (["divide"], ["by"], .over, false),
    ]
    for form in forms where words.starts(with: form.start) {
      let rest = words.dropFirst(form.start.count)
      guard let (first, firstCount) = number(rest) else { return nil }
      let tail = rest.dropFirst(firstCount)
      guard let middle = tail.first, form.middle.contains(middle) else { return nil }
      let end = tail.dropFirst()
      guard let (second, count) = number(end, isSecond: true), count == end.count else { return nil }
      return form.isSwapped
        ? result(second, form.operation, first) : result(first, form.operation, second)
    }
    guard words.starts(with: ["half", "of"]) else { return nil }
    let rest = words.dropFirst(2)
    guard let (value, count) = number(rest), count == rest.count else { return nil }
    return sentence("Half of \(SpokenNumber.spoken(value).text)", value / 2)
  }

  private static func infix(_ words: ArraySlice<String>) -> String? {
    guard let (first, firstCount) = number(words) else { return nil }
    let tail = words.dropFirst(firstCount)
    if tail.elementsEqual(["squared"]) { return sentence("\(SpokenNumber.spoken(first).text) squared", first * first) }
    if tail.elementsEqual(["cubed"]) {
      return sentence("\(SpokenNumber.spoken(first).text) cubed", first * first * first)
    }
    guard let (operation, length) = operation(tail) else { return nil }
    let end = tail.dropFirst(length)
    guard let (second, count) = number(end, isSecond: true) else { return nil }
    let rest = end.dropFirst(count)
    guard rest.isEmpty else {
      return Self.operation(rest) == nil ? nil : "I can only work with two numbers at a time."
    }
    return result(first, operation, second)
  }

  private static func result(_ left: Double, _ operation: Operation, _ right: Double) -> String {
    let (first, second) = (SpokenNumber.spoken(left).text, SpokenNumber.spoken(right).text)
    switch operation {
    case .plus: return sentence("\(first) plus \(second)", left + right)
    case .minus: return sentence("\(first) minus \(second)", left - right)
    case .times: return sentence("\(first) times \(second)", left * right)
    case .percent: return sentence("\(first) percent of \(second)", left * right / 100)
    case .power: return sentence("\(first) to the power of \(second)", pow(left, right))
    case .over:
      guard right != 0 else { return "Nothing can be divided by zero." }
      return sentence("\(first) divided by \(second)", left / right)
    }
  }

  private static func sentence(_ question: String, _ value: Double) -> String {
    guard value.isFinite else { return "\(question) has no result that I can give." }
    let (text, isExact) = SpokenNumber.spoken(value)
    return "\(question) is \(isExact ? "" : "about ")\(text)."
  }
}
