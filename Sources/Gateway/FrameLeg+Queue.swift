import Envelope
import NIOCore
import Translation
import WebSocketWire

// What waits for a slow peer.

extension FrameLeg {
  /// Drops audio that waits for the peer (fault row 51).
  ///
  /// - Parameter responseID: of this response only; nil for all.
  /// - Returns: the bytes of audio, decoded, that the peer will not get.
  @discardableResult
  func dropQueuedAudio(ofResponse responseID: String?) -> Int {
    guard !waiting.isEmpty else { return 0 }
    let id = responseID.map { Array("\"\($0)\"".utf8) }
    var bytes = 0
    waiting.removeAudio { message in
      guard id.map({ message.firstRange(of: $0) != nil }) ?? true else { return false }
      bytes += Self.audioBytes(in: message)
      return true
    }
    updateBusy()
    return bytes
  }

  /// Of an audio delta in either vocabulary.
  private static func audioBytes(in message: ByteBufferView) -> Int {
    message.withUnsafeBytes { bytes in
      if case .audioDelta(let delta) = EventReader.readServer(bytes) { return delta.decodedBytes }
      if case .audioDelta(let delta) = EventReader.readServer(bytes, audioType: "response.audio.delta") {
        return delta.decodedBytes
      }
      // With a field beside `delta` that carries the same audio (Q1).
      guard let event = try? JSONValue(parsing: bytes), let delta = event["delta"]?.string else { return 0 }
      return (try? AudioPayload.standard(from: delta, bytesPerSample: 1))?.decodedBytes ?? 0
    }
  }

  /// A write may find room again at once and come back here: what it finds under way goes on by itself.
  func sendWaiting() {
    guard !isSendingWaiting else { return }
    isSendingWaiting = true
    while hasRoom, phase == .open, !waiting.isEmpty {
      reuseOutbound()
      while connection.outbound.readableBytes <= room,
        waiting.consume({ message, _ in connection.send(.text, message) })
      {}
      writeOutbound()
    }
    isSendingWaiting = false
    updateBusy()
  }

  /// Whether the answers to what the peer says find no room any more.
  var answersAreStuck: Bool {
    waiting.isEmpty ? isBusy : pauses.contains(.ownQueueIsFull)
  }

  /// Tells the owner when the bytes that wait for the peer pass a water mark, and stops reading a peer that does not take
  /// the answers to what it says. Audio does not count there: a client that is behind may still interrupt (fault row 49).
  func updateBusy() {
    guard let context, phase == .open else { return }
    let bytes = waiting.byteCount + ((try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0)
    let wasBusy = isBusy
    let mark = wasBusy ? limits.writeLowWaterBytes : limits.writeHighWaterBytes
    // What the channel takes without a complaint does not wait: no event of its would tell that it has gone.
    isBusy = keepsQueue ? bytes > mark && !(hasRoom && waiting.isEmpty) : !hasRoom
    if waiting.answerByteCount > limits.writeHighWaterBytes {
      pauses.insert(.ownQueueIsFull)
    } else if waiting.answerByteCount <= limits.writeLowWaterBytes {
      resumeReading(.ownQueueIsFull)
    }
    defer { deliverHeldEvents() }
    guard isBusy != wasBusy else { return }
    watchForStall(context)
    owner?.leg(self, becameWritable: !isBusy)
  }
}
