/// The members of a JSON object in the order in which they came.
///
/// Keys are compared byte by byte, not by Unicode equivalence. Two objects are equal when they have the same members in
/// any order. Looking a key up takes constant time however many there are.
public struct JSONObject: Sendable, Sequence, ExpressibleByDictionaryLiteral {
  public typealias Element = (key: String, value: JSONValue)

  /// Up to this many members a linear search beats hashing.
  private static let indexThreshold = 16

  private var members: [Element] = []
  /// Positions in `members`; empty up to `indexThreshold` members.
  private var positions: [JSONKey: Int] = [:]

  public init() {}

  /// A key that occurs twice keeps its first place and its last value.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    for (key, value) in elements { self[key] = value }
  }

  public var count: Int { members.count }
  public var isEmpty: Bool { members.isEmpty }
  public var keys: [String] { members.map(\.key) }

  /// The value of `key`; nil where the object has no such member. Setting nil removes the member, setting a value keeps
  /// the place of an existing one.
  public subscript(key: String) -> JSONValue? {
    get {
      position(of: key).map { members[$0].value }
    }
    set {
      guard let newValue else {
        removeValue(forKey: key)
        return
      }
      if let position = position(of: key) {
        members[position].value = newValue
      } else {
        appendNew(key, newValue)
      }
    }
  }

  /// The removed value, nil where there was none. The order of the others stays.
  @discardableResult
  public mutating func removeValue(forKey key: String) -> JSONValue? {
    guard let position = position(of: key) else { return nil }
    let removed = members.remove(at: position)
    rebuildPositions()
    return removed.value
  }

  public func makeIterator() -> IndexingIterator<[Element]> {
    members.makeIterator()
  }

  /// Appends a member whose key is known to be absent.
  mutating func appendNew(_ key: String, _ value: JSONValue) {
    members.append((key, value))
    if members.count == Self.indexThreshold + 1 {
      rebuildPositions()
    } else if members.count > Self.indexThreshold {
      positions[JSONKey(key)] = members.count - 1
    }
  }

  private func position(of key: String) -> Int? {
    guard members.count <= Self.indexThreshold else { return positions[JSONKey(key)] }
    let sought = JSONKey(key)
    return members.firstIndex { JSONKey($0.key) == sought }
  }

  private mutating func rebuildPositions() {
    positions.removeAll()
    guard members.count > Self.indexThreshold else { return }
    for (position, member) in members.enumerated() { positions[JSONKey(member.key)] = position }
  }
}

extension JSONObject: Equatable {
  public static func == (left: Self, right: Self) -> Bool {
    left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
  }
}

/// A key under byte-wise equality. `String` alone takes canonically equivalent texts for equal; JSON does not.
struct JSONKey: Hashable {
  let text: String

  init(_ text: String) {
    self.text = text
  }

  static func == (left: Self, right: Self) -> Bool {
    left.text.utf8.elementsEqual(right.text.utf8)
  }

  func hash(into hasher: inout Hasher) {
    var copy = text
    copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
