import Envelope
import GeminiLiveProvider
import ParleyTesting
import SessionCore
import Testing
import Translation

/// What each provider says of what it covers, as a table.
@Suite struct CoverageTables {
  static let endpoint = UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: 9)

  /// One of each kind, as it is without settings.
  static let ordinary: [ProviderConfiguration] = {
    let kinds: [(String, ProviderKind, String)] = [
      ("openai", .openAI, "gpt-realtime"), ("azure", .azure(), "deployment"),
      ("azure, preview", .azure(AzureSettings(api: .preview)), "deployment"),
      ("azure, voice-live", .azure(AzureSettings(api: .voiceLive)), "gpt-realtime"),
      ("xai", .xai, "grok-voice-latest"), ("inworld", .inworld(), "google-ai-studio/gemini-2.5-flash"),
      ("vowel", .vowel(), "openai/gpt-oss-120b"), ("gemini-live", .geminiLive(), "gemini-3.8-live"),
    ]
    let remote = kinds.compactMap { name, kind, model in
      kind.service(at: endpoint, key: nil, model: model).map { ProviderConfiguration(name: name, service: $0) }
    }
    return remote + [ProviderConfiguration(name: "local", service: .local(SessionDialogue.engine))]
  }()

  static let providers =
    ordinary + [
      gemini("gemini-2.5-flash-native-audio-preview-12-2025", isLenient: false),
      ProviderConfiguration(name: "local", service: .local(SessionDialogue.engine)).strict(),
    ]

  static func gemini(_ model: String, isLenient: Bool) -> ProviderConfiguration {
    var configuration = GeminiLiveConfiguration(endpoint: endpoint, key: nil, model: model)
    configuration.isLenient = isLenient
    return ProviderConfiguration(name: "gemini", service: .geminiLive(configuration))
  }

  @Test("R251: every event, every field of a session and every option of a response has one row", arguments: providers)
  func complete(_ provider: ProviderConfiguration) {
    let unconditional = provider.coverage.filter { $0.condition == nil }.map(\.subject)
    let counts = Dictionary(unconditional.map { ($0, 1) }, uniquingKeysWith: +)
    for subject in Coverage.subjects { #expect(counts[subject] == 1, "\(provider.name): \(subject)") }
    #expect(counts.values.allSatisfy { $0 == 1 })
  }

  @Test("a condition stands beside a row without one, once", arguments: providers)
  func conditions(_ provider: ProviderConfiguration) {
    let rows = provider.coverage
    for row in rows {
      guard let condition = row.condition else { continue }
      #expect(rows.contains { $0.subject == row.subject && $0.condition == nil }, "\(row.subject)")
      #expect(rows.count { $0.subject == row.subject && $0.condition == condition } == 1, "\(row.subject)")
      #expect(!condition.isEmpty)
    }
  }

  @Test("a note is one sentence; what has no effect takes none", arguments: providers)
  func notes(_ provider: ProviderConfiguration) {
    for row in provider.coverage {
      #expect(row.note.hasSuffix(".") && !row.note.contains("\n"), "\(row.subject)")
      if row.support == .ignored || row.support == .refused { #expect(row.takesEffect == nil, "\(row.subject)") }
    }
  }

  @Test("OpenAI: what is forwarded crosses as it came, but for what its row says")
  func forwarded() throws {
    // Rows that say what else happens to them.
    let told: Set<CoverageRow.Support> = [.ignored]
    let exceptions = [
      "session.model", "session.modelId", "session.output_modalities", "session.type", "session.voice",
      "session.turn_detection", "session.audio.input.transcription", "session.id", "session.object",
      "session.expires_at",
    ]
    for row in Self.providers[0].coverage where !exceptions.contains(row.subject) && !told.contains(row.support) {
      #expect(row.support == .mapped)
      guard let example = CoverageExample(row, model: "gpt-realtime-mini", voice: "cedar") else { continue }
      var call = SessionDialogue(Self.providers[0], requestedModel: "gpt-realtime")
      _ = call.begin()
      _ = call.upstreamOpens()
      var event = try #require(example.event.object)
      if let session = event["session"]?.object { event["session"] = .object(Self.typed(session)) }
      let step = call.client(JSONValue.object(event).text)
      for asked in Self.leaves(.object(event)) {
        #expect(Self.leaves(try #require(step.upstream.first)).contains(asked), "\(row.subject): \(asked)")
      }
      #expect(step.upstream.count == 1, "\(row.subject)")
      #expect(step.events.isEmpty)
    }
  }

  /// Every value that is no object, with its path.
  private static func leaves(_ value: JSONValue, _ path: String = "") -> [String] {
    guard let object = value.object, !object.isEmpty else { return ["\(path)=\(value.text)"] }
    return object.flatMap { leaves($0.value, path + "." + $0.key) }
  }

  /// The service insists on the type.
  private static func typed(_ session: JSONObject) -> JSONObject {
    var session = session
    session["type"] = "realtime"
    return session
  }
}
