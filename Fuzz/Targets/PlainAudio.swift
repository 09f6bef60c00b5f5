import Audio

/// Base64 as RFC 4648 reads, letter by letter: what the fast one is held against.
enum PlainBase64 {
  static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let pad = UInt8(ascii: "=")

  static func encoded(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let group = rest.prefix(3)
      rest = rest.dropFirst(3)
      var bits = 0
      for place in 0..<3 { bits = bits << 8 | Int(place < group.count ? group[group.startIndex + place] : 0) }
      for place in 0..<4 { text.append(place > group.count ? pad : letters[bits >> (18 - 6 * place) & 63]) }
    }
    return text
  }

  /// Nil unless the text is the one that `encoded` writes.
  static func decoded(_ text: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits = 0
    var count = 0
    for letter in text {
      guard letter != pad, let value = letters.firstIndex(of: letter) else { break }
      bits = (bits << 6 | value) & 0xFFFF
      count += 6
      guard count >= 8 else { continue }
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> count))
    }
    return encoded(bytes).elementsEqual(text) ? bytes : nil
  }

  /// The standard form of text in either alphabet, padded or not, whatever its unused bits; nil for anything else.
  static func normalised(_ text: [UInt8]) -> [UInt8]? {
    var content = text.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "+") : $0 }
    content = content.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "/") : $0 }
    while content.count > text.count - 2, content.last == pad { content.removeLast() }
    let isPadded = content.count < text.count
    guard content.count % 4 != 1, !isPadded || text.count % 4 == 0 else { return nil }
    guard content.allSatisfy(letters.contains) else { return nil }
    let unused = [0, 0, 0b1111, 0b11][content.count % 4]
    if let last = content.last, let value = letters.firstIndex(of: last) {
      content[content.count - 1] = letters[value & ~unused]
    }
    return content + Array(repeating: pad, count: (4 - content.count % 4) % 4)
  }
}

/// G.711 by what its codes stand for, which needs no arithmetic of the standard's.
enum PlainG711 {
  /// How far a sample may be from the middle of its interval: half of the wider gap to a neighbour, and what the laws do not
  /// look at, of 14 and of 12 bits. What is louder than the loudest level is clipped to it.
  static func tolerance(of decoded: Int16, _ law: G711.Law) -> Int {
    let levels = levels[law] ?? []
    guard let place = levels.firstIndex(of: Int(decoded)) else { return 0 }
    guard place > 0, place + 1 < levels.count else { return Int(Int16.max) - abs(Int(decoded)) + 1 }
    let widest = max(levels[place] - levels[place - 1], levels[place + 1] - levels[place])
    return widest / 2 + (law == .muLaw ? 4 : 16)
  }

  private static let levels: [G711.Law: [Int]] = Dictionary(
    uniqueKeysWithValues: G711.Law.allCases.map { law in
      (law, Set((0...255).map { Int(G711.sample(of: UInt8($0), law)) }).sorted())
    })
}
