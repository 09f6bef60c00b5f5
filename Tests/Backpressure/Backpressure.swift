import ArgumentParser
import Foundation

/// Shows what slow clients cost the gateway and the calls beside them.
///
/// Trials without and with slow clients alternate, each against a gateway of its own. Three clients are slow while their
/// provider speaks as fast as it is taken: one reads nothing, one reads little, one is behind a narrow link. Then each of
/// them interrupts the answer.
@main
struct Backpressure: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "Backpressure", abstract: "Measures what slow clients cost the gateway and the calls beside them.")

  @Option(help: "The executable of Parley.")
  var binary = ".build-release/release/parley"

  @Option(help: "Calls with 20 ms of audio both ways that take everything at once.")
  var healthy = 100

  @Option(help: "How long each trial is measured, and the slow clients are slow, in seconds.")
  var seconds = 60

  @Option(help: "How often both kinds of trial are made.")
  var repeats = 3

  @Option(help: "How much the slow reader reads, in bytes a second.")
  var trickle = 1_024

  @Option(help: "The most that the 99th percentile may grow beside slow clients, as a ratio; 0: not judged.")
  var mostGrowth = 1.1

  @Option(help: "A page to write the table to, between its markers.")
  var page: String?

  func run() async throws {
    var quiet: [Trial.Outcome] = []
    var loaded: [Trial.Outcome] = []
    for number in 1...max(repeats, 1) {
      let trial = Trial(binary: binary, healthyCount: healthy, measured: .seconds(seconds))
      quiet.append(try await trial.run())
      var slow = trial
      slow.slow = Trial.SlowClients(trickleBytesPerSecond: trickle)
      loaded.append(try await slow.run())
      print("trial \(number) of \(repeats) done")
    }
    let verdict = Verdict(quiet: quiet, loaded: loaded, healthyCount: healthy, mostGrowth: mostGrowth)
    print(verdict.table)
    if let page { try Page(path: page).replace(with: verdict.table) }
    for fault in verdict.faults { print("FAULT: \(fault)") }
    guard verdict.faults.isEmpty else { throw ExitCode.failure }
    print("backpressure holds")
  }
}

/// A page with the markers between which a table is written.
struct Page {
  private static let begin = "<!-- backpressure:begin -->"
  private static let end = "<!-- backpressure:end -->"

  var path: String

  func replace(with table: String) throws {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    guard let begin = text.range(of: Self.begin), let end = text.range(of: Self.end) else {
      throw ValidationError("\(path) has no markers for the table")
    }
    let whole = text[..<begin.upperBound] + "\n" + table + "\n" + text[end.lowerBound...]
    try whole.write(toFile: path, atomically: true, encoding: .utf8)
  }
}
