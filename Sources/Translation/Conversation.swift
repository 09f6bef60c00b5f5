public import Envelope

/// The mirror of a conversation's items, in order, for providers that keep no such list of their own.
///
/// It answers retrieve, delete and truncate, says which item precedes which, and refuses an id that is used twice.
public struct Conversation: Sendable {
  /// The most items, and the most JSON of them, that are mirrored; the oldest is forgotten then.
  public static let maximumItems = 2_000
  public static let maximumBytes = 8 * 1_048_576

  public let id: String
  public private(set) var items: [Item] = []
  private var byteCount = 0

  public init(id: String) {
    self.id = id
  }

  /// The id of the newest item.
  public var lastItemID: String? { items.last?.id }

  public func item(_ id: String) -> Item? {
    items.last { $0.id == id }
  }

  /// Adds an item at the end.
  ///
  /// - Returns: the id of the item before it.
  @discardableResult
  public mutating func append(_ item: Item) -> String? {
    let previous = lastItemID
    place(item, at: items.count)
    return previous
  }

  /// Adds an item where the client asked for it: absent or null at the end, `"root"` at the start, an id right after it.
  ///
  /// - Returns: the id of the item before it.
  public mutating func insert(_ item: Item, after position: Patch<String>) throws(EventFault) -> String? {
    if let id = item.id, self.item(id) != nil {
      throw .duplicateItem(id)
    }
    guard case .value(let previous) = position else { return append(item) }
    if previous == "root" {
      place(item, at: 0)
      return nil
    }
    guard let index = items.lastIndex(where: { $0.id == previous }) else {
      throw .unknownPreviousItem(previous)
    }
    place(item, at: index + 1)
    return previous
  }

  /// Puts an item's final form in the place of the one with the same id.
  public mutating func replace(_ item: Item) {
    guard let index = items.lastIndex(where: { $0.id == item.id }) else { return }
    byteCount += Self.byteCount(item) - Self.byteCount(items[index])
    items[index] = item
  }

  /// Leaves of a spoken item about as many words as were heard.
  public mutating func truncate(_ id: String, toMs heardMs: Int, ofMs lengthMs: Int) {
    guard var item = item(id), case .outputAudio(let audio, let transcript, let unknown)? = item.content?.first else {
      return
    }
    let words = (transcript ?? "").split(separator: " ", omittingEmptySubsequences: false)
    // As a fraction: both numbers may be a peer's.
    let share = lengthMs > 0 ? min(1, Double(max(0, heardMs)) / Double(lengthMs)) : 0
    let kept = Int(Double(words.count) * share)
    item.content = [
      .outputAudio(audio: audio, transcript: words.prefix(kept).joined(separator: " "), unknown: unknown)
    ]
    replace(item)
  }

  /// Removes an item. False when there is none with that id.
  public mutating func remove(_ id: String) -> Bool {
    guard let index = items.lastIndex(where: { $0.id == id }) else { return false }
    byteCount -= Self.byteCount(items.remove(at: index))
    return true
  }

  private mutating func place(_ item: Item, at index: Int) {
    items.insert(item, at: index)
    byteCount += Self.byteCount(item)
    while items.count > Self.maximumItems || byteCount > Self.maximumBytes, items.count > 1 {
      byteCount -= Self.byteCount(items.removeFirst())
    }
  }

  private static func byteCount(_ item: Item) -> Int {
    JSONCoding.encode(item).text.utf8.count
  }
}
