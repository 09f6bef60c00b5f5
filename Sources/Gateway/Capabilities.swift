import Envelope
import Routing
import SessionCore
import Translation
import VoiceEngine

/// `GET /v1/capabilities`: what each provider of the configuration makes of everything that a client can say.
struct Capabilities: Codable, Sendable, Equatable {
  struct Provider: Codable, Sendable, Equatable {
    /// Its name in the configuration, for `?provider=`.
    var provider: String
    /// Its `kind` there.
    var kind: String
    /// False where its secret is absent on this machine.
    var isAvailable: Bool
    /// Whether it serves sessions that name none.
    var isDefault: Bool
    /// Of sessions that name none.
    var model: String
    var coverage: [CoverageRow]

    enum CodingKeys: String, CodingKey {
      case provider, kind
      case isAvailable = "available"
      case isDefault = "default"
      case model, coverage
    }
  }

  /// The shape of the OpenAI lists.
  var object = "list"
  /// In the order of the configuration.
  var data: [Provider]

  /// Holds no secret and no address.
  init(of table: RouteTable, engine: VoiceEngine) {
    data = table.providerNames.compactMap { name in
      guard let entry = table.providers[name] else { return nil }
      let configuration = entry.configuration(engine)
      return Provider(
        provider: name, kind: entry.kind.name, isAvailable: entry.unavailability == nil,
        isDefault: name == table.defaultProvider, model: configuration.model, coverage: configuration.coverage)
    }
  }
}
