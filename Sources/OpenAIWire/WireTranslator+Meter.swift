import Envelope
import Metering
import NIOCore
import Translation

// What a session costs: the speech that the client is handed, and the tokens that the service tells of.

extension WireTranslator {
  /// What a chunk of speech is heard in.
  @inline(__always)
  func format(of delta: DeltaFrame, _ message: ByteBuffer) -> AudioFormat {
    guard !ownFormats.isEmpty else { return liveFormat }
    return responseID(of: delta, message).flatMap { ownFormats[$0] } ?? liveFormat
  }

  func responseID(of delta: DeltaFrame, _ message: ByteBuffer) -> String? {
    message.getString(at: message.readerIndex + delta.responseID.lowerBound, length: delta.responseID.count)
  }

  /// Counts the speech in an event that goes to the client, if there is any, and notes what it says of the turns.
  func meterTold(_ event: JSONObject, port: inout Port) {
    guard Self.lane(of: event) == .audio, let delta = event["delta"]?.string else {
      return Self.mark(event, port: &port)
    }
    if port.marks.watchesSpeech { port.marks.add(.spoke(responseID: event["response_id"]?.string)) }
    let format = event["response_id"]?.string.flatMap { ownFormats[$0] } ?? liveFormat
    let bytes = (try? AudioPayload.standard(from: delta, bytesPerSample: 1))?.decodedBytes ?? 0
    port.meter.spoke(bytes: bytes, format)
  }

  private static func mark(_ event: JSONObject, port: inout Port) {
    guard let type = event["type"]?.string.flatMap(ServerEventType.init(rawValue:)) else { return }
    switch type {
    case .inputAudioBufferSpeechStarted: port.marks.add(.speechStarted)
    case .inputAudioBufferSpeechStopped: port.marks.add(.speechStopped)
    case .inputAudioBufferCleared: port.marks.add(.speechCleared)
    case .inputAudioBufferTimeoutTriggered: port.marks.add(.unanswered)
    case .inputAudioTranscriptionDelta: port.marks.add(.speechHeard)
    case .responseCreated, .responseDone:
      // Null is said of a response beside the conversation, and nothing by services that have no such responses.
      guard let response = event["response"], response["conversation_id"]?.isNull != true,
        let id = response["id"]?.string
      else { return }
      guard type == .responseDone else { return port.marks.add(.began(responseID: id)) }
      let status = response["status"]?.string.flatMap(ResponseStatus.init(rawValue:)) ?? .completed
      port.marks.add(
        .ended(
          TurnOutcome(status), responseID: id, inputTokens: response["usage"]?["input_tokens"]?.int,
          outputTokens: response["usage"]?["output_tokens"]?.int))
    case .error:
      port.told(EventMender.error(from: event))
    default: break
    }
  }

  /// - Parameter hasUsage: the usage in the event is the service's own word.
  mutating func meterEvent(_ type: ServerEventType, _ event: JSONObject, hasUsage: Bool, port: inout Port) {
    switch type {
    case .responseCreated:
      port.responseBegan()
      responseBegan(event["response"])
    case .responseDone:
      if let id = event["response"]?["id"]?.string { ownFormats[id] = nil }
      guard let usage = event["response"]?["usage"], !usage.isNull,
        let counted = try? JSONCoding.decode(Usage.self, from: usage)
      else { return }
      port.meter.count(counted, isEstimated: !hasUsage)
      if !hasUsage, let id = event["response"]?["id"]?.string { estimates[id] = counted }
    case .inputAudioTranscriptionCompleted:
      guard hasUsage, let usage = event["usage"],
        let counted = try? JSONCoding.decode(TranscriptionUsage.self, from: usage)
      else { return }
      port.meter.count(counted)
    default: break
    }
  }

  /// The service's word on a response whose end the client has had already, such as one that it cancelled.
  mutating func meterLate(_ event: JSONObject, port: inout Port) {
    guard !estimates.isEmpty, event["type"] == "response.done", let response = event["response"],
      let id = response["id"]?.string, let estimate = estimates[id],
      let usage = [response["usage"], event["usage"]].compactMap(\.self).first(where: { $0.object?.isEmpty == false }),
      let counted = try? JSONCoding.decode(Usage.self, from: usage)
    else { return }
    estimates[id] = nil
    port.meter.replace(estimate: estimate, by: counted, areOthersEstimated: !estimates.isEmpty)
  }

  private mutating func responseBegan(_ response: JSONValue?) {
    // Where it is converted here, all is heard in the session's format.
    guard download == nil else {
      liveFormat = session.audio.output.format
      return
    }
    liveFormat = spokenFormat
    guard let id = response?["id"]?.string, let shown = response?["audio"]?["output"]?["format"],
      let format = try? JSONCoding.decode(AudioFormat.self, from: shown), format != liveFormat
    else { return }
    ownFormats[id] = format
  }

  /// Whether a message of the service counts tokens, or anything else that is paid for.
  static func hasUsage(_ event: JSONObject) -> Bool {
    event["usage"]?.object?.isEmpty == false || event["response"]?["usage"]?.object?.isEmpty == false
  }
}
