import Envelope
import NIOCore
import Translation

/// What the client says, in the service's words.
enum Uplink {
  // MARK: Set-up

  /// The one `setup` of a connection.
  static func setup(_ session: RealtimeSession, model: String, traits: ModelTraits) -> Setup {
    var generation = GenerationConfig()
    if let voice = Voices.name(for: session.audio.output.voice.name) {
      generation.speechConfig = SpeechConfig(voiceName: voice)
    }
    if case .count(let count) = session.maxOutputTokens {
      generation.maxOutputTokens = count
    }
    if traits.thinking == .requiredLevel { generation.thinkingConfig = ThinkingConfig(thinkingLevel: "LOW") }
    return Setup(
      model: "models/" + model,
      generationConfig: generation,
      systemInstruction: session.instructions.isEmpty ? nil : Content(text: session.instructions),
      realtimeInputConfig: realtimeInput(session.audio.input.turnDetection),
      inputAudioTranscription: session.transcribesInput ? EmptyObject() : nil,
      outputAudioTranscription: EmptyObject(),
      contextWindowCompression: session.truncatesHistory ? ContextWindowCompression() : nil)
  }

  /// The coverage is always stated, because its default differs between models; so is the silence, because its default
  /// differs between providers (R284). Prefix padding is not forwarded: here it is a debounce that swallows short words.
  static func realtimeInput(_ detection: TurnDetection?) -> RealtimeInputConfig {
    guard let detection else {
      return RealtimeInputConfig(
        automaticActivityDetection: .init(disabled: true), activityHandling: "NO_INTERRUPTION",
        turnCoverage: "TURN_INCLUDES_ALL_INPUT")
    }
    var automatic = RealtimeInputConfig.AutomaticActivityDetection()
    let interrupts: Bool
    switch detection {
    case .serverVAD(let vad):
      interrupts = vad.interruptResponse
      if vad.threshold > 0.6 { automatic.startOfSpeechSensitivity = "START_SENSITIVITY_LOW" }
      if vad.threshold < 0.4 { automatic.startOfSpeechSensitivity = "START_SENSITIVITY_HIGH" }
      automatic.silenceDurationMs = min(
        max(vad.silenceDurationMs, Limits.silenceMilliseconds.lowerBound), Limits.silenceMilliseconds.upperBound)
    case .semanticVAD(let vad):
      interrupts = vad.interruptResponse
      switch vad.eagerness {
      case .low:
        automatic.endOfSpeechSensitivity = "END_SENSITIVITY_LOW"
        automatic.silenceDurationMs = 1200
      case .high:
        automatic.endOfSpeechSensitivity = "END_SENSITIVITY_HIGH"
        automatic.silenceDurationMs = 400
      case .medium, .auto:
        automatic.silenceDurationMs = 800
      }
    }
    return RealtimeInputConfig(
      automaticActivityDetection: automatic,
      activityHandling: interrupts ? nil : "NO_INTERRUPTION",
      turnCoverage: "TURN_INCLUDES_ONLY_ACTIVITY")
  }

  // MARK: Content

  /// The messages that make the model answer `items`, the oldest first.
  static func turn(_ items: [Item], instructions: String?, traits: ModelTraits) -> [ClientMessage] {
    let turns = contents(items, instructions: instructions)
    switch traits.textInput {
    case .clientContent:
      guard !turns.isEmpty else { return [cue(traits)] }
      return [ClientMessage(clientContent: ClientContent(turns: turns, turnComplete: true))]
    case .realtimeText:
      let text = turns.filter { $0.role == "user" }.flatMap(\.parts).map(\.text).joined(separator: "\n")
      return text.isEmpty ? [cue(traits)] : [ClientMessage(realtimeInput: RealtimeInput(text: text))]
    }
  }

  /// The message that gives `items` as context without asking for an answer; nil where the family has no such way.
  static func context(_ items: [Item], instructions: String?, traits: ModelTraits) -> ClientMessage? {
    guard traits.takesContextAnytime else { return nil }
    return ClientMessage(
      clientContent: ClientContent(turns: contents(items, instructions: instructions), turnComplete: false))
  }

  private static func contents(_ items: [Item], instructions: String?) -> [Content] {
    var turns = items.compactMap(content)
    guard let instructions, !instructions.isEmpty else { return turns }
    let note = "[For this reply only: \(instructions)]\n"
    if let last = turns.indices.last(where: { turns[$0].role == "user" }) {
      turns[last].parts.insert(.init(text: note), at: 0)
    } else {
      turns.append(Content(role: "user", text: note))
    }
    return turns
  }

  /// A message item as a turn. The service knows the roles `user` and `model`.
  private static func content(_ item: Item) -> Content? {
    let text = (item.content ?? []).compactMap(\.text).joined(separator: "\n")
    guard !text.isEmpty else { return nil }
    switch item.role {
    case .assistant: return Content(role: "model", text: text)
    case .system: return Content(role: "user", text: "[System: \(text)]")
    default: return Content(role: "user", text: text)
    }
  }

  /// What makes the model speak with nothing new to answer.
  static func cue(_ traits: ModelTraits) -> ClientMessage {
    switch traits.cue {
    case .emptyTurn:
      ClientMessage(clientContent: ClientContent(turns: [], turnComplete: true))
    case .userTurn(let text):
      ClientMessage(clientContent: ClientContent(turns: [Content(role: "user", text: text)], turnComplete: true))
    case .realtimeText(let text):
      ClientMessage(realtimeInput: RealtimeInput(text: text))
    }
  }

  static let activityStart = ClientMessage(realtimeInput: RealtimeInput(activityStart: EmptyObject()))
  static let activityEnd = ClientMessage(realtimeInput: RealtimeInput(activityEnd: EmptyObject()))
  static let audioStreamEnd = ClientMessage(realtimeInput: RealtimeInput(audioStreamEnd: true))
  static let stopGenerating = ClientMessage(clientContent: ClientContent(turnComplete: false))

  // MARK: Audio

  private static let audioHead = ByteBuffer(
    string: #"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=24000","data":""#)
  private static let audioTail = ByteBuffer(string: #""}}}"#)

  /// Writes one `realtimeInput.audio` around base64 text, which is copied as it is.
  @inline(__always)
  static func writeAudio(_ base64: ByteBuffer, into buffer: inout ByteBuffer) {
    buffer.writeImmutableBuffer(audioHead)
    buffer.writeImmutableBuffer(base64)
    buffer.writeImmutableBuffer(audioTail)
  }
}

extension ClientMessage {
  /// Appends the message as compact JSON.
  func write(into buffer: inout ByteBuffer) {
    JSONCoding.encode(self).write(into: &buffer)
  }
}

extension RealtimeSession {
  /// Whether the client wants to see what the user said.
  var transcribesInput: Bool { audio.input.transcription != nil }

  /// `truncation: "disabled"` is the one value that keeps the whole history.
  var truncatesHistory: Bool { truncation.string != "disabled" }
}
