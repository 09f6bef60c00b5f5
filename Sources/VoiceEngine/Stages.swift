// The four stages of a cascade. Each has implementations in the process (`Embedded/`) and over the network (`Remote/`);
// the pipeline knows only these protocols.

/// Which of the four.
public enum StageName: String, Sendable, Hashable, CaseIterable, Codable {
  case vad, stt, llm, tts
}

/// What serves a stage: shown in `session.created`, in `/health`, in the log and by `parley engine`.
public struct StageDescription: Sendable, Hashable {
  public var stage: StageName
  /// The implementation: `silero`, `energy`, `whisper`, `deepgram`, `openai-compatible`, `rules`, `espeak`, `piper`, `flite`,
  /// `omni`, `none`.
  public var implementation: String
  /// The model or voice; empty where there is none.
  public var model: String
  /// The version of the library behind it; empty where it tells none.
  public var version: String
  /// Why this is not what was asked for, in one sentence; nil if it is.
  public var degradation: String?

  public init(
    _ stage: StageName, _ implementation: String, model: String = "", version: String = "", degradation: String? = nil
  ) {
    self.stage = stage
    self.implementation = implementation
    self.model = model
    self.version = version
    self.degradation = degradation
  }

  /// `whisper tiny.en (1.8.5)`.
  public var label: String {
    [implementation, model, version.isEmpty ? "" : "(\(version))"].filter { !$0.isEmpty }.joined(separator: " ")
  }
}

/// Why a stage could not do its work. The turn fails with it; the next turn tries again.
public struct StageFault: Error, Sendable, Hashable, CustomStringConvertible {
  public var stage: StageName
  /// A word of a closed set, for programs: `stt_unavailable`, `llm_unreachable`, `llm_timeout`, `llm_refused`,
  /// `rate_limit_exceeded`, `llm_protocol_error`, the same with `stt_` and `tts_`, `audio_format_unsupported`,
  /// `model_file_invalid`.
  public var code: String
  /// One sentence for people, without secrets.
  public var message: String

  public init(_ stage: StageName, code: String, message: String) {
    self.stage = stage
    self.code = code
    self.message = message
  }

  public var description: String { "\(code): \(message)" }
}

// MARK: Voice activity detection

/// Says of each frame how probably it is speech. One for each session: it remembers what came before. The engine's own are
/// values, whose copies remember by themselves.
public protocol VoiceActivityDetector: Sendable {
  /// Samples of a frame at 16 kHz.
  var frameSampleCount: Int { get }
  /// 0…1 for one frame of samples in -1…1.
  mutating func probability(of frame: UnsafeBufferPointer<Float>) -> Float
  /// Forgets what came before.
  mutating func reset()
}

// MARK: Speech to text

/// What the transcriber may know beforehand.
public struct TranscriptionOptions: Sendable, Hashable {
  /// ISO 639-1, such as `en`; nil for the configured one.
  public var language: String?
  /// Words that are likely to occur; nil for none.
  public var prompt: String?

  public init(language: String? = nil, prompt: String? = nil) {
    self.language = language
    self.prompt = prompt
  }
}

/// Makes text of speech.
public protocol Transcriber: Sendable {
  var description: StageDescription { get }
  /// Begins the transcription of one turn. `partial` is called with what is understood so far, if the transcriber says
  /// that before the end.
  func begin(_ options: TranscriptionOptions, partial: @escaping @Sendable (String) -> Void) -> any Transcription
}

/// One turn on its way to text.
public protocol Transcription: Sendable {
  /// More of the turn, 16 kHz mono; at once, without waiting.
  func append(_ samples: [Int16])
  /// The user has fallen silent, and the turn may be over: whoever computes may begin with what there is. What is appended
  /// from here on is silence, unless `goOn` is called.
  func anticipateEnd()
  /// The turn was not over.
  func goOn()
  /// The turn is over: the whole text, trimmed; empty if nothing was said. Ends early if the task is cancelled.
  func finish() async throws -> String
  /// The turn is of no interest any more. Harmless after `finish`.
  func cancel()
}

extension Transcription {
  public func anticipateEnd() {}
  public func goOn() {}
}

// MARK: The answer

/// A message of the conversation, as chat models take it.
public struct ChatMessage: Sendable, Equatable {
  public enum Role: String, Sendable { case system, user, assistant, tool }

  public struct Call: Sendable, Equatable {
    public var id: String
    public var name: String
    /// JSON text.
    public var arguments: String

    public init(id: String, name: String, arguments: String) {
      self.id = id
      self.name = name
      self.arguments = arguments
    }
  }

  public var role: Role
  public var text: String
  /// The assistant's calls.
  public var calls: [Call] = []
  /// The call that a `tool` message answers.
  public var callID: String?
  /// The user's speech behind `text`, 16 kHz mono, for a model that hears; only of the turn being answered.
  public var speech: [Int16]?

  public init(role: Role, text: String) {
    self.role = role
    self.text = text
  }
}

/// A function that may be called.
public struct ChatTool: Sendable, Equatable {
  public var name: String
  public var summary: String
  /// A JSON Schema as JSON text; nil for none.
  public var parameters: String?

  public init(name: String, summary: String = "", parameters: String? = nil) {
    self.name = name
    self.summary = summary
    self.parameters = parameters
  }
}

public enum ChatToolChoice: Sendable, Equatable {
  case auto, none, required
  case function(String)
}

/// What an answer is asked for.
public struct ResponderRequest: Sendable, Equatable {
  /// The session's instructions, or the response's own; may be empty.
  public var instructions = ""
  /// Oldest first.
  public var messages: [ChatMessage] = []
  public var tools: [ChatTool] = []
  public var toolChoice = ChatToolChoice.auto
  /// Nil for no limit of the client's.
  public var maximumTokens: Int?
  /// Whether the answer will be spoken.
  public var isSpoken = true
  /// One of the responder's `speakers`, for one that speaks itself.
  public var voice: String?
  /// Whether anything was answered in this session before (a responder need not introduce itself twice).
  public var isFirstAnswer = true

  public init() {}
}

/// A piece of an answer.
public enum ResponderEvent: Sendable, Equatable {
  /// Words, to be concatenated as they are.
  case text(String)
  /// A complete call of a function.
  case call(ChatMessage.Call)
  /// Speech of a model that speaks itself.
  case audio([Int16], rate: Int)
  case usage(inputTokens: Int, outputTokens: Int)
  /// The last event.
  case finished(ResponderEnding)
}

public enum ResponderEnding: Sendable, Hashable {
  case complete
  /// `max_tokens` was reached.
  case maximumTokens
  case contentFilter
}

/// Makes the answer. Ending the iteration of the stream early cancels it at the source.
public protocol Responder: Sendable {
  var description: StageDescription { get }
  /// Whether the model hears the turn itself and speaks the answer itself.
  var takesSpeech: Bool { get }
  /// The voices of a model that speaks itself; the first is the default.
  var speakers: [String] { get }
  /// Throws `StageFault`.
  func respond(to request: ResponderRequest) -> AsyncThrowingStream<ResponderEvent, any Error>
}

extension Responder {
  public var takesSpeech: Bool { false }
  public var speakers: [String] { [] }
}

// MARK: Text to speech

/// Speech as it is made.
public struct SpeechChunk: Sendable, Equatable {
  /// Mono.
  public var samples: [Int16]
  /// Hertz.
  public var rate: Int

  public init(samples: [Int16], rate: Int) {
    self.samples = samples
    self.rate = rate
  }
}

/// Makes speech of text.
public protocol Synthesizer: Sendable {
  var description: StageDescription { get }
  /// The names that `voice` may have; the first is the default.
  var voices: [String] { get }
  /// Speaks one clause. Ending the iteration early cancels it. Throws `StageFault`.
  ///
  /// - Parameters:
  ///   - voice: one of `voices`.
  ///   - speed: 1 is the voice's own; 0.25…1.5.
  func speak(_ text: String, voice: String, speed: Double) -> AsyncThrowingStream<SpeechChunk, any Error>
}
