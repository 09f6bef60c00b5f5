public import Envelope
public import OpenAIWire
public import Translation

/// The OpenAI Realtime service itself: the vocabulary is its own, and it judges what is said in it.
public struct OpenAIService: WireService {
  /// With the path of the realtime endpoint, `/v1/realtime`.
  public var endpoint: UpstreamEndpoint
  /// The API key; nil for a stand-in that wants none.
  public var key: Redacted<String>?
  /// The model of sessions whose client names none.
  public var model: String

  public init(endpoint: UpstreamEndpoint, key: Redacted<String>?, model: String) {
    self.endpoint = endpoint
    self.key = key
    self.model = model
  }

  public var traits: WireTraits {
    var traits = WireTraits()
    traits.lifetime = OpenAILimits.connectionLifetime
    traits.hasTranscriptionSessions = true
    return traits
  }

  public func target(_ session: RealtimeSession, resuming conversationID: String?) -> UpstreamTarget {
    let path = endpoint.basePath.isEmpty ? "/v1/realtime" : endpoint.basePath
    // Both at once are refused.
    let query =
      session.type == .transcription ? "intent=transcription" : "model=" + PercentEncoding.queryValue(session.model)
    return UpstreamTarget(
      endpoint: endpoint, pathAndQuery: path + "?" + query,
      headers: key.map { [.init("Authorization", Redacted("Bearer " + $0.reveal()))] } ?? [])
  }

  public func makeEffective(_ session: inout RealtimeSession) throws(EventFault) -> [String] {
    var ignored = try NativeSession.makeEffective(
      &session,
      transcriber: { (asked) throws(EventFault) -> String? in
        try TranscriptionModels.effective(
          asked, standard: OpenAIModels.transcriber, isOwn: OpenAIModels.isTranscriber)
      }, voice: OpenAIModels.voice)
    if !OpenAIModels.mayExist(session.model) {
      session.model = model
      ignored.append("session.model")
    }
    return ignored
  }

  public func wireSession(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject {
    NativeSession.wire(fields, of: session)
  }

  public func wireEvent(_ event: JSONObject, of session: RealtimeSession) throws(EventFault) -> [JSONObject] {
    NativeSession.wireEvent(event, voice: OpenAIModels.voice)
  }

  public func ignoredOptions(_ response: JSONObject) -> [String] { NativeSession.ignoredOptions(response) }
}
