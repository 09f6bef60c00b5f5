import Audio
import Envelope
import NIOCore
import Synchronization
public import Translation

/// Deepgram's live transcription (`/v1/listen`), one socket for each turn.
public struct DeepgramTranscriber: Transcriber {
  /// What it is asked for.
  public struct Settings: Sendable {
    public var key: Redacted<String>
    public var model = "nova-3"
    /// BCP 47, or `multi`.
    public var language = "en-US"
    /// `wss` or `https`; `api.eu.deepgram.com` is the European host.
    public var baseURL = "wss://api.deepgram.com"

    public init(key: Redacted<String>) {
      self.key = key
    }
  }

  /// How long things take. The service closes a socket on which it hears nothing for 10 s.
  public struct Timing: Sendable, Hashable {
    /// The handshake.
    public var open = Duration.seconds(5)
    /// Between two signs of life while there is no audio.
    public var keepAlive = Duration.seconds(4)
    /// From `Finalize` to `CloseStream` if there is no answer: the service gives none when nothing was left to say.
    public var patience = Duration.seconds(1)
    /// From the end of the turn to its text.
    public var final = Duration.seconds(5)
    /// The whole turn: the longest that a client may commit is 180 s of speech, and its text takes some time too.
    public var turn = Duration.seconds(195)

    public init() {}
  }

  public let description: StageDescription
  let dialer: any SocketDialer
  let settings: Settings
  let timing: Timing

  public init(dialer: any SocketDialer, settings: Settings, timing: Timing = .init()) {
    description = StageDescription(.stt, "deepgram", model: settings.model)
    self.dialer = dialer
    self.settings = settings
    self.timing = timing
  }

  public func begin(
    _ options: TranscriptionOptions, partial: @escaping @Sendable (String) -> Void
  ) -> any Transcription {
    DeepgramTranscription(transcriber: self, url: url(options), partial: partial)
  }

  func url(_ options: TranscriptionOptions) -> String {
    let address = RemoteAddress(settings.baseURL)
    var pairs = [
      ("model", settings.model), ("language", language(options)), ("encoding", "linear16"), ("sample_rate", "16000"),
      ("channels", "1"), ("interim_results", "true"), ("endpointing", "false"), ("smart_format", "true"),
      ("punctuate", "true"),
    ]
    let terms = (options.prompt ?? "").split { ",;\n".contains($0) }.map(\.trimmed).filter { !$0.isEmpty }
    // Only this family takes key terms; others refuse the parameter.
    if settings.model.hasPrefix("nova-3") { pairs += terms.prefix(20).map { ("keyterm", String($0.prefix(100))) } }
    return address.url("/v1/listen", scheme: address.socketScheme) + RemoteAddress.query(pairs)
  }

  /// The configured `en-US` is also what a session means by `en`.
  private func language(_ options: TranscriptionOptions) -> String {
    guard let wanted = options.language, !wanted.isEmpty else { return settings.language }
    return settings.language.lowercased().hasPrefix(wanted.lowercased() + "-") ? settings.language : wanted
  }
}

/// One turn on its way through Deepgram.
final class DeepgramTranscription: Transcription {
  private enum Command: Sendable {
    case audio([UInt8])
    case finish
  }

  private struct State {
    var hasAudio = false
    var byteCount = 0
    var isFinished = false
    var finishTime: ContinuousClock.Instant?
    var lastSend = ContinuousClock.now
    var assembly = DeepgramAssembly()
  }

  /// 250 ms, the longest frame that the service recommends.
  static let frameByteCount = 8_000
  /// The longest turn that a client may commit, 180 s of 16 kHz, and some more for what the detector hears around it.
  static let maximumByteCount = 190 * 32_000

  private let transcriber: DeepgramTranscriber
  private let partial: @Sendable (String) -> Void
  private let state = Mutex(State())
  private let commands: AsyncStream<Command>
  private let commander: AsyncStream<Command>.Continuation
  private let ends: AsyncStream<Void>
  private let ender: AsyncStream<Void>.Continuation
  private let work = Mutex<Task<String, any Error>?>(nil)

  init(transcriber: DeepgramTranscriber, url: String, partial: @escaping @Sendable (String) -> Void) {
    self.transcriber = transcriber
    self.partial = partial
    (commands, commander) = AsyncStream.makeStream()
    (ends, ender) = AsyncStream.makeStream()
    work.withLock { $0 = Task { try await self.run(url) } }
  }

  func append(_ samples: [Int16]) {
    guard !samples.isEmpty else { return }
    var bytes = ByteBuffer()
    samples.withUnsafeBufferPointer { PCM16.encode($0, into: &bytes) }
    let count = bytes.readableBytes
    let isTaken = state.withLock { state in
      guard !state.isFinished, state.byteCount + count <= Self.maximumByteCount else { return false }
      state.hasAudio = true
      state.byteCount += count
      return true
    }
    guard isTaken else { return }
    // Never an empty frame: it would end the stream.
    while bytes.readableBytes > 0, let frame = bytes.readBytes(length: min(Self.frameByteCount, bytes.readableBytes)) {
      commander.yield(.audio(frame))
    }
  }

  func finish() async throws -> String {
    let hasAudio = state.withLock { state in
      state.isFinished = true
      if state.finishTime == nil { state.finishTime = .now }
      return state.hasAudio
    }
    guard hasAudio else {
      cancel()
      return ""
    }
    commander.yield(.finish)
    ender.yield()
    guard let work = work.withLock(\.self) else { return "" }
    return try await withTaskCancellationHandler {
      try await work.value
    } onCancel: {
      work.cancel()
    }
  }

  func cancel() {
    state.withLock { $0.isFinished = true }
    work.withLock { $0?.cancel() }
  }

  // MARK: The socket

  private func run(_ url: String) async throws -> String {
    defer { commander.finish() }
    do {
      return try await withThrowingTaskGroup(of: String.self) { group in
        defer { group.cancelAll() }
        group.addTask { try await self.converse(try await self.open(url)) }
        group.addTask { throw try await self.lateness() }
        // A turn that nobody ends must not hold a socket for ever.
        group.addTask { [limit = transcriber.timing.turn] in
          try await Task.sleep(for: limit)
          throw StageFault(.stt, code: "stt_timeout", message: "The turn took longer than \(limit).")
        }
        guard let text = try await group.next() else { throw CancellationError() }
        return text
      }
    } catch {
      throw Task.isCancelled ? CancellationError() : DeepgramFaults(transcriber.settings.key).fault(of: error)
    }
  }

  private func open(_ url: String) async throws -> any Socket {
    let key = transcriber.settings.key
    let headers =
      [("Authorization", Redacted("Token " + key.reveal()))]
      + OutgoingTrace.headers.map { ($0.name, Redacted($0.value)) }
    return try await withThrowingTaskGroup(of: (any Socket).self) { group in
      defer { group.cancelAll() }
      group.addTask { [dialer = transcriber.dialer] in
        let socket = try await dialer.open(url, headers: headers)
        guard Task.isCancelled else { return socket }
        socket.close()
        throw CancellationError()
      }
      group.addTask { [limit = transcriber.timing.open] in
        try await Task.sleep(for: limit)
        throw StageFault(.stt, code: "stt_timeout", message: "Deepgram could not be connected to in time.")
      }
      guard let socket = try await group.next() else { throw CancellationError() }
      return socket
    }
  }

  /// The fault of a text that does not come in time after the end of the turn.
  private func lateness() async throws -> StageFault {
    for await _ in ends {
      try await Task.sleep(for: transcriber.timing.final)
      return StageFault(
        .stt, code: "stt_timeout",
        message: "Deepgram did not finish the text within \(transcriber.timing.final).")
    }
    throw CancellationError()
  }

  private func converse(_ socket: any Socket) async throws -> String {
    defer { socket.close() }
    state.withLock { $0.lastSend = .now }
    return try await withThrowingTaskGroup(of: String?.self) { group in
      defer { group.cancelAll() }
      group.addTask {
        try await self.speak(to: socket)
        return nil
      }
      group.addTask {
        try await self.stayAlive(socket)
        return nil
      }
      group.addTask { try await self.listen(to: socket) }
      for try await case .some(let text) in group { return text }
      throw CancellationError()
    }
  }

  private func speak(to socket: any Socket) async throws {
    for await command in commands {
      switch command {
      case .audio(let bytes):
        socket.send(binary: bytes)
        state.withLock { $0.lastSend = .now }
      case .finish:
        socket.send(text: #"{"type":"Finalize"}"#)
        try await Task.sleep(for: transcriber.timing.patience)
        socket.send(text: #"{"type":"CloseStream"}"#)
        return
      }
    }
  }

  private func stayAlive(_ socket: any Socket) async throws {
    while true {
      let due = state.withLock { $0.lastSend } + transcriber.timing.keepAlive
      if due > .now {
        try await Task.sleep(until: due, clock: .continuous)
        continue
      }
      socket.send(text: #"{"type":"KeepAlive"}"#)
      state.withLock { $0.lastSend = .now }
    }
  }

  private func listen(to socket: any Socket) async throws -> String {
    for try await message in socket.messages {
      guard case .text(let text) = message else { continue }
      guard let value = try? JSONValue(parsing: text) else { throw DeepgramFaults.Sent.noJSON }
      if value["type"]?.string == "Error" { throw DeepgramFaults.Sent.error(value) }
      let (effect, isFinished, whole) = state.withLock { state in
        (state.assembly.take(value), state.finishTime != nil, state.assembly.text)
      }
      switch effect {
      case .none: break
      case .partial(let text): partial(text)
      case .finalized where isFinished:
        socket.send(text: #"{"type":"CloseStream"}"#)
        return whole
      case .ended where isFinished:
        return whole
      case .finalized, .ended: break
      }
    }
    try Task.checkCancellation()
    // A normal close is the end of the text only if the text was asked for.
    let (isFinished, text) = state.withLock { ($0.finishTime != nil, $0.assembly.text) }
    guard isFinished else { throw SocketClosed(code: 1000, reason: "") }
    return text
  }
}
