import Envelope
import Foundation
import Testing
import Translation

@testable import VoiceEngine

func configuration(
  _ environment: [String: String] = [:], yaml: String = ""
) throws -> RuntimeConfiguration {
  try RuntimeConfiguration(
    layers: [ConfigurationLayer(yaml: yaml, file: "runtime.yaml")], environment: environment)
}

@Suite struct RuntimeConfigurationTests {
  @Test("R121, R122, Q24: only GROQ_API_KEY gives Groq with the source's model")
  func groq() throws {
    let made = try configuration(["GROQ_API_KEY": "gsk_1"])
    #expect(made.llm.provider == .groq)
    #expect(made.llm.model == "openai/gpt-oss-20b")
    #expect(made.llm.baseURL == "https://api.groq.com/openai/v1")
    #expect(made.llm.apiKey?.value.reveal() == "gsk_1")
    #expect(made.sources["llm.provider"] == .environment("GROQ_API_KEY"))
    #expect(made.sources["llm.model"] == .standard)
    let other = try configuration(["LLM_PROVIDER": "groq", "GROQ_API_KEY": "gsk_1", "GROQ_MODEL": "other"])
    #expect(other.llm.model == "other")
    #expect(other.sources["llm.model"] == .environment("GROQ_MODEL"))
  }

  @Test("R123: OpenRouter takes any model", arguments: ["anthropic/claude-3-sonnet", "x/y:free", "openrouter/auto"])
  func openRouter(_ model: String) throws {
    let made = try configuration(
      ["LLM_PROVIDER": "openrouter", "OPENROUTER_API_KEY": "sk-or-1", "OPENROUTER_MODEL": model])
    #expect(made.llm.provider == .openrouter)
    #expect(made.llm.model == model)
    #expect(made.llm.baseURL == "https://openrouter.ai/api/v1")
  }

  @Test("R121: the same by the file, and the file wins over the environment")
  func yamlWins() throws {
    let made = try configuration(
      ["LLM_PROVIDER": "groq", "GROQ_API_KEY": "gsk_1", "OPENROUTER_API_KEY": "sk-or-2", "VAD_THRESHOLD": "0.7"],
      yaml: "llm:\n  provider: openrouter\n  model: a/b\nvad:\n  threshold: 0.4\n")
    #expect(made.llm.provider == .openrouter)
    #expect(made.llm.model == "a/b")
    #expect(made.llm.apiKey?.value.reveal() == "sk-or-2")
    #expect(made.vad.threshold == 0.4)
    #expect(made.sources["llm.model"] == .file("runtime.yaml", line: 3))
    #expect(made.sources["llm.apiKey"] == .environment("OPENROUTER_API_KEY"))
  }

  @Test("R124, R125, Q24: only DEEPGRAM_API_KEY gives Nova-3, en-US and Aura-2; each can be overridden")
  func deepgram() throws {
    let standard = try configuration(["DEEPGRAM_API_KEY": "dg"])
    #expect(standard.stt.provider == .deepgram)
    #expect(standard.stt.model == "nova-3")
    #expect(standard.stt.language == "en-US")
    #expect(standard.stt.apiKey?.value.reveal() == "dg")
    #expect(standard.tts.provider == .deepgram)
    #expect(standard.tts.model == "aura-2-thalia-en")
    #expect(standard.tts.sampleRate == 24_000)
    let other = try configuration([
      "DEEPGRAM_API_KEY": "dg", "STT_PROVIDER": "deepgram", "DEEPGRAM_STT_MODEL": "nova-2",
      "DEEPGRAM_STT_LANGUAGE": "de", "TTS_PROVIDER": "deepgram", "DEEPGRAM_TTS_MODEL": "aura-2-zeus-en",
    ])
    #expect(other.stt.model == "nova-2")
    #expect(other.stt.language == "de")
    #expect(other.tts.model == "aura-2-zeus-en")
  }

  @Test("R126: Silero, enabled, 0.5 and 550 ms, as a session's turn detection says")
  func vad() throws {
    let standard = try configuration()
    #expect(standard.vad.provider == .silero)
    #expect(standard.vad.isEnabled)
    #expect(standard.vad.threshold == 0.5)
    #expect(standard.vad.minSilenceMs == 550)
    #expect(standard.vad.speechPadMs == 300)
    #expect(
      standard.initialTurnDetection
        == .serverVAD(ServerVAD(threshold: 0.5, prefixPaddingMs: 300, silenceDurationMs: 550)))
    let other = try configuration([
      "VAD_PROVIDER": "energy", "VAD_THRESHOLD": "0.25", "VAD_MIN_SILENCE_MS": "700", "VAD_SPEECH_PAD_MS": "0",
    ])
    #expect(other.vad.provider == .energy)
    #expect(
      other.initialTurnDetection
        == .serverVAD(ServerVAD(threshold: 0.25, prefixPaddingMs: 0, silenceDurationMs: 700)))
  }

  @Test("R127: VAD_ENABLED=false, VAD_PROVIDER=none and turnDetection.enabled begin sessions in manual mode")
  func manual() throws {
    for word in ["false", "False", "0", "no", "off"] {
      #expect(try configuration(["VAD_ENABLED": word]).initialTurnDetection == nil)
    }
    #expect(try configuration(["VAD_PROVIDER": "none"]).initialTurnDetection == nil)
    #expect(try configuration(yaml: "turnDetection: {enabled: false}").initialTurnDetection == nil)
    #expect(try configuration(["VAD_ENABLED": "true"]).initialTurnDetection != nil)
  }

  @Test("turn detection by meaning, with its settings")
  func semantic() throws {
    let made = try configuration(
      yaml: "turnDetection: {type: semantic_vad, eagerness: low, createResponse: false, idleTimeoutMs: 6000}")
    #expect(
      made.initialTurnDetection == .semanticVAD(SemanticVAD(eagerness: .low, createResponse: false)))
    #expect(made.turnDetection.idleTimeoutMs == 6_000)
    #expect(made.turnDetection.maximumTurnMs == 25_000)
  }

  @Test("bare, it is configured as the source's defaults are, and nothing was chosen")
  func bare() throws {
    let made = try configuration()
    #expect(made.llm.provider == .groq)
    #expect(made.stt.provider == .deepgram)
    #expect(made.tts.provider == .deepgram)
    #expect(made.chosenProviders.isEmpty)
    #expect(made.llm.apiKey == nil)
    #expect(made.realtimeModel == nil)
    #expect(Set(made.sources.values) == [.standard])
    #expect(Set(made.sources.keys) == Set(Setting.all.map(\.path)))
  }

  @Test("an address speaks of an OpenAI-compatible server; our names win over the other's")
  func compatible() throws {
    let made = try configuration([
      "OPENAI_COMPATIBLE_BASE_URL": "http://a/v1", "OPENAI_COMPATIBLE_API_KEY": "a", "OPENAI_COMPATIBLE_MODEL": "ma",
      "LLM_BASE_URL": "http://b:8000/v1/", "LLM_API_KEY": "b", "LLM_MODEL": "mb", "GROQ_API_KEY": "gsk",
    ])
    #expect(made.llm.provider == .openAICompatible)
    #expect(made.llm.baseURL == "http://b:8000/v1")
    #expect(made.llm.apiKey?.value.reveal() == "b")
    #expect(made.llm.model == "mb")
    let other = try configuration([
      "OPENAI_COMPATIBLE_BASE_URL": "http://a/v1", "OPENAI_COMPATIBLE_API_KEY": "a", "OPENAI_COMPATIBLE_MODEL": "ma",
    ])
    #expect(other.llm.baseURL == "http://a/v1")
    #expect(other.llm.apiKey?.value.reveal() == "a")
    #expect(other.llm.model == "ma")
  }

  @Test("an empty variable counts as not set")
  func emptyVariable() throws {
    let made = try configuration(["LLM_BASE_URL": "", "GROQ_API_KEY": "", "VAD_THRESHOLD": ""])
    #expect(made.llm.provider == .groq)
    #expect(made.llm.apiKey == nil)
    #expect(made.vad.threshold == 0.5)
  }

  @Test("a key without an owner goes to no service that nobody named")
  func ownerlessKey() throws {
    #expect(try configuration(["LLM_API_KEY": "k"]).llm.apiKey == nil)
    #expect(try configuration(["LLM_API_KEY": "k", "LLM_PROVIDER": "auto"]).llm.apiKey == nil)
    #expect(try configuration(["STT_API_KEY": "k", "TTS_API_KEY": "k"]).stt.apiKey == nil)
    let named = try configuration(["LLM_API_KEY": "k", "LLM_PROVIDER": "groq"])
    #expect(named.llm.apiKey?.value.reveal() == "k")
    let groq = try configuration(["LLM_API_KEY": "k", "GROQ_API_KEY": "g", "LLM_PROVIDER": "groq"])
    #expect(groq.llm.apiKey?.value.reveal() == "g")
    #expect(try configuration(["GROQ_API_KEY": "g", "LLM_BASE_URL": "http://a"]).llm.apiKey == nil)
  }

  @Test("the speech stages take their own names and other spellings of providers")
  func speech() throws {
    let made = try configuration([
      "STT_BASE_URL": "http://localhost:9000/v1", "STT_MODEL": "large", "STT_LANGUAGE": "de", "DEEPGRAM_API_KEY": "dg",
      "TTS_PROVIDER": "piper", "TTS_VOICE": "joe", "STT_THREADS": "2",
    ])
    #expect(made.stt.provider == .openAICompatible)
    #expect(made.stt.model == "large")
    #expect(made.stt.language == "de")
    #expect(made.stt.apiKey == nil)
    #expect(made.stt.threads == 2)
    #expect(made.tts.provider == .piper)
    #expect(made.tts.voice == "joe")
    #expect(try configuration(["STT_PROVIDER": "embedded"]).stt.provider == .whisper)
    #expect(try configuration(["TTS_PROVIDER": "Embedded"]).tts.provider == .espeak)
    #expect(try configuration(["STT_PROVIDER": "groq-whisper"]).stt.model == "whisper-large-v3-turbo")
    #expect(try configuration(["STT_MODEL_PATH": "/m/ggml-base.bin"]).stt.modelPath == "/m/ggml-base.bin")
  }

  @Test("a request is laid over the file, with the same rules")
  func request() throws {
    let json = try ConfigurationLayer(
      json: JSONValue(parsing: #"{"llm":{"model":"m2","temperature":1},"vad":{"enabled":false,"threshold":null}}"#))
    let file = try ConfigurationLayer(yaml: "llm: {provider: groq, model: m1}\nvad: {threshold: 0.6}", file: "f")
    let made = try RuntimeConfiguration(layers: [json, file], environment: [:])
    #expect(made.llm.model == "m2")
    #expect(made.llm.temperature == 1)
    #expect(made.sources["llm.model"] == .request)
    #expect(!made.vad.isEnabled)
    #expect(made.vad.threshold == 0.6)
    #expect(json.paths == ["llm.model", "llm.temperature", "vad.enabled", "vad.threshold"])
  }
}
