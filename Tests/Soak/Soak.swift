import ArgumentParser

@main
struct Soak: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "soak",
    abstract: "Run many calls through Parley over faulty links and compare the ledgers of both ends.",
    subcommands: [Run.self, Peer.self], defaultSubcommand: Run.self)
}
