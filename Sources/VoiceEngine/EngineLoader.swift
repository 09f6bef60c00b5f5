import NativeCode
public import AsyncHTTPClient
public import Logging

import Foundation
import Translation

extension VoiceEngine {
  /// Looks for what is there, decides, loads. A part that cannot be had degrades its stage, and a line in the log says so;
  /// starting never fails.
  ///
  /// - Parameters:
  ///   - previous: an engine whose models are taken over where the configuration wants the same.
  ///   - client: for requests to a URL of a service; stays open as long as the engine.
  ///   - dialer: for services that speak WebSocket.
  public static func start(
    _ configuration: RuntimeConfiguration, reusing previous: VoiceEngine? = nil, folder: EngineFolder,
    client: @escaping @Sendable (_ url: String) -> HTTPClient, dialer: any SocketDialer, logger: Logger
  ) async -> VoiceEngine {
    let loader = EngineLoader(
      configuration: configuration, folder: folder, client: client, dialer: dialer, logger: logger,
      previous: previous?.loaded ?? LoadedParts())
    return await loader.load()
  }

  /// Only the voice of an engine, for who has something to say and nothing to hear. Nil where none is installed.
  ///
  /// - Throws: `StageFault` if the voice that is there does not load.
  public static func voice(
    _ configuration: RuntimeConfiguration, folder: EngineFolder,
    client: @escaping @Sendable (_ url: String) -> HTTPClient, dialer: any SocketDialer, logger: Logger
  ) async throws -> (any Synthesizer)? {
    let loader = EngineLoader(
      configuration: configuration, folder: folder, client: client, dialer: dialer, logger: logger)
    return try await loader.synthesizer(configuration.resolved(Found(installedIn: folder, configuration)).tts).stage
  }
}

/// Makes the parts of an engine from its configuration.
struct EngineLoader {
  let configuration: RuntimeConfiguration
  let folder: EngineFolder
  let client: @Sendable (_ url: String) -> HTTPClient
  let dialer: any SocketDialer
  let logger: Logger
  /// What an engine before this one had.
  var previous = LoadedParts()

  func load() async -> VoiceEngine {
    var found = Found(installedIn: folder, configuration)
    // Nothing is asked for what nothing would be done with.
    if !configuration.chosenProviders.contains(.llm) || configuration.llm.provider == .omni
      || configuration.llm.provider == .openAICompatible
    {
      found.chatServers = await LocalServers.find(client: client("http://127.0.0.1")).map {
        Found.ChatServer(baseURL: $0.baseURL, name: $0.name, models: $0.models)
      }
    }
    let selection = configuration.resolved(found)
    for (stage, text) in selection.degradations { logger.noteDegraded(stage, text) }
    var absent: [StageName: StageDescription] = [:]
    func note<Value>(_ stage: StageName, _ choice: EngineSelection.Choice<Value>, _ fault: StageFault?) {
      if let fault { logger.noteDegraded(stage, fault.message) }
      let reasons = [choice.degradation, fault?.message].compactMap(\.self).joined(separator: "; ")
      absent[stage] = StageDescription(
        stage, "none", degradation: reasons.isEmpty ? choice.reason : reasons)
    }

    var loaded = LoadedParts()
    let (detection, makeDetector) = DetectorLoader(folder: folder, logger: logger, previous: previous.silero).load(
      selection.vad, into: &loaded.silero)
    if detection.implementation != selection.vad.implementation || selection.vad.degradation != nil {
      note(.vad, selection.vad, nil)
      absent[.vad]?.degradation = detection.degradation ?? selection.vad.degradation
    }
    async let hearing = outcome { try await self.transcriber(selection.stt) }
    async let speaking = outcome { try await self.synthesizer(selection.tts) }
    let (heard, deafness) = await hearing
    let (spoken, muteness) = await speaking
    let transcriber = heard?.stage
    var synthesizer = spoken?.stage
    loaded.whisper = heard?.loaded
    loaded.piper = spoken?.loaded
    // A voice that does not load leaves the plain one, which is better than silence.
    if synthesizer == nil, muteness != nil, found.hasEspeak, selection.tts.implementation != "espeak" {
      synthesizer = try? await EspeakSynthesizer.start(voice: nil)
    }
    if transcriber == nil || selection.stt.degradation != nil { note(.stt, selection.stt, deafness) }
    if synthesizer == nil || muteness != nil || selection.tts.degradation != nil { note(.tts, selection.tts, muteness) }
    if let reason = selection.llm.degradation { absent[.llm] = StageDescription(.llm, "none", degradation: reason) }

    let parts = EngineParts(
      vad: detection, makeDetector: makeDetector, transcriber: transcriber, responder: responder(selection.llm),
      synthesizer: synthesizer, longestTurnMs: configuration.turnDetection.maximumTurnMs, absent: absent,
      logger: logger)
    for description in parts.descriptions {
      logger.info(
        "engine stage",
        metadata: [
          "stage": "\(description.stage.rawValue)", "serves": "\(description.label)",
          "reason": "\(description.degradation ?? selection.reason(of: description.stage))",
        ])
    }
    return VoiceEngine(
      parts: parts, model: selection.sessionModel, turnDetection: configuration.initialTurnDetection,
      selection: selection, loaded: loaded)
  }

  private func outcome<Part: Sendable>(
    _ load: () async throws -> Part
  ) async -> (part: Part?, fault: StageFault?) {
    do {
      return (try await load(), nil)
    } catch {
      return (nil, error as? StageFault ?? StageFault(.stt, code: "engine_failed", message: "\(error)"))
    }
  }

  // MARK: Stages

  private func transcriber(
    _ choice: EngineSelection.Choice<EngineSelection.STT>
  ) async throws -> (stage: (any Transcriber)?, loaded: LoadedParts.Part<WhisperTranscriber>?) {
    switch choice.value {
    case .deepgram(let service, let language):
      guard let key = service.apiKey?.value else { return (nil, nil) }
      var settings = DeepgramTranscriber.Settings(key: key)
      settings.model = service.model
      settings.baseURL = service.baseURL
      if let language { settings.language = language }
      return (DeepgramTranscriber(dialer: dialer, settings: settings), nil)
    case .openAICompatible(let service, let language, let isGroq):
      let server = TranscriptionServer(
        name: isGroq ? "groq" : "openai-compatible", baseURL: service.baseURL, model: service.model,
        key: service.apiKey?.value, language: language)
      return (OpenAITranscriber(client: client(service.baseURL), server: server, limits: hearingLimits), nil)
    case .whisper(let modelPath, let language, let threads):
      var settings = WhisperSettings()
      settings.threads = threads
      settings.capacity = configuration.limits.maximumTurns
      if let language { settings.language = language }
      let path = modelPath ?? folder.model(WhisperTranscriber.standardModel)
      let part = try await reused(
        previous.whisper, .whisper(model: ModelStamp(path), settings: settings)
      ) { [settings] in
        try await WhisperTranscriber.load(folder: folder, model: modelPath, settings: settings)
      }
      return (part.value, part)
    case .none:
      return (nil, nil)
    }
  }

  /// A user waits for this in silence; who cannot be understood in ten seconds shall be told.
  private var hearingLimits: RemoteLimits {
    var limits = RemoteLimits()
    limits.response = .seconds(10)
    limits.total = .seconds(30)
    return limits
  }

  private func responder(_ choice: EngineSelection.Choice<EngineSelection.LLM>) -> any Responder {
    let limits = {
      var limits = RemoteLimits()
      limits.response = .milliseconds(configuration.llm.timeoutMs)
      return limits
    }()
    func chat(_ server: ChatServer) -> any Responder {
      var server = server
      server.temperature = configuration.llm.temperature
      server.historyTokens = configuration.llm.historyTokens
      if let most = configuration.llm.maxTokens { server.spokenTokens = most }
      return ChatResponder(client: client(server.baseURL), server: server, limits: limits)
    }
    switch choice.value {
    case .groq(let service):
      var server = ChatServer.groq(key: service.apiKey?.value ?? Redacted(""), model: service.model)
      server.baseURL = service.baseURL
      return chat(server)
    case .openRouter(let service):
      var server = ChatServer.openRouter(key: service.apiKey?.value ?? Redacted(""), model: service.model)
      server.baseURL = service.baseURL
      return chat(server)
    case .openAICompatible(let service):
      return chat(
        ChatServer(
          name: choice.implementation, baseURL: service.baseURL, model: service.model, key: service.apiKey?.value))
    case .omni(let service):
      var server = OmniServer(baseURL: service.baseURL, model: service.model, key: service.apiKey?.value)
      server.historyTokens = configuration.llm.historyTokens
      return OmniResponder(client: client(server.baseURL), server: server, limits: limits)
    case .rules:
      return RuleResponder()
    }
  }

  func synthesizer(
    _ choice: EngineSelection.Choice<EngineSelection.TTS>
  ) async throws -> (stage: (any Synthesizer)?, loaded: LoadedParts.Part<PiperSynthesizer>?) {
    switch choice.value {
    case .deepgram(let service, let rate):
      guard let key = service.apiKey?.value else { return (nil, nil) }
      var settings = DeepgramSynthesizer.Settings(key: key)
      settings.model = service.model
      settings.baseURL = service.baseURL
      settings.rate = rate
      return (DeepgramSynthesizer(client: client(settings.baseURL), settings: settings), nil)
    case .openAICompatible(let service, let voice, let rate):
      var server = SpeechServer(
        baseURL: service.baseURL, model: service.model, key: service.apiKey?.value,
        // Who names a voice of its own server has others than OpenAI's there.
        voices: configuration.tts.voice == nil ? [voice] + SpeechServer.openAIVoices.filter { $0 != voice } : [voice])
      server.pcmRate = rate
      return (OpenAISynthesizer(client: client(server.baseURL), server: server), nil)
    case .espeak(let voice):
      return (try await EspeakSynthesizer.start(voice: voice), nil)
    case .piper(_, let modelPath):
      let path = modelPath ?? folder.model(PiperSynthesizer.standardModel)
      let part = try await reused(previous.piper, .piper(model: ModelStamp(path))) {
        try await PiperSynthesizer.start(folder: folder, model: modelPath)
      }
      return (part.value, part)
    case .flite(let voice):
      return (try await FliteSynthesizer.start(voice: voice), nil)
    case .none:
      return (nil, nil)
    }
  }

  /// What was loaded before of the same, else what `load` makes.
  private func reused<Value: Sendable>(
    _ part: LoadedParts.Part<Value>?, _ recipe: LoadedParts.Recipe, _ load: () async throws -> Value
  ) async throws -> LoadedParts.Part<Value> {
    if let part, part.recipe == recipe { return part }
    return LoadedParts.Part(recipe: recipe, value: try await load())
  }
}

extension Found {
  /// What is installed, by its files; whether they are sound shows when they are loaded.
  init(installedIn folder: EngineFolder, _ configuration: RuntimeConfiguration) {
    self.init()
    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
    func opens(_ library: String) -> Bool { (try? DynamicLibrary.open([library])) != nil }
    hasWhisperLibrary = exists(folder.library(WhisperLibrary.fileName))
    // A file that somebody named is tried, so that its fault is told by its name.
    hasSTTModel = configuration.stt.modelPath != nil || exists(folder.model(WhisperTranscriber.standardModel))
    hasSileroModel = configuration.vad.modelPath != nil || exists(folder.model(SileroDetector.standardModel))
    hasEspeak = opens("libespeak-ng.so.1")
    hasFlite = opens("libflite.so.1")
    hasPiperVoice = configuration.tts.modelPath != nil || exists(folder.model(PiperSynthesizer.standardModel))
    hasONNXRuntime = exists(folder.library("libonnxruntime.so"))
  }
}

extension EngineSelection {
  /// Why a stage is served as it is.
  public func reason(of stage: StageName) -> String {
    switch stage {
    case .vad: vad.reason
    case .stt: stt.reason
    case .llm: llm.reason
    case .tts: tts.reason
    }
  }
}
