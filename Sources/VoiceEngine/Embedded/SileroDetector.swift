/// The Silero voice activity detector: 512 samples (32 ms) at a time, computed here, some 0.06 ms each.
///
/// libwhisper can do the same, but needs 3 MB for each session and leaves out the 64 samples that the network wants to hear
/// again. A value: copies share nothing but the weights.
public struct SileroDetector: VoiceActivityDetector {
  /// The model that setup installs.
  public static let standardModel = "ggml-silero-v6.2.0.bin"

  public let frameSampleCount = SileroSizes.frame

  private var network: SileroNetwork

  fileprivate init(weights: SileroWeights) {
    network = SileroNetwork(weights: weights)
  }

  /// 0 for a frame of any other length.
  public mutating func probability(of frame: UnsafeBufferPointer<Float>) -> Float {
    network.probability(of: frame)
  }

  public mutating func reset() {
    network.reset()
  }
}

/// Makes detectors: the model file is read once, and all detectors share its weights.
public struct SileroFactory: Sendable {
  public let description: StageDescription
  private let weights: SileroWeights

  /// - Parameters:
  ///   - folder: of the installed parts.
  ///   - model: the path of another Silero model for 16 kHz in ggml form; nil for the installed one.
  /// - Throws: `model_file_invalid`, naming the file.
  public init(folder: EngineFolder, model: String? = nil) throws(StageFault) {
    let file = ModelFile(path: model ?? folder.model(SileroDetector.standardModel), stage: .vad)
    guard let weights = SileroWeights(try file.silero()) else {
      throw StageFault(
        .vad, code: "model_file_invalid", message: "the model file \(file.path) has tensors that are not plain numbers")
    }
    self.weights = weights
    description = StageDescription(.vad, "silero", model: file.modelName)
  }

  /// A detector for one session; some kilobytes.
  public func detector() -> SileroDetector {
    SileroDetector(weights: weights)
  }
}
