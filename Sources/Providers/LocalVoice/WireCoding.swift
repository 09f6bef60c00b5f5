public import Envelope
public import NIOCore

// Audio messages are written and read without a tree: everything else may take its time.

extension EngineRequest {
  /// Appends an audio message around base64 text that is in standard form.
  static func writeAudio(_ base64: ByteBuffer, into buffer: inout ByteBuffer) {
    buffer.writeStaticString("{\"type\":\"audio\",\"audio\":\"")
    buffer.writeImmutableBuffer(base64)
    buffer.writeStaticString("\"}")
  }

  /// The base64 text of an audio message; nil for any other message.
  public static func audio(in message: ByteBuffer) -> ByteBuffer? {
    Framed.slice(of: message, after: "{\"type\":\"audio\",\"audio\":\"", before: "\"}")
  }

  public func encoded() -> JSONValue {
    switch self {
    case .hear(let settings): ["type": "hear", "settings": JSONCoding.encode(settings)]
    case .audio(let base64): ["type": "audio", "audio": .string(base64)]
    case .commit(let turn, let absorbed):
      ["type": "commit", "turn": .string(turn), "absorbing": absorbed.map(JSONValue.string) ?? .null]
    case .clear: ["type": "clear"]
    case .recording(let turn, let base64, let format):
      ["type": "recording", "turn": .string(turn), "audio": .string(base64), "format": JSONCoding.encode(format)]
    case .transcribe(let turn): ["type": "transcribe", "turn": .string(turn)]
    case .forget(let turn): ["type": "forget", "turn": .string(turn)]
    case .answer(let request): ["type": "answer", "request": JSONCoding.encode(request)]
    case .cancel(let response): ["type": "cancel", "response": .string(response)]
    }
  }

  public init(_ value: JSONValue) throws(EngineWireFault) {
    switch value["type"]?.string {
    case "hear": self = .hear(try Framed.decode(HearingSettings.self, value["settings"]))
    case "audio": self = .audio(try Framed.text(value, "audio"))
    case "commit": self = .commit(turn: try Framed.text(value, "turn"), absorbing: value["absorbing"]?.string)
    case "clear": self = .clear
    case "recording":
      self = .recording(
        turn: try Framed.text(value, "turn"), base64: try Framed.text(value, "audio"),
        format: try Framed.decode(AudioFormat.self, value["format"]))
    case "transcribe": self = .transcribe(turn: try Framed.text(value, "turn"))
    case "forget": self = .forget(turn: try Framed.text(value, "turn"))
    case "answer": self = .answer(try Framed.decode(AnswerRequest.self, value["request"]))
    case "cancel": self = .cancel(response: try Framed.text(value, "response"))
    default: throw EngineWireFault(reason: "unknown request")
    }
  }
}

extension EngineEvent {
  /// Appends an audio message around base64 text that is in standard form. The id needs no escape.
  public static func writeAudio(_ base64: ByteBuffer, response: String, into buffer: inout ByteBuffer) {
    buffer.writeStaticString("{\"type\":\"audio\",\"response\":\"")
    buffer.writeString(response)
    buffer.writeStaticString("\",\"audio\":\"")
    buffer.writeImmutableBuffer(base64)
    buffer.writeStaticString("\"}")
  }

  /// The response and the base64 text of an audio message; nil for any other message.
  static func audio(in message: ByteBuffer) -> (response: String, base64: ByteBuffer)? {
    guard var rest = Framed.slice(of: message, after: "{\"type\":\"audio\",\"response\":\"", before: "\"}"),
      let quote = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\"")),
      let response = rest.readString(length: quote - rest.readerIndex),
      let base64 = Framed.slice(of: rest, after: "\",\"audio\":\"", before: "")
    else { return nil }
    return (response, base64)
  }

  public func encoded() -> JSONValue {
    switch self {
    case .ready: ["type": "ready"]
    case .speechStarted(let turn, let atMs):
      ["type": "speech_started", "turn": .string(turn), "at_ms": .number(JSONNumber(atMs))]
    case .speechStopped(let turn, let atMs, let isSpeech, let wasCut):
      [
        "type": "speech_stopped", "turn": .string(turn), "at_ms": .number(JSONNumber(atMs)),
        "is_speech": .bool(isSpeech),
        "was_cut": .bool(wasCut),
      ]
    case .transcribed(let turn, let text): ["type": "transcribed", "turn": .string(turn), "text": .string(text)]
    case .notTranscribed(let turn, let code, let message):
      ["type": "not_transcribed", "turn": .string(turn), "code": .string(code), "message": .string(message)]
    case .text(let response, let delta): ["type": "text", "response": .string(response), "delta": .string(delta)]
    case .audio(let response, let base64):
      ["type": "audio", "response": .string(response), "audio": .string(base64)]
    case .call(let response, let call):
      ["type": "call", "response": .string(response), "call": JSONCoding.encode(call)]
    case .finished(let end): ["type": "finished", "end": JSONCoding.encode(end)]
    case .failed(let response, let code, let message):
      ["type": "failed", "response": .string(response), "code": .string(code), "message": .string(message)]
    }
  }

  public init(_ value: JSONValue) throws(EngineWireFault) {
    switch value["type"]?.string {
    case "ready": self = .ready
    case "speech_started":
      self = .speechStarted(turn: try Framed.text(value, "turn"), atMs: try Framed.number(value, "at_ms"))
    case "speech_stopped":
      self = .speechStopped(
        turn: try Framed.text(value, "turn"), atMs: try Framed.number(value, "at_ms"),
        isSpeech: value["is_speech"]?.bool ?? true, wasCut: value["was_cut"]?.bool ?? false)
    case "transcribed":
      self = .transcribed(turn: try Framed.text(value, "turn"), text: try Framed.text(value, "text"))
    case "not_transcribed":
      self = .notTranscribed(
        turn: try Framed.text(value, "turn"), code: try Framed.text(value, "code"),
        message: try Framed.text(value, "message"))
    case "text": self = .text(response: try Framed.text(value, "response"), delta: try Framed.text(value, "delta"))
    case "audio":
      self = .audio(response: try Framed.text(value, "response"), base64: try Framed.text(value, "audio"))
    case "call":
      self = .call(
        response: try Framed.text(value, "response"),
        try Framed.decode(AnswerRequest.Message.Call.self, value["call"]))
    case "finished": self = .finished(try Framed.decode(AnswerEnd.self, value["end"]))
    case "failed":
      self = .failed(
        response: try Framed.text(value, "response"), code: try Framed.text(value, "code"),
        message: try Framed.text(value, "message"))
    default: throw EngineWireFault(reason: "unknown event")
    }
  }
}

/// Reading of messages whose shape is known to the byte, and of fields that must be there.
private enum Framed {
  static func slice(of message: ByteBuffer, after prefix: StaticString, before suffix: StaticString) -> ByteBuffer? {
    let (head, tail) = (prefix.utf8CodeUnitCount, suffix.utf8CodeUnitCount)
    let count = message.readableBytes
    guard count >= head + tail else { return nil }
    let view = message.readableBytesView
    let hasHead = prefix.withUTF8Buffer { view.prefix(head).elementsEqual($0) }
    let hasTail = suffix.withUTF8Buffer { view.suffix(tail).elementsEqual($0) }
    guard hasHead, hasTail else { return nil }
    return message.getSlice(at: message.readerIndex + head, length: count - head - tail)
  }

  static func text(_ value: JSONValue, _ key: String) throws(EngineWireFault) -> String {
    guard let text = value[key]?.string else { throw EngineWireFault(reason: "no \(key)") }
    return text
  }

  /// A position in a session's audio.
  static func number(_ value: JSONValue, _ key: String) throws(EngineWireFault) -> Int {
    guard let number = value[key]?.int, (0...Int(Int32.max)).contains(number) else {
      throw EngineWireFault(reason: "no \(key)")
    }
    return number
  }

  static func decode<Value: Decodable>(_ type: Value.Type, _ value: JSONValue?) throws(EngineWireFault) -> Value {
    guard let value else { throw EngineWireFault(reason: "no \(type)") }
    do {
      return try JSONCoding.decode(type, from: value)
    } catch {
      throw EngineWireFault(reason: "\(type): \(error.path)")
    }
  }
}
