import Foundation

@testable import VoiceEngine

/// The installed parts of recognition, and sounds for them. Tests that need a part are skipped, loudly, where it is
/// missing.
enum RecognitionParts {
  /// `$PARLEY_DATA`, else `data` in the repository.
  static let folder: EngineFolder = {
    if let named = ProcessInfo.processInfo.environment["PARLEY_DATA"], !named.isEmpty {
      return EngineFolder(root: named)
    }
    let tests = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    return EngineFolder(root: tests.appendingPathComponent("../../data").standardizedFileURL.path)
  }()

  static let haveWhisper =
    exists(folder.library(WhisperLibrary.fileName)) && exists(folder.model(WhisperTranscriber.standardModel))
  static let haveSilero =
    exists(folder.library(WhisperLibrary.fileName)) && exists(folder.model(SileroDetector.standardModel))
  static let haveVoice = exists(voice)
  static let voice = "/usr/bin/espeak-ng"

  private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  /// One model for all tests: it takes 100 MB.
  static let transcriber = Task {
    var settings = WhisperSettings()
    settings.capacity = 64
    return try await WhisperTranscriber.load(folder: folder, settings: settings)
  }

  /// espeak-ng's voice at 16 kHz.
  /// A recogniser of the test's own.
  static func loaded(_ settings: WhisperSettings = .init()) async throws -> WhisperTranscriber {
    try await WhisperTranscriber.load(folder: folder, settings: settings)
  }

  static func speech(_ text: String) throws -> [Int16] {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("parley-\(UUID().uuidString).wav")
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: voice)
    process.arguments = ["-v", "en-us", "-s", "150", "-w", file.path, text]
    try process.run()
    process.waitUntilExit()
    // A WAV file of espeak-ng has one header of 44 bytes and 22,050 samples a second.
    let bytes = [UInt8](try Data(contentsOf: file)).dropFirst(44)
    let samples = bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / 2).map {
        Int16(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 2, as: Int16.self))
      }
    }
    return resampled(samples, from: 22_050, to: 16_000)
  }

  /// Linear interpolation: enough for a recogniser.
  private static func resampled(_ samples: [Int16], from rate: Int, to other: Int) -> [Int16] {
    guard samples.count > 1 else { return [] }
    return (0..<(samples.count - 1) * other / rate).map { index in
      let place = Double(index) * Double(rate) / Double(other)
      let left = Int(place)
      let part = place - Double(left)
      return Int16(Double(samples[left]) * (1 - part) + Double(samples[min(left + 1, samples.count - 1)]) * part)
    }
  }

  static func silence(seconds: Double) -> [Int16] {
    Array(repeating: 0, count: Int(seconds * 16_000))
  }

  /// White noise, the same at each run.
  static func noise(seconds: Double, amplitude: Int) -> [Int16] {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    return (0..<Int(seconds * 16_000)).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int16(Int(state >> 40) % (2 * amplitude + 1) - amplitude)
    }
  }

  /// What a new detector and an endpointer make of it.
  static func utterances(in samples: [Int16], by detector: some VoiceActivityDetector) -> [Endpointer.Utterance] {
    var detector = detector
    return utterances(in: samples, by: &detector)
  }

  /// What an endpointer makes of it, and a detector that goes on.
  static func utterances(
    in samples: [Int16], by detector: inout some VoiceActivityDetector
  ) -> [Endpointer.Utterance] {
    var endpointer = Endpointer()
    let frame = detector.frameSampleCount
    let floats = samples.map { Float($0) / 32_768 }
    var found: [Endpointer.Utterance] = []
    for start in stride(from: 0, through: floats.count - frame, by: frame) {
      let probability = floats[start..<(start + frame)].withUnsafeBufferPointer { detector.probability(of: $0) }
      if case .stopped(let utterance) = endpointer.hear(probability, sampleCount: frame) { found.append(utterance) }
    }
    return found
  }
}
