public import Envelope

import OpenAIWire
import Translation

// The client's events in the form that an engine takes them.

extension VowelService {
  // MARK: session.update

  public func wireSession(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject {
    var wire = BetaWire.session(fromGA: fields)
    wire["speaking_rate"] = wire["speed"]
    if wire["turn_detection"] != nil {
      wire["turn_detection"] = .object(Self.wireDetection(session.audio.input.turnDetection))
    }
    return wire.only(Fields.session)
  }

  /// Every number, because the engine's own are others (R284). What it is not told of responses is as at OpenAI: they
  /// are created, and can be interrupted.
  private static func wireDetection(_ detection: TurnDetection?) -> JSONObject {
    let vad: ServerVAD
    switch detection {
    // It takes null for nothing said.
    case nil: return ["type": "disabled"]
    case .serverVAD(let server): vad = server
    case .semanticVAD(let semantic):
      vad = ServerVAD(silenceDurationMs: silence(semantic.eagerness), createResponse: semantic.createResponse)
    }
    var wire: JSONObject = [
      "type": "server_vad", "threshold": .number(JSONNumber(vad.threshold)),
      "silence_duration_ms": .number(JSONNumber(vad.silenceDurationMs)),
      "prefix_padding_ms": .number(JSONNumber(vad.prefixPaddingMs)),
    ]
    if !vad.createResponse { wire["create_response"] = false }
    return wire
  }

  private static func silence(_ eagerness: SemanticVAD.Eagerness) -> Int {
    switch eagerness {
    case .low: Limits.hesitantSilence
    case .medium, .auto: Limits.middlingSilence
    case .high: Limits.eagerSilence
    }
  }

  // MARK: Other events

  public func wireEvent(_ event: JSONObject, of session: RealtimeSession) throws(EventFault) -> [JSONObject] {
    switch event["type"]?.string {
    case "conversation.item.create":
      try Self.check(event["item"])
      var event = event
      // It appends whatever comes.
      event["previous_item_id"] = nil
      return [BetaWire.clientEvent(fromGA: event)]
    case "response.create":
      return [Self.request(event)]
    case "output_audio_buffer.clear":
      throw .unsupported("output_audio_buffer.clear is for WebRTC and SIP calls.", param: "type")
    default:
      return [event]
    }
  }

  /// It reads the text of an item and nothing else.
  private static func check(_ item: JSONValue?) throws(EventFault) {
    let type = item?["type"]?.string ?? ""
    guard ["message", "function_call", "function_call_output"].contains(type) else {
      throw .unsupported("The engine has messages, calls of functions and their results only.", param: "item.type")
    }
    for (index, part) in (item?["content"]?.array ?? []).enumerated() {
      let hasAudio = part["audio"]?.isNull == false
      guard !hasAudio, part["type"] != "input_image" else {
        throw .unsupported("The engine takes text only.", param: "item.content[\(index)].type")
      }
    }
  }

  /// A response has instructions of its own; everything else is the session's.
  private static func request(_ event: JSONObject) -> JSONObject {
    var event = event
    let options = event["response"]?.object?.only(Fields.response).withoutNulls ?? JSONObject()
    event["response"] = options.isEmpty ? nil : .object(options)
    return event
  }

  /// For `text` the words of what the engine says are the answer.
  public func ignoredOptions(_ response: JSONObject) -> [String] {
    ResponseOptions.ignored(in: response) { !Fields.response.contains($0) && $0 != "output_modalities" }
  }
}
