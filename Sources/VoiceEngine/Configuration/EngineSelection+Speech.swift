extension RuntimeConfiguration {
  // MARK: Speech to text

  func resolvedSTT(_ found: Found) -> EngineSelection.Choice<EngineSelection.STT> {
    let isChosen = chosenProviders.contains(.stt)
    switch stt.provider {
    case .deepgram:
      guard let service = service(stt.baseURL, stt.model, key: stt.apiKey) else {
        return whisper(found, instead: isChosen ? "no key: set DEEPGRAM_API_KEY" : nil)
      }
      return .init(
        value: .deepgram(service, language: stt.language), implementation: "deepgram", model: service.model,
        reason: reason("stt.apiKey"))
    case .groq:
      guard let service = service(stt.baseURL, stt.model, key: stt.apiKey) else {
        return whisper(found, instead: "no key: set GROQ_API_KEY")
      }
      return .init(
        value: .openAICompatible(service, language: stt.language, isGroq: true), implementation: "groq",
        model: service.model, reason: reason("stt.apiKey"))
    case .openAICompatible:
      guard let baseURL = stt.baseURL else { return whisper(found, instead: "no address: set STT_BASE_URL") }
      let service = RemoteService(baseURL: baseURL, model: stt.model ?? "", apiKey: stt.apiKey)
      return .init(
        value: .openAICompatible(service, language: stt.language, isGroq: false), implementation: "openai-compatible",
        model: service.model, reason: reason("stt.baseUrl"))
    case .whisper:
      return whisper(found, instead: nil)
    case .none:
      return .init(value: .none, implementation: "none", model: "", reason: asked(.stt, for: "none"))
    }
  }

  /// The embedded transcriber, or none. `cause`: why not the one that was asked for.
  private func whisper(
    _ found: Found, instead cause: String?
  ) -> EngineSelection.Choice<EngineSelection.STT> {
    let refusal = cause.map { "\(asked(.stt, for: stt.provider.rawValue)) has \($0)" }
    guard found.hasWhisperLibrary, found.hasSTTModel else {
      let missing = found.hasWhisperLibrary ? "the Whisper model" : "the Whisper library"
      let sentence = "\(missing) is not installed (make setup), so speech is not understood; text is"
      return .init(
        value: .none, implementation: "none", model: "", reason: "\(missing) is not installed",
        degradation: [refusal, sentence].compactMap(\.self).joined(separator: "; "))
    }
    // The model and the language of a service say nothing about the embedded model.
    let isOwn = stt.provider == .whisper
    let name = stt.modelPath.map(Self.modelName) ?? "tiny.en"
    return .init(
      value: .whisper(
        modelPath: stt.modelPath, language: isOwn ? stt.language : language(of: stt.language), threads: stt.threads),
      implementation: "whisper", model: name, reason: cause ?? embeddedReason(.stt, own: isOwn, "DEEPGRAM_API_KEY"),
      degradation: refusal.map { "\($0); Whisper on this machine serves" })
  }

  /// `en` of `en-US`.
  private func language(of tag: String?) -> String? {
    tag.flatMap { $0.split(separator: "-").first.map { $0.lowercased() } }
  }

  /// `base.en` of `/models/ggml-base.en.bin`.
  private static func modelName(_ path: String) -> String {
    var name = path.split(separator: "/").last.map(String.init) ?? path
    if name.hasSuffix(".bin") { name.removeLast(4) }
    if name.hasPrefix("ggml-") { name.removeFirst(5) }
    return name
  }

  // MARK: Text to speech

  func resolvedTTS(_ found: Found) -> EngineSelection.Choice<EngineSelection.TTS> {
    let isChosen = chosenProviders.contains(.tts)
    switch tts.provider {
    case .deepgram:
      guard let service = service(tts.baseURL, tts.model, key: tts.apiKey) else {
        return embeddedVoice(found, instead: isChosen ? "no key: set DEEPGRAM_API_KEY" : nil)
      }
      return .init(
        value: .deepgram(service, sampleRate: tts.sampleRate), implementation: "deepgram", model: service.model,
        reason: reason("tts.apiKey"))
    case .openAICompatible:
      guard let baseURL = tts.baseURL else { return embeddedVoice(found, instead: "no address: set TTS_BASE_URL") }
      let service = RemoteService(baseURL: baseURL, model: tts.model ?? "", apiKey: tts.apiKey)
      return .init(
        value: .openAICompatible(service, voice: tts.voice ?? "alloy", sampleRate: tts.sampleRate),
        implementation: "openai-compatible", model: service.model, reason: reason("tts.baseUrl"))
    case .espeak:
      return embeddedVoice(
        found, instead: found.hasEspeak ? nil : "no library: espeak-ng is not installed (make setup)")
    case .piper:
      // Piper speaks phonemes, which espeak-ng makes of the text.
      let missing = [
        (found.hasONNXRuntime, "ONNX Runtime"), (found.hasPiperVoice, "the Piper voice"),
        (found.hasEspeak, "espeak-ng"),
      ].filter { !$0.0 }.map(\.1)
      guard missing.isEmpty else {
        let cause = "parts missing: \(missing.joined(separator: ", ")) (make setup)"
        return embeddedVoice(found, instead: cause)
      }
      return .init(
        value: .piper(voice: tts.voice, modelPath: tts.modelPath), implementation: "piper", model: tts.voice ?? "",
        reason: asked(.tts, for: "piper"))
    case .flite:
      guard found.hasFlite else {
        return embeddedVoice(found, instead: "no library: flite is not installed (make setup)")
      }
      return flite(asked(.tts, for: "flite"), nil)
    case .none:
      return .init(value: .none, implementation: "none", model: "", reason: asked(.tts, for: "none"))
    }
  }

  /// espeak-ng, else flite, else no voice. `cause`: why not the one that was asked for.
  private func embeddedVoice(
    _ found: Found, instead cause: String?
  ) -> EngineSelection.Choice<EngineSelection.TTS> {
    let isOwn = tts.provider == .espeak
    let reason = cause ?? embeddedReason(.tts, own: isOwn, "DEEPGRAM_API_KEY")
    let refusal = cause.map { "\(asked(.tts, for: tts.provider.rawValue)) has \($0)" }
    if found.hasEspeak {
      // A voice of another synthesizer is none of this one's.
      let voice = isOwn || !chosenProviders.contains(.tts) ? tts.voice : nil
      return .init(
        value: .espeak(voice: voice), implementation: "espeak", model: voice ?? "", reason: reason,
        degradation: refusal.map { "\($0); espeak-ng on this machine speaks" })
    }
    let missing = refusal ?? "espeak-ng is not installed (make setup)"
    if found.hasFlite { return flite(reason, "\(missing); flite speaks") }
    return .init(
      value: .none, implementation: "none", model: "", reason: "no voice is installed",
      degradation: "\(missing); there is no voice on this machine, so answers are text")
  }

  private func flite(_ reason: String, _ degradation: String?) -> EngineSelection.Choice<EngineSelection.TTS> {
    let voice = tts.provider == .flite ? tts.voice : nil
    return .init(
      value: .flite(voice: voice), implementation: "flite", model: voice ?? "", reason: reason,
      degradation: degradation)
  }

  // MARK: Voice activity detection

  /// A disabled detector is still there: a session may turn it on.
  func resolvedVAD(_ found: Found) -> EngineSelection.Choice<EngineSelection.VAD> {
    let wanted = asked(.vad, for: vad.provider.rawValue)
    switch vad.provider {
    case .silero:
      guard found.hasSileroModel else {
        let missing = "the Silero model is not installed"
        return .init(
          value: .energy, implementation: "energy", model: "", reason: missing,
          degradation: "\(wanted) is not to be had: \(missing) (make setup); loudness decides")
      }
      return .init(value: .silero(modelPath: vad.modelPath), implementation: "silero", model: "", reason: wanted)
    case .energy:
      return .init(value: .energy, implementation: "energy", model: "", reason: wanted)
    case .none:
      return .init(value: .none, implementation: "none", model: "", reason: wanted)
    }
  }

  // MARK: Words

  private func service(_ baseURL: String?, _ model: String?, key: ConfiguredSecret?) -> RemoteService? {
    guard let key, let baseURL, let model else { return nil }
    return RemoteService(baseURL: baseURL, model: model, apiKey: key)
  }

  private func reason(_ path: String) -> String {
    let what = path.hasSuffix("apiKey") ? "key" : "address"
    return "its \(what) is configured (\(sources[path] ?? .standard))"
  }

  private func embeddedReason(_ stage: StageName, own: Bool, _ variable: String) -> String {
    own ? asked(stage, for: stage == .stt ? "whisper" : "espeak") : "no key (\(variable)); embedded"
  }
}
