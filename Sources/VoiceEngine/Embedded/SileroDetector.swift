import CSpeech

/// The Silero voice activity detector, computed by libwhisper: 512 samples (32 ms) at a time, about 0.1 ms each.
///
/// The network's memory of a session lies in the library's context, which is why each session has one (2.6 MB).
public final class SileroDetector: VoiceActivityDetector {
  /// The model that setup installs.
  public static let standardModel = "ggml-silero-v6.2.0.bin"

  public let frameSampleCount = 512

  private let library: WhisperLibrary
  private let context: WhisperLibrary.Context

  fileprivate init(library: WhisperLibrary, context: WhisperLibrary.Context) {
    self.library = library
    self.context = context
    library.resetDetector(context)
  }

  deinit {
    library.freeDetector(context)
  }

  /// 0 for a frame of any other length.
  public func probability(of frame: UnsafeBufferPointer<Float>) -> Float {
    guard frame.count == frameSampleCount, let first = frame.baseAddress else { return 0 }
    // This variant keeps the network's memory between calls, and leaves one probability for each 512 samples.
    _ = library.detectSpeech(context, first, CInt(frame.count))
    let count = Int(library.probabilityCount(context))
    guard count > 0, let probabilities = library.probabilities(context) else { return 0 }
    return probabilities[count - 1]
  }

  public func reset() {
    library.resetDetector(context)
  }
}

/// Opens detectors: the library and the model file are checked once.
public struct SileroFactory: Sendable {
  public let description: StageDescription
  private let library: WhisperLibrary
  private let path: String

  /// - Parameters:
  ///   - folder: of the installed parts.
  ///   - model: the path of another Silero model in ggml form; nil for the installed one.
  /// - Throws: `vad_unavailable` without the library, `model_file_invalid` naming the model.
  public init(folder: EngineFolder, model: String? = nil) throws(StageFault) {
    do {
      library = try WhisperLibrary(path: folder.library(WhisperLibrary.fileName))
    } catch {
      throw StageFault(.vad, code: "vad_unavailable", message: error.description)
    }
    let file = ModelFile(path: model ?? folder.model(SileroDetector.standardModel), stage: .vad)
    try file.checkSilero()
    path = file.path
    description = StageDescription(.vad, "silero", model: file.modelName, version: library.version)
    _ = try detector()
  }

  /// A detector for one session; a few milliseconds.
  ///
  /// - Throws: `model_file_invalid` if the library refuses the model, or if there is no memory for it.
  public func detector() throws(StageFault) -> SileroDetector {
    let parameters = parley_whisper_vad_context_params(n_threads: 1, use_gpu: false, gpu_device: 0)
    guard let context = library.openDetector(path, parameters) else {
      throw StageFault(
        .vad, code: "model_file_invalid", message: "the model file \(path) is refused by whisper \(library.version)")
    }
    return SileroDetector(library: library, context: context)
  }
}
