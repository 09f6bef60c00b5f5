import Audio
import Envelope
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import VoiceEngine

/// `POST /v1/audio/speech`: the engine's voice behind OpenAI's own shape (R024), so that one server speaks for
/// everybody.
enum SpeechRoute {
  /// OpenAI's bound, characters.
  static let longestInput = 4_096
  static let longestBody = 65_536
  /// How long a speech may take, seconds.
  static let longestSpeech = 600
  /// How fast a voice speaks, characters a second; real ones take some 15.
  static let charactersPerSecond = 12.0
  /// Speeches at once; one counts until its last byte is on its way.
  static let mostAtOnce = 8

  /// - Throws: what goes wrong on the connection, and `CancellationError`.
  static func answer(_ request: Request, engine: VoiceEngine, places: SpeechPlaces) async throws -> Response {
    let body: ByteBuffer
    do {
      body = try await request.body.collect(upTo: longestBody)
    } catch let error as any HTTPResponseError where error.status == .contentTooLarge {
      return OperatorSurface.errorResponse(
        .contentTooLarge, type: "invalid_request_error", code: "request_too_large",
        message: "The body may have \(longestBody) bytes.")
    }
    do {
      let order = try Order(body)
      guard let place = places.take() else {
        return OperatorSurface.errorResponse(
          .tooManyRequests, type: "rate_limit_error", code: "rate_limit_exceeded",
          message: "The server makes \(mostAtOnce) speeches at once; try again when one of them is over.")
      }
      let speech = try engine.speak(order.speech)
      switch order.format {
      case .pcm: return try await streamed(speech, place)
      case .wav: return try await file(speech, place)
      }
    } catch let fault as EventFault {
      return OperatorSurface.errorResponse(
        .badRequest, type: fault.type, code: fault.code, message: fault.message, param: fault.param)
    } catch let fault as StageFault {
      let status: HTTPResponse.Status =
        switch fault.code {
        case "tts_unavailable": .notImplemented
        case "rate_limit_exceeded": .tooManyRequests
        default: .badGateway
        }
      return OperatorSurface.errorResponse(status, type: "server_error", code: fault.code, message: fault.message)
    }
  }

  /// The first piece is awaited, so that what fails at once fails with a status. The rest is made as the client takes
  /// it.
  private static func streamed(
    _ speech: AsyncThrowingStream<ByteBuffer, any Error>, _ place: SpeechPlaces.Place
  ) async throws -> Response {
    let first = try await firstPiece(of: speech)
    return Response(
      status: .ok, headers: [.contentType: "audio/pcm;rate=\(SpeechRequest.rate)"],
      body: ResponseBody { writer in
        defer { withExtendedLifetime(place) {} }
        if let first { try await writer.write(first) }
        for try await piece in speech { try await writer.write(piece) }
        try await writer.finish(nil)
      })
  }

  private static func firstPiece(of speech: AsyncThrowingStream<ByteBuffer, any Error>) async throws -> ByteBuffer? {
    for try await piece in speech { return piece }
    return nil
  }

  /// A file says how long it is, so all of it is awaited.
  private static func file(
    _ speech: AsyncThrowingStream<ByteBuffer, any Error>, _ place: SpeechPlaces.Place
  ) async throws -> Response {
    var samples = ByteBuffer()
    for try await piece in speech {
      samples.writeImmutableBuffer(piece)
      guard samples.readableBytes <= longestSpeech * SpeechRequest.rate * 2 else { throw Order.tooLong }
    }
    var file = ByteBuffer(bytes: WAV.header(rate: SpeechRequest.rate, dataByteCount: samples.readableBytes))
    file.writeBuffer(&samples)
    return Response(
      status: .ok, headers: [.contentType: "audio/wav"],
      body: ResponseBody(contentLength: file.readableBytes) { [file] writer in
        defer { withExtendedLifetime(place) {} }
        try await writer.write(file)
        try await writer.finish(nil)
      })
  }
}

/// Counts the speeches in progress.
final class SpeechPlaces: Sendable {
  /// One of them, for as long as it is kept: whatever ends a response, the place goes with it.
  final class Place: Sendable {
    private let places: SpeechPlaces

    fileprivate init(_ places: SpeechPlaces) {
      self.places = places
    }

    deinit { places.taken.withLock { $0 -= 1 } }
  }

  private let most: Int
  private let taken = Mutex(0)

  init(_ most: Int) {
    self.most = most
  }

  /// Nil when all are taken.
  func take() -> Place? {
    let isFree = taken.withLock { taken in
      guard taken < most else { return false }
      taken += 1
      return true
    }
    return isFree ? Place(self) : nil
  }
}

/// The body of the request, checked.
private struct Order {
  enum Format: String, CaseIterable { case wav, pcm }

  static let tooLong = EventFault.invalidValue(
    param: "input", because: "a speech may take \(SpeechRoute.longestSpeech) s; this one is longer at its speed.")

  var speech: SpeechRequest
  /// A WAV file unless raw samples are asked for.
  var format = Format.wav

  init(_ body: ByteBuffer) throws(EventFault) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: body.readableBytesView)
    } catch {
      throw .invalidJSON(error.message)
    }
    guard let input = value["input"] else { throw .missingRequiredParameter("input") }
    guard let text = input.string else { throw .invalidValue(param: "input", because: "expected a string.") }
    guard (1...SpeechRoute.longestInput).contains(text.unicodeScalars.count) else {
      throw .invalidValue(
        param: "input", because: "expected 1 to \(SpeechRoute.longestInput) characters.")
    }
    speech = SpeechRequest(text: text, voice: try Self.voice(value["voice"]))
    if let name = value["response_format"], !name.isNull {
      guard let format = name.string.flatMap(Format.init) else {
        throw .invalidValue(
          name.string ?? name.text, param: "response_format", supported: Format.allCases.map(\.rawValue))
      }
      self.format = format
    }
    if let speed = value["speed"], !speed.isNull {
      guard let factor = speed.double, (0.25...4).contains(factor) else {
        throw .invalidValue(param: "speed", because: "expected a number from 0.25 to 4.")
      }
      speech.speed = factor
    }
    let seconds = Double(text.unicodeScalars.count) / SpeechRoute.charactersPerSecond / speech.speed
    guard seconds <= Double(SpeechRoute.longestSpeech) else { throw Self.tooLong }
    if let stream = value["stream_format"], !stream.isNull, stream != "audio" {
      throw .invalidValue(stream.string ?? stream.text, param: "stream_format", supported: ["audio"])
    }
  }

  /// A name, or an object with an `id`; nil for the engine's own.
  private static func voice(_ value: JSONValue?) throws(EventFault) -> String? {
    guard let value, !value.isNull else { return nil }
    guard let name = value.string ?? value["id"]?.string else {
      throw .invalidType(param: "voice", expected: "a string or an object with an 'id'", found: value.kind.phrase)
    }
    return name
  }
}
