import GeminiLiveProvider
import Translation

/// What the configuration can say about a provider of kind `gemini-live`, beside what it says about any. Holds no secret.
public struct GeminiLiveSettings: Sendable, Hashable {
  public enum Place: Sendable, Hashable {
    case aiStudio
    /// `location` is a region, `us`, `eu` or `global`.
    case vertex(project: String, location: String)
    /// Vertex AI in express mode: the key stands for a project.
    case vertexExpress
  }

  /// What the provider's secret is.
  public enum KeyType: String, Sendable, Hashable, CaseIterable {
    case apiKey
    /// `auth_tokens/...` of AI Studio.
    case ephemeralToken
    /// An OAuth access token, which something else renews.
    case accessToken
  }

  public var place: Place
  public var keyType: KeyType
  /// Nil for the place's usual version.
  public var apiVersion: String?
  /// The project that quota is counted for; nil for the credential's own.
  public var quotaProject: String?
  /// What has no counterpart at the service is refused, rather than replaced (Q16, Q23).
  public var isStrict = false
  /// Names that clients use for models, and the models' ids.
  public var aliases: [String: String] = [:]
  /// Names that clients use for voices, and the service's names.
  public var voices: [String: String] = [:]
  private var overrides: [GeminiModelOverride] = []

  public init(place: Place = .aiStudio, keyType: KeyType = .apiKey, apiVersion: String? = nil) {
    self.place = place
    self.keyType = keyType
    self.apiVersion = apiVersion
  }

  /// The version that is in force.
  public var effectiveAPIVersion: String { platform(key: Redacted(""), account: nil).apiVersion }

  /// Where Google serves this place.
  public var host: String {
    switch place {
    case .aiStudio: "generativelanguage.googleapis.com"
    case .vertexExpress, .vertex(_, "global"): "aiplatform.googleapis.com"
    // These two are not regions: their data stays on the continent.
    case .vertex(_, let location) where ["us", "eu"].contains(location):
      "aiplatform.\(location).rep.googleapis.com"
    case .vertex(_, let location): "\(location)-aiplatform.googleapis.com"
    }
  }

  /// The voices that the service is known to have.
  public static let voiceNames = GeminiLiveConfiguration.voiceNames
}

// The table of models.
extension GeminiLiveSettings {
  /// The cells that can be set.
  public static let modelCells = GeminiModelOverride.cellNames

  /// Whether any cell is set.
  public var overridesModels: Bool { !overrides.isEmpty }

  /// Sets a cell for the models whose id begins with `prefix`.
  ///
  /// - Returns: what the cell takes, if that is something else, and then nothing is set; nil where it is set.
  public mutating func setCell(_ name: String, of prefix: String, to flag: Bool) -> String? {
    set(name, of: prefix, to: .bool(flag))
  }

  public mutating func setCell(_ name: String, of prefix: String, to text: String) -> String? {
    set(name, of: prefix, to: .text(text))
  }

  /// A choice that comes with a text: a cue and its words.
  public mutating func setCell(_ name: String, of prefix: String, to choice: String, text: String) -> String? {
    set(name, of: prefix, to: .named(choice, text))
  }

  private mutating func set(_ name: String, of prefix: String, to value: GeminiModelOverride.Value) -> String? {
    if let index = overrides.firstIndex(where: { $0.prefix == prefix }) {
      return overrides[index].set(name, to: value)
    }
    var override = GeminiModelOverride(prefix: prefix)
    let expected = override.set(name, to: value)
    if expected == nil { overrides.append(override) }
    return expected
  }
}

extension GeminiLiveSettings {
  func configuration(
    at endpoint: UpstreamEndpoint, key: Redacted<String>?, account: GoogleServiceAccount?, model: String
  ) -> GeminiLiveConfiguration {
    var configuration = GeminiLiveConfiguration(
      endpoint: endpoint, model: aliases[model] ?? model, platform: platform(key: key, account: account))
    configuration.isLenient = !isStrict
    configuration.overrides = overrides
    configuration.aliases = aliases
    configuration.voices = voices
    return configuration
  }

  private func platform(key: Redacted<String>?, account: GoogleServiceAccount?) -> GeminiPlatform {
    let place: GeminiPlatform.Place =
      switch self.place {
      case .aiStudio: .aiStudio
      case .vertex(let project, let location): .vertex(project: project, location: location)
      case .vertexExpress: .vertexExpress
      }
    return GeminiPlatform(
      place: place, apiVersion: apiVersion, access: access(key: key, account: account), quotaProject: quotaProject)
  }

  private func access(key: Redacted<String>?, account: GoogleServiceAccount?) -> GeminiPlatform.Access {
    if let account { return .serviceAccount(account) }
    guard let key else { return .anonymous }
    return switch keyType {
    case .apiKey: .apiKey(key)
    case .ephemeralToken: .ephemeralToken(key)
    case .accessToken: .bearer(key)
    }
  }
}
