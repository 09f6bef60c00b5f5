public import NIOCore

/// Writes the audio deltas of one content part after the other: a prefix made once, a fresh `event_id`, the text.
///
/// A delta allocates nothing but what the buffer needs to grow.
public struct AudioDeltaWriter: Sendable {
  /// The fields that carry the text.
  public enum Fields: Sendable, Hashable {
    /// `delta`, as in the GA vocabulary.
    case delta
    /// `delta` and, with the same text, `audio`.
    case deltaAndAudio
  }

  private let type: StaticString
  private let fields: Fields
  private var ids: IDSource
  /// The event up to and with the quote that opens `delta`.
  private var prefix: [UInt8] = []
  /// Where in `prefix` the 21 characters begin that change with every event.
  private var idOffset = 0

  /// `type` is the event's name for clients that know it under another; it must need no escape in JSON.
  public init(ids: IDSource, fields: Fields = .delta, type: StaticString = "response.output_audio.delta") {
    self.ids = ids
    self.fields = fields
    self.type = type
    begin(responseID: "", itemID: "", outputIndex: 0, contentIndex: 0)
  }

  /// Names the content part that the next deltas belong to.
  public mutating func begin(responseID: String, itemID: String, outputIndex: Int, contentIndex: Int) {
    var text = ByteBuffer()
    text.writeStaticString("{\"type\":\"")
    text.writeStaticString(type)
    text.writeStaticString("\",\"event_id\":\"event_")
    idOffset = text.readableBytes
    text.writeRepeatingByte(UInt8(ascii: "0"), count: IDSource.suffixCount)
    text.writeStaticString("\",\"response_id\":")
    JSONText.write(responseID, into: &text)
    text.writeStaticString(",\"item_id\":")
    JSONText.write(itemID, into: &text)
    text.writeString(",\"output_index\":\(outputIndex),\"content_index\":\(contentIndex),\"delta\":\"")
    prefix = Array(text.readableBytesView)
  }

  /// Appends one delta. `base64` is in standard form (`EventReader`, `AudioPayload` and `Base64` give no other).
  public mutating func write(_ base64: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) {
    let start = idOffset
    prefix.withUnsafeMutableBytes { bytes in
      ids.writeSuffix(into: UnsafeMutableRawBufferPointer(rebasing: bytes[start..<(start + IDSource.suffixCount)]))
    }
    let copies = fields == .delta ? 1 : 2
    buffer.reserveCapacity(minimumWritableBytes: prefix.count + copies * base64.count + 16)
    buffer.writeBytes(prefix)
    buffer.writeBytes(base64)
    if fields == .deltaAndAudio {
      buffer.writeStaticString("\",\"audio\":\"")
      buffer.writeBytes(base64)
    }
    buffer.writeStaticString("\"}")
  }

  /// Appends one delta whose text is the whole view.
  public mutating func write(_ base64: ByteBufferView, into buffer: inout ByteBuffer) {
    base64.withUnsafeBytes { write($0, into: &buffer) }
  }
}
