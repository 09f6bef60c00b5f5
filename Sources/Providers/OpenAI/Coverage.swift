public import Translation

extension OpenAIConfiguration {
  /// The service speaks the envelope: nearly everything crosses as bytes, and the service judges it.
  public var coverage: [CoverageRow] {
    Coverage.subjects.map { subject in
      CoverageRow(subject, .mapped, from: Self.moment(of: subject), Self.notes[subject] ?? "Forwarded as it is.")
    }
  }

  /// Only what is certain of here: the rest is the service's.
  private static func moment(of subject: String) -> CoverageRow.Moment? {
    switch subject {
    case "session.model", "session.modelId": .atSetUp
    // It goes out before the next chunk of audio does.
    case _ where subject.hasPrefix("session.audio.input.turn_detection"): .nextChunk
    default: nil
    }
  }

  private static let notes = [
    "session.type": "Forwarded; `realtime` where it is missing, because the service requires it.",
    "session.model": "Picks the model until the service is dialled; after that the service answers it.",
    "session.modelId": "Another name of `session.model`.",
    "session.output_modalities": "Forwarded; both at once are `[\"audio\"]`, because the service allows one.",
    "session.*": "Forwarded as it is; the service refuses what it does not know.",
    "response.*": "Forwarded as it is; the service refuses what it does not know.",
    "input_audio_buffer.append": "Forwarded as it is; the URL-safe alphabet and missing padding are put right.",
    "output_audio_buffer.clear": "Forwarded as it is; the service takes it in WebRTC and SIP calls.",
  ]
}
