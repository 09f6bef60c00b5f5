import Envelope

extension Lifecycle {
  /// Whether the delta goes to the part that the last one went to; then its bytes are counted.
  @inline(__always)
  mutating func admits(_ delta: DeltaFrame, in message: UnsafeRawBufferPointer) -> Bool {
    guard let lane, delta.outputIndex == lane.outputIndex, delta.contentIndex == lane.contentIndex,
      Self.isEqual(message, delta.itemID, lane.itemID), Self.isEqual(message, delta.responseID, lane.responseID)
    else { return false }
    change(lane.place.response) { $0.audioBytes += delta.decodedBytes }
    return true
  }

  private static func isEqual(_ message: UnsafeRawBufferPointer, _ range: Range<Int>, _ id: [UInt8]) -> Bool {
    range.count == id.count && message[range].elementsEqual(id)
  }
}
