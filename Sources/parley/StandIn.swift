import ArgumentParser
import Envelope
import Logging
import ServiceLifecycle
import StandIns
import UnixSignals

struct StandIn: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "standin",
    abstract:
      "Run strict stand-ins for Gemini Live, OpenAI Realtime and its relatives, which need no key.",
    discussion: """
      They check every message as the services do and answer with a tone. Use them with examples/standin.json to try \
      Parley without an account, or to test a client.

      Azure, xAI, Inworld and vowel are served where a port is given. A frame that breaks a service's rules is noted \
      as a violation in the record.

      The stand-ins do as they are told: \(StandInTrigger.help)
      """)

  @Option(help: "The port of the Gemini Live stand-in; 0 for any.")
  var geminiPort = 8790

  @Option(name: .customLong("openai-port"), help: "The port of the OpenAI Realtime stand-in; 0 for any.")
  var openAIPort = 8791

  @OptionGroup(title: "OpenAI and its relatives") var realtime: StandInRealtime

  @Option(help: "Write every frame to this file, a line of JSON each.")
  var record: String?

  @Flag(help: "Leave audio out of the record; its lines say how many bytes that were.")
  var recordWithoutAudio = false

  @Option(help: "Milliseconds between the frames of an answer.")
  var answerIntervalMs = 0

  @Option(help: "Milliseconds of silence that end a spoken turn.")
  var silenceMs: Int?

  @Option(help: "Milliseconds between the stand-ins' pings; none without.")
  var pingMs: Int?

  @Option(help: "Milliseconds that the answer to the upgrade is held back.")
  var upgradeDelayMs = 0

  @Option(help: "Answer every upgrade with that HTTP status.")
  var refusalStatus: Int?

  @Flag(help: "Let the Gemini stand-in send thoughts, which no client may see.")
  var showsThoughts = false

  @Flag(help: "Let the Gemini stand-in announce voice activity.")
  var voiceActivity = false

  @Flag(help: "Print the field tables of the stand-ins as JSON and exit.")
  var dumpFields = false

  @OptionGroup(title: "Gemini Live") var gemini: StandInGemini
  @OptionGroup var log: LogOptions

  func run() async throws {
    if dumpFields {
      print(FieldDump.all().text)
      return
    }
    var options = StandInService.Options()
    options.geminiPort = geminiPort
    options.ports = [.openAI: openAIPort]
    options.recordFile = record
    options.omitsAudio = recordWithoutAudio
    options.setAnswerInterval(.milliseconds(answerIntervalMs))
    if let silenceMs { options.setSilence(milliseconds: silenceMs) }
    options.behaviour.pingInterval = pingMs.map { .milliseconds($0) }
    options.behaviour.refusalStatus = refusalStatus
    options.behaviour.upgradeDelay = .milliseconds(upgradeDelayMs)
    gemini.apply(to: &options.gemini)
    realtime.apply(to: &options)
    options.gemini.showsThoughts = showsThoughts
    options.gemini.announcesVoiceActivity = voiceActivity
    let logger = log.logger("standin")
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [.init(service: StandInService(options: options, logger: logger))],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
  }
}
