import Audio
import Envelope
import HTTPTypes
import Hummingbird
import NIOCore
import VoiceEngine

/// `POST /v1/audio/speech`: the engine's voice behind OpenAI's own shape (R024), so that one server speaks for everybody.
enum SpeechRoute {
  /// OpenAI's bound, characters.
  static let longestInput = 4_096
  static let longestBody = 65_536

  static func answer(_ request: Request, engine: VoiceEngine) async -> Response {
    do {
      let body = try await request.body.collect(upTo: longestBody)
      let order = try Order(body)
      let speech = try engine.speak(order.speech)
      switch order.format {
      case .pcm: return try await streamed(speech)
      case .wav: return try await file(speech)
      }
    } catch let fault as EventFault {
      return failure(.badRequest, type: fault.type, code: fault.code, fault.message, param: fault.param)
    } catch let fault as StageFault {
      let status: HTTPResponse.Status =
        switch fault.code {
        case "tts_unavailable": .notImplemented
        case "rate_limit_exceeded": .tooManyRequests
        default: .badGateway
        }
      return failure(status, type: "server_error", code: fault.code, fault.message)
    } catch {
      return failure(
        .contentTooLarge, type: "invalid_request_error", code: "request_too_large",
        "The body may have \(longestBody) bytes.")
    }
  }

  /// The first piece is awaited, so that what fails at once fails with a status.
  private static func streamed(_ speech: AsyncThrowingStream<ByteBuffer, any Error>) async throws -> Response {
    let (pieces, relay) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
    try await withCheckedThrowingContinuation { (begun: CheckedContinuation<Void, any Error>) in
      let task = Task {
        var isFirst = true
        do {
          for try await piece in speech {
            relay.yield(piece)
            if isFirst { begun.resume() }
            isFirst = false
          }
          relay.finish()
          if isFirst { begun.resume() }
        } catch {
          relay.finish(throwing: error)
          if isFirst { begun.resume(throwing: error) }
        }
      }
      relay.onTermination = { _ in task.cancel() }
    }
    return Response(
      status: .ok, headers: [.contentType: "audio/pcm;rate=\(SpeechRequest.rate)"],
      body: ResponseBody { writer in
        for try await piece in pieces { try await writer.write(piece) }
        try await writer.finish(nil)
      })
  }

  /// A file says how long it is, so all of it is awaited.
  private static func file(_ speech: AsyncThrowingStream<ByteBuffer, any Error>) async throws -> Response {
    var samples = ByteBuffer()
    for try await piece in speech { samples.writeImmutableBuffer(piece) }
    var body = ByteBuffer(bytes: WAV.header(rate: SpeechRequest.rate, dataByteCount: samples.readableBytes))
    body.writeBuffer(&samples)
    return Response(status: .ok, headers: [.contentType: "audio/wav"], body: ResponseBody(byteBuffer: body))
  }

  private static func failure(
    _ status: HTTPResponse.Status, type: String, code: String?, _ message: String, param: String? = nil
  ) -> Response {
    let error: JSONObject = [
      "message": .string(message), "type": .string(type), "param": param.map(JSONValue.string) ?? .null,
      "code": code.map(JSONValue.string) ?? .null,
    ]
    return OperatorSurface.json(status, JSONValue.object(["error": .object(error)]).text)
  }
}

/// The body of the request, checked.
private struct Order {
  enum Format: String, CaseIterable { case wav, pcm }

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
    speech = SpeechRequest(text: text, voice: value["voice"]?.string ?? value["voice"]?["id"]?.string)
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
    if let stream = value["stream_format"]?.string, stream != "audio" {
      throw .invalidValue(stream, param: "stream_format", supported: ["audio"])
    }
  }
}
