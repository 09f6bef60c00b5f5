/// What sessions may name: the models and the voices of all providers. Holds no secret and no address.
public struct Catalogue: Sendable {
  /// In the shape of OpenAI's list, with fields of our own behind it.
  public struct Model: Codable, Sendable, Equatable {
    public var id: String
    public var object = "model"
    /// When it was made: no service tells.
    public var created = 0
    public var ownedBy: String
    /// The name in the configuration, for `?provider=`.
    public var provider: String
    /// False where the provider's secret is absent on this machine.
    public var isAvailable: Bool
    /// Whether sessions of the provider that name none have it.
    public var isDefault: Bool
    /// What else may be named, for people.
    public var note: String?

    public init(id: String, ownedBy: String, provider: String, isAvailable: Bool, isDefault: Bool, note: String?) {
      self.id = id
      self.ownedBy = ownedBy
      self.provider = provider
      self.isAvailable = isAvailable
      self.isDefault = isDefault
      self.note = note
    }

    enum CodingKeys: String, CodingKey {
      case id, object, created
      case ownedBy = "owned_by"
      case provider
      case isAvailable = "available"
      case isDefault = "default"
      case note
    }
  }

  public struct Voice: Codable, Sendable, Equatable {
    public var id: String
    public var name: String?
    public var provider: String
    /// Whether sessions of the provider that name none have it.
    public var isDefault: Bool
    /// BCP 47.
    public var language: String?
    public var gender: String?

    public init(
      id: String, name: String?, provider: String, isDefault: Bool, language: String?, gender: String?
    ) {
      self.id = id
      self.name = name
      self.provider = provider
      self.isDefault = isDefault
      self.language = language
      self.gender = gender
    }

    enum CodingKeys: String, CodingKey {
      case id, name, provider
      case isDefault = "default"
      case language, gender
    }
  }

  /// The voices of one provider.
  public struct Voices: Codable, Sendable, Equatable {
    public enum Source: String, Codable, Sendable {
      /// The service was asked.
      case service
      /// What it is known to have.
      case table
    }

    public var object = "list"
    public var provider: String
    public var source: Source
    public var data: [Voice]

    public init(provider: String, source: Source, data: [Voice]) {
      self.provider = provider
      self.source = source
      self.data = data
    }
  }

  struct Models: Codable {
    var object = "list"
    var data: [Model]
  }

  /// In the order of the configuration; the models of the default provider count first where several have one.
  public var models: [Model]
  public var defaultProvider: String
  /// The names of all, in the order of the configuration.
  public var providers: [String]
  /// The voices of a provider that there is; it may ask the service.
  public var voices: @Sendable (_ provider: String) async -> Voices

  public init(
    models: [Model], defaultProvider: String, providers: [String],
    voices: @escaping @Sendable (_ provider: String) async -> Voices
  ) {
    self.models = models
    self.defaultProvider = defaultProvider
    self.providers = providers
    self.voices = voices
  }

  func model(_ id: String) -> Model? {
    let fitting = models.filter { $0.id == id }
    return fitting.first { $0.provider == defaultProvider } ?? fitting.first
  }
}
