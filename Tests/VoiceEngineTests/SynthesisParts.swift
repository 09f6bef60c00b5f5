import NativeCode
import Foundation

@testable import VoiceEngine

/// Which of the voices' parts this machine has. Tests that need one say so and are skipped where it is missing.
enum SynthesisParts {
  /// `$PARLEY_DATA`, else `data` in the repository.
  static let folder: EngineFolder = {
    if let named = ProcessInfo.processInfo.environment["PARLEY_DATA"], !named.isEmpty {
      return EngineFolder(root: named)
    }
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return EngineFolder(root: root.appendingPathComponent("data").path)
  }()

  static let haveEspeak = (try? DynamicLibrary.open(["libespeak-ng.so.1", "libespeak-ng.1.dylib"])) != nil
  static let haveFlite = (try? DynamicLibrary.open(["libflite.so.1"])) != nil
  static let haveOnnxRuntime = FileManager.default.fileExists(atPath: folder.library("libonnxruntime.so"))
  static let havePiper =
    haveEspeak && haveOnnxRuntime && FileManager.default.fileExists(atPath: folder.model("en_US-joe-medium.onnx"))

  /// A folder of its own that is there during `body`.
  static func withTemporaryFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("parley-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder)
  }
}

/// Everything that a synthesizer made of a text.
struct SpokenClause {
  var samples: [Int16] = []
  var rate = 0
  var chunkCount = 0

  init(_ synthesizer: some Synthesizer, _ text: String, voice: String? = nil, speed: Double = 1) async throws {
    let voice = voice ?? synthesizer.voices.first ?? ""
    for try await chunk in synthesizer.speak(text, voice: voice, speed: speed) {
      samples += chunk.samples
      rate = chunk.rate
      chunkCount += 1
    }
  }

  var seconds: Double { rate > 0 ? Double(samples.count) / Double(rate) : 0 }

  /// Without the silence at both ends.
  private var spoken: ArraySlice<Int16> {
    guard let first = samples.firstIndex(where: { $0.magnitude > 50 }),
      let last = samples.lastIndex(where: { $0.magnitude > 50 })
    else { return [] }
    return samples[first...last]
  }

  /// Of 20 ms each, the root of the mean square.
  private static func loudness(of samples: ArraySlice<Int16>, rate: Int) -> [Double] {
    let width = rate / 50
    guard width > 0, samples.count > width else { return [] }
    return stride(from: samples.startIndex, to: samples.endIndex - width, by: width).map { start in
      let energy = samples[start..<start + width].reduce(0.0) { $0 + Double($1) * Double($1) }
      return (energy / Double(width)).squareRoot()
    }
  }

  /// Whether the same was said by the same voice. espeak-ng's samples and the pause behind them differ a little from
  /// run to run; a leaked letter makes the words 0.3 s longer.
  func resembles(_ other: SpokenClause) -> Bool {
    guard rate == other.rate, abs(spoken.count - other.spoken.count) < rate / 25 else { return false }
    let own = Self.loudness(of: spoken, rate: rate)
    let difference = zip(own, Self.loudness(of: other.spoken, rate: rate)).reduce(0.0) { $0 + abs($1.0 - $1.1) }
    let crossings = Double(Self.crossings(of: spoken)) / Double(max(Self.crossings(of: other.spoken), 1))
    return difference < 0.25 * own.reduce(0, +) && 0.95...1.05 ~= crossings
  }

  /// How often the sign changes, which tells one voice from another.
  private static func crossings(of samples: ArraySlice<Int16>) -> Int {
    zip(samples, samples.dropFirst()).count { ($0 < 0) != ($1 < 0) }
  }

  /// Loud for much of the time and quiet in between, as words are; neither noise nor silence.
  var soundsLikeSpeech: Bool {
    let loudness = Self.loudness(of: samples[...], rate: rate)
    guard let peak = loudness.max(), peak > 1_000 else { return false }
    let loud = Double(loudness.count { $0 > peak / 10 }) / Double(loudness.count)
    let quiet = Double(loudness.count { $0 < peak / 4 }) / Double(loudness.count)
    return loud > 0.3 && quiet > 0.1
  }
}
