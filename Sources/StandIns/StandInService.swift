import FoundationEssentials
public import Logging
public import ServiceLifecycle

/// Both stand-in services, for `parley standin`: start, serve until told to stop.
public struct StandInService: Service {
  public struct Options: Sendable {
    public var host = "127.0.0.1"
    public var geminiPort = 8790
    public var openAIPort = 8791
    /// A file of JSON lines with every frame; see `StandInEntry.json`.
    public var recordFile: String?
    /// Keeps the audio out of the record, for long calls.
    public var omitsAudio = false
    public var behaviour = StandInServer.Behaviour()
    public var gemini = GeminiLiveStandIn.Options()
    public var openAI = OpenAIStandIn.Options()

    public init() {}

    /// Paces the answers of both services: the time between two frames.
    public mutating func setAnswerInterval(_ interval: Duration) {
      gemini.answerInterval = max(interval, .zero)
      openAI.answerInterval = max(interval, .zero)
    }

    /// The silence that ends a turn in both services where the session does not say.
    public mutating func setSilence(milliseconds: Int) {
      gemini.silenceMilliseconds = milliseconds
      openAI.silenceMilliseconds = milliseconds
    }
  }

  private let options: Options
  private let logger: Logger

  public init(options: Options = Options(), logger: Logger) {
    self.options = options
    self.logger = logger
  }

  /// The servers, listening. The record is shared: connections of both are numbered together.
  public static func start(_ options: Options) async throws -> (gemini: StandInServer, openAI: StandInServer) {
    let record =
      try options.recordFile.map { try StandInRecord(path: $0, omitsAudio: options.omitsAudio) }
      ?? StandInRecord(omitsAudio: options.omitsAudio)
    let memory = GeminiMemory()
    let gemini = try await StandInServer.start(
      host: options.host, port: options.geminiPort, behaviour: options.behaviour, record: record
    ) { GeminiLiveStandIn(options: options.gemini, memory: memory) }
    do {
      let openAI = try await StandInServer.start(
        host: options.host, port: options.openAIPort, behaviour: options.behaviour, record: record
      ) {
        var session = options.openAI
        // A session of the real service lasts an hour.
        session.expiresAt = Int(Date().timeIntervalSince1970) + 3_600
        return OpenAIStandIn(options: session)
      }
      return (gemini, openAI)
    } catch {
      try await gemini.stop()
      throw error
    }
  }

  /// Serves until the task is cancelled or a graceful shutdown begins.
  public func run() async throws {
    let servers = try await Self.start(options)
    logger.info("Gemini Live stand-in listens", metadata: ["port": "\(servers.gemini.port)"])
    logger.info("OpenAI Realtime stand-in listens", metadata: ["port": "\(servers.openAI.port)"])
    try? await gracefulShutdown()
    try await servers.gemini.stop()
    try await servers.openAI.stop()
  }
}
