import Foundation
import Testing

@testable import VoiceEngine

/// Damaged model files are refused by name before the library sees them.
@Suite(
  .enabled(
    if: RecognitionParts.haveWhisper && RecognitionParts.haveSilero, "the models are not installed: run make setup"))
struct ModelFileTests {
  static let whisper = RecognitionParts.folder.model(WhisperTranscriber.standardModel)
  static let silero = RecognitionParts.folder.model(SileroDetector.standardModel)

  /// Runs the body with the path of a file with this contents.
  static func withFile<T>(_ name: String, _ contents: Data, _ body: (String) async throws -> T) async throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("parley-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent(name)
    try contents.write(to: file)
    return try await body(file.path)
  }

  static func fault(of path: String) async -> StageFault? {
    await #expect(throws: StageFault.self) {
      try await WhisperTranscriber.load(folder: RecognitionParts.folder, model: path)
    }
  }

  @Test("the installed models are whole")
  func whole() throws {
    try ModelFile(path: Self.whisper, stage: .stt).checkWhisper()
    try ModelFile(path: Self.silero, stage: .vad).checkSilero()
  }

  @Test("the name of a model is the file's without prefix and ending")
  func names() {
    #expect(ModelFile(path: "/a/b/ggml-base.en-q5_1.bin", stage: .stt).modelName == "base.en-q5_1")
    #expect(ModelFile(path: "own.gguf", stage: .stt).modelName == "own.gguf")
  }

  @Test("a missing file and a folder are refused by name")
  func missing() async throws {
    let missing = await Self.fault(of: "/nowhere/ggml-own.bin")
    #expect(missing?.code == "model_file_invalid")
    #expect(missing?.message == "the model file /nowhere/ggml-own.bin does not exist")
    let folder = await Self.fault(of: "/tmp")
    #expect(folder?.message == "the model file /tmp cannot be read")
  }

  @Test(
    "a truncated file is refused by name, wherever it ends",
    arguments: [1, 4, 30, 60, 1_000, 70_000, 600_000, 1_000_000, 40_000_000, 77_704_714])
  func truncated(count: Int) async throws {
    let contents = try Data(contentsOf: URL(fileURLWithPath: Self.whisper), options: .alwaysMapped)
    let fault = try await Self.withFile("ggml-cut.bin", contents.prefix(count)) { await Self.fault(of: $0) }
    #expect(fault?.code == "model_file_invalid")
    #expect(fault?.message.contains("/ggml-cut.bin is truncated: ") == true, "\(fault?.message ?? "")")
  }

  @Test("a file that ends between two tensors is refused as truncated")
  func missingTensor() async throws {
    // The last tensor of the detector's file: three dimensions, a name of 32 bytes, 256 * 258 half floats.
    let contents = try Data(contentsOf: URL(fileURLWithPath: Self.silero))
    let last = 3 * 4 + 3 * 4 + "_model.stft.forward_basis_buffer".utf8.count + 256 * 258 * 2
    let fault = try await Self.withFile("ggml-cut.bin", contents.dropLast(last)) { path in
      #expect(throws: StageFault.self) { try SileroFactory(folder: RecognitionParts.folder, model: path) }
    }
    #expect(fault?.message.hasSuffix("is truncated: it has 14 of 15 tensors") == true, "\(fault?.message ?? "")")
  }

  @Test("what is no ggml file, or one of another kind, is refused by name")
  func otherKind() async throws {
    let silero = try Data(contentsOf: URL(fileURLWithPath: Self.silero))
    for (name, contents) in [
      ("empty.bin", Data()), ("page.html", Data("<html>404 not found</html>".utf8)), ("silero.bin", silero),
      ("zeros.bin", Data(count: 100_000)), ("long.bin", silero + silero),
    ] {
      let fault = try await Self.withFile(name, contents) { await Self.fault(of: $0) }
      #expect(fault?.code == "model_file_invalid")
      #expect(fault?.message.contains(name) == true)
    }
    let fault = #expect(throws: StageFault.self) {
      try SileroFactory(folder: RecognitionParts.folder, model: Self.whisper)
    }
    #expect(fault?.stage == .vad)
    #expect(fault?.message.contains("ggml-tiny.en.bin is not a ggml model of this kind") == true)
  }

  @Test("no flipped byte of a header gets past the check with a crash")
  func flipped() async throws {
    let contents = try Data(contentsOf: URL(fileURLWithPath: Self.silero))
    for offset in 0..<400 {
      var damaged = contents
      damaged[offset] ^= 0xff
      try await Self.withFile("flipped.bin", damaged) { path in
        // What the check does not read, such as a name, the library checks itself.
        do throws(StageFault) {
          try ModelFile(path: path, stage: .vad).checkSilero()
        } catch {
          #expect(error.code == "model_file_invalid", "byte \(offset)")
        }
      }
    }
  }
}
