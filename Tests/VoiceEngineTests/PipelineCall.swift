import Audio
import Envelope
import LocalVoiceProvider
import NIOCore
import Synchronization

@testable import VoiceEngine

/// A session with an engine, from the translator's side of the line.
final class PipelineCall: Sendable {
  /// Lives as long as anything of the session can still deliver a message.
  private final class Receiver: Sendable {
    let events: AsyncStream<EngineEvent>.Continuation
    let isGone: Latch

    init(_ events: AsyncStream<EngineEvent>.Continuation, _ isGone: Latch) {
      (self.events, self.isGone) = (events, isGone)
    }

    func take(_ message: ByteBuffer) {
      // An event that cannot be read ends the stream, and with it the test.
      guard let value = try? JSONValue(parsing: message.readableBytesView), let event = try? EngineEvent(value) else {
        return events.finish()
      }
      events.yield(event)
    }

    deinit {
      events.finish()
      isGone.open()
    }
  }

  private let held: Mutex<EngineLine?>
  /// Every change of the pressure.
  let pressures = Chronicle<Bool>()
  private let events: AsyncStream<EngineEvent>
  private let isGone = Latch()

  init(_ parts: EngineParts) {
    let (events, continuation) = AsyncStream.makeStream(of: EngineEvent.self)
    self.events = events
    let receiver = Receiver(continuation, isGone)
    let pressures = pressures
    held = Mutex(
      VoiceEngine(parts: parts, model: "scripted", turnDetection: nil).open(
        session: "sess_1",
        deliver: { receiver.take($0) }, pressure: { pressures.append($0) }))
  }

  /// Until it is closed.
  var line: EngineLine? { held.withLock { $0 } }

  /// Ends the session and lets go of the line.
  func close() {
    line?.close()
    drop()
  }

  /// Lets go of the line without a word.
  func drop() { held.withLock { $0 = nil } }

  /// A session that hears 16 kHz, so that the engine's samples are the client's.
  static func hearing(
    _ parts: EngineParts, _ detection: HearingSettings.Detection = .automatic
  ) async throws -> PipelineCall {
    let call = PipelineCall(parts)
    call.send(.hear(.plain(detection)))
    _ = try await call.until { $0 == .ready }
    return call
  }

  func send(_ requests: EngineRequest...) {
    for request in requests {
      var message = ByteBuffer()
      request.encoded().write(into: &message)
      line?.send(message)
    }
  }

  func say(_ samples: [Int16]) { send(.audio(Self.base64(samples))) }

  /// The next event.
  func next() async throws -> EngineEvent {
    let events = events
    return try await within("an event of the engine") {
      for await event in events { return event }
      throw Overdue(description: "an event; the engine has let go of the line")
    }
  }

  /// The events up to the one that fits, which is the last of them.
  func until(_ isLast: (EngineEvent) -> Bool) async throws -> [EngineEvent] {
    var all: [EngineEvent] = []
    repeat { all.append(try await next()) } while !(all.last.map(isLast) ?? true)
    return all
  }

  /// The events of all that the session heard and was asked so far, answers excepted: they take their time.
  func settled() async throws -> [EngineEvent] {
    send(.transcribe(turn: "nowhere"))
    let all = try await until {
      if case .notTranscribed("nowhere", _, _) = $0 { true } else { false }
    }
    return all.dropLast()
  }

  /// The events of an answer up to its end.
  func answer(_ request: AnswerRequest) async throws -> [EngineEvent] {
    send(.answer(request))
    return try await until { $0.ends(request.id) }
  }

  /// Waits until nothing is left of the session that could deliver anything; the events that nobody took.
  func remainder() async throws -> [EngineEvent] {
    let (events, isGone) = (events, isGone)
    return try await within("the end of the session") {
      await isGone.pass()
      var rest: [EngineEvent] = []
      for await event in events { rest.append(event) }
      return rest
    }
  }

  static func base64(_ samples: [Int16], _ format: AudioFormat = .pcm(rate: 16_000)) -> String {
    var bytes = ByteBuffer()
    samples.withUnsafeBufferPointer { samples in
      switch format {
      case .pcm: PCM16.encode(samples, into: &bytes)
      case .pcmu: G711.encode(samples, .muLaw, into: &bytes)
      case .pcma: G711.encode(samples, .aLaw, into: &bytes)
      }
    }
    return base64(Array(bytes.readableBytesView))
  }

  static func base64(_ bytes: [UInt8]) -> String {
    var text = ByteBuffer()
    bytes.withUnsafeBytes { Base64.encode($0, into: &text) }
    return String(buffer: text)
  }
}

extension HearingSettings {
  static func plain(_ detection: Detection = .automatic, _ format: AudioFormat = .pcm(rate: 16_000)) -> HearingSettings
  {
    HearingSettings(format: format, detection: detection, threshold: 0.5, prefixPaddingMs: 100, silenceMs: 320)
  }
}

extension AnswerRequest {
  static func spoken(_ id: String = "r1", format: AudioFormat = .pcm(rate: 24_000)) -> AnswerRequest {
    AnswerRequest(
      id: id, instructions: "Be brief.", messages: [.init(.user, "Hello?")], modality: .audio, voice: "low",
      format: format)
  }

  static func written(_ id: String = "r1") -> AnswerRequest {
    var request = spoken(id)
    request.modality = .text
    return request
  }
}

extension EngineEvent {
  /// Whether it is the last event of an answer.
  func ends(_ response: String) -> Bool {
    switch self {
    case .finished(let end): end.response == response
    case .failed(response, _, _): true
    default: false
    }
  }

  var response: String? {
    switch self {
    case .text(let response, _), .audio(let response, _), .call(let response, _): response
    case .failed(let response, _, _): response
    case .finished(let end): end.response
    default: nil
    }
  }

  var text: String? { if case .text(_, let delta) = self { delta } else { nil } }

  /// The bytes of the audio.
  var audio: [UInt8]? {
    guard case .audio(_, var base64) = self else { return nil }
    var bytes = ByteBuffer()
    let count = base64.withUTF8 { Base64.decode(UnsafeRawBufferPointer($0), into: &bytes) }
    return count == nil ? nil : Array(bytes.readableBytesView)
  }

  var isAudio: Bool { if case .audio = self { true } else { false } }

  var end: AnswerEnd? { if case .finished(let end) = self { end } else { nil } }
}

extension [EngineEvent] {
  var words: String { compactMap(\.text).joined() }
  var audioByteCounts: [Int] { compactMap { $0.audio?.count } }
}
