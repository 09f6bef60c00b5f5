import FoundationEssentials
public import Logging
public import ServiceLifecycle

/// The stand-in services, for `parley standin`: start, serve until told to stop.
public struct StandInService: Service {
  public struct Options: Sendable {
    public var host = "127.0.0.1"
    public var geminiPort = 8790
    /// The ports of the services that speak OpenAI's vocabulary; those without one are not served.
    public var ports: [RealtimeService: Int] = [.openAI: 8791]
    /// A file of JSON lines with every frame; see `StandInEntry.json`.
    public var recordFile: String?
    /// Keeps the audio out of the record, for long calls.
    public var omitsAudio = false
    public var behaviour = StandInServer.Behaviour()
    public var gemini = GeminiLiveStandIn.Options()
    /// Of all services that speak OpenAI's vocabulary; each has its own key.
    public var realtime = RealtimeStandIn.Options()
    public var keys: [RealtimeService: String] = [:]

    public init() {}

    /// Paces the answers of all services: the time between two frames.
    public mutating func setAnswerInterval(_ interval: Duration) {
      gemini.answerInterval = max(interval, .zero)
      realtime.answerInterval = max(interval, .zero)
    }

    /// The silence that ends a turn in all services where the session does not say.
    public mutating func setSilence(milliseconds: Int) {
      gemini.silenceMilliseconds = milliseconds
      realtime.silenceMilliseconds = milliseconds
    }
  }

  private let options: Options
  private let logger: Logger

  public init(options: Options = Options(), logger: Logger) {
    self.options = options
    self.logger = logger
  }

  /// The servers, listening, by the names that the record gives them. The record is shared: connections of all are
  /// numbered together.
  public static func start(_ options: Options) async throws -> [String: StandInServer] {
    let record =
      try options.recordFile.map { try StandInRecord(path: $0, omitsAudio: options.omitsAudio) }
      ?? StandInRecord(omitsAudio: options.omitsAudio)
    var servers: [String: StandInServer] = [:]
    do {
      let memory = GeminiMemory()
      servers["gemini"] = try await StandInServer.start(
        "gemini", host: options.host, port: options.geminiPort, behaviour: options.behaviour,
        record: record
      ) { GeminiLiveStandIn(options: options.gemini, memory: memory) }
      for service in RealtimeService.allCases {
        guard let port = options.ports[service] else { continue }
        servers[service.rawValue] = try await start(service, port: port, options, record)
      }
      for (name, server) in servers {
        record.append(0, .sent, .listening(service: name, port: server.port))
      }
      return servers
    } catch {
      for server in servers.values { try await server.stop() }
      throw error
    }
  }

  private static func start(
    _ service: RealtimeService, port: Int, _ options: Options, _ record: StandInRecord
  ) async throws -> StandInServer {
    let memory = RealtimeMemory()
    var realtime = options.realtime
    realtime.service = service
    realtime.key = options.keys[service]
    let common = realtime
    return try await StandInServer.start(
      service.rawValue, host: options.host, port: port, behaviour: options.behaviour, record: record
    ) {
      var session = common
      // A session of the real service lasts an hour.
      session.expiresAt = Int(Date().timeIntervalSince1970) + 3_600
      return RealtimeStandIn(options: session, memory: memory)
    }
  }

  private static let titles = [
    "gemini": "Gemini Live", "openai": "OpenAI Realtime", "azure": "Azure OpenAI and Voice Live",
    "xai": "xAI voice agent", "inworld": "Inworld Realtime", "vowel": "vowel engine",
  ]

  /// Serves until the task is cancelled or a graceful shutdown begins.
  public func run() async throws {
    let servers = try await Self.start(options)
    for (name, server) in servers.sorted(by: { $0.key < $1.key }) {
      logger.info(
        "\(Self.titles[name] ?? name) stand-in listens", metadata: ["port": "\(server.port)"])
    }
    try? await gracefulShutdown()
    for server in servers.values { try await server.stop() }
  }
}
