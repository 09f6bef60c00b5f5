public import NIOCore

/// An event of the server: what it says, its id, and the fields that this vocabulary does not know.
public struct ServerEvent: Sendable, Equatable {
  /// `event_…`; only `input_audio_buffer.dtmf_event_received` goes without.
  public var eventID: String?
  public var body: Body
  /// Top-level fields that are in neither `body` nor `eventID`, such as `obfuscation`. Empty for `.unknown`.
  public var unknown: JSONObject

  public init(eventID: String?, _ body: Body, unknown: JSONObject = JSONObject()) {
    self.eventID = eventID
    self.body = body
    self.unknown = unknown
  }

  public enum Body: Sendable, Equatable {
    case sessionCreated(RealtimeSession)
    case sessionUpdated(RealtimeSession)
    case error(ErrorObject)

    case conversationCreated(ConversationObject)
    case conversationItemAdded(item: Item, previousItemID: String?)
    case conversationItemDone(item: Item, previousItemID: String?)
    case conversationItemCreated(item: Item, previousItemID: String?)
    case conversationItemRetrieved(item: Item)
    case conversationItemTruncated(itemID: String, contentIndex: Int, audioEndMs: Int)
    case conversationItemDeleted(itemID: String)

    case inputAudioTranscriptionDelta(itemID: String, contentIndex: Int, delta: String)
    case inputAudioTranscriptionCompleted(
      itemID: String, contentIndex: Int, transcript: String, usage: TranscriptionUsage)
    case inputAudioTranscriptionFailed(itemID: String, contentIndex: Int, error: TranscriptionError)
    case inputAudioTranscriptionSegment(TranscriptionSegment)

    case inputAudioBufferSpeechStarted(audioStartMs: Int, itemID: String)
    case inputAudioBufferSpeechStopped(audioEndMs: Int, itemID: String)
    case inputAudioBufferCommitted(itemID: String, previousItemID: String?)
    case inputAudioBufferCleared
    case inputAudioBufferTimeoutTriggered(audioStartMs: Int, audioEndMs: Int, itemID: String)
    /// `event` is one key of the telephone, `receivedAt` Unix time in seconds.
    case inputAudioBufferDTMF(event: String, receivedAt: Int)

    case outputAudioBufferStarted(responseID: String)
    case outputAudioBufferStopped(responseID: String)
    case outputAudioBufferCleared(responseID: String)
    case rateLimitsUpdated([RateLimit])

    case responseCreated(Response)
    case responseDone(Response)
    case responseOutputItemAdded(responseID: String, outputIndex: Int, item: Item)
    case responseOutputItemDone(responseID: String, outputIndex: Int, item: Item)
    case responseContentPartAdded(PartPosition, part: ResponsePart)
    case responseContentPartDone(PartPosition, part: ResponsePart)
    case responseOutputTextDelta(PartPosition, delta: String)
    case responseOutputTextDone(PartPosition, text: String)
    /// `delta` is base64.
    case responseOutputAudioDelta(PartPosition, delta: String)
    case responseOutputAudioDone(PartPosition)
    case responseOutputAudioTranscriptDelta(PartPosition, delta: String)
    case responseOutputAudioTranscriptDone(PartPosition, transcript: String)
    case responseFunctionCallArgumentsDelta(
      responseID: String, itemID: String, outputIndex: Int, callID: String, delta: String)
    /// Clients need `name`; older servers leave it out.
    case responseFunctionCallArgumentsDone(
      responseID: String, itemID: String, outputIndex: Int, callID: String, name: String?, arguments: String)

    case responseMCPCallArgumentsDelta(responseID: String, itemID: String, outputIndex: Int, delta: String)
    case responseMCPCallArgumentsDone(responseID: String, itemID: String, outputIndex: Int, arguments: String)
    case responseMCPCallInProgress(itemID: String, outputIndex: Int)
    case responseMCPCallCompleted(itemID: String, outputIndex: Int)
    case responseMCPCallFailed(itemID: String, outputIndex: Int)
    case mcpListToolsInProgress(itemID: String)
    case mcpListToolsCompleted(itemID: String)
    case mcpListToolsFailed(itemID: String)

    /// An event of a type that is not in `ServerEventType`, whole.
    case unknown(JSONObject)
  }
}

/// Where a content part stands.
public struct PartPosition: Sendable, Hashable {
  public var responseID: String
  public var itemID: String
  public var outputIndex: Int
  public var contentIndex: Int

  public init(responseID: String, itemID: String, outputIndex: Int = 0, contentIndex: Int = 0) {
    self.responseID = responseID
    self.itemID = itemID
    self.outputIndex = outputIndex
    self.contentIndex = contentIndex
  }
}

extension ServerEvent {
  /// The event as JSON: `type` and `event_id` first.
  public func encoded() -> JSONValue {
    var object: JSONObject
    if case .unknown(let fields) = body {
      object = fields
    } else {
      object = ["type": .string(body.type)]
    }
    if let eventID {
      object["event_id"] = .string(eventID)
    }
    body.write(into: &object)
    object.merge(unknown)
    return .object(object)
  }

  /// Appends the event as compact JSON.
  public func write(into buffer: inout ByteBuffer) {
    encoded().write(into: &buffer)
  }
}

extension ServerEvent: Codable {
  /// - Throws: `DecodingFault` where the event is none, as `ServerEvent.decode` says.
  public init(from decoder: any Decoder) throws {
    self = try ServerEvent.decode(try JSONValue(from: decoder))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(encoded())
  }
}
