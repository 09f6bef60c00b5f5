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
    for key in ["temperature", "providerData"] where session.unknown.fields.removeValue(forKey: key) != nil {
      missing.add("session." + key)
    }
    if session.audio.output.unknown.fields.removeValue(forKey: "model") != nil {
      missing.add("session.audio.output.model")
    }
    try Self.makeEffective(&session.audio)
    return missing.paths
  }

  /// What is the same for both ages of Azure OpenAI.
  static func makeEffective(_ audio: inout SessionAudio) throws(EventFault) {
    if case .named(let name) = audio.output.voice, let own = VoiceNames.name(for: name, at: .openAI) {
      audio.output.voice = .named(own)
    }
    guard let asked = audio.input.transcription else { return }
    audio.input.transcription?.model = try TranscriptionModels.effective(
      asked.model, standard: Deployments.transcription, isOwn: Deployments.isTranscription)
  }

  func wireSession(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject {
    var wire: JSONObject = ["type": .string(session.type.rawValue)]
    // The deployment is in the address.
    for (key, value) in fields where key != "model" && key != "temperature" && key != "providerData" {
      wire[key] = value
    }
    if var output = wire["audio"]?["output"]?.object, var audio = wire["audio"]?.object {
      output.removeValue(forKey: "model")
      audio["output"] = output.isEmpty ? nil : .object(output)
      wire["audio"] = audio.isEmpty ? nil : .object(audio)
    }
    return wire
  }
}
