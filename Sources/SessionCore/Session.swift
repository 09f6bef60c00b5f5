public import Envelope
import Metering
public import NIOCore
public import Translation

import Audio

/// One call, from the 101 to the close: a value that is told what happened and says, in its `outbox`, what to do.
///
/// Parley answers first: `session.created` goes out at once, whatever the provider needs to wake up (R185). The provider is
/// dialled when the model is known; content is held, bounded, until it is ready.
public struct Session: Sendable {
  /// Phases and their successors.
  enum Phase: Sendable, Equatable {
    /// The model is not known yet. -> dialling, ended
    case waiting
    /// The upstream connection is being made. -> connected, away, ended
    case dialling
    /// Connected; nothing heard yet. -> live, dialling, away, ended
    case connected(firstEventBy: Instant)
    /// -> dialling (the translator replaces the connection), away, ended
    case live
    /// The connection is lost and the call goes on: the translator asks for another. -> dialling, ended
    case away
    /// Nothing more happens.
    case ended
  }

  /// The id that the client knows, and the logs.
  public let id: String
  /// What the last step produced; drained by the driver after every step.
  public var outbox: Outbox {
    get { port.outbox }
    _modify { yield &port.outbox }
  }
  /// Whether the last step asked for more than sending; tells it without a copy of the outbox.
  public var hasActions: Bool { !port.outbox.actions.isEmpty }

  let limits: SessionLimits
  var port: Port
  /// What the client speaks; everything behind it is GA.
  private var wire: ClientWire
  /// Between the two where the client wants transcripts only, and the provider has no such sessions.
  private var transcription: TranscriptionLayer?
  private let asksForTranscripts: Bool
  /// What goes out in the client's words; its storage is reused.
  private var dressed = MessageQueue()
  var translator: any Translator
  var phase = Phase.waiting
  var window: ConfigurationWindow
  var pace: ClientPace
  var span: SessionSpan
  var turns = TurnClock()
  private let isModelKnown: Bool
  private let isStrict: Bool
  private let modelRule: ModelRule
  private let sharedRates: [any SharedRate]
  /// As the driver has told last.
  var standing = LimitStanding()
  private var isReadingPaused = false
  /// The provider is not read, and so it cannot be heard.
  var isHeldBack = false
  /// It ends with its turn.
  var isDraining = false

  /// The session as the client sees it now.
  public var session: RealtimeSession { translator.session }

  public init(_ parameters: SessionParameters, at now: Instant) {
    let beginning = SessionBeginning(parameters)
    id = beginning.id
    limits = parameters.limits
    isModelKnown = beginning.isModelKnown
    isStrict = parameters.isStrict
    modelRule = parameters.modelRule
    sharedRates = parameters.sharedRates
    wire = ClientWire(parameters.dialect, deltaFields: parameters.deltaFields)
    transcription = beginning.transcription
    asksForTranscripts = beginning.asksForTranscripts
    port = Port(ids: beginning.ids)
    port.meter.speechIsHeard = transcription == nil
    port.marks.areKept = parameters.purpose != .transcription
    port.isLimited = parameters.limits.length != nil
    translator = beginning.translator
    port.note(ignored: beginning.ignored)
    window = ConfigurationWindow(openedAt: now, limits: parameters.limits)
    pace = ClientPace(parameters.limits)
    span = SessionSpan(begunAt: now, parameters.limits)
  }

  /// The next point in time at which `timeReached` must be called; nil for none.
  public var deadline: Instant? {
    var earliest = translator.deadline
    func consider(_ instant: Instant) {
      earliest = earliest.map { min($0, instant) } ?? instant
    }
    switch phase {
    case .waiting, .dialling, .live, .away: break
    case .connected(let firstEventBy): if !window.isOpen, !isHeldBack { consider(firstEventBy) }
    case .ended: return nil
    }
    if window.isOpen { consider(window.closesAt) }
    if let end = span.deadline { consider(end) }
    return earliest
  }

  // MARK: Beginning

  /// The upgrade is answered: says hello, and dials if the model is known.
  public mutating func begin(at now: Instant) {
    defer { dress() }
    port.emit(.sessionCreated(translator.session))
    if isModelKnown || translator.upstream() == .voiceEngine { dial() }
  }

  private mutating func dial() {
    guard phase == .waiting else { return }
    phase = .dialling
    port.outbox.actions.append(.dial(translator.upstream()))
  }

  /// After each step of the translator: it may have replaced the connection, or cut an answer short.
  mutating func followUp(at now: Instant) {
    if port.takeOwedRateLimits() { tellLimits(at: now) }
    if port.isInterrupted { dropQueuedAudio() }
    guard port.takeRedial(), phase != .ended else { return }
    phase = .dialling
  }

  /// Speech into an answer, and a cancelled answer, overtake the audio that the client has not taken yet (fault row 51).
  private mutating func dropQueuedAudio() {
    for interruption in port.takeInterruptions() {
      switch interruption {
      case .cancelled(let responseID):
        port.outbox.actions.append(.dropQueuedAudio(ofResponse: responseID))
      case .speech where translator.session.audio.input.turnDetection?.interruptResponse ?? false:
        port.outbox.actions.append(.dropQueuedAudio(ofResponse: nil))
      case .speech: break
      }
    }
  }

  mutating func settle(at now: Instant) {
    guard window.isOpen else { return }
    window.close()
    if case .connected = phase { phase = .connected(firstEventBy: now + limits.upstreamFirstEvent) }
    dial()
    translator.configurationSettled(at: now, port: &port)
    followUp(at: now)
  }

  // MARK: The client

  /// A text message of the client: valid UTF-8.
  public mutating func downstreamText(_ message: ByteBuffer, at now: Instant) {
    defer { stepEnded(at: now) }
    guard phase != .ended else { return }
    span.heard(at: now)
    switch message.withUnsafeReadableBytes({ EventReader.read($0) }) {
    case .append(let frame):
      guard let base64 = message.getSlice(at: message.readerIndex + frame.audio.lowerBound, length: frame.audio.count)
      else { return }
      do {
        try append(AudioChunk(base64: base64, decodedByteCount: frame.decodedBytes, event: message), at: now)
      } catch {
        let id = frame.eventID.flatMap { message.getString(at: message.readerIndex + $0.lowerBound, length: $0.count) }
        refuse(error, eventID: id, at: now)
      }
    case .control:
      control(message, at: now)
    }
  }

  /// A binary message of the client: the envelope has none.
  public mutating func downstreamBinary(at now: Instant) {
    defer { stepEnded(at: now) }
    guard phase != .ended else { return }
    span.heard(at: now)
    refuse(.invalidEvent("Binary messages are not part of the protocol: send text."), eventID: nil, at: now)
  }

  /// Tells the client what was wrong with an event of its own. A client that goes on like that is not understood at all,
  /// and is closed (fault row 41).
  private mutating func refuse(_ fault: EventFault, eventID: String?, at now: Instant) {
    port.emit(fault, eventID: eventID)
    // The event was sound, and the limit is ours.
    guard fault.code != EventFault.tooMuchHeldCode, !pace.bears(badEventAt: now) else { return }
    port.note(.warning, "too many bad events", ["limit": "\(limits.badEventsPerMinute)"])
    end(
      EventFault(
        code: "too_many_bad_events",
        message: "More than \(limits.badEventsPerMinute) events in a minute could not be carried out.", param: nil),
      closing: 1008, at: now)
  }

  private mutating func append(_ chunk: AudioChunk, at now: Instant) throws(EventFault) {
    wire.heardAudio()
    settle(at: now)
    try translator.clientAudio(chunk, at: now, port: &port)
    port.meter.heard(bytes: chunk.decodedByteCount, translator.inputFormat)
    followUp(at: now)
    holdBackIfNeeded()
  }

  private mutating func control(_ message: ByteBuffer, at now: Instant) {
    var value: JSONValue
    var message = message
    do {
      value = try JSONValue(parsing: message.readableBytesView)
    } catch {
      return refuse(.invalidJSON(error.message), eventID: nil, at: now)
    }
    do {
      if !isTransparent, let neutral = try neutral(value) {
        value = neutral
        message = ByteBuffer()
        value.write(into: &message)
      }
      let header = try EventHeader(of: value)
      if header.type == .inputAudioBufferAppend { return try appendSlowly(value, message, at: now) }
      guard pace.admits(at: now) else { return port.emit(limits.tooManyEvents, eventID: header.eventID) }
      for rate in sharedRates where !rate.admits(at: now) { return port.emit(rate.fault, eventID: header.eventID) }
      if header.type == .sessionUpdate {
        window.updated(at: now)
        if let ruled = try modelRule.judge(value, present: translator.session.model, isStrict: isStrict) {
          value = ruled
          message = ByteBuffer()
          value.write(into: &message)
        }
      }
      if header.type.isContent { settle(at: now) }
      let event = IncomingEvent(header: header, value: value, message: message)
      // Also where the provider has said all: the client has not heard it yet.
      if header.type == .responseCancel { cancelAsked(responseID: value["response_id"]?.string) }
      try carryOut(event, at: now)
      meterRecordings(in: event)
      if header.type == .inputAudioBufferCommit { askForTranscript(at: now) }
    } catch {
      refuse(error, eventID: ClientEvent.eventID(of: value), at: now)
    }
    followUp(at: now)
    holdBackIfNeeded()
  }

  /// A provider that transcribes only what it answers is asked for an answer, which stays here.
  private mutating func askForTranscript(at now: Instant) {
    guard asksForTranscripts, translator.session.audio.input.turnDetection == nil else { return }
    for type in translator.isMidTurn ? [ClientEventType.responseCancel, .responseCreate] : [.responseCreate] {
      try? translator.clientEvent(IncomingEvent(type), at: now, port: &port)
    }
  }

  /// Whether what the client says and hears is what the translator hears and says.
  private var isTransparent: Bool { wire.isTransparent && transcription == nil }

  /// The event as the translator takes it; nil where it is that already.
  private mutating func neutral(_ event: JSONValue) throws(EventFault) -> JSONValue? {
    let neutral = try wire.incoming(event)
    if let transcription { return try transcription.incoming(neutral) }
    guard wire.name != .ga else { return Optional.none }
    return neutral
  }

  /// What the step has for the client, in the client's words. Only new messages wait in the outbox here.
  mutating func dress() {
    guard !isTransparent, !port.outbox.downstream.isEmpty else { return }
    var told = MessageQueue()
    swap(&told, &port.outbox.downstream)
    while told.consume({ message, lane in dress(message, lane) }) {}
    swap(&dressed, &port.outbox.downstream)
    swap(&told, &dressed)
  }

  private mutating func dress(_ message: ByteBufferView, _ lane: MessageQueue.Lane) {
    func tell(_ told: ByteBufferView) {
      dressed.append(lane) { $0.writeBytes(told) }
    }
    guard transcription != nil else {
      return wire.outgoing(message, lane == .audio ? .audio : .control, tell)
    }
    // Nobody speaks in such a session.
    guard lane == .control, let event = (try? JSONValue(parsing: message))?.object,
      let shown = transcription?.outgoing(event)
    else { return }
    var text = ByteBuffer()
    shown.write(into: &text)
    wire.outgoing(text.readableBytesView, .control, tell)
  }

  /// Audio that the audio lane left alone: another alphabet, no padding, escapes, unknown fields.
  private mutating func appendSlowly(
    _ value: JSONValue, _ message: ByteBuffer, at now: Instant
  ) throws(EventFault) {
    guard case .inputAudioBufferAppend(var audio) = try ClientEvent.decode(value).body else { return }
    let payload: AudioPayload
    do {
      payload = try AudioPayload.standard(from: audio, bytesPerSample: translator.bytesPerSample)
    } catch {
      throw EventFault(code: AudioFault.code, message: error.message, param: AudioFault.param)
    }
    var event = message
    if audio.withUTF8({ Base64.standardPayload(UnsafeRawBufferPointer($0)) }) == nil, var object = value.object {
      object["audio"] = .string(String(buffer: payload.base64))
      event = ByteBuffer()
      object.write(into: &event)
    }
    try append(AudioChunk(base64: payload.base64, decodedByteCount: payload.decodedBytes, event: event), at: now)
  }

  /// What waits for the provider is bounded: beyond the limit the client is not read.
  private mutating func holdBackIfNeeded() {
    if !isReadingPaused, port.heldByteCount > limits.heldBytes {
      isReadingPaused = true
      port.outbox.actions.append(.pauseDownstreamReading)
    }
  }

  mutating func resumeIfPossible() {
    if isReadingPaused, port.heldByteCount <= limits.heldBytes {
      isReadingPaused = false
      port.outbox.actions.append(.resumeDownstreamReading)
    }
  }

  /// The client is gone, whichever way.
  public mutating func downstreamClosed(at now: Instant) {
    guard phase != .ended else { return }
    phase = .ended
    translator.downstreamClosed(at: now, port: &port)
    port.outbox.actions.append(.closeUpstream(code: 1000))
  }
}
