import NIOCore

/// Cuts received bytes into frames and takes the masks off. It knows single frames, not their sequence.
///
/// Whole frames are read straight from the bytes handed over. Of a cut header up to 13 bytes are kept; the payload that
/// has arrived is always consumed at once, so nothing that a peer merely declares is ever reserved.
struct FrameDecoder: Sendable {
  private let receiver: Role
  private let maxFrameBytes: Int
  private var input = ByteBuffer()
  /// The start of a header that was cut.
  private var cutHeader = ByteBuffer()
  /// The frame whose payload is being read.
  private(set) var frame: FrameHeader?
  /// Payload bytes of ``frame`` that have been consumed.
  private var consumed = 0

  init(receiver: Role, maxFrameBytes: Int) {
    self.receiver = receiver
    self.maxFrameBytes = maxFrameBytes
  }

  /// Payload bytes of the frame in hand that have not been consumed.
  var missingBytes: Int {
    guard let frame else { return 0 }
    return frame.payloadBytes - consumed
  }

  /// True when the rest of the frame's payload has been received.
  var holdsRestOfFrame: Bool { input.readableBytes >= missingBytes }

  mutating func feed(_ bytes: ByteBuffer) {
    if input.readableBytes == 0 {
      input = bytes
    } else {
      input.writeImmutableBuffer(bytes)
    }
  }

  /// Lets go of the bytes handed over, so that their owner finds the storage unshared.
  mutating func releaseInput() {
    input = ByteBuffer()
  }

  /// Reads the next header and makes it the frame in hand. Nil when more bytes are needed.
  mutating func beginFrame() throws(WireFault) -> FrameHeader? {
    guard input.readableBytes > 0 else { return nil }
    let header = cutHeader.readableBytes == 0 ? try readWholeHeader() : try readCutHeader()
    frame = header
    consumed = 0
    return header
  }

  /// Ends the frame in hand, whose payload must have been consumed.
  mutating func endFrame() {
    frame = nil
  }

  private mutating func readWholeHeader() throws(WireFault) -> FrameHeader? {
    if let header = try parse(input) {
      input.moveReaderIndex(forwardBy: header.byteCount)
      return header
    }
    cutHeader.writeBuffer(&input)
    return nil
  }

  private mutating func readCutHeader() throws(WireFault) -> FrameHeader? {
    let known = cutHeader.readableBytes
    let added = min(FrameHeader.maxBytes - known, input.readableBytes)
    cutHeader.writeBytes(input.readableBytesView.prefix(added))
    guard let header = try parse(cutHeader) else {
      input.moveReaderIndex(forwardBy: added)
      return nil
    }
    // The header was incomplete before, so it ends within the bytes added.
    input.moveReaderIndex(forwardBy: header.byteCount - known)
    cutHeader.clear()
    return header
  }

  private func parse(_ bytes: ByteBuffer) throws(WireFault) -> FrameHeader? {
    let outcome = bytes.withUnsafeReadableBytes { pointer -> Result<FrameHeader?, WireFault> in
      do throws(WireFault) {
        return .success(try FrameHeader.parse(pointer, receiver: receiver, maxFrameBytes: maxFrameBytes))
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }

  /// The rest of the payload as a slice of the received bytes: no copy. Nil for masked frames and cut ones.
  mutating func takeSlice() -> ByteBuffer? {
    guard let frame, frame.maskingKey == nil, let slice = input.readSlice(length: missingBytes) else { return nil }
    consumed = frame.payloadBytes
    return slice
  }

  /// Appends the payload bytes that have arrived to `target`, unmasked.
  mutating func movePayload(into target: inout ByteBuffer) {
    guard let frame else { return }
    let count = min(missingBytes, input.readableBytes)
    guard count > 0 else { return }
    if let key = frame.maskingKey {
      let phase = consumed
      input.withUnsafeReadableBytes { source in
        let part = UnsafeRawBufferPointer(rebasing: source.prefix(count))
        _ = target.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { free in
          Masking.copy(part, to: free, key: key, phase: phase)
          return count
        }
      }
      input.moveReaderIndex(forwardBy: count)
    } else if var slice = input.readSlice(length: count) {
      target.writeBuffer(&slice)
    }
    consumed += count
  }

  /// Drops the payload bytes that have arrived.
  mutating func skipPayload() {
    let count = min(missingBytes, input.readableBytes)
    input.moveReaderIndex(forwardBy: count)
    consumed += count
  }
}
