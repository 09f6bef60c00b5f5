public import ArgumentParser
public import StandIns

extension GeminiLiveStandIn.TranscriptTime: ExpressibleByArgument {}
extension GeminiLiveStandIn.Interruption: ExpressibleByArgument {}
extension GeminiLiveStandIn.UsageTime: ExpressibleByArgument {}

/// How the Gemini stand-in behaves; what is not said stays as the service is known to be.
struct StandInGemini: ParsableArguments {
  @Flag(help: "Play Vertex AI instead of AI Studio: its path, its model names, its usage fields, calls without ids.")
  var geminiVertex = false

  @Option(help: "The API key to ask for; any client without.")
  var geminiKey: String?

  @Option(help: "A bearer token that Vertex accepts; may be given several times; any client without.")
  var geminiBearer: [String] = []

  @Option(help: "How many new sessions an ephemeral token may begin; any number without.")
  var geminiTokenUses: Int?

  @Option(
    help: "A model that exists, without its prefix; may be given several times; '*' for any, the real ones without.")
  var geminiModel: [String] = []

  @Option(help: "Milliseconds from setupComplete to goAway.")
  var geminiGoAwayAfter: Int?

  @Option(help: "Milliseconds from goAway to the end of the connection, which comes without a close frame.")
  var geminiTimeLeft = 10_000

  @Flag(help: "Send nothing between goAway and the end.")
  var geminiSilentAfterGoAway = false

  @Option(help: "Milliseconds after which a connection ends without warning.")
  var geminiLifetime: Int?

  @Option(help: "Milliseconds from setup to setupComplete.")
  var geminiSetupMs = 0

  @Flag(help: "Close on every resumption handle as on a stale one.")
  var geminiRefusesHandles = false

  @Option(help: "Frames of 100 ms in the answer to 'tell me a long story'.")
  var geminiStoryFrames = 100

  @Option(help: "Milliseconds between the frames of a long story.")
  var geminiStoryIntervalMs = 30

  @Option(help: "Hold turnComplete back for the playback time, at that many times the real speed.")
  var geminiPlaybackSpeed: Double?

  @Option(help: "What spoken turns are heard as; several with | in between take turns.")
  var geminiTranscription = "what time is it"

  @Option(help: "When the transcript of a spoken turn comes: before, during or after the answer.")
  var geminiTranscript = GeminiLiveStandIn.TranscriptTime.before

  @Flag(help: "Send interim transcripts of spoken turns.")
  var geminiInterim = false

  @Flag(help: "Send transcripts and handles that nobody asked for.")
  var geminiUnsolicited = false

  @Option(help: "How an interruption is told: separate, together or complete-first.")
  var geminiInterruption = GeminiLiveStandIn.Interruption.separate

  @Flag(help: "Send interrupted and an empty turn after every activityStart.")
  var geminiSpurious = false

  @Option(help: "Where usage is told: with-turn, early, alone, late, twice or none.")
  var geminiUsage = GeminiLiveStandIn.UsageTime.withTurn

  @Flag(inversion: .prefixedNo, help: "Give calls ids; without, on AI Studio only.")
  var geminiCallIds: Bool?

  @Flag(inversion: .prefixedNo, help: "Send a bare end of the turn after a call; without, on 3.1 only.")
  var geminiBareEnds: Bool?

  @Flag(help: "Say nothing after the results of calls.")
  var geminiSilentAfterResults = false

  @Flag(help: "Make a call again under a new id 2.6 s after it was interrupted.")
  var geminiRepeatsCalls = false

  @Flag(help: "Accept contextUpdate on 3.8 models.")
  var geminiContextUpdate = false

  @Flag(inversion: .prefixedNo, help: "Close when a text turn is completed while the user speaks.")
  var geminiRefusesTextDuringSpeech = true

  @Flag(help: "Hold the answer to speech back while clientContent waits for its turnComplete.")
  var geminiHoldsSpeech = false

  func apply(to options: inout GeminiLiveStandIn.Options) {
    options.platform = geminiVertex ? .vertex : .aiStudio
    options.key = geminiKey
    options.bearers = geminiBearer
    options.tokenUses = geminiTokenUses
    options.models = geminiModel.isEmpty ? nil : geminiModel
    options.goAwayAfter = geminiGoAwayAfter.map { .milliseconds($0) }
    options.timeLeft = .milliseconds(geminiTimeLeft)
    options.isSilentAfterGoAway = geminiSilentAfterGoAway
    options.connectionLifetime = geminiLifetime.map { .milliseconds($0) }
    options.setUpDelay = .milliseconds(geminiSetupMs)
    options.refusesHandles = geminiRefusesHandles
    options.storyFrames = geminiStoryFrames
    options.storyInterval = .milliseconds(geminiStoryIntervalMs)
    options.playbackSpeed = geminiPlaybackSpeed
    options.transcription = geminiTranscription
    options.transcriptTime = geminiTranscript
    options.sendsInterimTranscripts = geminiInterim
    options.isUnsolicited = geminiUnsolicited
    options.interruption = geminiInterruption
    options.sendsSpuriousInterruptions = geminiSpurious
    options.usageTime = geminiUsage
    options.givesCallIDs = geminiCallIds
    options.sendsBareEnds = geminiBareEnds
    options.isSilentAfterResults = geminiSilentAfterResults
    options.repeatsInterruptedCalls = geminiRepeatsCalls
    options.takesContextUpdate = geminiContextUpdate
    options.refusesTextDuringSpeech = geminiRefusesTextDuringSpeech
    options.holdsSpeechForOpenTurn = geminiHoldsSpeech
  }
}
