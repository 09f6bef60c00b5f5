import NIOCore
import WebSocketWire

/// Whoever decides what one WebSocket connection says: a session, or the echo of the conformance tests.
///
/// Every call comes on the leg's event loop. The bytes of a message are only valid during the call.
protocol FrameLegOwner: AnyObject {
  func leg(_ leg: FrameLeg, receivedText message: ByteBuffer)
  func leg(_ leg: FrameLeg, receivedBinary message: ByteBuffer)
  /// All messages of one read from the socket have been handed over: time to flush what they caused.
  func legFinishedBurst(_ leg: FrameLeg)
  /// So much waits for the peer that no more should be made (the high water mark), or it has become little again.
  func leg(_ leg: FrameLeg, becameWritable isWritable: Bool)
  /// Nothing more comes from this leg. Called once.
  func leg(_ leg: FrameLeg, ended end: LegEnd)
  /// The server is to stop.
  func legShouldStop(_ leg: FrameLeg)
  /// The server runs out of memory: whoever has been silent for so long may go.
  func leg(_ leg: FrameLeg, shouldStopIfIdleFor idle: Duration)
}

extension FrameLegOwner {
  func leg(_ leg: FrameLeg, shouldStopIfIdleFor idle: Duration) {}
}

/// Sent through the pipelines of all connections when memory is short.
struct ShedIdleEvent: Sendable {
  /// Sessions whose client has been silent for at least so long are to end.
  var idle: Duration
}

/// Why a leg hears nothing more from its peer.
enum LegEnd {
  /// The WebSocket ended by the rules of RFC 6455, or broke them, or broke off; the event says which.
  case closed(CloseEvent)
  /// The connection broke while the peer still had to be answered.
  case lost
  /// No frame after a ping (`peer_silent`).
  case silent
  /// Not one byte taken while above the high water mark (`peer_stalled`).
  case stalled
  /// Pings without end from a peer that takes no pongs (`peer_flooding`).
  case flooding
  /// The peer did not answer our close frame.
  case closeUnanswered
}

/// Why a leg is not being read; it is read when no reason is left.
struct ReadingPause: OptionSet {
  let rawValue: UInt8
  /// The other side does not take what this side sends.
  static let otherSideIsBusy = ReadingPause(rawValue: 1)
  /// This side does not take the answers to what it says.
  static let ownQueueIsFull = ReadingPause(rawValue: 4)
  /// What was read has not all been delivered: its answers fill the queue.
  static let inputIsHeldBack = ReadingPause(rawValue: 16)
  /// The session holds enough.
  static let sessionIsFull = ReadingPause(rawValue: 2)
  /// The provider's account takes no more for now.
  static let accountIsBusy = ReadingPause(rawValue: 8)
}
