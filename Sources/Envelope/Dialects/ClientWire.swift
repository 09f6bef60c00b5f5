public import NIOCore

/// What a message is to the rules that treat audio apart.
public enum AudioLane: Sendable, Hashable {
  case audio
  case control
}

/// The client's side of a connection: settles the dialect, converts, and writes `audio` beside `delta` where that is
/// asked for. Behind it everything is GA.
public struct ClientWire: Sendable {
  /// Bytes cross as they are in both directions: GA is settled and no alias is asked for.
  public private(set) var isTransparent = false
  /// What the client speaks; nil until its first event, where that decides.
  public private(set) var name: DialectName?

  private let fields: AudioDeltaWriter.Fields
  private var dialect: any Dialect = GADialect()
  /// `dialect.audioDeltaType`.
  private var audioType = GADialect.audioDeltaType
  /// What is written anew; its storage is reused.
  private var scratch = ByteBuffer()

  public init(_ choice: DialectChoice, deltaFields: AudioDeltaWriter.Fields) {
    fields = deltaFields
    if case .fixed(let name) = choice { settle(name) }
  }

  private mutating func settle(_ name: DialectName) {
    self.name = name
    switch name {
    case .ga: dialect = GADialect()
    case .beta: dialect = BetaDialect()
    }
    audioType = dialect.audioDeltaType
    isTransparent = name == .ga && fields == .delta
  }

  // MARK: From the client

  /// The audio lane saw an append, which is the same in every dialect: it decides for GA where nothing has decided.
  @inline(__always)
  public mutating func heardAudio() {
    if name == nil { settle(.ga) }
  }

  /// A client's control event as a GA event. The first one settles the dialect where nothing has.
  ///
  /// - Throws: what cannot be said in GA; `param` is the path as the client wrote it.
  public mutating func incoming(_ event: JSONValue) throws(EventFault) -> JSONValue {
    if name == nil { settle(DialectName(ofFirst: event)) }
    return name == .ga ? event : try dialect.neutral(event)
  }

  // MARK: To the client

  /// Calls `send` with what the client gets of a GA message, UTF-8 JSON: nothing, or one message or several. Deltas
  /// of the audio lane are not parsed; once the storage is large enough they need no memory.
  public mutating func outgoing(_ message: ByteBufferView, _ lane: AudioLane, _ send: (ByteBufferView) -> Void) {
    guard !isTransparent else { return send(message) }
    if lane == .audio, case .audioDelta(let frame) = message.withUnsafeBytes({ EventReader.readServer($0) }) {
      sendSpliced(message, frame, send)
    } else if message.withUnsafeBytes(isAlike) {
      send(message)
    } else {
      sendConverted(message, send)
    }
    if scratch.capacity > Self.largestIdleCapacity { scratch = ByteBuffer() }
  }

  /// The largest storage that stays for the next message; one item may hold a minute of audio.
  private static let largestIdleCapacity = 1 << 20

  /// Whether a message is the same for this client, as far as its type tells.
  private func isAlike(_ message: UnsafeRawBufferPointer) -> Bool {
    guard name != .beta, let type = EventReader.type(of: message) else { return false }
    let scanner = JSONScanner(message)
    if name == nil, scanner.matches(type, "session.created") { return false }
    return fields == .delta || !scanner.matches(type, audioType)
  }

  /// The delta with the type that the client knows and the alias it asked for, between the bytes that stay.
  private mutating func sendSpliced(_ message: ByteBufferView, _ frame: DeltaFrame, _ send: (ByteBufferView) -> Void) {
    message.withUnsafeBytes { bytes in
      scratch.clear()
      scratch.reserveCapacity(bytes.count + frame.delta.count + 32)
      // The alias goes behind the quote that closes the delta.
      let afterDelta = frame.delta.upperBound + 1
      let isTypeFirst = frame.type.lowerBound < frame.delta.lowerBound
      if isTypeFirst { writeType(of: bytes, frame, from: 0) }
      let start = isTypeFirst ? frame.type.upperBound : 0
      scratch.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start..<afterDelta]))
      if fields == .deltaAndAudio {
        scratch.writeStaticString(",\"audio\":\"")
        scratch.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[frame.delta]))
        scratch.writeStaticString("\"")
      }
      if !isTypeFirst { writeType(of: bytes, frame, from: afterDelta) }
      let rest = isTypeFirst ? afterDelta : frame.type.upperBound
      scratch.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[rest...]))
    }
    send(scratch.readableBytesView)
  }

  private mutating func writeType(of bytes: UnsafeRawBufferPointer, _ frame: DeltaFrame, from start: Int) {
    scratch.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start..<frame.type.lowerBound]))
    scratch.writeStaticString(audioType)
  }

  private mutating func sendConverted(_ message: ByteBufferView, _ send: (ByteBufferView) -> Void) {
    guard var event = (try? JSONValue(parsing: message))?.object else { return send(message) }
    if name == nil { event = GADialect.greeting(event) ?? event }
    let alias: String? = fields == .deltaAndAudio ? audioType.description : nil
    // The dialect may change while what it tells is written, so this cannot be reached through `self`.
    var storage = ByteBuffer()
    swap(&storage, &scratch)
    dialect.told(event) { told in
      var told = told
      if let alias, told["type"]?.string == alias, told["audio"] == nil { told["audio"] = told["delta"] }
      storage.clear()
      told.write(into: &storage)
      send(storage.readableBytesView)
    }
    swap(&storage, &scratch)
  }
}
