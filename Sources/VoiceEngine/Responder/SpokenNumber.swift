import Foundation

/// Numbers as people say and recognisers write them.
enum SpokenNumber {
  private static let small: [String: Double] = {
    let names = [
      "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
      "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    ]
    return Dictionary(names.enumerated().map { ($1, Double($0)) }) { first, _ in first }
  }()

  private static let tens: [String: Double] = [
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
  ]

  private static let scales: [String: Double] = [
    "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000, "trillion": 1_000_000_000_000,
  ]

  /// A number at the start of `words` and how many words it takes; nil if there is none.
  static func parse(_ words: ArraySlice<String>) -> (value: Double, count: Int)? {
    guard let first = words.first else { return nil }
    if ["-", "−", "minus", "negative"].contains(first) {
      return parse(words.dropFirst()).map { (-$0.value, $0.count + 1) }
    }
    if let digits = Double(first), first.utf8.first.map({ (0x30...0x39).contains($0) }) == true, digits.isFinite {
      guard let scale = words.dropFirst().first.flatMap({ $0 == "hundred" ? 100 : scales[$0] }) else {
        return (digits, 1)
      }
      return (digits * scale, 2)
    }
    return parseWords(words)
  }

  private static func parseWords(_ words: ArraySlice<String>) -> (value: Double, count: Int)? {
    var total = 0.0
    var group = 0.0
    var hasGroup = false
    var last = 0.0
    var index = words.startIndex
    loop: while index < words.endIndex {
      let word = words[index]
      if let value = small[word] {
        // "twenty five" goes on; "five six" is two numbers.
        guard !hasGroup || last >= 100 || (last >= 20 && value < 10 && value > 0) else { break }
        group += value
        last = value
        hasGroup = true
      } else if let value = tens[word] {
        guard !hasGroup || last >= 100 else { break }
        group += value
        last = value
        hasGroup = true
      } else if word == "hundred", hasGroup, group < 100 {
        group *= 100
        last = 100
      } else if let scale = scales[word], hasGroup {
        total += group * scale
        group = 0
        last = scale
      } else if word == "a", !hasGroup, let next = words[(index + 1)...].first, next == "hundred" || scales[next] != nil
      {
        group = 1
        hasGroup = true
      } else if word == "and", hasGroup, last >= 100, let next = words[(index + 1)...].first,
        small[next] != nil || tens[next] != nil
      {
        index += 1
        continue loop
      } else {
        break
      }
      index += 1
    }
    guard hasGroup else { return nil }
    var value = total + group
    if index < words.endIndex, words[index] == "point" { (value, index) = decimals(words, from: index, value) }
    return (value, index - words.startIndex)
  }

  /// `three point one four`.
  private static func decimals(_ words: ArraySlice<String>, from point: Int, _ whole: Double) -> (Double, Int) {
    var digits = ""
    var index = point + 1
    while index < words.endIndex, digits.count < 12 {
      if let digit = small[words[index]], digit < 10 {
        digits += String(Int(digit))
      } else if words[index].utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
        digits += words[index]
      } else {
        break
      }
      index += 1
    }
    guard !digits.isEmpty, let fraction = Double("0." + digits) else { return (whole, point) }
    return (whole + fraction, index)
  }

  /// Every number in `words`, in order.
  static func all(in words: [String]) -> [Double] {
    var numbers: [Double] = []
    var index = 0
    while index < words.count {
      if let (value, count) = parse(words[index...]) {
        numbers.append(value)
        index += count
      } else {
        index += 1
      }
    }
    return numbers
  }

  /// `56`, `2.5`, `minus 2`, `3.33`; `isExact` is false where decimals were dropped.
  static func spoken(_ value: Double) -> (text: String, isExact: Bool) {
    let sign = value < 0 ? "minus " : ""
    let size = value.magnitude
    // What arithmetic in binary leaves behind is no part of the result.
    if (size - size.rounded()).magnitude <= size * 1e-12, size < 1e15 {
      return (sign + String(Int(size.rounded())), true)
    }
    if size >= 1e15 { return (sign + String(format: "%.4g", size), false) }
    for places in 1...4 {
      let text = String(format: "%.\(places)f", size)
      if let shown = Double(text), (shown - size).magnitude <= size * 1e-12 { return (sign + text, true) }
    }
    return (sign + String(format: size < 0.1 ? "%.3g" : "%.2f", size), false)
  }
}
