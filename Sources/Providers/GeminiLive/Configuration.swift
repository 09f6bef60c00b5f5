public import Translation

/// What a Gemini Live session is configured with.
public struct GeminiLiveConfiguration: Sendable {
  public var endpoint: UpstreamEndpoint
  /// The model of sessions whose client names none that the service knows.
  public var model: String
  public var platform: GeminiPlatform
  /// A model or a voice that the service does not know becomes the configured one; otherwise it is refused (Q16, Q23).
  public var isLenient = true
  /// Finds the ends of turns where the service's own detection cannot be used; nil where there is none to be had.
  public var makeDetector: (@Sendable () -> any TurnDetector)?
  /// Decodes what a client recorded as Ogg Opus; nil where nothing can.
  public var decodeRecording: RecordingDecoder?
  /// Cells of the table of models that differ from ours.
  public var overrides: [GeminiModelOverride] = []
  /// Names that clients use for models, as they write them, and the models' ids.
  public var aliases: [String: String] = [:]
  /// Names that clients use for voices, in any case, and the service's names: before our own table of them.
  public var voices: [String: String] = [:] {
    didSet { voicesByLowercase = Self.lowercased(voices) }
  }
  private var voicesByLowercase: [String: String] = [:]

  public init(endpoint: UpstreamEndpoint, model: String, platform: GeminiPlatform) {
    self.endpoint = endpoint
    self.model = Self.withoutPrefix(model)
    self.platform = platform
  }

  /// AI Studio.
  ///
  /// - Parameter key: nil for a stand-in that wants none.
  public init(
    endpoint: UpstreamEndpoint, key: Redacted<String>?, model: String, apiVersion: String = "v1beta"
  ) {
    self.init(
      endpoint: endpoint, model: model,
      platform: GeminiPlatform(apiVersion: apiVersion, access: key.map { .apiKey($0) } ?? .anonymous))
  }
}

extension GeminiLiveConfiguration {
  /// The voices that the service is known to have.
  public static let voiceNames = Voices.names

  /// The same with what they sound like, the one that sessions begin with first.
  public static let catalogue: [ServiceVoice] = {
    let standard = Voices.name(for: Voices.standard)
    let names = Voices.names.filter { $0 == standard } + Voices.names.filter { $0 != standard }
    return names.map { ServiceVoice($0, gender: Voices.female.contains($0) ? .female : .male) }
  }()

  /// The models that speak and hear, by their ids on AI Studio or on Vertex AI.
  public static func modelNames(onVertex isVertex: Bool) -> [String] {
    ModelTraits.names.filter { isVertex ? $0.isOnVertex : $0.isOnStudio }.map(\.id)
  }

  /// What is dialled.
  func target() -> UpstreamTarget {
    UpstreamTarget(
      endpoint: endpoint, pathAndQuery: endpoint.basePath + platform.path, headers: platform.headers,
      authorization: platform.authorization)
  }

  /// `setup.model`.
  func wireName(of model: String) -> String {
    platform.wireName(of: model)
  }

  /// The model's id as it stands in the service's lists, or nil where this service has no such model.
  func known(model name: String) -> String? {
    if let id = aliases[name] { return Self.withoutPrefix(id) }
    // The full name in the project that is configured; one in another project is not for the client to choose.
    let own = platform.wireName(of: "")
    let id = Self.withoutPrefix(name.hasPrefix(own) ? String(name.dropFirst(own.count)) : name)
    if let id = aliases[id] { return Self.withoutPrefix(id) }
    if id == model || id.hasPrefix("gemini-") { return id }
    return id.hasPrefix("tunedModels/") && !platform.isVertex ? id : nil
  }

  /// The table's row, with what the configuration sets: what is set for a longer prefix wins.
  func traits(of model: String) -> ModelTraits {
    let id = Self.withoutPrefix(model)
    var traits = ModelTraits.of(id)
    // AI Studio takes the roles `user` and `model` alone, whatever the model.
    if !platform.isVertex { traits.takesSystemTurns = false }
    let fitting = overrides.filter { id.hasPrefix($0.prefix) }
    for override in fitting.sorted(by: { $0.prefix.utf8.count < $1.prefix.utf8.count }) {
      override.apply(to: &traits)
    }
    return traits
  }

  /// The service's name of a voice, or nil where it has none of that name.
  func voice(named name: String) -> String? {
    voicesByLowercase[name.lowercased()] ?? Voices.name(for: name)
  }

  /// The prefixes that clients and tools put before a model's id; Google's resource names too.
  private static func withoutPrefix(_ name: String) -> String {
    var name = name
    for prefix in ["gemini/", "google/", "publishers/google/models/", "models/"] where name.hasPrefix(prefix) {
      name.removeFirst(prefix.count)
    }
    return name
  }

  private static func lowercased(_ voices: [String: String]) -> [String: String] {
    Dictionary(voices.map { ($0.key.lowercased(), $0.value) }) { first, _ in first }
  }
}
