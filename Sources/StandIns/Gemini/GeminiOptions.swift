extension GeminiLiveStandIn {
  /// How the service behaves; the defaults are those of AI Studio at its quickest.
  public struct Options: Sendable {
    // MARK: Who may connect, and to what

    /// The API key to ask for; nil accepts any client.
    public var key: String?
    /// The bearer tokens that Vertex accepts; none for any client.
    public var bearers: [String] = []
    /// How many new sessions an ephemeral token may begin; nil for any number. Resumption does not count.
    public var tokenUses: Int?
    public var platform = GeminiFields.Platform.aiStudio
    /// The models that exist, without their prefix; nil for those that the platform really has, `["*"]` for any.
    public var models: [String]?
    /// Closes on every resumption handle as on a stale one.
    public var refusesHandles = false

    // MARK: Time

    /// The time between two frames of an answer; zero sends an answer in one go.
    public var answerInterval = Duration.zero
    /// The time from `setup` to `setupComplete`; nothing may be sent in between.
    public var setUpDelay = Duration.zero
    /// The silence that ends a turn unless the set-up says otherwise.
    public var silenceMilliseconds = 800
    /// Frames of 100 ms in the answer to "tell me a long story", and the time between two of them.
    public var storyFrames = 100
    public var storyInterval = Duration.milliseconds(30)
    /// Holds `turnComplete` back for the playback time of the answer, at that many times the real speed; nil does not.
    public var playbackSpeed: Double?
    /// From `setupComplete` to `goAway`; nil never sends it.
    public var goAwayAfter: Duration?
    /// From `goAway` to the end of the connection.
    public var timeLeft = Duration.seconds(10)
    /// Sends nothing between `goAway` and the end.
    public var isSilentAfterGoAway = false
    /// Ends every connection without warning at that age.
    public var connectionLifetime: Duration?
    /// How long a manual window may stay open before the service gives up.
    public var windowLimit = Duration.seconds(60)

    // MARK: Shapes of what it sends

    /// What spoken turns are heard as, until the user says "hear PHRASE"; several with `|` in between take turns.
    public var transcription = "what time is it"
    public var transcriptTime = TranscriptTime.before
    /// Sends `interimInputTranscription` in front of the transcript.
    public var sendsInterimTranscripts = false
    /// Sends transcripts and handles that nobody asked for.
    public var isUnsolicited = false
    /// Puts a thought part in front of every answer.
    public var showsThoughts = false
    /// Accepts the output modality TEXT and answers in text parts, as half-cascade models do.
    public var speaksText = false
    /// Sends `voiceActivity` frames, as 3.1 models do.
    public var announcesVoiceActivity = false
    public var interruption = Interruption.separate
    /// Sends `interrupted` and an empty turn after every `activityStart`, though nothing was going on.
    public var sendsSpuriousInterruptions = false
    public var usageTime = UsageTime.withTurn

    // MARK: Calls

    /// Whether calls have ids; nil: on AI Studio, not on Vertex.
    public var givesCallIDs: Bool?
    /// Whether a call is followed by `generationComplete` and a bare `turnComplete`; nil: on 3.1.
    public var sendsBareEnds: Bool?
    /// Says nothing after the results of calls.
    public var isSilentAfterResults = false
    /// Makes a call again under a new id when it was interrupted.
    public var repeatsInterruptedCalls = false
    /// Ignores results for calls that it never made instead of closing.
    public var ignoresUnknownCalls = false

    // MARK: What the models take

    /// Knows `contextUpdate`.
    public var takesContextUpdate = false
    /// Closes when a text turn is completed while the user speaks.
    public var refusesTextDuringSpeech = true
    /// Holds back the answer to speech while a `clientContent` waits for its `turnComplete`.
    public var holdsSpeechForOpenTurn = false

    public init() {}
  }

  /// When the transcript of a spoken turn comes.
  public enum TranscriptTime: String, Sendable, CaseIterable {
    case before
    /// In the middle of the answer.
    case during
    /// After the answer's `turnComplete`.
    case after
  }

  /// How an interruption is told.
  public enum Interruption: String, Sendable, CaseIterable {
    /// `interrupted`, then `turnComplete`.
    case separate
    /// Both in one frame.
    case together
    /// `turnComplete`, then `interrupted`.
    case completeFirst = "complete-first"
  }

  /// Where a turn's usage is told.
  public enum UsageTime: String, Sendable, CaseIterable {
    /// On the frame of `turnComplete`.
    case withTurn = "with-turn"
    /// In a frame of its own before `generationComplete`.
    case early
    /// In a frame of its own between `generationComplete` and `turnComplete`.
    case alone
    /// In a frame of its own after `turnComplete`.
    case late
    /// A part of it early, all of it on the frame of `turnComplete`.
    case twice
    case none
  }
}
