public import Envelope
import Translation

// What runs in the place of what was asked for: refused by the field's name, or shown by the session (Q16, Q23).

extension LocalVoiceTranslator {
  /// The session after an update.
  ///
  /// - Throws: what is refused; then nothing of the update is applied.
  func updated(by patch: SessionPatch, port: inout Port) throws(EventFault) -> RealtimeSession {
    let (updated, ignored) = try effective(patch)
    port.note(ignored: ignored)
    return updated
  }

  public mutating func configure(_ patch: SessionPatch) throws(EventFault) -> [String] {
    let (updated, ignored) = try effective(patch)
    session = updated
    resetClock()
    return ignored
  }

  private func effective(_ patch: SessionPatch) throws(EventFault) -> (RealtimeSession, ignored: [String]) {
    var updated = try patch.nestingFlatFields().applied(to: session)
    try ModelName.check(updated.model)
    guard configuration.isLenient || updated.model == configuration.model else {
      throw .invalidValue(param: "session.model", because: "this provider has no such model.")
    }
    // The server's own; a client that sends back what it was shown asks for nothing.
    updated.unknown.fields.removeValue(forKey: "engine")
    try checkTranscription(updated)
    let ignored = makeEffective(&updated)
    try check(ignored)
    return (updated, ignored)
  }

  /// A name that nobody has is a mistake in any case (R235).
  private func checkTranscription(_ updated: RealtimeSession) throws(EventFault) {
    let asked = updated.audio.input.transcription?.model
    guard asked != session.audio.input.transcription?.model else { return }
    _ = try TranscriptionModels.effective(asked, standard: configuration.transcriptionModel) { _ in false }
  }

  /// Puts what will really happen in the place of what the engine has no counterpart for.
  ///
  /// - Returns: the fields concerned.
  func makeEffective(_ session: inout RealtimeSession) -> [String] {
    var ignored: [String] = []
    func replace<Value: Equatable>(
      _ path: WritableKeyPath<RealtimeSession, Value>, _ value: Value, _ name: String
    ) {
      guard session[keyPath: path] != value else { return }
      session[keyPath: path] = value
      ignored.append("session." + name)
    }
    replace(\.model, configuration.model, "model")
    let voice = session.audio.output.voice.name
    session.audio.output.voice = .named(configuration.voice(named: voice))
    if !configuration.knows(voice: voice) { ignored.append("session.audio.output.voice") }
    if configuration.voices.isEmpty { replace(\.outputModalities, [.text], "output_modalities") }
    replace(\.parallelToolCalls, nil, "parallel_tool_calls")
    replace(\.reasoning, nil, "reasoning.effort")
    replace(\.tracing, nil, "tracing")
    replace(\.truncation, "auto", "truncation")
    replace(\.prompt, nil, "prompt")
    replace(\.include, nil, "include")
    replace(\.audio.input.noiseReduction, nil, "audio.input.noise_reduction")
    if case .serverVAD(var vad)? = session.audio.input.turnDetection {
      vad.prefixPaddingMs = min(vad.prefixPaddingMs, Limits.longestPrefixMs)
      replace(
        \.audio.input.turnDetection, .serverVAD(vad), "audio.input.turn_detection.prefix_padding_ms")
    }
    if let transcription = session.audio.input.transcription {
      let (effective, others) = effective(transcription)
      session.audio.input.transcription = effective
      ignored += others.map { "session.audio.input.transcription." + $0 }
    }
    for (path, name) in Self.unknownFields {
      ignored += session[keyPath: path].fields.keys.map { "session." + name + $0 }
      session[keyPath: path] = UnknownFields()
    }
    session.unknown.fields["engine"] = configuration.description
    return ignored
  }

  /// Language and prompt are the engine's to make use of.
  private func effective(_ asked: InputTranscription) -> (InputTranscription, ignored: [String]) {
    let effective = InputTranscription(
      model: configuration.transcriptionModel, language: asked.language, prompt: asked.prompt)
    let others = [
      ("model", asked.model != nil && asked.model != effective.model), ("languages", asked.languages != nil),
      ("keywords", asked.keywords != nil), ("delay", asked.delay != nil),
    ]
    return (effective, others.filter(\.1).map(\.0) + asked.unknown.fields.keys)
  }

  /// Where clients have fields that this vocabulary does not know.
  private static let unknownFields: [(any WritableKeyPath<RealtimeSession, UnknownFields> & Sendable, String)] = [
    (\.unknown, ""), (\.audio.unknown, "audio."), (\.audio.input.unknown, "audio.input."),
    (\.audio.output.unknown, "audio.output."),
  ]

  // MARK: One response

  /// - Throws: a field without a counterpart, where these are refused.
  func noteIgnored(_ options: ResponseOptions?, port: inout Port) throws(EventFault) {
    guard let options else { return }
    var ignored = options.unknown.fields.keys.map { $0 }
    if options.parallelToolCalls != nil { ignored.append("parallel_tool_calls") }
    if options.reasoning != nil { ignored.append("reasoning.effort") }
    if options.prompt != nil { ignored.append("prompt") }
    if let voice = options.audio?.output?.voice, !configuration.knows(voice: voice.name) {
      ignored.append("audio.output.voice")
    }
    try note(ignored.map { "response." + $0 }, port: &port)
  }

  private func note(_ ignored: [String], port: inout Port) throws(EventFault) {
    try check(ignored)
    port.note(ignored: ignored)
  }

  private func check(_ ignored: [String]) throws(EventFault) {
    guard !configuration.isLenient, let field = ignored.first else { return }
    throw .unsupported("The local engine has no counterpart for the field.", param: field)
  }
}
