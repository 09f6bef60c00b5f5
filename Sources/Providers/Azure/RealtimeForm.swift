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
    session.model = Deployments.name(for: session.model, configured: deployment)
    return try NativeSession.makeEffective(
      &session,
      transcriber: { (asked) throws(EventFault) -> String? in
        try TranscriptionModels.effective(
          asked, standard: Deployments.transcription, isOwn: Deployments.isTranscription)
      }, voice: Deployments.voice)
  }

  func wireSession(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject {
    NativeSession.wire(fields, of: session)
  }

  func wireEvent(_ event: JSONObject) throws(EventFault) -> [JSONObject] {
    NativeSession.wireEvent(event, voice: Deployments.voice)
  }

  func ignoredOptions(_ response: JSONObject) -> [String] { NativeSession.ignoredOptions(response) }
}
