public import Envelope

// The messages between the translator and the voice engine of this process. They are JSON like every other provider's, so
// that a session with the engine can be written down, replayed and cut like any other; they travel over no network.
// A turn is a stretch of the user's audio; the engine numbers the ones that it detects (`vad_1`), the translator the ones
// that the client commits (`commit_1`) or brings along (`item_1`).

/// How the engine hears.
public struct HearingSettings: Codable, Sendable, Equatable {
  public enum Detection: String, Codable, Sendable {
    /// The engine finds the turns.
    case automatic
    /// The client commits them.
    case manual
  }

  /// Of the audio that follows.
  public var format: AudioFormat
  public var detection: Detection
  /// Probability of speech, 0…1.
  public var threshold: Double
  /// How far before the first speech a turn begins.
  public var prefixPaddingMs: Int
  /// How much silence ends a turn.
  public var silenceMs: Int
  /// Of the turns that begin from here on, for whoever recognises them: ISO 639-1, and likely words.
  public var language: String?
  public var prompt: String?

  enum CodingKeys: String, CodingKey {
    case format
    case detection
    case threshold
    case prefixPaddingMs = "prefix_padding_ms"
    case silenceMs = "silence_ms"
    case language
    case prompt
  }

  public init(format: AudioFormat, detection: Detection, threshold: Double, prefixPaddingMs: Int, silenceMs: Int) {
    self.format = format
    self.detection = detection
    self.threshold = threshold
    self.prefixPaddingMs = prefixPaddingMs
    self.silenceMs = silenceMs
  }
}

/// What an answer is made of.
public struct AnswerRequest: Codable, Sendable, Equatable {
  public struct Message: Codable, Sendable, Equatable {
    public enum Role: String, Codable, Sendable { case system, user, assistant, tool }

    public struct Call: Codable, Sendable, Equatable {
      public var id: String
      public var name: String
      public var arguments: String

      public init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
      }
    }

    public var role: Role
    public var text: String
    public var calls: [Call]?
    public var callID: String?
    /// The turn behind the text, while the engine still has its audio.
    public var turn: String?

    enum CodingKeys: String, CodingKey {
      case role
      case text
      case calls
      case callID = "call_id"
      case turn
    }

    public init(_ role: Role, _ text: String) {
      self.role = role
      self.text = text
    }
  }

  public var id: String
  public var instructions: String
  public var messages: [Message]
  public var tools: [FunctionTool]
  public var toolChoice: ToolChoice
  public var maximumTokens: Int?
  /// `audio` or `text`.
  public var modality: Modality
  public var voice: String
  public var speed: Double
  public var format: AudioFormat

  enum CodingKeys: String, CodingKey {
    case id
    case instructions
    case messages
    case tools
    case toolChoice = "tool_choice"
    case maximumTokens = "maximum_tokens"
    case modality
    case voice
    case speed
    case format
  }

  public init(
    id: String, instructions: String, messages: [Message], tools: [FunctionTool] = [], toolChoice: ToolChoice = .auto,
    maximumTokens: Int? = nil, modality: Modality, voice: String, speed: Double = 1, format: AudioFormat
  ) {
    self.id = id
    self.instructions = instructions
    self.messages = messages
    self.tools = tools
    self.toolChoice = toolChoice
    self.maximumTokens = maximumTokens
    self.modality = modality
    self.voice = voice
    self.speed = speed
    self.format = format
  }
}

/// What the translator says to the engine.
public enum EngineRequest: Sendable, Equatable {
  /// Holds from the next audio on.
  case hear(HearingSettings)
  /// The client's audio as base64 in the format of the settings.
  case audio(String)
  /// What was heard since the last turn is a turn. `absorbing` is a turn whose beginning was announced: it is part of this one,
  /// even if the engine has meanwhile found its end.
  case commit(turn: String, absorbing: String?)
  /// What was heard since the last turn is forgotten.
  case clear
  /// Audio that was recorded before; `type` is a media type such as `audio/pcm` or `audio/ogg`.
  case recording(turn: String, base64: String, format: AudioFormat)
  /// Answered by `transcribed` or `notTranscribed`, always.
  case transcribe(turn: String)
  /// Nobody will ask for the turn's audio again.
  case forget(turn: String)
  case answer(AnswerRequest)
  case cancel(response: String)
}

/// What the engine says to the translator.
public enum EngineEvent: Sendable, Equatable {
  /// The engine takes everything from here on.
  case ready
  case speechStarted(turn: String, atMs: Int)
  /// `wasCut`: the turn reached the longest that is taken, and the user may still be speaking. `isSpeech`: whether there
  /// was enough of it to be worth a transcription.
  case speechStopped(turn: String, atMs: Int, isSpeech: Bool, wasCut: Bool)
  case transcribed(turn: String, text: String)
  case notTranscribed(turn: String, code: String, message: String)
  case text(response: String, delta: String)
  /// Base64 in the format of the request.
  case audio(response: String, base64: String)
  case call(response: String, AnswerRequest.Message.Call)
  case finished(AnswerEnd)
  case failed(response: String, code: String, message: String)
}

/// How an answer came to its end.
public struct AnswerEnd: Codable, Sendable, Equatable {
  public enum Reason: String, Codable, Sendable {
    case complete
    case maximumTokens = "maximum_tokens"
    case contentFilter = "content_filter"
  }

  public var response: String
  public var reason: Reason
  public var inputTokens: Int
  public var outputTokens: Int
  /// The length of the speech that was sent.
  public var audioMs: Int

  enum CodingKeys: String, CodingKey {
    case response
    case reason
    case inputTokens = "input_tokens"
    case outputTokens = "output_tokens"
    case audioMs = "audio_ms"
  }

  public init(response: String, reason: Reason, inputTokens: Int, outputTokens: Int, audioMs: Int) {
    self.response = response
    self.reason = reason
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.audioMs = audioMs
  }
}

/// A message between translator and engine that is not one of theirs: a fault of this program.
public struct EngineWireFault: Error, Sendable, Hashable {
  public var reason: String
}
