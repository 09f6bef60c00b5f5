import Envelope
import Testing
import Translation

@testable import VoiceEngine

@Suite struct EngineSelectionTests {
  static let ollama = Found.ChatServer(
    baseURL: "http://127.0.0.1:11434/v1", name: "Ollama",
    models: ["nomic-embed-text:latest", "llama3.2:latest", "qwen3"])
  static let omni = Found.ChatServer(
    baseURL: "http://127.0.0.1:8000/v1", name: "vLLM", models: ["Qwen/Qwen2.5-Omni-3B"])

  /// A machine with every part.
  static var equipped: Found {
    var found = Found()
    found.hasWhisperLibrary = true
    found.hasSTTModel = true
    found.hasSileroModel = true
    found.hasEspeak = true
    found.hasPiperVoice = true
    found.hasONNXRuntime = true
    found.hasFlite = true
    return found
  }

  private func select(
    _ environment: [String: String] = [:], _ found: Found = equipped, _ servers: Found.ChatServer...
  ) throws -> EngineSelection {
    var found = found
    found.chatServers = servers
    return try configuration(environment).resolved(found)
  }

  private func service(_ selection: EngineSelection) -> RemoteService? {
    switch selection.llm.value {
    case .groq(let service), .openRouter(let service), .openAICompatible(let service), .omni(let service): service
    case .rules: nil
    }
  }

  @Test("Q24: bare, the embedded parts serve, with the reason and without a degradation")
  func bare() throws {
    let selection = try select()
    #expect(selection.llm.implementation == "rules")
    #expect(selection.stt.implementation == "whisper")
    #expect(selection.tts.implementation == "espeak")
    #expect(selection.vad.value == .silero(modelPath: nil))
    #expect(selection.degradations.isEmpty)
    #expect(selection.sessionModel == "parley-rules")
    #expect(selection.stt.reason == "no key (DEEPGRAM_API_KEY); embedded")
    guard case .whisper(nil, let language, let threads) = selection.stt.value else {
      Issue.record("not whisper")
      return
    }
    #expect(language == "en")
    #expect(threads == 1)
    let shown = try configuration().maskedJSON(selection)
    #expect(shown["configured"]?["stt"]?["provider"] == "deepgram")
    #expect(shown["effective"]?["stt"]?["provider"] == "whisper")
    #expect(shown["effective"]?["stt"]?["model"] == "tiny.en")
    #expect(
      shown["effective"]?["llm"]?["reason"]
        == "no key (GROQ_API_KEY), no LLM_BASE_URL, and no chat server found on this machine")
  }

  @Test("R122-R125, Q24: a vendor's key brings the vendor")
  func vendors() throws {
    let selection = try select(["GROQ_API_KEY": "g", "DEEPGRAM_API_KEY": "d"], Self.equipped, Self.ollama, Self.omni)
    #expect(selection.llm.implementation == "groq")
    #expect(selection.sessionModel == "openai/gpt-oss-20b")
    #expect(service(selection)?.apiKey?.value.reveal() == "g")
    guard case .deepgram(let hearing, let language) = selection.stt.value,
      case .deepgram(let speaking, let rate) = selection.tts.value
    else {
      Issue.record("not Deepgram")
      return
    }
    #expect(hearing.model == "nova-3" && language == "en-US" && hearing.apiKey?.value.reveal() == "d")
    #expect(speaking.model == "aura-2-thalia-en" && rate == 24_000)
    #expect(selection.degradations.isEmpty)
    #expect(try select(["OPENROUTER_API_KEY": "o"]).llm.implementation == "openrouter")
  }

  @Test(
    "a provider that was named without its key or address gives the embedded part and says so",
    arguments: [
      (["LLM_PROVIDER": "groq"], StageName.llm, "rules", "GROQ_API_KEY"),
      (["LLM_PROVIDER": "openrouter"], .llm, "rules", "OPENROUTER_API_KEY"),
      (["LLM_PROVIDER": "openai-compatible"], .llm, "rules", "LLM_BASE_URL"),
      (["LLM_PROVIDER": "omni"], .llm, "rules", "OMNI_BASE_URL"),
      (["STT_PROVIDER": "deepgram"], .stt, "whisper", "DEEPGRAM_API_KEY"),
      (["STT_PROVIDER": "groq"], .stt, "whisper", "GROQ_API_KEY"),
      (["STT_PROVIDER": "openai-compatible"], .stt, "whisper", "STT_BASE_URL"),
      (["TTS_PROVIDER": "deepgram"], .tts, "espeak", "DEEPGRAM_API_KEY"),
      (["TTS_PROVIDER": "openai-compatible"], .tts, "espeak", "TTS_BASE_URL"),
    ])
  func degraded(
    _ environment: [String: String], _ stage: StageName, _ implementation: String, _ variable: String
  ) throws {
    let selection = try select(environment)
    let served = [
      StageName.llm: selection.llm.implementation, .stt: selection.stt.implementation,
      .tts: selection.tts.implementation,
    ]
    #expect(served[stage] == implementation)
    #expect(selection.degradations.map(\.stage) == [stage])
    #expect(selection.degradations.first?.text.contains("set \(variable)") == true)
  }

  @Test("parts that are not installed degrade their stage in words, one by one")
  func missingParts() throws {
    let nothing = try select([:], Found())
    #expect(nothing.stt.implementation == "none")
    #expect(nothing.tts.implementation == "none")
    #expect(nothing.vad.value == .energy)
    #expect(nothing.llm.implementation == "rules")
    #expect(nothing.degradations.map(\.stage) == [.vad, .stt, .tts])
    #expect(nothing.stt.degradation?.contains("Whisper library is not installed") == true)

    var found = Self.equipped
    found.hasSTTModel = false
    #expect(try select([:], found).stt.degradation?.contains("Whisper model is not installed") == true)
    found = Self.equipped
    found.hasSileroModel = false
    #expect(try select([:], found).vad.degradation?.contains("Silero model is not installed") == true)
    found = Self.equipped
    found.hasEspeak = false
    let flite = try select([:], found)
    #expect(flite.tts.implementation == "flite")
    #expect(flite.tts.degradation?.contains("espeak-ng is not installed") == true)
    let piper = try select(["TTS_PROVIDER": "piper"], found)
    #expect(piper.tts.implementation == "flite")
    #expect(piper.tts.degradation?.contains("parts missing: espeak-ng") == true)
  }

  @Test("the embedded voices and detectors are had by name")
  func named() throws {
    #expect(try select(["TTS_PROVIDER": "piper"]).tts.implementation == "piper")
    #expect(try select(["TTS_PROVIDER": "flite"]).tts.implementation == "flite")
    #expect(try select(["TTS_PROVIDER": "espeak"]).tts.implementation == "espeak")
    #expect(try select(["TTS_PROVIDER": "none"]).tts.implementation == "none")
    #expect(try select(["STT_PROVIDER": "none"]).stt.implementation == "none")
    #expect(try select(["VAD_PROVIDER": "energy"]).vad.value == .energy)
    #expect(try select(["VAD_PROVIDER": "none"]).vad.value == EngineSelection.VAD.none)
    #expect(try select(["VAD_ENABLED": "false"]).vad.value == .silero(modelPath: nil))
    #expect(try select(["STT_MODEL_PATH": "/m/ggml-base.en.bin"]).stt.model == "base.en")
    for choice in ["piper", "flite", "espeak", "none"] {
      #expect(try select(["TTS_PROVIDER": choice]).degradations.isEmpty)
    }
  }

  @Test("a chat server on this machine is used and named; its first model that chats answers")
  func loopback() throws {
    let selection = try select([:], Self.equipped, Self.ollama)
    #expect(selection.llm.implementation == "openai-compatible")
    #expect(selection.sessionModel == "llama3.2:latest")
    #expect(selection.llm.reason == "found on this machine: Ollama at http://127.0.0.1:11434/v1")
    #expect(try select(["LLM_MODEL": "qwen3"], Self.equipped, Self.ollama).sessionModel == "qwen3")
    #expect(try select(["LLM_MODEL": "llama3.2"], Self.equipped, Self.ollama).sessionModel == "llama3.2:latest")
    let absent = try select(["LLM_MODEL": "mistral"], Self.equipped, Self.ollama)
    #expect(
      absent.llm.degradation == "Ollama at http://127.0.0.1:11434/v1 has no model mistral; llama3.2:latest answers")
    #expect(try select(["LLM_PROVIDER": "rules"], Self.equipped, Self.ollama).llm.implementation == "rules")
    #expect(try select(["LLM_PROVIDER": "groq"], Self.equipped, Self.ollama).llm.implementation == "rules")
  }

  @Test("a configured key is not sent to a server that was only found")
  func keyStaysHome() throws {
    let selection = try select(
      ["LLM_PROVIDER": "openai-compatible", "LLM_API_KEY": "k"], Self.equipped, Self.ollama)
    #expect(service(selection)?.baseURL == Self.ollama.baseURL)
    #expect(service(selection)?.apiKey == nil)
  }

  @Test("LLM_BASE_URL is used with its model, or with the one that the server lists")
  func address() throws {
    let selection = try select(
      ["LLM_BASE_URL": "http://127.0.0.1:11434/v1/", "LLM_API_KEY": "k"], Self.equipped, Self.ollama)
    #expect(selection.llm.model == "llama3.2:latest")
    #expect(service(selection)?.apiKey?.value.reveal() == "k")
    #expect(
      try select(["LLM_BASE_URL": "http://a/v1", "LLM_MODEL": "m"], Self.equipped, Self.omni).sessionModel == "m")
    #expect(try select(["LLM_BASE_URL": "http://a/v1"]).sessionModel == "default")
  }

  @Test("Q21, R022: an Omni server that is configured or found serves, under HYBRIE_REALTIME_MODEL or its own name")
  func omniServer() throws {
    let configured = try select(["OMNI_BASE_URL": "http://gpu:8000/v1"], Self.equipped, Self.ollama)
    #expect(configured.llm.implementation == "omni")
    #expect(configured.sessionModel == "Qwen2.5-Omni-3B")
    #expect(service(configured)?.model == "Qwen2.5-Omni-3B")
    let renamed = try select(["OMNI_BASE_URL": "http://gpu:8000/v1", "HYBRIE_REALTIME_MODEL": "Qwen2.5-Omni-7B"])
    #expect(renamed.sessionModel == "Qwen2.5-Omni-7B")
    #expect(service(renamed)?.model == "Qwen2.5-Omni-7B")
    let found = try select([:], Self.equipped, Self.ollama, Self.omni)
    #expect(found.llm.implementation == "omni")
    #expect(found.sessionModel == "Qwen2.5-Omni-3B")
    #expect(service(found)?.model == "Qwen/Qwen2.5-Omni-3B")
    let seven = Found.ChatServer(baseURL: "http://127.0.0.1:8000/v1", name: "vLLM", models: ["Qwen/Qwen2.5-Omni-7B"])
    #expect(try select([:], Self.equipped, seven).sessionModel == "Qwen2.5-Omni-7B")
  }

  @Test("Q21: without an Omni server the session says what really runs, whatever model was configured for one")
  func noOmniServer() throws {
    #expect(try select(["HYBRIE_REALTIME_MODEL": "Qwen2.5-Omni-3B"]).sessionModel == "parley-rules")
    #expect(
      try select(["HYBRIE_REALTIME_MODEL": "Qwen2.5-Omni-3B"], Self.equipped, Self.ollama).sessionModel
        == "llama3.2:latest")
  }
}
