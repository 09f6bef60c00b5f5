import Envelope
import Translation

// What the service can and cannot be asked for: refused by the field's name, or shown as what really happens (Q23).

extension GeminiLiveTranslator {
  /// Refuses what would be answered wrongly.
  static func check(_ session: RealtimeSession) throws(EventFault) {
    if session.audio.input.format != .standard {
      throw .unsupported("Only audio/pcm at 24000 Hz is supported here.", param: "session.audio.input.format")
    }
    if session.audio.output.format != .standard {
      throw .unsupported("Only audio/pcm at 24000 Hz is supported here.", param: "session.audio.output.format")
    }
    if !session.tools.isEmpty {
      throw .unsupported("Tools are not supported with this provider.", param: "session.tools")
    }
    if session.audio.input.turnDetection?.createResponse == false {
      throw .unsupported(
        "This provider answers every spoken turn by itself.",
        param: "session.audio.input.turn_detection.create_response")
    }
    if session.prompt != nil {
      throw .unsupported("Stored prompts are not supported with this provider.", param: "session.prompt")
    }
    guard JSONCoding.encode(session).text.utf8.count <= Limits.sessionBytes else {
      throw .tooMuchHeld("The session holds more than the provider can take.", param: "session")
    }
  }

  /// The same for the options of one response.
  static func check(_ options: ResponseOptions?) throws(EventFault) {
    guard let options else { return }
    if options.isOutOfBand {
      throw .unsupported("Out-of-band responses are not supported with this provider.", param: "response.conversation")
    }
    if options.input != nil {
      throw .unsupported("A response's own input is not supported with this provider.", param: "response.input")
    }
    if !(options.tools ?? []).isEmpty {
      throw .unsupported("Tools are not supported with this provider.", param: "response.tools")
    }
    if options.prompt != nil {
      throw .unsupported("Stored prompts are not supported with this provider.", param: "response.prompt")
    }
    if let format = options.audio?.output?.format, format != .standard {
      throw .unsupported("Only audio/pcm at 24000 Hz is supported here.", param: "response.audio.output.format")
    }
  }

  /// Puts what will really happen in the place of what the service has no counterpart for (Q23, R101).
  ///
  /// - Returns: the fields concerned.
  static func makeEffective(_ session: inout RealtimeSession) -> [String] {
    var ignored: [String] = []
    func replace<Value: Equatable>(
      _ path: WritableKeyPath<RealtimeSession, Value>, _ value: Value, _ name: String
    ) {
      guard session[keyPath: path] != value else { return }
      session[keyPath: path] = value
      ignored.append("session." + name)
    }
    if Voices.name(for: session.audio.output.voice.name) == nil {
      replace(\.audio.output.voice, .named(Voices.standard), "audio.output.voice")
    }
    replace(\.audio.output.speed, 1, "audio.output.speed")
    replace(\.audio.input.noiseReduction, nil, "audio.input.noise_reduction")
    if case .serverVAD(var vad)? = session.audio.input.turnDetection {
      vad.idleTimeoutMs = nil
      let range = Limits.silenceMilliseconds
      vad.silenceDurationMs = min(max(vad.silenceDurationMs, range.lowerBound), range.upperBound)
      replace(\.audio.input.turnDetection, .serverVAD(vad), "audio.input.turn_detection")
    }
    replace(\.toolChoice, .auto, "tool_choice")
    replace(\.parallelToolCalls, nil, "parallel_tool_calls")
    replace(\.reasoning, nil, "reasoning")
    replace(\.tracing, nil, "tracing")
    replace(\.include, nil, "include")
    if session.truncatesHistory { replace(\.truncation, "auto", "truncation") }
    if !session.unknown.isEmpty {
      ignored += session.unknown.fields.keys.map { "session." + $0 }
      session.unknown = UnknownFields()
    }
    return ignored
  }

  /// The options of one response, without what cannot be done for one response alone.
  func effective(_ options: ResponseOptions?, port: inout Port) -> ResponseOptions? {
    guard var options else { return nil }
    var ignored: [String] = []
    if options.maxOutputTokens != nil { ignored.append("response.max_output_tokens") }
    if options.audio?.output?.voice != nil { ignored.append("response.audio.output.voice") }
    if options.toolChoice != nil { ignored.append("response.tool_choice") }
    if options.reasoning != nil { ignored.append("response.reasoning") }
    if !options.unknown.isEmpty { ignored += options.unknown.fields.keys.map { "response." + $0 } }
    options.maxOutputTokens = nil
    options.audio = nil
    note(ignored: ignored, port: &port)
    return options
  }

  /// Tells the operator what a client asked for in vain.
  func note(ignored fields: [String], port: inout Port) {
    guard !fields.isEmpty else { return }
    // Unknown names are the client's: as many as are of use, and none longer than a real one.
    let names = fields.prefix(20).map { $0.prefix(80) }.joined(separator: " ")
    port.note(.info, "fields without a counterpart at the provider", ["fields": names])
  }

  /// A family that takes text as the user's words only cannot be told what others said.
  func noteUnsentRoles(port: inout Port) {
    guard traits.textInput == .realtimeText, pending.contains(where: { $0.role == .assistant }) else { return }
    port.note(.warning, "items of the assistant cannot be given to this model")
  }

  /// Sends what waits as context of the turn that follows, without asking for an answer to it.
  mutating func sendContext(instructions: String? = nil, port: inout Port) {
    guard !pending.isEmpty || instructions != nil else { return }
    guard let context = Uplink.context(pending, instructions: instructions, traits: traits) else {
      return port.note(.info, "text that was created before a spoken turn waits for a typed one")
    }
    send(context, port: &port)
    turn.hasOpenContext = true
    pending.removeAll()
    pendingByteCount = 0
  }
}

extension Item {
  /// The length of the item as JSON, with something for the place that it takes.
  var encodedByteCount: Int {
    JSONCoding.encode(self).text.utf8.count + 256
  }
}
