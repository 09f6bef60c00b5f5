import ArgumentParser

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
      Serve.self, Say.self, KeyCommand.self, TokenCommand.self, EngineCommand.self, Check.self, Reference.self,
      StandIn.self, Version.self,
    ],
    defaultSubcommand: nil)

  static func main() async {
    StandardStreams.hold()
    await main(nil)
  }
}

struct Version: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print the version.")

  func run() {
    print("parley \(Parley.version)")
  }
}
