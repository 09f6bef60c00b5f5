import Envelope
import OpenAIWire
import Translation

/// Azure OpenAI as it is now: the vocabulary, with deployments for models.
struct RealtimeForm: AzureForm {
  var deployment: String

  var traits: WireTraits {
    var traits = WireTraits()
    traits.lifetime = Limits.lifetime
    traits.hasTranscriptionSessions = true
    return traits
  }

  func makeEffective(_ session: inout RealtimeSession) throws(EventFault) -> [String] {
    var missing = MissingFields()
    missing.keep(
      &session.model, at: Deployments.name(for: session.model, configured: deployment), "session.model")
    let foreign = try NativeSession.makeEffective(
      &session,
      transcriber: { (asked) throws(EventFault) -> String? in
        try TranscriptionModels.effective(
          asked, standard: Deployments.transcription, isOwn: Deployments.isTranscription)
      }, voice: Deployments.voice)
    return missing.paths + foreign
  }

  func wireSession(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject {
    NativeSession.wire(fields, of: session)
  }

  func wireEvent(_ event: JSONObject) throws(EventFault) -> [JSONObject] {
    NativeSession.wireEvent(event, voice: Deployments.voice)
  }
}
