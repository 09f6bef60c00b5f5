import Audio

/// What a message of the client is, as far as the audio lane can tell.
public enum UplinkFrame: Sendable, Equatable {
  /// `input_audio_buffer.append` in standard form.
  case append(AppendFrame)
  /// Anything else, and anything odd: the full parser decides.
  case control
}

/// An `input_audio_buffer.append` that may be forwarded as it is: it holds these fields and no other, each once.
/// Offsets count from the first byte of the message.
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
  /// Anything else; the value of `type` between its quotes where it was found. The range is a hint: only the full
  /// parser knows whether the message is valid.
  case control(type: Range<Int>?)
}

/// A `response.output_audio.delta`: it holds these fields, each once, and maybe others that are valid JSON under keys
/// of their own, but no `audio`. Offsets count from the first byte of the message.
public struct DeltaFrame: Sendable, Hashable {
  /// The name of the event between its quotes.
  public let type: Range<Int>
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
/// It recognises what it can prove and nothing else. A key that occurs twice, an escape, a byte beyond ASCII, a value
/// of another kind, a client's id beyond its limit, audio that is empty or not in standard form, and in an append a
/// key that it does not know: all of them make the message a control message. Order and white space do not matter.
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

  /// The first `type` of the outermost object, between its quotes.
  static func type(of message: UnsafeRawBufferPointer) -> Range<Int>? {
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
  private var type: Range<Int>?
  private var audio: (range: Range<Int>, decodedBytes: Int)?
  private var responseID: Range<Int>?
  private var itemID: Range<Int>?
  private var eventID: Range<Int>?
  private var outputIndex: Int?
  private var contentIndex: Int?
  private var others = OtherKeys()

  /// False when a field of a delta is not in standard form, or came before.
  @inline(__always)
  mutating func take(_ key: Range<Int>, from fields: inout FieldCursor, audioType: StaticString) -> Bool {
    if fields.matches(key, "delta") {
      return Self.fill(&audio) { fields.base64() }
    } else if fields.matches(key, "type") {
      return Self.fill(&type) { fields.plainString().flatMap { fields.matches($0, audioType) ? $0 : nil } }
    } else if fields.matches(key, "response_id") {
      return Self.fill(&responseID) { fields.plainString() }
    } else if fields.matches(key, "item_id") {
      return Self.fill(&itemID) { fields.plainString() }
    } else if fields.matches(key, "event_id") {
      return Self.fill(&eventID) { fields.plainString() }
    } else if fields.matches(key, "output_index") {
      return Self.fill(&outputIndex) { fields.index() }
    } else if fields.matches(key, "content_index") {
      return Self.fill(&contentIndex) { fields.index() }
    } else if fields.matches(key, "audio") {
      // The alias of `delta`: whoever adds it must be able to rely on there being none.
      return false
    }
    return others.add(key, of: fields) && fields.skipCheckedValue()
  }

  /// False when the field came before, or is none.
  @inline(__always)
  private static func fill<Value>(_ field: inout Value?, _ read: () -> Value?) -> Bool {
    guard field == nil else { return false }
    field = read()
    return field != nil
  }

  /// Nil while a field is missing.
  var frame: DeltaFrame? {
    guard let type, let audio, let responseID, let itemID, let outputIndex, let contentIndex else { return nil }
    return DeltaFrame(
      type: type, delta: audio.range, decodedBytes: audio.decodedBytes, responseID: responseID, itemID: itemID,
      outputIndex: outputIndex, contentIndex: contentIndex, eventID: eventID)
  }
}

/// The keys beside those of a delta, kept without memory of their own so that none occurs twice.
private struct OtherKeys {
  private var starts = SIMD8<Int>()
  private var ends = SIMD8<Int>()
  private var count = 0

  /// False when the key came before, or is one too many.
  @inline(__always)
  mutating func add(_ key: Range<Int>, of fields: FieldCursor) -> Bool {
    guard count < SIMD8<Int>.scalarCount else { return false }
    for index in 0..<count where fields.areEqual(starts[index]..<ends[index], key) { return false }
    starts[count] = key.lowerBound
    ends[count] = key.upperBound
    count += 1
    return true
  }
}
