public import Envelope

import OpenAIWire
import Translation

// What really happens in the place of what was asked for (Q23).

extension VowelService {
  public func makeEffective(_ session: inout RealtimeSession) throws(EventFault) -> [String] {
    for (index, tool) in session.tools.enumerated() {
      guard case .function = tool else {
        throw .unsupported("The engine has functions only.", param: "session.tools[\(index)].type")
      }
    }
    var missing = MissingFields()
    try Self.setTranscription(&session, &missing)
    if Models.isForeign(session.model) { missing.keep(&session.model, at: model, "session.model") }
    let (name, isMeant) = Voices.voice(for: session.audio.output.voice.name, own: voice)
    session.audio.output.voice = .named(name)
    if !isMeant { missing.add("session.audio.output.voice") }
    if Self.interrupt(&session) { missing.add("session.audio.input.turn_detection.interrupt_response") }
    Self.removeForeign(&session, &missing)
    return missing.paths
  }

  /// The engine transcribes with what it was configured with.
  private static func setTranscription(
    _ session: inout RealtimeSession, _ missing: inout MissingFields
  ) throws(EventFault) {
    guard var transcription = session.audio.input.transcription else { return }
    let path = "session.audio.input.transcription"
    transcription.model = try TranscriptionModels.effective(transcription.model, standard: Models.transcription) { _ in
      false
    }
    missing.keep(&transcription.language, at: nil, path + ".language")
    missing.keep(&transcription.prompt, at: nil, path + ".prompt")
    missing.keep(&transcription.languages, at: nil, path + ".languages")
    missing.keep(&transcription.keywords, at: nil, path + ".keywords")
    missing.keep(&transcription.delay, at: nil, path + ".delay")
    missing.clean(&transcription.unknown, path)
    session.audio.input.transcription = transcription
  }

  /// The engine does not let itself be kept from it.
  ///
  /// - Returns: whether the client had not wanted it.
  private static func interrupt(_ session: inout RealtimeSession) -> Bool {
    guard let detection = session.audio.input.turnDetection, !detection.interruptResponse else { return false }
    switch detection {
    case .serverVAD(var vad):
      vad.interruptResponse = true
      session.audio.input.turnDetection = .serverVAD(vad)
    case .semanticVAD(var vad):
      vad.interruptResponse = true
      session.audio.input.turnDetection = .semanticVAD(vad)
    }
    return true
  }

  private static func removeForeign(_ session: inout RealtimeSession, _ missing: inout MissingFields) {
    missing.keep(&session.parallelToolCalls, at: nil, "session.parallel_tool_calls")
    missing.keep(&session.reasoning, at: nil, "session.reasoning.effort")
    missing.keep(&session.tracing, at: nil, "session.tracing")
    missing.keep(&session.truncation, at: "auto", "session.truncation")
    missing.keep(&session.prompt, at: nil, "session.prompt")
    missing.keep(&session.include, at: nil, "session.include")
    missing.keep(&session.audio.input.noiseReduction, at: nil, "session.audio.input.noise_reduction")
    if case .mcp = session.toolChoice { missing.keep(&session.toolChoice, at: .auto, "session.tool_choice") }
    // The engine's own fields are texts.
    let own = Fields.own.filter { session.unknown.fields[$0]?.string != nil }
    missing.clean(&session.unknown, keeping: own, "session")
    missing.clean(&session.audio.unknown, "session.audio")
    missing.clean(&session.audio.input.unknown, "session.audio.input")
    missing.clean(&session.audio.output.unknown, "session.audio.output")
  }
}
