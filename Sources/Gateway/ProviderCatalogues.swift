import AsyncHTTPClient
import Envelope
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import Operator
import Routing
import SessionCore
import Synchronization
import Translation
import VoiceEngine

extension Catalogue {
  /// What sessions of a configuration may name.
  init(of table: RouteTable, engine: VoiceEngine, outgoing: Outgoing, logger: Logger) {
    let entries = table.providerNames.compactMap { table.providers[$0] }
    let catalogues = entries.map { (entry: $0, catalogue: $0.kind.catalogue($0.configuration(engine))) }
    let lists = Dictionary(
      catalogues.map { ($0.entry.name, VoiceList(of: $0.entry, $0.catalogue, outgoing, logger)) },
      uniquingKeysWith: { $1 })
    self.init(
      models: catalogues.flatMap(Self.models), defaultProvider: table.defaultProvider, providers: table.providerNames,
      voices: { provider in
        await lists[provider]?.voices() ?? Voices(provider: provider, source: .table, data: [])
      })
  }

  private static func models(of entry: ProviderEntry, _ catalogue: ServiceCatalogue) -> [Model] {
    catalogue.models.enumerated().map { index, id in
      Model(
        id: id, ownedBy: catalogue.owner, provider: entry.name, isAvailable: entry.unavailability == nil,
        isDefault: index == 0, note: index == 0 ? catalogue.modelNote : nil)
    }
  }
}

/// The voices of a provider: the service's own list where it has one, kept for a while, and what it is known to have
/// where it does not answer.
final class VoiceList: Sendable {
  /// How long an answer is good, and how long a service that did not give one is left alone.
  static let lifetime = Duration.seconds(600)
  static let pause = Duration.seconds(30)
  /// For the whole of an answer.
  static let timeout = TimeAmount.seconds(5)
  private static let longestAnswer = 8 * 1024 * 1024

  private struct State {
    var answer: Catalogue.Voices?
    var goodUntil: ContinuousClock.Instant?
    /// The request in progress, which all wait for that ask meanwhile.
    var flight: Task<Catalogue.Voices, Never>?
  }

  private let provider: String
  private let catalogue: ServiceCatalogue
  /// Nil for a provider whose secret is absent.
  private let listing: VoiceListing?
  private let outgoing: Outgoing
  private let logger: Logger
  private let state = Mutex(State())

  init(of entry: ProviderEntry, _ catalogue: ServiceCatalogue, _ outgoing: Outgoing, _ logger: Logger) {
    provider = entry.name
    self.catalogue = catalogue
    self.outgoing = outgoing
    listing = entry.unavailability == nil ? catalogue.listing : nil
    self.logger = logger
  }

  func voices() async -> Catalogue.Voices {
    guard let listing else { return table }
    let flight = state.withLock { state -> Task<Catalogue.Voices, Never> in
      if let flight = state.flight { return flight }
      if let answer = state.answer, let goodUntil = state.goodUntil, ContinuousClock.now < goodUntil {
        return Task { answer }
      }
      let flight = Task { await ask(listing) }
      state.flight = flight
      return flight
    }
    return await flight.value
  }

  private var table: Catalogue.Voices { list(catalogue.voices, from: .table) }

  private func list(_ voices: [ServiceVoice], from source: Catalogue.Voices.Source) -> Catalogue.Voices {
    Catalogue.Voices(
      provider: provider, source: source,
      data: voices.map { voice in
        Catalogue.Voice(
          id: voice.id, name: voice.name, provider: provider, isDefault: voice.id == catalogue.standardVoice,
          language: voice.language, gender: voice.gender?.rawValue)
      })
  }

  private func ask(_ listing: VoiceListing) async -> Catalogue.Voices {
    let voices: [ServiceVoice]?
    do {
      voices = try await answer(of: listing)
    } catch {
      voices = nil
    }
    if voices == nil {
      logger.warning("voices not listed by the service", metadata: ["provider": "\(provider)", "fault": "unanswered"])
    }
    let answer = voices.map { list($0, from: .service) } ?? table
    state.withLock { state in
      state.answer = answer
      state.goodUntil = ContinuousClock.now + (voices == nil ? Self.pause : Self.lifetime)
      state.flight = nil
    }
    return answer
  }

  /// Nil for an answer that is no list.
  private func answer(of listing: VoiceListing) async throws -> [ServiceVoice]? {
    let endpoint = listing.endpoint
    let host = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
    var request = HTTPClientRequest(
      url: "\(endpoint.isSecure ? "https" : "http")://\(host):\(endpoint.port)\(listing.pathAndQuery)")
    request.headers.add(name: "accept", value: "application/json")
    for header in listing.headers { request.headers.add(name: header.name, value: header.value.reveal()) }
    if let file = endpoint.authorityFile {
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.trustRoots = .file(file)
      request.tlsConfiguration = configuration
    }
    let asked = request
    let client = outgoing.accountClient(for: request.url)
    return try await withThrowingTaskGroup(of: [ServiceVoice]?.self) { group in
      group.addTask {
        let response = try await client.execute(asked, timeout: Self.timeout)
        guard response.status == .ok else { return nil }
        let body = try await response.body.collect(upTo: Self.longestAnswer)
        return listing.voices(in: try JSONValue(parsing: body.readableBytesView))
      }
      // The client's own limit ends with the head of the answer.
      group.addTask {
        try await Task.sleep(nanoseconds: UInt64(Self.timeout.nanoseconds))
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }
}
