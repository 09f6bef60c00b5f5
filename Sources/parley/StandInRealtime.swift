import ArgumentParser
import StandIns

/// How the stand-ins of OpenAI Realtime and its relatives behave; what is not said stays as the services are known to
/// be.
struct StandInRealtime: ParsableArguments {
  @Option(
    help:
      "The port of the Azure stand-in (OpenAI, its preview form, Voice Live); 0 for any, not served without."
  )
  var azurePort: Int?

  @Option(
    name: .customLong("xai-port"),
    help: "The port of the xAI stand-in; 0 for any, not served without.")
  var xAIPort: Int?

  @Option(help: "The port of the Inworld stand-in; 0 for any, not served without.")
  var inworldPort: Int?

  @Option(help: "The port of the vowel engine's stand-in; 0 for any, not served without.")
  var vowelPort: Int?

  @Option(
    name: .customLong("openai-key"), help: "The key that OpenAI's asks for; any client without.")
  var openAIKey: String?

  @Option(help: "The key that Azure's asks for; any client without.")
  var azureKey: String?

  @Option(name: .customLong("xai-key"), help: "The key that xAI's asks for; any client without.")
  var xAIKey: String?

  @Option(help: "The key that Inworld's asks for, as it stands in the header; any client without.")
  var inworldKey: String?

  @Option(help: "The key that vowel's asks for when it issues a token; any key without.")
  var vowelKey: String?

  @Option(
    help:
      "An Entra token that Azure's takes, or a JWT that Inworld's takes; may be given several times."
  )
  var bearer: [String] = []

  @Option(help: "A model that exists; may be given several times; any without.")
  var realtimeModel: [String] = []

  @Option(help: "How many connections a token may open; any number without.")
  var tokenUses: Int?

  @Option(help: "Milliseconds after which a session ends as one that has reached its maximum.")
  var realtimeLifetime: Int?

  @Option(help: "What spoken turns are heard as.")
  var realtimeTranscription = "what time is it"

  @Option(help: "Parts of 100 ms in the answer to 'tell me a long story'.")
  var realtimeStoryFrames = 100

  @Option(help: "Milliseconds between the parts of a long story.")
  var realtimeStoryIntervalMs = 30

  @Flag(
    name: .customLong("xai-abandons"),
    help: "Let xAI's never finish a response that the user interrupts.")
  var xAIAbandons = false

  @Option(
    help: """
      Something that Inworld's is to do: \(InworldQuirk.allCases.map(\.rawValue).joined(separator: ", ")) or none; \
      may be given several times; all but old-names without.
      """)
  var inworldQuirk: [String] = []

  func validate() throws {
    if let wrong = inworldQuirk.first(where: { $0 != "none" && InworldQuirk(rawValue: $0) == nil }) {
      throw ValidationError("'\(wrong)' is no quirk of Inworld's.")
    }
  }

  func apply(to options: inout StandInService.Options) {
    options.ports[.azure] = azurePort
    options.ports[.xAI] = xAIPort
    options.ports[.inworld] = inworldPort
    options.ports[.vowel] = vowelPort
    options.keys[.openAI] = openAIKey
    options.keys[.azure] = azureKey
    options.keys[.xAI] = xAIKey
    options.keys[.inworld] = inworldKey
    options.keys[.vowel] = vowelKey
    options.realtime.bearers = bearer
    options.realtime.models = realtimeModel.isEmpty ? nil : realtimeModel
    options.realtime.tokenUses = tokenUses
    options.realtime.abandonsResponses = xAIAbandons
    options.realtime.lifetime = realtimeLifetime.map { .milliseconds($0) }
    options.realtime.transcription = realtimeTranscription
    options.realtime.storyFrames = realtimeStoryFrames
    options.realtime.storyInterval = .milliseconds(realtimeStoryIntervalMs)
    if !inworldQuirk.isEmpty {
      options.realtime.quirks = Set(inworldQuirk.compactMap(InworldQuirk.init))
    }
  }
}
