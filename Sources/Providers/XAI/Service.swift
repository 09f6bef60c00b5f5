public import Envelope
public import OpenAIWire
public import Translation

/// The Grok Voice Agent of xAI: the vocabulary's event names, and a session of its own form.
public struct XAIService: WireService {
  /// With the path of the realtime endpoint, `/v1/realtime`.
  public var endpoint: UpstreamEndpoint
  /// The API key; nil for a stand-in that wants none.
  public var key: Redacted<String>?
  public var model: String

  public init(endpoint: UpstreamEndpoint, key: Redacted<String>?, model: String) {
    self.endpoint = endpoint
    self.key = key
    self.model = Models.withoutPrefix(model)
  }

  public var traits: WireTraits { Self.traits }

  private static let traits: WireTraits = {
    var traits = WireTraits()
    traits.isNative = false
    traits.retrievesLocally = true
    // It carries it out and says what is left; that it does was not always so, and clients must have their answer.
    traits.truncation = .both
    traits.takesOwnInput = false
    // It answers every turn that it finds.
    traits.canListenOnly = false
    traits.lifetime = Limits.lifetime
    traits.answersCommits = .responseToSpeech
    traits.resumesConversations = true
    // Its own defaults are others (R284).
    traits.setUpFields = [
      "audio.input.turn_detection", "audio.input.format", "audio.output.format", "audio.output.voice",
    ]
    traits.mending = mending
    return traits
  }()

  /// What was recorded of it, and what its pages say it leaves out.
  private static let mending: MendingRules = {
    var rules = MendingRules()
    // New items are `added` here; `created` are those of a conversation that is taken up again, which the client has.
    rules.dropped = ["ping", "conversation.created", "conversation.item.created"]
    rules.completesLifecycle = true
    rules.speaksInTextMode = true
    rules.cumulativeTranscripts = ["conversation.item.input_audio_transcription.updated"]
    return rules
  }()

  public func target(_ session: RealtimeSession, resuming conversationID: String?) -> UpstreamTarget {
    var path = endpoint.basePath.isEmpty ? "/v1/realtime" : endpoint.basePath
    path += "?model=" + PercentEncoding.queryValue(session.model)
    if let conversationID { path += "&conversation_id=" + PercentEncoding.queryValue(conversationID) }
    return UpstreamTarget(
      endpoint: endpoint, pathAndQuery: path,
      headers: key.map { [.init("Authorization", Redacted("Bearer " + $0.reveal()))] } ?? [])
  }

  public func begin(_ session: inout RealtimeSession) {
    session.audio.output.voice = .named(Voices.standard)
  }

  // MARK: Events

  public func wireEvent(_ event: JSONObject, of session: RealtimeSession) throws(EventFault) -> [JSONObject] {
    switch event["type"]?.string {
    case "output_audio_buffer.clear":
      throw .unsupported("output_audio_buffer.clear is for WebRTC and SIP calls.", param: "type")
    case "conversation.item.create":
      try Self.check(event["item"])
      return [event]
    case "response.create":
      return [Self.request(event)]
    default:
      return [event]
    }
  }

  /// What a response has of its own; everything else is the session's.
  private static let options: Set<String> = ["instructions", "metadata"]

  private static func request(_ event: JSONObject) -> JSONObject {
    var event = event
    let options = event["response"]?.object?.only(options).withoutNulls ?? JSONObject()
    event["response"] = options.isEmpty ? nil : .object(options)
    return event
  }

  /// For `text` the transcript of what the service says is the answer.
  public func ignoredOptions(_ response: JSONObject) -> [String] {
    ResponseOptions.ignored(in: response) { !Self.options.contains($0) && $0 != "output_modalities" }
  }

  private static func check(_ item: JSONValue?) throws(EventFault) {
    if let type = item?["type"]?.string, type.hasPrefix("mcp_") {
      throw .unsupported("The service keeps the items of MCP tools itself.", param: "item.type")
    }
    for (index, part) in (item?["content"]?.array ?? []).enumerated() where part["type"] == "input_image" {
      throw .unsupported("The service takes no images.", param: "item.content[\(index)].type")
    }
  }
}
