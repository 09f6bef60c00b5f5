import Audio

/// What a message of the client is, as far as the audio lane can tell.
public enum UplinkFrame: Sendable, Equatable {
  /// `input_audio_buffer.append` in standard form.
  case append(AppendFrame)
  /// Anything else, and anything odd: the full parser decides.
  case control
}

/// An `input_audio_buffer.append` that may be forwarded as it is: it holds these fields and no other, each once. Offsets
/// count from the first byte of the message.
public struct AppendFrame: Sendable, Hashable {
  /// The base64 text between its quotes: standard alphabet, padded.
  public let audio: Range<Int>
  /// The bytes that it stands for; even, at least 2, at most `PCM16.maxAppendBytes`.
  public let decodedBytes: Int
  /// The client's own id of the event, between its quotes; printable as it stands.
  public let eventID: Range<Int>?
}

/// What a message of an upstream with the OpenAI vocabulary is, as far as the audio lane can tell.
public enum DownlinkFrame: Sendable, Equatable {
  case audioDelta(DeltaFrame)
  /// Anything else; the value of `type` between its quotes where it was found. The range is a hint: only the full parser
  /// knows whether the message is valid.
  case control(type: Range<Int>?)
}

/// A `response.output_audio.delta`. Offsets count from the first byte of the message.
public struct DeltaFrame: Sendable, Hashable {
  /// The base64 text between its quotes: standard alphabet, padded.
  public let delta: Range<Int>
  /// The bytes that it stands for, at least 1.
  public let decodedBytes: Int
  public let responseID: Range<Int>
  public let itemID: Range<Int>
  public let outputIndex: Int
  public let contentIndex: Int
  public let eventID: Range<Int>?
}

/// Recognises audio messages by their bytes, without decoding and without memory of its own.
///
/// It recognises what it can prove and nothing else. A key that it does not know, a key that occurs twice, an escape, a
/// byte beyond ASCII, a value of another kind, a client's id beyond its limit, audio that is empty or not in standard form: all of them make the message
/// a control message. Order and white space do not matter.
public enum EventReader {
  public static func read(_ message: UnsafeRawBufferPointer) -> UplinkFrame {
    var fields = FieldCursor(message)
    guard fields.begin() else { return .control }
    var hasType = false
    var eventID: Range<Int>?
    var audio: (range: Range<Int>, decodedBytes: Int)?
    repeat {
      guard let key = fields.key() else { return .control }
      if fields.matches(key, "audio"), audio == nil {
        audio = fields.base64()
        guard audio != nil else { return .control }
      } else if fields.matches(key, "type"), !hasType {
        guard let type = fields.plainString(), fields.matches(type, "input_audio_buffer.append") else {
          return .control
        }
        hasType = true
      } else if fields.matches(key, "event_id"), eventID == nil {
        guard let id = fields.plainString(), id.count <= ClientEvent.maximumEventIDLength else { return .control }
        eventID = id
      } else {
        return .control
      }
    } while fields.hasNext()
    guard fields.isComplete(), hasType, let audio, audio.decodedBytes & 1 == 0,
      audio.decodedBytes <= PCM16.maxAppendBytes
    else { return .control }
    return .append(AppendFrame(audio: audio.range, decodedBytes: audio.decodedBytes, eventID: eventID))
  }

  /// `audioType` is the upstream's name of the event; some still use the beta's.
  public static func readServer(
    _ message: UnsafeRawBufferPointer, audioType: StaticString = "response.output_audio.delta"
  ) -> DownlinkFrame {
    delta(message, audioType: audioType).map(DownlinkFrame.audioDelta) ?? .control(type: type(of: message))
  }

  private static func delta(_ message: UnsafeRawBufferPointer, audioType: StaticString) -> DeltaFrame? {
    var fields = FieldCursor(message)
    guard fields.begin() else { return nil }
    var found = DeltaFields()
    repeat {
      guard let key = fields.key(), found.take(key, from: &fields, audioType: audioType) else { return nil }
    } while fields.hasNext()
    return fields.isComplete() ? found.frame : nil
  }

  /// The first `type` of the outermost object.
  private static func type(of message: UnsafeRawBufferPointer) -> Range<Int>? {
    var fields = FieldCursor(message)
    guard fields.begin() else { return nil }
    repeat {
      guard let key = fields.key() else { return nil }
      if fields.matches(key, "type") { return fields.plainString() }
      guard fields.skipValue() else { return nil }
    } while fields.hasNext()
    return nil
  }
}

/// The fields of a delta as they are found.
private struct DeltaFields {
  private var hasType = false
  private var audio: (range: Range<Int>, decodedBytes: Int)?
  private var responseID: Range<Int>?
  private var itemID: Range<Int>?
  private var eventID: Range<Int>?
  private var outputIndex: Int?
  private var contentIndex: Int?

  /// False when the field is not one of a delta in standard form, or came before.
  @inline(__always)
  mutating func take(_ key: Range<Int>, from fields: inout FieldCursor, audioType: StaticString) -> Bool {
    if fields.matches(key, "delta"), audio == nil {
      audio = fields.base64()
      return audio != nil
    } else if fields.matches(key, "type"), !hasType {
      guard let type = fields.plainString() else { return false }
      hasType = fields.matches(type, audioType)
      return hasType
    } else if fields.matches(key, "response_id"), responseID == nil {
      responseID = fields.plainString()
      return responseID != nil
    } else if fields.matches(key, "item_id"), itemID == nil {
      itemID = fields.plainString()
      return itemID != nil
    } else if fields.matches(key, "event_id"), eventID == nil {
      eventID = fields.plainString()
      return eventID != nil
    } else if fields.matches(key, "output_index"), outputIndex == nil {
      outputIndex = fields.index()
      return outputIndex != nil
    } else if fields.matches(key, "content_index"), contentIndex == nil {
      contentIndex = fields.index()
      return contentIndex != nil
    }
    return false
  }

  /// Nil while a field is missing.
  var frame: DeltaFrame? {
    guard hasType, let audio, let responseID, let itemID, let outputIndex, let contentIndex else { return nil }
    return DeltaFrame(
      delta: audio.range, decodedBytes: audio.decodedBytes, responseID: responseID, itemID: itemID,
      outputIndex: outputIndex, contentIndex: contentIndex, eventID: eventID)
  }
}
