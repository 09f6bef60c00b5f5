/// Takes decisions off the front of fuzzed bytes. When they run out, every further decision is 0.
struct FuzzInput {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) {
    rest = bytes[...]
  }

  var isEmpty: Bool { rest.isEmpty }

  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  /// From 0 up to and without `bound`, which is at most 65,536.
  mutating func number(below bound: Int) -> Int {
    let value = bound > 256 ? Int(byte()) << 8 | Int(byte()) : Int(byte())
    return value % max(1, bound)
  }

  mutating func pick<Element>(_ elements: [Element]) -> Element? {
    elements.isEmpty ? nil : elements[number(below: elements.count)]
  }

  /// The bytes up to the next line feed, or to the end; the line feed is taken, too.
  mutating func line() -> ArraySlice<UInt8> {
    let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
    defer { rest = end < rest.endIndex ? rest[(end + 1)...] : [] }
    return rest[..<end]
  }
}

/// The ways in which bytes may arrive: in one piece, one by one, and in pieces of one size.
enum Cuts {
  static func steps(_ size: Int) -> [Int] { [.max, 1, size] }

  static func pieces(_ bytes: ArraySlice<UInt8>, step: Int) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var rest = bytes
    while !rest.isEmpty {
      pieces.append(rest.prefix(step))
      rest = rest.dropFirst(step)
    }
    return pieces
  }
}
