/// How a service of the OpenAI wire differs from OpenAI itself, as data. The defaults are OpenAI's.
public struct WireTraits: Sendable {
  /// The names that the service is spoken to with.
  public enum Vocabulary: Sendable {
    case ga, beta
  }

  /// Who carries out and acknowledges `conversation.item.truncate`.
  public enum Truncation: Sendable {
    case native
    /// The service is not told.
    case local
    /// The service is told, the client is answered here, and what the service says to it is swallowed.
    case both
  }

  /// What a commit of a turn that the client ends starts by itself. If anything, the service is told of the commit with the
  /// `response.create`, and that is left out where the answer comes anyway (Q8). A commit under turn detection goes up at once.
  public enum CommitAnswer: Sendable {
    case nothing
    /// A response to speech; to a turn without any, only when it is asked for. What asks for a response to speech on top is
    /// dropped.
    case responseToSpeech
    /// A response to everything; one that is asked for on top takes its place.
    case response
  }

  /// How the client's audio is cut on its way up.
  public enum Pieces: Sendable, Hashable {
    case asTheyCome
    case milliseconds(least: Int, most: Int)
    /// Exactly so many bytes of PCM16 a piece; the last one before a commit is filled up with silence.
    case bytes(Int)
  }

  public var vocabulary = Vocabulary.ga
  /// The service judges what this vocabulary does not understand, and its own `session.updated` is told, with the client's
  /// session id; otherwise the mirror's is.
  public var isNative = true
  /// The model may change in mid-session; otherwise it is the one of the address.
  public var changesModel = false
  /// Content goes up only after the first `session.updated`.
  public var awaitsUpdated = false
  public var retrievesLocally = false
  public var deletesLocally = false
  public var truncation = Truncation.native
  public var pieces = Pieces.asTheyCome
  /// Otherwise the client's G.711 is converted to PCM at 24 kHz, and back.
  public var takesG711 = true
  /// Items of a conversation may hold Ogg Opus.
  public var takesOpusItems = false
  /// Items of a conversation may hold recorded speech; otherwise it is streamed in when an answer is asked for.
  public var takesRecordings = true
  /// `response.create` may have an input of its own, and belong to no conversation.
  public var takesOwnInput = true
  /// A user's item starts a response by itself: the `response.create` that follows it is swallowed.
  public var answersItems = false
  public var answersCommits = CommitAnswer.nothing
  /// Otherwise the idle timeout is emulated here.
  public var hasIdleTimeout = true
  /// Without turn detection a `response.create` does not hear what is not committed: it is committed first (R184).
  public var commitsOpenAudio = true
  /// How long a connection lives; it is replaced between turns before that.
  public var lifetime: Duration?
  /// A lost connection is taken up again by the service's own id of the conversation, which then has its items.
  public var resumesConversations = false
  /// What every connection is told, whether a client has said anything of it or not: where the service's default is another
  /// than the one that `session.created` showed (R284). Dotted paths in the session.
  public var setUpFields: Set<String> = ["audio.input.turn_detection"]
  /// Turns can be found and transcribed without an answer: `create_response: false` holds.
  public var canListenOnly = true
  /// The service has transcription sessions of its own.
  public var hasTranscriptionSessions = false
  public var mending = MendingRules()

  public init() {}
}
