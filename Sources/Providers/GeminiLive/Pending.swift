import Envelope
import Translation

/// What the client has created and the service has not been given yet, in the conversation's order.
struct Pending: Sendable {
  struct Entry: Sendable {
    /// A result bears the name of its function, which the envelope's item does not.
    var item: Item
    /// What is to be heard rather than read: a turn that the client ended itself, or a recording.
    var audio: ManualAudio?
  }

  private(set) var entries: [Entry] = []
  private var textBytes = 0

  var isEmpty: Bool { entries.isEmpty }
  var hasAudio: Bool { entries.contains { $0.audio != nil } }
  /// Decoded.
  var audioByteCount: Int { entries.reduce(0) { $0 + ($1.audio?.byteCount ?? 0) } }

  func contains(_ itemID: String?) -> Bool {
    itemID != nil && entries.contains { $0.item.id == itemID }
  }

  func checkRoom(for item: Item) throws(EventFault) {
    guard textBytes + item.encodedByteCount <= Limits.pendingBytes else {
      throw .tooMuchHeld("The items that wait for a response hold more than the provider can take.", param: "item")
    }
  }

  mutating func append(_ item: Item, audio: ManualAudio? = nil) {
    entries.append(Entry(item: item, audio: audio))
    textBytes += item.encodedByteCount
  }

  /// Puts back what was taken and is still owed to the service: a connection was lost before it answered.
  mutating func putBack(_ earlier: [Entry]) {
    entries = earlier + entries
    textBytes += earlier.reduce(0) { $0 + $1.item.encodedByteCount }
  }

  mutating func remove(_ itemID: String) -> Bool {
    guard let index = entries.firstIndex(where: { $0.item.id == itemID }) else { return false }
    textBytes -= entries.remove(at: index).item.encodedByteCount
    return true
  }

  /// Hands over everything.
  mutating func take() -> [Entry] {
    defer { self = Pending() }
    return entries
  }

  /// Leaves the last `count` entries.
  mutating func keep(last count: Int) {
    let kept = Array(entries.suffix(count))
    self = Pending()
    putBack(kept)
  }
}

extension Item {
  /// The length of the item as JSON, with something for the place that it takes.
  var encodedByteCount: Int {
    JSONCoding.encode(self).text.utf8.count + 256
  }

  var hasText: Bool { content?.contains { !($0.text ?? "").isEmpty } ?? false }
  var hasImage: Bool {
    content?.contains { if case .inputImage = $0 { true } else { false } } ?? false
  }
}
