import ArgumentParser
import Foundation
import Gateway
import Logging
import NIOPosix
import Routing
import SessionCore
import VoiceEngine

/// The voice engine as this process runs it: from its environment, its file and its data folder.
enum Engine {
  /// The engine; only its detector where none but Gemini Live needs a part of it, or its absence where no provider does.
  ///
  /// - Parameter previous: an engine whose models are taken over where they are the same.
  static func start(
    for table: RouteTable, _ configuration: RuntimeConfiguration, reusing previous: VoiceEngine? = nil,
    loops: MultiThreadedEventLoopGroup, outgoing: Outgoing, logger: Logger
  ) async -> VoiceEngine {
    if table.providers.values.contains(where: { $0.kind == .local }) {
      return await VoiceEngine.start(
        configuration, reusing: previous, folder: folder, client: outgoing.stageClient,
        dialer: SocketConnector(group: loops, outgoing: outgoing), logger: logger)
    }
    guard table.providers.values.contains(where: { $0.kind.needsTurnDetector }) else { return .absent }
    return VoiceEngine.detecting(configuration, reusing: previous, folder: folder, logger: logger)
  }

  static func start(
    file: String?, loops: MultiThreadedEventLoopGroup, outgoing: Outgoing, logger: Logger
  ) async throws -> VoiceEngine {
    await VoiceEngine.start(
      try configuration(file: file), folder: folder, client: outgoing.stageClient,
      dialer: SocketConnector(group: loops, outgoing: outgoing), logger: logger)
  }

  /// Only the voice of an engine; nil where there is none.
  static func voice(
    file: String?, loops: MultiThreadedEventLoopGroup, outgoing: Outgoing, logger: Logger
  ) async throws -> (any Synthesizer)? {
    try await VoiceEngine.voice(
      try configuration(file: file), folder: folder, client: outgoing.stageClient,
      dialer: SocketConnector(group: loops, outgoing: outgoing), logger: logger)
  }

  /// Where the parts are.
  static var folder: EngineFolder { EngineFolder(environment: ProcessInfo.processInfo.environment) }

  /// What the environment and the file say, or the fault on standard error and the end of the command.
  static func configuration(file: String?) throws -> RuntimeConfiguration {
    do {
      return try RuntimeConfiguration.load(
        environment: ProcessInfo.processInfo.environment, file: file, dataFolder: folder.root)
    } catch {
      printError("error: \(error)")
      throw ExitCode.failure
    }
  }
}
