import Envelope
import Testing
import Translation

@Suite struct ConversationMirror {
  static func text(_ id: String) -> Item {
    .message(id: id, role: .user, content: [.inputText(id)])
  }

  @Test("items go to the end, to the start, or after another; the answer is what precedes them")
  func order() throws {
    var mirror = Conversation(id: "conv_1")
    #expect(try mirror.insert(Self.text("a"), after: .absent) == nil)
    #expect(try mirror.insert(Self.text("b"), after: .null) == "a")
    #expect(try mirror.insert(Self.text("c"), after: .value("root")) == nil)
    #expect(try mirror.insert(Self.text("d"), after: .value("a")) == "a")
    #expect(mirror.items.map(\.id) == ["c", "a", "d", "b"])
    #expect(mirror.lastItemID == "b")
  }

  @Test("an id used twice and an unknown predecessor are refused, and change nothing")
  func refusals() throws {
    var mirror = Conversation(id: "conv_1")
    _ = try mirror.insert(Self.text("a"), after: .absent)
    #expect(throws: EventFault.duplicateItem("a")) { try mirror.insert(Self.text("a"), after: .absent) }
    #expect(throws: EventFault.unknownPreviousItem("z")) { try mirror.insert(Self.text("b"), after: .value("z")) }
    #expect(mirror.items.count == 1)
  }

  @Test("R269 R270: an item is found until it is removed")
  func removal() throws {
    var mirror = Conversation(id: "conv_1")
    mirror.append(Self.text("a"))
    mirror.replace(.message(id: "a", role: .user, content: [.inputText("new")]))
    #expect(mirror.item("a")?.content == [.inputText("new")])
    let removals = [mirror.remove("a"), mirror.remove("a")]
    #expect(removals == [true, false])
    #expect(mirror.item("a") == nil && mirror.lastItemID == nil)
  }
}
