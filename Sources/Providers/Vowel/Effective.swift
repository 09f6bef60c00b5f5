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
    var missing = try Self.setTranscription(&session)
    if session.model != model, Models.isForeign(session.model) {
      session.model = model
      missing.append("session.model")
    }
    let (name, isMeant) = Voices.voice(for: session.audio.output.voice.name, own: voice)
    session.audio.output.voice = .named(name)
    if !isMeant { missing.append("session.audio.output.voice") }
    if Self.interrupt(&session) { missing.append("session.audio.input.turn_detection.interrupt_response") }
    return missing + Self.removeForeign(&session)
  }

  /// The engine transcribes with what it was configured with.
  private static func setTranscription(_ session: inout RealtimeSession) throws(EventFault) -> [String] {
    guard let asked = session.audio.input.transcription else { return [] }
    let effective = InputTranscription(
      model: try TranscriptionModels.effective(asked.model, standard: Models.transcription) { _ in false })
    session.audio.input.transcription = effective
    let others = [
      ("language", asked.language != nil), ("prompt", asked.prompt != nil), ("languages", asked.languages != nil),
      ("keywords", asked.keywords != nil), ("delay", asked.delay != nil),
    ]
    return (others.filter(\.1).map(\.0) + asked.unknown.fields.keys).map { "session.audio.input.transcription." + $0 }
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

  private static func removeForeign(_ session: inout RealtimeSession) -> [String] {
    var missing: [String] = []
    func replace<Value: Equatable>(
      _ path: WritableKeyPath<RealtimeSession, Value>, _ value: Value, _ name: String
    ) {
      guard session[keyPath: path] != value else { return }
      session[keyPath: path] = value
      missing.append("session." + name)
    }
    replace(\.parallelToolCalls, nil, "parallel_tool_calls")
    replace(\.reasoning, nil, "reasoning.effort")
    replace(\.tracing, nil, "tracing")
    replace(\.truncation, "auto", "truncation")
    replace(\.prompt, nil, "prompt")
    replace(\.include, nil, "include")
    replace(\.audio.input.noiseReduction, nil, "audio.input.noise_reduction")
    if case .mcp = session.toolChoice { replace(\.toolChoice, .auto, "tool_choice") }
    for (path, name, own) in unknownFields {
      for (key, value) in session[keyPath: path].fields where !own.contains(key) || value.string == nil {
        session[keyPath: path].fields.removeValue(forKey: key)
        missing.append("session." + name + key)
      }
    }
    return missing
  }

  /// Where clients have fields that the vocabulary does not know, and the ones there that the engine does.
  private static let unknownFields:
    [(any WritableKeyPath<RealtimeSession, UnknownFields> & Sendable, String, Set<String>)] = [
      (\.unknown, "", Fields.own), (\.audio.unknown, "audio.", []), (\.audio.input.unknown, "audio.input.", []),
      (\.audio.output.unknown, "audio.output.", []),
    ]
}
