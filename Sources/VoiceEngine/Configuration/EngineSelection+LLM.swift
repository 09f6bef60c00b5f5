extension RuntimeConfiguration {
  private typealias Choice = EngineSelection.Choice<EngineSelection.LLM>

  func resolvedLLM(_ found: Found) -> EngineSelection.Choice<EngineSelection.LLM> {
    let isChosen = chosenProviders.contains(.llm)
    switch llm.provider {
    case .groq, .openrouter:
      if let choice = vendor() { return choice }
      return isChosen ? refused("no key: set \(keyVariable)") : discovered(found)
    case .openAICompatible:
      if let choice = configuredServer(found) { return choice }
      if let choice = loopback(found) { return choice }
      return refused("no address: set LLM_BASE_URL")
    case .omni:
      if let baseURL = llm.baseURL {
        let model = llm.model ?? Self.standardRealtimeModel
        return Choice(
          value: .omni(RemoteService(baseURL: baseURL, model: model, apiKey: llm.apiKey)), implementation: "omni",
          model: model, reason: "its address is configured (\(source("llm.baseUrl")))")
      }
      return loopbackOmni(found) ?? refused("no address: set OMNI_BASE_URL")
    case .rules:
      return rules("asked for by \(asked(.llm, for: "rules"))")
    }
  }

  private var keyVariable: String { llm.provider == .groq ? "GROQ_API_KEY" : "OPENROUTER_API_KEY" }

  private func source(_ path: String) -> String { "\(sources[path] ?? .standard)" }

  /// Groq or OpenRouter, if there is a key.
  private func vendor() -> Choice? {
    guard llm.apiKey != nil, let baseURL = llm.baseURL, let model = llm.model else { return nil }
    let service = RemoteService(baseURL: baseURL, model: model, apiKey: llm.apiKey)
    return Choice(
      value: llm.provider == .groq ? .groq(service) : .openRouter(service), implementation: llm.provider.rawValue,
      model: model, reason: "its key is configured (\(source("llm.apiKey")))")
  }

  private func configuredServer(_ found: Found) -> Choice? {
    guard let baseURL = llm.baseURL else { return nil }
    let server = found.chatServers.first { $0.baseURL == baseURL }
    // Servers with one model take any name.
    let model = llm.model ?? server?.chatModel ?? "default"
    return Choice(
      value: .openAICompatible(RemoteService(baseURL: baseURL, model: model, apiKey: llm.apiKey)),
      implementation: "openai-compatible", model: model,
      reason: "its address is configured (\(source("llm.baseUrl")))")
  }

  /// Nobody named a provider and nothing is configured for one: what runs on this machine, else the rules.
  private func discovered(_ found: Found) -> Choice {
    loopbackOmni(found) ?? loopback(found)
      ?? rules("no key (\(keyVariable)), no LLM_BASE_URL, and no chat server found on this machine")
  }

  private func loopbackOmni(_ found: Found) -> Choice? {
    let wanted = realtimeModel ?? Self.standardRealtimeModel
    let servers = found.chatServers.filter { $0.omniModel != nil }
    func listed(_ server: Found.ChatServer) -> String? {
      server.models.first { $0 == wanted || $0.hasSuffix("/" + wanted) }
    }
    guard let server = servers.first(where: { listed($0) != nil }) ?? servers.first,
      let model = listed(server) ?? server.omniModel
    else { return nil }
    return Choice(
      value: .omni(RemoteService(baseURL: server.baseURL, model: model, apiKey: nil)), implementation: "omni",
      model: model, reason: "found on this machine: \(server.name) at \(server.baseURL)")
  }

  /// No configured key goes to a server that was only found.
  private func loopback(_ found: Found) -> Choice? {
    guard let server = found.chatServers.first(where: { $0.chatModel != nil }), let first = server.chatModel else {
      return nil
    }
    var model = first
    var degradation: String?
    if let wanted = llm.model, source("llm.model") != "default" {
      if let listed = server.models.first(where: { $0 == wanted || $0 == wanted + ":latest" }) {
        model = listed
      } else {
        degradation = "\(server.name) at \(server.baseURL) has no model \(wanted); \(first) answers"
      }
    }
    return Choice(
      value: .openAICompatible(RemoteService(baseURL: server.baseURL, model: model, apiKey: nil)),
      implementation: "openai-compatible", model: model,
      reason: "found on this machine: \(server.name) at \(server.baseURL)", degradation: degradation)
  }

  private func rules(_ reason: String) -> Choice {
    Choice(value: .rules, implementation: "rules", model: RuleResponder.model, reason: reason)
  }

  private func refused(_ cause: String) -> Choice {
    var choice = rules(cause)
    choice.degradation = "\(asked(.llm, for: llm.provider.rawValue)) has \(cause); the built-in rules answer"
    return choice
  }
}
