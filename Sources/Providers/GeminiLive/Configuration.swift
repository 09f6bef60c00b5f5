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

  public init(endpoint: UpstreamEndpoint, model: String, platform: GeminiPlatform) {
    self.endpoint = endpoint
    self.model = model
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
    let id = Self.withoutPrefix(name)
    return id.hasPrefix("gemini-") || id.hasPrefix("tunedModels/") || id == Self.withoutPrefix(model) ? id : nil
  }

  func traits(of model: String) -> ModelTraits {
    ModelTraits.of(model)
  }

  /// The service's name of a voice, or nil where it has none of that name.
  func voice(named name: String) -> String? {
    Voices.name(for: name)
  }

  private static func withoutPrefix(_ name: String) -> String {
    var name = name
    for prefix in ["models/", "gemini/", "google/"] where name.hasPrefix(prefix) {
      name.removeFirst(prefix.count)
    }
    return name
  }
}
