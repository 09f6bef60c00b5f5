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
    #expect(try ModelFile(path: Self.silero, stage: .vad).silero().count == 15)
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

  @Test("a wrong byte anywhere in a header is refused: the library ends the process for some of them")
  func flipped() async throws {
    let silero = try Data(contentsOf: URL(fileURLWithPath: Self.silero))
    let whisper = try Data(contentsOf: URL(fileURLWithPath: Self.whisper), options: .alwaysMapped).prefix(1_000_000)
    // The detector's name, and its sizes after the version; all numbers of the recogniser's header. Bytes that only make
    // a size larger than any model's, and bytes that make another plausible size, are among them.
    for flip in [UInt8(0x01), 0x80, 0xff] {
      for offset in Array(0..<18) + Array(30..<90) {
        try await Self.withFile("flipped.bin", Self.flipped(silero, offset, by: flip)) { path in
          _ = #expect(throws: StageFault.self, "byte \(offset)") { try ModelFile(path: path, stage: .vad).silero() }
        }
      }
      for offset in 0..<48 {
        try await Self.withFile("flipped.bin", Self.flipped(whisper, offset, by: flip)) { path in
          _ = #expect(throws: StageFault.self, "byte \(offset)") {
            try ModelFile(path: path, stage: .stt).checkWhisper()
          }
        }
      }
    }
  }

  private static func flipped(_ contents: Data, _ offset: Int, by flip: UInt8) -> Data {
    var damaged = contents
    damaged[damaged.startIndex + offset] ^= flip
    return damaged
  }

  @Test("tensors of 16-bit floating point are read exactly")
  func half() {
    let values: [UInt16: Float] = [
      0: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65_504, 0x0400: 0x1p-14, 0x0001: 0x1p-24, 0x83ff: -0x1.ff8p-15,
      0x3555: 0x1.554p-2, 0x7c00: .infinity,
    ]
    for (bits, value) in values { #expect(ModelTensor.float(half: bits) == value) }
    #expect(ModelTensor.float(half: 0x8000).sign == .minus)
    #expect(ModelTensor.float(half: 0x7e00).isNaN)
  }
}
