import ArgumentParser
import Foundation
import Gateway
import Logging
import NIOCore
import NIOPosix
import VoiceEngine

struct Say: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ask a question by voice and hear the answer.",
    discussion: """
      The question is spoken by this machine's voice, or read from a WAV file, and sent in real time over a WebSocket, \
      as a microphone would. Prints the live events, both transcripts and the latencies, and plays the answer. Without \
      --url it asks the server at ws://127.0.0.1:8787, or one that it starts for the question in this process. Exits \
      with 1 and one line on standard error if there is no answer.
      """)

  @Argument(help: ArgumentHelp("What to say, or a WAV file to send.", valueName: "text or file.wav"))
  var question: [String]

  @Option(help: ArgumentHelp("Write the answer to this file instead of playing it.", valueName: "answer.wav"))
  var save: String?

  @Option(help: ArgumentHelp("The realtime endpoint.", valueName: "ws://host:port/v1/realtime"))
  var url: String?

  @Option(help: "The key for the server; env:NAME reads it from the environment.")
  var key: String?

  @Option(help: "The provider to ask for.")
  var provider: String?

  @Option(help: "The voice of the answer.")
  var voice: String?

  @Option(help: "The instructions of the session.")
  var instructions: String?

  @Flag(help: "Send the question as text.")
  var text = false

  @Flag(help: "Do not play the answer.")
  var quiet = false

  @Option(help: ArgumentHelp("Give up when nothing happens for this long.", valueName: "seconds"))
  var timeout = 30.0

  @Option(help: "The configuration of the local voice engine (YAML).")
  var runtimeConfig: String?

  func validate() throws {
    guard words.contains(where: { !$0.isWhitespace }) else { throw ValidationError("There is nothing to say.") }
    guard (0.1...3_600).contains(timeout) else { throw ValidationError("--timeout takes 0.1 to 3600 seconds.") }
  }

  func run() async throws {
    do {
      try await ask()
    } catch let fault as SayFault {
      printError("error: \(fault)")
      throw ExitCode.failure
    }
  }

  private var words: String { question.joined(separator: " ") }
  private var isFile: Bool { words.lowercased().hasSuffix(".wav") }

  private func ask() async throws {
    // Before anything is started for it.
    let recording = isFile ? try Question.speech(of: words) : nil
    let key = try self.key.map { try Secret.value(of: $0) }
    let loops = EventLoops.makeGroup()
    let outgoing = try Outgoing.ofProcess()
    var logger = Logger(label: "engine") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .error
    let server = try await server(key: key, loops: loops, outgoing: outgoing, logger: logger)
    do {
      let question: Question
      if let recording { question = recording } else { question = try await spoken(server, loops, outgoing, logger) }
      var settings = SayClient.Settings(instructions: instructions, voice: voice)
      settings.patience = .seconds(timeout)
      let client = SayClient(socket: server.socket, question: question, settings: settings) { printLive($0) }
      try report(try await client.run())
    } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }

  private func server(
    key: String?, loops: MultiThreadedEventLoopGroup, outgoing: Outgoing, logger: Logger
  ) async throws -> SayServer {
    if let url {
      return try await .at(SayServer.url(url, provider: provider), key: key, loops: loops, outgoing: outgoing)
    }
    if let server = try await SayServer.running(provider: provider, key: key, loops: loops, outgoing: outgoing) {
      return server
    }
    guard provider == nil || provider == "local" else {
      throw SayFault(
        "no server runs at \(SayServer.standardAddress), and one of its own would have the provider local only: "
          + "start parley serve, or name another server with --url")
    }
    let server = try await SayServer.own(runtimeConfig: runtimeConfig, loops: loops, outgoing: outgoing, logger: logger)
    let stages = server.engine?.parts.descriptions.map(\.label).joined(separator: ", ") ?? ""
    printLive("No server runs at \(SayServer.standardAddress); this process serves itself at \(server.url): \(stages)")
    return server
  }

  /// The words as sound, if anything here can speak.
  private func spoken(
    _ server: SayServer, _ loops: MultiThreadedEventLoopGroup, _ outgoing: Outgoing, _ logger: Logger
  ) async throws -> Question {
    if text { return .text(words) }
    let synthesizer: (any Synthesizer)?
    if let engine = server.engine {
      synthesizer = engine.parts.synthesizer
    } else {
      do {
        synthesizer = try await Engine.voice(file: runtimeConfig, loops: loops, outgoing: outgoing, logger: logger)
      } catch let fault as StageFault {
        throw SayFault("the question cannot be spoken: \(fault.message); --text sends it as text")
      }
    }
    guard let synthesizer else {
      printLive("No voice is installed here, so the question goes out as text.")
      return .text(words)
    }
    return try await Question.speech(of: words, by: synthesizer)
  }

  private func report(_ latencies: LatencyTable) throws(SayFault) {
    let exchange = latencies.exchange
    printLive("")
    if exchange.isSpoken {
      printLive(
        "heard:  \(exchange.heard.isEmpty ? "(no transcript)" : TerminalText.plain(exchange.heard.joined(separator: " ")))"
      )
    }
    printLive("answer: \(TerminalText.plain(exchange.answer))")
    if let remark = exchange.remark { printLive("note:   \(TerminalText.plain(remark))") }
    printLive("")
    for line in latencies.lines { printLive(line) }
    printLive("the answer lasts \(Milliseconds.text(exchange.answerDuration)) ms")
    guard exchange.answerAudio.readableBytes > 0 else {
      if save != nil { throw SayFault("the answer has no audio to save") }
      return
    }
    let sound = AnswerSound(exchange.answerAudio)
    if let save {
      try sound.save(to: save)
      printLive("saved to \(TerminalText.plain(save))")
    } else if !quiet, let remark = sound.play() {
      printLive(remark)
    }
  }
}

/// A key on the command line: itself, or the place where it is.
private enum Secret {
  static func value(of text: String) throws(SayFault) -> String {
    guard text.hasPrefix("env:") else { return text }
    let name = String(text.dropFirst(4))
    guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
      throw SayFault("environment variable \(name) is not set")
    }
    return value
  }
}
