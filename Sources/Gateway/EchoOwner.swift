import NIOCore
import WebSocketWire

/// Sends every message back: the conformance tests run the production pipeline with this in place of a session.
final class EchoOwner: FrameLegOwner {
  /// Called when the leg has ended.
  private let onEnd: () -> Void

  init(onEnd: @escaping () -> Void = {}) {
    self.onEnd = onEnd
  }

  func leg(_ leg: FrameLeg, receivedText message: ByteBuffer) {
    leg.send(.text, message.readableBytesView)
  }

  func leg(_ leg: FrameLeg, receivedBinary message: ByteBuffer) {
    leg.send(.binary, message.readableBytesView)
  }

  func legFinishedBurst(_ leg: FrameLeg) {
    leg.flush()
  }

  func leg(_ leg: FrameLeg, becameWritable isWritable: Bool) {
    if isWritable {
      leg.resumeReading(.otherSideIsBusy)
    } else {
      leg.pauseReading(.otherSideIsBusy)
    }
  }

  func leg(_ leg: FrameLeg, ended end: LegEnd) {
    onEnd()
  }

  func legShouldStop(_ leg: FrameLeg) {
    leg.close(.serviceRestart, reason: "the server is restarting")
  }
}
