import Foundation

/// Speaks with a Piper voice: the natural one of the voices that need no network.
public struct PiperSynthesizer: Synthesizer {
  /// The voice that setup installs.
  static let standardModel = "en_US-joe-medium.onnx"

  public let description: StageDescription
  public let voices: [String]
  private let voice: PiperVoice

  /// Loads the voice; takes one to two seconds.
  ///
  /// - Parameters:
  ///   - folder: has ONNX Runtime's library and the voice `en_US-joe-medium`.
  ///   - model: the path of another voice's `.onnx` file; nil for that one.
  /// - Throws: `tts_unavailable` if a part is not installed, `model_file_invalid` if a file of the voice is damaged.
  public static func start(folder: EngineFolder, model: String? = nil) async throws(StageFault) -> PiperSynthesizer {
    let path = model ?? folder.model(standardModel)
    let voice = try PiperVoice(model: path, runtime: folder.library("libonnxruntime.so"))
    let version = try await voice.load()
    let name = Self.voiceName(ofFile: (path as NSString).lastPathComponent)
    return PiperSynthesizer(
      description: StageDescription(.tts, "piper", model: name, version: version), voices: [name], voice: voice)
  }

  /// Speaks clause by clause where the text has several; a clause that was begun is computed to its end.
  public func speak(_ text: String, voice: String, speed: Double) -> AsyncThrowingStream<SpeechChunk, any Error> {
    let speaker = self.voice
    return producedStream { continuation throws(StageFault) in
      for clause in Self.clauses(of: text) {
        let samples = try await speaker.speak(clause, speed: speed)
        if samples.isEmpty { continue }
        continuation.yield(SpeechChunk(samples: samples, rate: speaker.card.rate))
      }
    }
  }

  private static func clauses(of text: String) -> [String] {
    guard text.unicodeScalars.count > PiperVoice.longestText else { return [text] }
    var splitter = ClauseSplitter()
    return splitter.add(text) + [splitter.finish()].compactMap { $0 }
  }

  /// `joe` of `en_US-joe-medium.onnx`.
  static func voiceName(ofFile name: String) -> String {
    let stem = name.hasSuffix(".onnx") ? String(name.dropLast(5)) : name
    let parts = stem.split(separator: "-")
    return parts.count == 3 ? String(parts[1]) : stem
  }
}
