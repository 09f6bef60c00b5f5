import Envelope
import Translation

/// What a session is made of, before anything happens to it.
struct SessionBeginning: Sendable {
  let id: String
  /// For what is named next.
  let ids: IDSource
  /// The model that it has need not be waited for.
  let isModelKnown: Bool
  private(set) var translator: any Translator
  /// Where the client wants transcripts only, and the provider has no such sessions.
  private(set) var transcription: TranscriptionLayer?
  private(set) var asksForTranscripts = false
  /// Fields of the configured session that have no counterpart.
  private(set) var ignored: [String] = []
  /// Why nothing of the configured session holds; nil where it does, or where there is none.
  private(set) var fault: EventFault?

  init(_ parameters: SessionParameters) {
    var ids = IDSource(seed: parameters.seed)
    id = ids.next(.session)
    let service = parameters.provider.service
    let isTranscription = parameters.purpose == .transcription
    isModelKnown = (parameters.requestedModel ?? parameters.configured?.model) != nil || isTranscription
    let conversationID = ids.next(.conversation)
    var session = RealtimeSession.defaults(
      id: id, model: parameters.requestedModel ?? service.model, voice: "marin", expiresAt: parameters.unixTime + 3600)
    if isTranscription {
      if service.hasTranscriptionSessions {
        session.become(.transcription)
      } else {
        transcription = TranscriptionLayer(preventsAnswers: service.canListenOnly)
        transcription?.prepare(&session)
        asksForTranscripts = service.transcribesOnRequest
      }
    }
    self.ids = ids
    translator = ProviderRegistry.translator(for: parameters, session: session, conversationID: conversationID)
    do {
      try configure(parameters)
    } catch {
      fault = error
    }
  }

  private mutating func configure(_ parameters: SessionParameters) throws(EventFault) {
    guard var patch = parameters.configured else { return }
    if let transcription { patch = try transcription.configuring(patch) }
    ignored = try translator.configure(patch.configuring(parameters))
  }

  /// As its client is shown it in `session.created`, in the GA vocabulary.
  var session: RealtimeSession {
    var session = translator.session
    if transcription != nil { session.become(.transcription) }
    return session
  }
}
