import ArgumentParser
import Logging

/// The command line: argument parsing and wiring, nothing else.
@main
struct Parley: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "parley",
    abstract: "One OpenAI Realtime endpoint in front of every realtime voice provider.",
    discussion: """
      A client that speaks the OpenAI Realtime WebSocket API connects to /v1/realtime, unchanged. Parley picks the \
      provider (?provider=gemini, a model name, or the default of the configuration) and translates every event both \
      ways, live.
      """,
    version: version,
    subcommands: [
      Serve.self, Say.self, KeyCommand.self, TokenCommand.self, EngineCommand.self, Check.self, StandIn.self,
      Version.self,
    ],
    defaultSubcommand: nil)
}

/// How much is said on standard output.
struct LogOptions: ParsableArguments {
  enum Level: String, ExpressibleByArgument, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
  }

  @Option(help: "The least that is logged.")
  var logLevel = Level.info

  func logger(_ label: String) -> Logger {
    var logger = Logger(label: label) { StreamLogHandler.standardOutput(label: $0) }
    logger.logLevel = Logger.Level(rawValue: logLevel.rawValue) ?? .info
    return logger
  }
}

struct Version: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print the version.")

  func run() {
    print("parley \(Parley.version)")
  }
}
