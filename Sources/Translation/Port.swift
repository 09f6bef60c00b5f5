public import Envelope
public import Metering
public import NIOCore

/// The way out of a translator: events to the client, messages to the provider, and the session's ids.
///
/// Content for the provider is held until the provider is ready for it, so that a translator never asks whether the
/// connection is up.
public struct Port: Sendable {
  public var outbox = Outbox()
  /// What the session has cost.
  public var meter = Meter()
  public var ids: IDSource
  /// Writes the audio deltas of the part that is open.
  public var audioDeltas: AudioDeltaWriter
  /// Content that waits for the provider, in order.
  private var held = MessageQueue()
  /// Whether content may go out: the connection is up and the provider has accepted its set-up.
  public private(set) var isUpstreamReady = false
  private var hasRedialled = false
  /// The session has limits of ours: its client is told where it stands with each response.
  public var isLimited = false
  private var owesRateLimits = false
  private var interruptions: [Interruption] = []
  /// What the step meant for the turns.
  public var marks = TurnMarks()
  /// The errors that the client was told.
  public private(set) var errors = ErrorTally()

  /// What makes audio worthless that the client has not taken yet.
  public enum Interruption: Sendable, Hashable {
    /// The user began to speak.
    case speech
    /// A response was cut short, or is not wanted any more; nil for whatever is being said.
    case cancelled(responseID: String?)
  }

  public init(ids: IDSource) {
    var ids = ids
    audioDeltas = AudioDeltaWriter(ids: ids.fork())
    self.ids = ids
  }

  /// The bytes that wait for the provider.
  public var heldByteCount: Int { held.byteCount }

  // MARK: Downstream

  /// Sends an event with a fresh `event_id` to the client.
  public mutating func emit(_ body: ServerEvent.Body) {
    switch body {
    case .inputAudioBufferSpeechStarted: interrupted(.speech)
    case .responseCreated: responseBegan()
    case .responseDone(let response) where response.status == .cancelled:
      interrupted(.cancelled(responseID: response.id))
    case .error(let error): told(error)
    default: break
    }
    marks.add(body)
    let event = ServerEvent(eventID: ids.next(.event), body)
    outbox.downstream.append(.control) { event.write(into: &$0) }
  }

  /// Counts a response that has begun.
  public mutating func responseBegan() {
    meter.responseBegan()
    owesRateLimits = isLimited
  }

  /// Tells the client of its limits where the provider has no word for them: the list may be empty (R151). Of limits of
  /// ours the session tells when the step is over.
  public mutating func emitRateLimits() {
    if !isLimited { emit(.rateLimitsUpdated([])) }
  }

  /// Whether the client is to be told where it stands since this was last called.
  public mutating func takeOwedRateLimits() -> Bool {
    defer { owesRateLimits = false }
    return owesRateLimits
  }

  /// Audio that the client has not taken yet has lost its worth.
  public mutating func interrupted(_ interruption: Interruption) {
    interruptions.append(interruption)
  }

  /// Whether there are any that were not taken yet.
  public var isInterrupted: Bool { !interruptions.isEmpty }

  /// The interruptions since this was last called.
  public mutating func takeInterruptions() -> [Interruption] {
    defer { interruptions = [] }
    return interruptions
  }

  /// Counts an error that the client is told.
  public mutating func told(_ error: ErrorObject) {
    errors.count(ErrorSource(type: error.type, code: error.code))
  }

  /// Sends an `error` event that names the client's event.
  public mutating func emit(_ fault: EventFault, eventID: String?) {
    emit(.error(fault.errorObject(eventID: eventID)))
  }

  /// Sends a chunk of speech, as base64 text in standard form, for the part that `audioDeltas` was begun with.
  ///
  /// - Parameter format: of the audio, as the client hears it.
  @inline(__always)
  public mutating func emitAudioDelta(_ base64: ByteBuffer, _ format: AudioFormat) {
    spoke(base64, format)
    if marks.watchesSpeech { marks.add(.spoke(responseID: nil)) }
    outbox.downstream.append(.audio) { audioDeltas.write(base64.readableBytesView, into: &$0) }
  }

  /// Counts a chunk of speech that goes to the client, as base64 text in standard form.
  @inline(__always)
  public mutating func spoke(_ base64: ByteBuffer, _ format: AudioFormat) {
    let end = base64.writerIndex
    let padding = UInt8(ascii: "=")
    var bytes = base64.readableBytes / 4 * 3
    if bytes > 0, base64.getInteger(at: end - 1, as: UInt8.self) == padding {
      bytes -= base64.getInteger(at: end - 2, as: UInt8.self) == padding ? 2 : 1
    }
    meter.spoke(bytes: bytes, format)
  }

  public mutating func note(_ severity: SessionNote.Severity, _ message: String, _ fields: [String: String] = [:]) {
    outbox.actions.append(.note(SessionNote(severity, message, fields)))
  }

  /// Tells the operator what a client asked for in vain (Q23).
  ///
  /// - Parameter fields: paths such as `session.audio.output.speed`.
  public mutating func note(ignored fields: [String]) {
    guard !fields.isEmpty else { return }
    // Unknown names are the client's: as many as are of use, and none longer than a real one.
    let names = fields.prefix(20).map { $0.prefix(80) }.joined(separator: " ")
    note(.info, SessionNote.withoutCounterpart, ["fields": names])
  }

  // MARK: Upstream

  /// Sends a content message to the provider, now or as soon as it is ready.
  @inline(__always)
  public mutating func send(_ lane: MessageQueue.Lane, _ write: (inout ByteBuffer) -> Void) {
    if isUpstreamReady {
      outbox.upstream.append(lane, write)
    } else {
      held.append(lane, write)
    }
  }

  /// Sends a message that sets the connection up, ahead of all content.
  public mutating func sendSetUp(_ write: (inout ByteBuffer) -> Void) {
    outbox.upstream.append(.control, write)
  }

  /// The provider takes content from here on: what was held goes out in its order.
  public mutating func upstreamBecameReady() {
    guard !isUpstreamReady else { return }
    isUpstreamReady = true
    marks.add(.handedOver)
    while held.consume({ view, lane in outbox.upstream.append(lane) { $0.writeBytes(view) } }) {}
    held = MessageQueue()
  }

  /// Replaces the connection to the provider: content is held from here on until the new one is ready.
  ///
  /// - Parameter isUp: whether the old one may still be open and is to be closed first.
  public mutating func redial(_ upstream: Upstream, closing isUp: Bool) {
    isUpstreamReady = false
    if isUp { outbox.actions.append(.closeUpstream(code: 1000)) }
    outbox.actions.append(.dial(upstream))
    hasRedialled = true
  }

  /// The connection is gone, and another will be asked for: content is held meanwhile.
  public mutating func upstreamIsAway() {
    isUpstreamReady = false
  }

  /// Whether a new connection was asked for since this was last called.
  public mutating func takeRedial() -> Bool {
    defer { hasRedialled = false }
    return hasRedialled
  }

  /// Nothing can go to the provider any more; what was held is dropped with it.
  public mutating func upstreamIsGone() {
    isUpstreamReady = false
    held.removeAll()
    outbox.upstream.removeAll()
  }
}
