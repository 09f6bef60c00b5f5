public import Translation

extension OpenAIService {
  /// The service speaks the envelope: nearly everything crosses, and the service judges it.
  public var coverage: [CoverageRow] {
    Coverage.subjects.map { subject in
      if let note = Self.ignored[subject] { return CoverageRow(subject, .ignored, note) }
      return CoverageRow(subject, .mapped, from: Self.moment(of: subject), Self.notes[subject] ?? "Forwarded as it is.")
    }
  }

  /// Only what is certain of here: the rest is the service's.
  private static func moment(of subject: String) -> CoverageRow.Moment? {
    switch subject {
    case "session.model", "session.modelId": .atSetUp
    // It goes out before the next chunk of audio does.
    case _ where subject.hasPrefix("session.audio.input.turn_detection") || subject == "session.turn_detection":
      .nextChunk
    default: nil
    }
  }

  /// What other services have.
  private static let ignored = [
    "session.temperature": "The service has none. Clients of the beta vocabulary are shown what they asked for.",
    "session.audio.output.model": "The service has no choice of it: the model itself speaks.",
    "session.providerData": "Inworld's.",
  ]

  private static let notes = [
    "session.type": "Forwarded; `realtime` where it is missing, because the service requires it.",
    "session.model": "Picks the model until the service is dialled; after that it stays the one that was dialled.",
    "session.modelId": "Another name of `session.model`.",
    "session.output_modalities": "Forwarded; both at once are `[\"audio\"]`, because the service allows one.",
    "session.voice": "Another place of `session.audio.output.voice`.",
    "session.turn_detection": "Another place of `session.audio.input.turn_detection`.",
    "session.audio.input.turn_detection":
      "Forwarded with all of its numbers; stated at set-up too, because the service's own defaults are not the documented ones.",
    "session.audio.input.turn_detection.idle_timeout_ms":
      "Forwarded; from 5 to 30 s, which the service allows; 0 is null.",
    "session.audio.input.transcription.model":
      "Forwarded; other services' names become `gpt-4o-mini-transcribe`, and a name that nobody has is refused.",
    "session.audio.output.voice":
      "Forwarded; other services' names become the nearest voice, unknown ones are the service's to judge.",
    "session.*": "Forwarded as it is; the service refuses what it does not know.",
    "response.output_modalities": "Forwarded; both at once are `[\"audio\"]`, because the service allows one.",
    "response.*": "Forwarded as it is, without `temperature`; the service refuses what it does not know.",
    "input_audio_buffer.append": "Forwarded as it is; the URL-safe alphabet and missing padding are put right.",
    "output_audio_buffer.clear": "Forwarded as it is; the service takes it in WebRTC and SIP calls.",
    "response.create":
      "Forwarded; without turn detection, audio that is not committed is committed first, because it would not be heard.",
    "conversation.item.create":
      "Forwarded; recordings that are Ogg Opus are decoded, because the service takes samples.",
  ]
}
