/// One pass over the layers: finds each value, checks it and remembers where it was.
struct LayerReading {
  let layers: [ConfigurationLayer]
  let secrets: SecretReader
  private(set) var sources: [String: SettingSource] = [:]
  var chosen: Set<StageName> = []
  /// The provider of each section, once it is decided.
  private var providers: [String: String] = [:]

  init(layers: [ConfigurationLayer], environment: [String: String], folder: String) {
    self.layers = layers
    secrets = SecretReader(environment: environment, folder: folder)
  }

  /// Refuses every value of a layer that breaks its rule, also those that a higher layer covers.
  func checkAll() throws(RuntimeConfigurationFault) {
    if let fault = faults.first { throw fault }
  }

  /// What is wrong in the layers, the names first.
  var faults: [RuntimeConfigurationFault] {
    layers.flatMap(\.faults)
      + layers.flatMap { layer in
        layer.paths.compactMap { path -> RuntimeConfigurationFault? in
          guard let setting = Setting.byPath[path], let entry = layer.entries[path] else { return nil }
          do throws(RuntimeConfigurationFault) {
            _ = try value(of: entry, setting)
            return nil
          } catch {
            return error
          }
        }
      }
  }

  // MARK: Values

  mutating func text(_ path: String, _ standard: String?) throws(RuntimeConfigurationFault) -> String? {
    guard case .text(let text) = try take(path) else { return standard }
    return text
  }

  mutating func word<Word: RawRepresentable<String>>(
    _ path: String
  ) throws(RuntimeConfigurationFault) -> Word? {
    try text(path, nil).flatMap(Word.init(rawValue:))
  }

  mutating func integer(_ path: String) throws(RuntimeConfigurationFault) -> Int? {
    guard case .integer(let integer) = try take(path) else { return nil }
    return integer
  }

  mutating func integer(_ path: String, _ standard: Int) throws(RuntimeConfigurationFault) -> Int {
    try integer(path) ?? standard
  }

  mutating func number(_ path: String) throws(RuntimeConfigurationFault) -> Double? {
    guard case .number(let number) = try take(path) else { return nil }
    return number
  }

  mutating func flag(_ path: String, _ standard: Bool) throws(RuntimeConfigurationFault) -> Bool {
    guard case .flag(let flag) = try take(path) else { return standard }
    return flag
  }

  mutating func secret(_ path: String) throws(RuntimeConfigurationFault) -> ConfiguredSecret? {
    guard case .secret(let secret) = try take(path) else { return nil }
    return secret
  }

  // MARK: Providers

  /// The provider that was named, or the one that the rest of the configuration speaks of: an address of a server, an
  /// address of an Omni server, a key.
  mutating func llmProvider() throws(RuntimeConfigurationFault) -> LLMProvider {
    try provider(.llm, standard: .groq) { reading in
      if let source = reading.layered("llm.baseUrl") { return (.openAICompatible, source) }
      if let source = reading.first(of: ["LLM_BASE_URL", "OPENAI_COMPATIBLE_BASE_URL"]) {
        return (.openAICompatible, source)
      }
      if let source = reading.first(of: ["OMNI_BASE_URL"]) { return (.omni, source) }
      if let source = reading.layered("llm.apiKey") ?? reading.first(of: ["GROQ_API_KEY"]) { return (.groq, source) }
      if let source = reading.first(of: ["OPENROUTER_API_KEY"]) { return (.openrouter, source) }
      return nil
    }
  }

  mutating func sttProvider() throws(RuntimeConfigurationFault) -> STTProvider {
    try provider(.stt, standard: .deepgram) { reading in
      if let source = reading.layered("stt.baseUrl") ?? reading.first(of: ["STT_BASE_URL"]) {
        return (.openAICompatible, source)
      }
      return (reading.layered("stt.apiKey") ?? reading.first(of: ["DEEPGRAM_API_KEY"])).map { (.deepgram, $0) }
    }
  }

  mutating func ttsProvider() throws(RuntimeConfigurationFault) -> TTSProvider {
    try provider(.tts, standard: .deepgram) { reading in
      if let source = reading.layered("tts.baseUrl") ?? reading.first(of: ["TTS_BASE_URL"]) {
        return (.openAICompatible, source)
      }
      return (reading.layered("tts.apiKey") ?? reading.first(of: ["DEEPGRAM_API_KEY"])).map { (.deepgram, $0) }
    }
  }

  private mutating func provider<Provider: RawRepresentable<String>>(
    _ stage: StageName, standard: Provider, implied: (borrowing LayerReading) -> (Provider, SettingSource)?
  ) throws(RuntimeConfigurationFault) -> Provider {
    let path = "\(stage.rawValue).provider"
    let provider: Provider
    if let named: Provider = try word(path) {
      provider = named
      chosen.insert(stage)
    } else if let (meant, source) = implied(self) {
      provider = meant
      sources[path] = source
    } else {
      provider = standard
      sources[path] = .standard
    }
    providers[stage.rawValue] = provider.rawValue
    return provider
  }

  /// Where a layer gives `path` a value.
  private func layered(_ path: String) -> SettingSource? {
    for layer in layers {
      guard let entry = layer.entries[path] else { continue }
      if case .null = entry.raw { continue }
      return entry.source
    }
    return nil
  }

  /// The first of the variables that is set.
  private func first(of names: [String]) -> SettingSource? {
    names.first { secrets.environment[$0]?.isEmpty == false }.map { .environment($0) }
  }

  // MARK: Layers

  private mutating func take(_ path: String) throws(RuntimeConfigurationFault) -> SettingValue? {
    sources[path] = .standard
    guard let setting = Setting.byPath[path] else { return nil }
    for layer in layers {
      guard let entry = layer.entries[path], let value = try value(of: entry, setting) else { continue }
      sources[path] = entry.source
      return value
    }
    for variable in setting.variables where applies(variable, section: setting.section) {
      guard let text = secrets.environment[variable.name], !text.isEmpty else { continue }
      sources[path] = .environment(variable.name)
      do throws(RuntimeConfigurationFault.Cause) {
        if setting.kind == .secret { return .secret(try secrets.secret(ofVariable: variable.name, text)) }
        return try setting.kind.value(of: .text(text, isPlain: true), secrets: secrets)
      } catch {
        throw RuntimeConfigurationFault(.environment(variable.name), path: path, error)
      }
    }
    return nil
  }

  private func value(
    of entry: ConfigurationLayer.Entry, _ setting: Setting
  ) throws(RuntimeConfigurationFault) -> SettingValue? {
    do throws(RuntimeConfigurationFault.Cause) {
      return try setting.kind.value(of: entry.raw, secrets: secrets)
    } catch {
      throw RuntimeConfigurationFault(entry.source, path: setting.path, error)
    }
  }

  private func applies(_ variable: Setting.Variable, section: String) -> Bool {
    if variable.needsChosenProvider, !chosen.contains(where: { $0.rawValue == section }) { return false }
    guard let named = variable.providers else { return true }
    return providers[section].map(named.contains) ?? true
  }
}
