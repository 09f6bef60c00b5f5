/// Sizes and times of Gemini Live, and of how it is waited for.
enum Limits {
  // MARK: Audio

  /// The speech that the service sends: PCM16 mono at 24 kHz.
  static let outputBytesPerMillisecond = 48

  /// The most audio that is kept for a client that ends its turns itself: ten minutes at 24 kHz, decoded.
  static let bufferedBytes = 10 * 60 * 1000 * 48

  /// How long the end of an append that is too short for a piece of its own waits for more.
  static let restTimeout = Duration.milliseconds(20)

  /// After the last append, audio counts as going up for so long.
  static let audioTimeout = Duration.milliseconds(500)

  /// The shortest audio that can be committed (the OpenAI service's rule).
  static let shortestCommitMilliseconds = 100

  /// What `silenceDurationMs` may be.
  private static let silenceMilliseconds = 100...2000

  static func silence(_ milliseconds: Int) -> Int {
    min(max(milliseconds, silenceMilliseconds.lowerBound), silenceMilliseconds.upperBound)
  }

  /// The least that a turn found by our own detector has from before its first sound; the service has no pre-roll of its
  /// own in a window and wants 200 to 500 ms.
  static let leastPreRollMilliseconds = 300

  /// How late a detector may be sure of a beginning; the audio of that time belongs to the turn.
  static let detectionLagMilliseconds = 700

  /// How long speech that the service does not tell the end of may be followed by nothing.
  static let speechTimeout = Duration.seconds(10)

  // MARK: Answers

  /// How long a `response.create` waits for the first output before it fails.
  static let answerTimeout = Duration.seconds(15)

  /// How long audio that may hold no speech is given to draw an answer before the model is asked to speak anyway.
  static let answerToAudioTimeout = Duration.seconds(2)

  /// How long `response.done` waits for the usage after `generationComplete`. The `turnComplete` that carries it comes
  /// only when the service thinks that playback has ended.
  static let usageTimeout = Duration.milliseconds(1500)

  /// How long a cancelled answer's rest is discarded after its last sign of life.
  static let discardTimeout = Duration.seconds(3)

  /// How long after a request what comes may still belong to the answer that was cancelled before it.
  static let flightTime = Duration.milliseconds(250)

  /// How long a model that thinks on may be silent before its answer counts as ended.
  static let thinkingTimeout = Duration.seconds(30)

  /// How long an answer that has begun may make no progress before it counts as lost.
  static let stallTimeout = Duration.seconds(30)

  /// How long a service that was not read for a while has at least, once it is read again.
  static let heardAgainTimeout = Duration.seconds(5)

  // MARK: Calls

  /// How long results that nobody asked an answer for are kept back before the service gets them: it is wedged until then.
  static let resultsTimeout = Duration.seconds(10)

  /// How long after an answer to several results a further request for it may come.
  static let answeredTimeout = Duration.seconds(2)

  /// How long a `response.create` waits for the results of the calls before it goes without the missing ones.
  static let missingResultsTimeout = Duration.seconds(120)

  /// How often calls that the client does not want are refused in its place before they are let through.
  static let callRefusals = 3

  /// The same where the client has answered none of them and asks about something else.
  static let abandonedResultsTimeout = Duration.seconds(5)

  /// Calls whose late results are recognised.
  static let rememberedCalls = 1_000

  // MARK: The connection

  /// The service ends a connection after about ten minutes, with or without a warning.
  static let rotationAge = Duration.seconds(9 * 60)
  static let rotationLatest = Duration.seconds(9 * 60 + 50)
  /// Before the time that `goAway` names.
  static let rotationMargin = Duration.seconds(3)
  /// Waits before each attempt to get a lost connection back, and how long that may take in all.
  static let renewalDelays: [Duration] = [
    .zero, .milliseconds(500), .seconds(1), .seconds(2), .seconds(4),
  ]
  static let renewalBudget = Duration.seconds(30)
  /// A connection that stood for so long was a good one: its loss is tried to be mended at once.
  static let steadyAge = Duration.seconds(10)
  /// How often a request is asked again because the connection was lost before its answer began: it may be the cause.
  static let requestLosses = 1
  /// How often a connection may end with a code that the conversation itself may be the cause of.
  static let suddenEnds = 1
  /// Updates of the session that come within this time need one connection.
  static let updateGathering = Duration.milliseconds(50)
  /// How long messages of the role `system` that come first may hold the set-up back, for more of them.
  static let systemNotesGathering = Duration.milliseconds(300)
  /// How long a handle is awaited after a turn; without it what was said last would have to be told again.
  static let handleTimeout = Duration.seconds(1)
  /// Of the audio before a new connection that was wanted, how much it hears again when nothing is known of speech in it.
  static let replayedMilliseconds = 1_000
  /// From before a position where speech is known to begin.
  static let replayedBeforeSpeechMilliseconds = 1_000
  /// From before an interruption: it came 0.4 to 3 s after the first sound of the speech that caused it.
  static let replayedBeforeInterruptionMilliseconds = 3_000

  /// Tokens (Google's capability comparison, autumn 2026), and what part of them starts the compression by default.
  static let contextWindow = 131_072
  static let compressionTrigger = 104_857

  // MARK: Sizes

  /// The most JSON of items that wait for a `response.create`; the largest context window of the service holds less.
  static let pendingBytes = 1_048_576

  /// The most JSON of a session object.
  static let sessionBytes = 262_144

  /// The most JSON of a conversation that a fresh session is told; the oldest goes first.
  static let seedBytes = 524_288

  /// Responses outside of the conversation at the same time; each has a connection.
  static let sideResponses = 4
}
