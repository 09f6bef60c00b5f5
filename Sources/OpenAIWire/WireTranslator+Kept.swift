import Audio
import Envelope
import NIOCore
import Translation

// Items of the user's that a service would answer at once, or takes in another form: they are acknowledged here, and go up
// when an answer is asked for.

/// Recorded speech for a service that has no items of it.
struct KeptRecording: Sendable {
  var id: String
  /// The base64 text of each part, as the service takes audio.
  var parts: [ByteBuffer]

  /// Nil for an item that holds anything else.
  init?(_ item: JSONValue?) {
    guard let id = item?["id"]?.string, item?["role"] == "user", let content = item?["content"]?.array,
      !content.isEmpty
    else { return nil }
    self.id = id
    parts = []
    for part in content {
      guard part["type"] == "input_audio", let audio = part["audio"]?.string, !audio.isEmpty else { return nil }
      parts.append(ByteBuffer(string: audio))
    }
  }

  var byteCount: Int { parts.reduce(0) { $0 + $1.readableBytes } }
}

extension WireTranslator {
  // MARK: Messages

  var keptItemIDs: [String] { keptItems.compactMap { $0["id"]?.string } }

  /// Items that the client has, and that a message tells of which waits for the next connection or is said to it again.
  var waitingItemIDs: Set<String> {
    let awaited = awaited.flatMap { entry in
      // Of a turn only the commit is said again; what was said twice is given up.
      !entry.isSent || entry.kind == .response && !entry.isRepeated ? entry.itemIDs : []
    }
    return Set(keptItemIDs + awaited)
  }

  /// A message that would draw an answer at once is acknowledged here, and goes up when an answer is asked for.
  mutating func keep(_ item: Item, _ object: JSONObject, _ previous: Patch<String>, port: inout Port) {
    guard var told = object["item"]?.object, let id = told["id"]?.string else { return }
    told["status"] = "completed"
    told["object"] = "realtime.item"
    let shown = (try? JSONCoding.decode(Item.self, from: .object(told))) ?? item
    let before: String?
    do {
      before = try conversation.insert(shown, after: previous)
    } catch {
      // It is to follow an item that the service has not acknowledged.
      before = conversation.append(shown)
    }
    port.emit(.conversationItemAdded(item: shown, previousItemID: before))
    port.emit(.conversationItemDone(item: shown, previousItemID: before))
    let following = Set(conversation.items.drop { $0.id != id }.dropFirst().compactMap(\.id))
    let index = keptItems.firstIndex { $0["id"]?.string.map(following.contains) == true } ?? keptItems.count
    // The service only appends: what comes before an item that it has is told with the whole conversation.
    guard following.count == keptItems.count - index else { return isStale = true }
    let kept = object["item"]?.object ?? told
    keptItems.insert(kept, at: index)
    keptBytes += JSONValue.object(kept).text.utf8.count
    hiddenItems.insert(id)
  }

  /// The kept messages as one, since each would draw an answer.
  ///
  /// - Parameter isContext: it is to draw none either.
  mutating func takeKeptItems(asContext isContext: Bool = false, instructions: String? = nil) -> JSONObject? {
    guard var item = keptItems.last else { return nil }
    var content: [JSONValue] = []
    if let instructions, !instructions.isEmpty {
      content.append(["type": "input_text", "text": .string("[instructions] " + instructions)])
    }
    for kept in keptItems {
      for part in kept["content"]?.array ?? [] {
        // Who said it is lost in one message of the user's, and is told in words.
        guard let role = kept["role"]?.string, isContext || role != "user", var part = part.object,
          let text = part["text"]?.string
        else {
          content.append(part)
          continue
        }
        part["type"] = "input_text"
        part["text"] = .string("[\(role)] \(text)")
        content.append(.object(part))
      }
    }
    item["role"] = isContext ? "system" : "user"
    item["content"] = .array(content)
    keptItems = []
    keptBytes = 0
    return item
  }

  // MARK: Recordings

  /// Recorded speech is a turn of the user's that goes up as if it were spoken (R258).
  mutating func keep(_ recording: KeptRecording, after previous: Patch<String>, port: inout Port) throws(EventFault) {
    guard keptRecordings.reduce(recording.byteCount, { $0 + $1.byteCount }) <= Limits.keptRecordingBytes else {
      throw .tooMuchHeld("The recordings that wait for a response are too long.", param: "item")
    }
    let item = Item.message(
      id: recording.id, role: .user, content: recording.parts.map { _ in .inputAudio(transcript: nil) })
    let before: String?
    do {
      before = try conversation.insert(item, after: previous)
    } catch {
      before = conversation.append(item)
    }
    keptRecordings.append(recording)
    recordedItems[recording.id] = true
    mender.tookTurn(recording.id)
    port.emit(.conversationItemAdded(item: item, previousItemID: before))
    port.emit(.conversationItemDone(item: item, previousItemID: before))
  }

  /// Streams in the recordings, for the commit that follows.
  ///
  /// - Returns: the id of the last one.
  mutating func tellRecordings(port: inout Port) -> String? {
    let format = session.audio.input.format
    for recording in keptRecordings {
      var recorded = WireUpload(traits.pieces, format: .standard, takesG711: true)
      for part in recording.parts {
        let count = Base64.decodedByteCount(of: part.readableBytesView)
        mender.heardAudio(milliseconds: count / AudioFormat.standard.bytesPerMillisecond)
        // A new connection is told it again, where it is of the client's own kind.
        if format == .standard { hearing.append(part, decodedByteCount: count, format) }
        recorded.append(part, decodedByteCount: count) { Self.append($0, port: &port) }
      }
      recorded.flush { Self.append($0, port: &port) }
    }
    defer { keptRecordings = [] }
    return keptRecordings.last?.id
  }
}
