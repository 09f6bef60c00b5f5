import ArgumentParser
import Envelope
import Gateway
import Logging
import VoiceEngine

struct EngineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "engine",
    abstract: "Show what serves the four stages of the local voice engine, and let it hear itself.",
    discussion: """
      With --self-test it speaks a sentence, looks for the turn in it, transcribes it and prints how long each took. \
      Exits with 1 if the sentence did not come back, or if there is nothing to speak or to transcribe with.
      """)

  @Flag(help: "Speak a sentence, transcribe it, and print the timings.")
  var selfTest = false

  @Flag(help: "Print the configuration, where each value comes from and what it led to, as JSON. Keys are masked.")
  var json = false

  @Option(help: "The configuration of the local voice engine (YAML).")
  var runtimeConfig: String?

  func run() async throws {
    // The tables say what the log would.
    let logger = Logger(label: "engine") { _ in SwiftLogNoOpLogHandler() }
    let engine = try await Engine.start(
      file: runtimeConfig, loops: EventLoops.makeGroup(), outgoing: try .ofProcess(), logger: logger)
    if json {
      print(try Engine.configuration(file: runtimeConfig).maskedJSON(engine.selection).text)
    } else {
      printStages(engine)
      printParts()
    }
    if selfTest { try await hearItself(engine.parts) }
  }

  private func printStages(_ engine: VoiceEngine) {
    var table = TextTable(["stage", "serves", "version", "why"])
    var remarks: [String] = []
    for stage in engine.parts.descriptions {
      let serves = [stage.implementation, stage.model].filter { !$0.isEmpty }.joined(separator: " ")
      table.add([stage.stage.rawValue, serves, stage.version, engine.selection?.reason(of: stage.stage) ?? ""])
      if let degradation = stage.degradation { remarks.append("\(stage.stage.rawValue) is degraded: \(degradation)") }
    }
    for line in table.lines + remarks { print(line) }
  }

  private func printParts() {
    let folder = Engine.folder
    var table = TextTable(["part", "version", "place", "state"])
    for part in folder.installedParts {
      table.add([part.name, part.version, part.place, part.fault ?? "installed"])
    }
    print("\nparts in \(folder.root), and libraries of the system")
    for line in table.lines { print(line) }
  }

  private func hearItself(_ parts: EngineParts) async throws {
    // Beside JSON, the verdict goes where it does not spoil it.
    let say: (String) -> Void = json ? { printError($0) } : { print($0) }
    let obstacles = EngineSelfTest.obstacles(parts)
    guard obstacles.isEmpty else {
      for obstacle in obstacles { printError("error: no self-test: \(obstacle)") }
      throw ExitCode.failure
    }
    let report: EngineSelfTest.Report
    do {
      report = try await EngineSelfTest.run(parts)
    } catch {
      printError("error: the self-test failed: \(error)")
      throw ExitCode.failure
    }
    say("\nself-test")
    var table = TextTable(["step", "ms", "result"])
    table.add(["speak: first audio", Milliseconds.text(report.firstAudio), ""])
    table.add(["speak: all", Milliseconds.text(report.speaking), "\(Milliseconds.text(report.clip)) ms of speech"])
    let turn = report.turn.map { "\(Milliseconds.text($0.lowerBound))-\(Milliseconds.text($0.upperBound)) ms" }
    table.add(["find the turn", Milliseconds.text(report.detecting), turn ?? "no turn"])
    table.add(["transcribe", Milliseconds.text(report.transcribing), "\"\(TerminalText.plain(report.transcript))\""])
    for line in table.lines { say(line) }
    guard report.isPassed else {
      let missing = report.missingWords.joined(separator: ", ")
      printError(
        "error: the engine did not understand itself: "
          + (missing.isEmpty ? "no turn was found" : "\(missing) did not come back"))
      throw ExitCode.failure
    }
    say("The engine understood itself.")
  }
}
