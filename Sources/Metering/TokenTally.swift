import Envelope

/// The tokens of a session, as its provider counted them, by modality.
public struct TokenTally: Sendable, Hashable {
  public var inputText = 0
  public var inputAudio = 0
  public var inputImage = 0
  /// Of the input's tokens, how many came from the provider's cache.
  public var inputCached = 0
  public var outputText = 0
  public var outputAudio = 0
  /// As the provider adds them up; some count what they attribute to no modality.
  public var total = 0
  /// Of models that only write down what was said, whose tokens are no part of the others.
  public var transcriptionInput = 0
  public var transcriptionOutput = 0
  /// Of models that are paid by the length of what they write down.
  public var transcriptionSeconds = 0.0
  /// A part of the tokens is our own guess: the provider did not say.
  public var isEstimated = false

  public init() {}

  public var input: Int { inputText.adding(inputAudio).adding(inputImage) }
  public var output: Int { outputText.adding(outputAudio) }

  /// Adds the tokens of a response. What the provider attributes to no modality counts as text.
  mutating func count(_ usage: Usage) {
    let read = usage.inputTokenDetails
    let made = usage.outputTokenDetails
    let heard = max(0, read.audioTokens).adding(max(0, read.imageTokens))
    inputAudio = inputAudio.adding(max(0, read.audioTokens))
    inputImage = inputImage.adding(max(0, read.imageTokens))
    inputText = inputText.adding(max(read.textTokens, usage.inputTokens.adding(-heard), 0))
    inputCached = inputCached.adding(max(0, read.cachedTokens))
    let spoken = max(0, made.audioTokens)
    outputAudio = outputAudio.adding(spoken)
    outputText = outputText.adding(max(made.textTokens, usage.outputTokens.adding(-spoken), 0))
    total = total.adding(max(0, usage.totalTokens))
  }

  /// Takes back what was counted of a response.
  mutating func takeBack(_ usage: Usage) {
    var counted = TokenTally()
    counted.count(usage)
    inputText = max(0, inputText - counted.inputText)
    inputAudio = max(0, inputAudio - counted.inputAudio)
    inputImage = max(0, inputImage - counted.inputImage)
    inputCached = max(0, inputCached - counted.inputCached)
    outputText = max(0, outputText - counted.outputText)
    outputAudio = max(0, outputAudio - counted.outputAudio)
    total = max(0, total - counted.total)
  }

  mutating func count(_ usage: TranscriptionUsage) {
    switch usage {
    case .tokens(let tokens):
      transcriptionInput = transcriptionInput.adding(max(0, tokens.inputTokens))
      transcriptionOutput = transcriptionOutput.adding(max(0, tokens.outputTokens))
    case .duration(let seconds, _):
      if seconds.isFinite, seconds > 0 { transcriptionSeconds += seconds }
    }
  }
}

extension Int {
  /// The sum, or the end of the range that it would pass: counts come from peers.
  func adding(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other < 0 ? .min : .max) : sum
  }
}
