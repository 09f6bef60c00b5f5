import Audio
public import Envelope
import Translation

// The session as the client configures it: refused by the field's name, or shown as what really happens (Q23).

extension GeminiLiveTranslator {
  /// Applies a partial update. What shows in the set-up needs another connection (R288): at the next moment that suits,
  /// and before the next response at the latest.
  mutating func update(
    _ patch: SessionPatch, eventID: String?, at now: Instant, port: inout Port
  ) throws(EventFault) {
    let (updated, ignored) = try effective(patch)
    port.note(ignored: ignored)
    let old = session
    session = updated
    if old.audio.input.format != updated.audio.input.format { inputFormatChanged(port: &port) }
    if old.audio.input.turnDetection != updated.audio.input.turnDetection { detectionChanged(from: old, port: &port) }
    port.emit(.sessionUpdated(session))
    if setUp == nil {
      renewal.updateEventID = eventID ?? renewal.updateEventID
    } else if makeSetUp(session) != setUp {
      wantUpdate(eventID: eventID, at: now)
    }
  }

  /// The session with a partial update, and the fields of it that have no counterpart.
  private func effective(_ patch: SessionPatch) throws(EventFault) -> (RealtimeSession, ignored: [String]) {
    var updated = try patch.nestingFlatFields().applied(to: session)
    try ModelName.check(updated.model)
    updated.model = try model(named: updated.model)
    let ignored = try transcription(&updated) + makeEffective(&updated)
    if !configuration.isLenient, let field = ignored.first {
      throw .unsupported("This provider has no counterpart for the field.", param: field)
    }
    try check(updated)
    return (updated, ignored)
  }

  public mutating func configure(_ patch: SessionPatch) throws(EventFault) -> [String] {
    let (updated, ignored) = try effective(patch)
    session = updated
    setUpSession = updated
    workingSession = updated
    resetClock()
    tuneDetector()
    return ignored
  }

  /// A model that the service cannot know becomes the configured one (Q16).
  private func model(named name: String) throws(EventFault) -> String {
    if let known = configuration.known(model: name) { return known }
    guard configuration.isLenient else {
      throw .invalidValue(param: "session.model", because: "this provider has no such model.")
    }
    return configuration.known(model: configuration.model) ?? configuration.model
  }

  /// The detection of turns is another from here on.
  mutating func detectionChanged(from old: RealtimeSession, port: inout Port) {
    if session.audio.input.turnDetection?.idleTimeoutMs == nil { idleAt = nil }
    if old.ownsTurns != ownsTurns {
      recentAudio.removeAll()
      heardFromMs = heardMs - (ownsTurns ? 0 : bufferedMs)
      // What is held was said to a service that finds the turns: the next connection does, and another one after it not.
      let isHeld = ownsTurns && port.heldByteCount > 0 && connection != .ready
      heldDetection = isHeld ? old.audio.input.turnDetection : nil
      sendBuffered(port: &port)
    }
    detector?.forgetTurn()
    tuneDetector()
  }

  // MARK: Refusals

  /// Refuses what would be answered wrongly.
  private func check(_ session: RealtimeSession) throws(EventFault) {
    let traits = configuration.traits(of: session.model)
    _ = try Self.tools(session.tools, traits, path: "session.tools")
    if session.audio.input.turnDetection?.createResponse == false, configuration.makeDetector == nil {
      throw .unsupported(
        "This provider answers every spoken turn by itself, and no detector of turns is installed.",
        param: "session.audio.input.turn_detection.create_response")
    }
    if session.prompt != nil {
      throw .unsupported("Stored prompts are not supported with this provider.", param: "session.prompt")
    }
    for key in session.geminiExtension.keys where !SetUp.isKnown(extensionKey: key) {
      throw .unsupported(
        "This is not a setting of the provider that a session may choose.", param: "session.gemini.\(key)")
    }
    guard JSONCoding.encode(session).text.utf8.count <= Limits.sessionBytes else {
      throw .tooMuchHeld("The session holds more than the provider can take.", param: "session")
    }
  }

  /// The same for the options of one response.
  func check(_ options: ResponseOptions?) throws(EventFault) {
    guard let options else { return }
    if !configuration.isLenient, let field = ignored(of: options).first {
      throw .unsupported("This provider has no counterpart for the field.", param: field)
    }
    if options.prompt != nil {
      throw .unsupported("Stored prompts are not supported with this provider.", param: "response.prompt")
    }
    guard !options.isOutOfBand else { return }
    if options.input != nil {
      throw .unsupported(
        "A response of the conversation cannot have an input of its own here; with conversation \"none\" it can.",
        param: "response.input")
    }
  }

  // MARK: What really happens

  /// Puts what will really happen in the place of what the service has no counterpart for (Q23, R101).
  ///
  /// - Returns: the fields concerned.
  private func makeEffective(_ session: inout RealtimeSession) -> [String] {
    var ignored: [String] = []
    func replace<Value: Equatable>(
      _ path: WritableKeyPath<RealtimeSession, Value>, _ value: Value, _ name: String
    ) {
      guard session[keyPath: path] != value else { return }
      session[keyPath: path] = value
      ignored.append("session." + name)
    }
    let traits = configuration.traits(of: session.model)
    if configuration.voice(named: session.audio.output.voice.name) == nil {
      replace(\.audio.output.voice, .named(Voices.standard), "audio.output.voice")
    }
    replace(\.audio.output.speed, 1, "audio.output.speed")
    replace(\.audio.input.noiseReduction, nil, "audio.input.noise_reduction")
    if case .serverVAD(var vad)? = session.audio.input.turnDetection, vad.createResponse {
      vad.silenceDurationMs = Limits.silence(vad.silenceDurationMs)
      replace(\.audio.input.turnDetection, .serverVAD(vad), "audio.input.turn_detection")
    }
    switch session.toolChoice {
    case .auto, .none: break
    case .required, .function, .mcp: replace(\.toolChoice, .auto, "tool_choice")
    }
    replace(\.parallelToolCalls, nil, "parallel_tool_calls")
    if traits.thinking == .none { replace(\.reasoning, nil, "reasoning.effort") }
    replace(\.tracing, nil, "tracing")
    replace(\.include, nil, "include")
    for (path, name) in Self.unknownAudioFields {
      ignored += session[keyPath: path].fields.keys.map { "session.\(name).\($0)" }
      session[keyPath: path] = UnknownFields()
    }
    for key in session.unknown.fields.keys where key != "gemini" && !(key == "temperature" && session.hasTemperature) {
      session.unknown.fields.removeValue(forKey: key)
      ignored.append("session." + key)
    }
    return ignored
  }

  /// The service transcribes with the model that answers, and in its own way.
  ///
  /// - Returns: the fields that a client asked for in vain.
  private func transcription(_ updated: inout RealtimeSession) throws(EventFault) -> [String] {
    let path = "session.audio.input.transcription"
    guard let asked = updated.audio.input.transcription else { return [] }
    var ignored: [String] = []
    if let model = asked.model, model != session.audio.input.transcription?.model {
      let effective = try TranscriptionModels.effective(model, standard: updated.model) { _ in false }
      if model != effective { ignored.append("\(path).model") }
    }
    let others = [
      ("language", asked.language != nil), ("prompt", asked.prompt != nil), ("languages", asked.languages != nil),
      ("keywords", asked.keywords != nil), ("delay", asked.delay != nil),
    ]
    ignored += others.filter(\.1).map { "\(path).\($0.0)" } + asked.unknown.fields.keys.map { "\(path).\($0)" }
    updated.audio.input.transcription = InputTranscription(model: updated.model)
    return ignored
  }

  /// Where clients of other providers have fields that this vocabulary does not know, such as the model of a voice.
  private static let unknownAudioFields: [(any WritableKeyPath<RealtimeSession, UnknownFields> & Sendable, String)] = [
    (\.audio.unknown, "audio"), (\.audio.input.unknown, "audio.input"), (\.audio.output.unknown, "audio.output"),
  ]

  /// The options of one response, without what cannot be done for one response alone.
  func effective(_ options: ResponseOptions?, port: inout Port) -> ResponseOptions? {
    guard var options else { return nil }
    port.note(ignored: ignored(of: options))
    options.maxOutputTokens = nil
    options.audio?.output?.voice = nil
    return options
  }

  /// The options without a counterpart.
  private func ignored(of options: ResponseOptions) -> [String] {
    var ignored = options.unknown.fields.keys.map { $0 }
    if options.parallelToolCalls != nil { ignored.append("parallel_tool_calls") }
    let takesReasoning = options.isOutOfBand && configuration.traits(of: session.model).thinking != .none
    if options.reasoning != nil, !takesReasoning { ignored.append("reasoning.effort") }
    if !options.isOutOfBand {
      if options.maxOutputTokens != nil { ignored.append("max_output_tokens") }
      if options.audio?.output?.voice != nil { ignored.append("audio.output.voice") }
      if options.tools != nil { ignored.append("tools") }
    }
    return ignored.map { "response." + $0 }
  }
}
