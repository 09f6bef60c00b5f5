import NativeCode
import CSpeech
import Foundation

/// The functions of libwhisper 1.8.5 that are called here.
///
/// The parameter structures travel by value in the layout that `whisper_abi.h` declares, so a library with another
/// layout is refused when it is opened. A context is no pointer that Swift may follow: it is only handed back.
final class WhisperLibrary: Sendable {
  typealias Context = UnsafeMutableRawPointer
  typealias LogCallback =
    @convention(c) @Sendable (CInt, UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Void

  /// The name of the file in `lib/`; `pywhispercpp.libs/` must lie beside it.
  static let fileName = "libwhisper.so.1.8.5"

  let version: String
  let defaultContextParameters: @convention(c) @Sendable () -> parley_whisper_context_params
  let open: @convention(c) @Sendable (UnsafePointer<CChar>, parley_whisper_context_params) -> Context?
  let free: @convention(c) @Sendable (Context) -> Void
  let isMultilingual: @convention(c) @Sendable (Context) -> CInt
  let audioContext: @convention(c) @Sendable (Context) -> CInt
  /// -1 for a language that whisper does not know.
  let languageID: @convention(c) @Sendable (UnsafePointer<CChar>) -> CInt
  let defaultParameters: @convention(c) @Sendable (CInt) -> parley_whisper_full_params
  let transcribe: @convention(c) @Sendable (Context, parley_whisper_full_params, UnsafePointer<Float>, CInt) -> CInt
  let segmentCount: @convention(c) @Sendable (Context) -> CInt
  let segmentText: @convention(c) @Sendable (Context, CInt) -> UnsafePointer<CChar>?
  let noSpeechProbability: @convention(c) @Sendable (Context, CInt) -> Float

  /// - Parameter path: of the library, with a slash.
  /// - Throws: `DynamicLibraryFault` if it cannot be opened, lacks a function or has another layout.
  init(path: String) throws(DynamicLibraryFault) {
    // What the library needs itself is mapped with it.
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent("pywhispercpp.libs")
    let needed = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in needed.sorted() where !ELFFile.isWhole(folder.appendingPathComponent(name).path) {
      throw DynamicLibraryFault(library: name, reason: "the file is damaged")
    }
    let library = try DynamicLibrary.open([path])
    /// Takes the type from where the function is stored.
    func function<T>(_ name: String) throws(DynamicLibraryFault) -> T { try library.symbol(name, as: T.self) }

    let log: @convention(c) @Sendable (LogCallback, UnsafeMutableRawPointer?) -> Void =
      try function("whisper_log_set")
    let versionText: @convention(c) @Sendable () -> UnsafePointer<CChar>? = try function("whisper_version")
    version = versionText().map { String(cString: $0) } ?? ""
    defaultContextParameters = try function("whisper_context_default_params")
    open = try function("whisper_init_from_file_with_params")
    free = try function("whisper_free")
    isMultilingual = try function("whisper_is_multilingual")
    audioContext = try function("whisper_model_n_audio_ctx")
    languageID = try function("whisper_lang_id")
    defaultParameters = try function("whisper_full_default_params")
    transcribe = try function("whisper_full")
    segmentCount = try function("whisper_full_n_segments")
    segmentText = try function("whisper_full_get_segment_text")
    noSpeechProbability = try function("whisper_full_get_segment_no_speech_prob")

    // Without a callback the library writes hundreds of lines to the standard error.
    log({ _, _, _ in }, nil)
    let found = defaultParameters(Self.greedy)
    guard
      found.greedy.best_of == 5, found.beam_search.beam_size == -1, found.entropy_thold == 2.4,
      found.vad_params.threshold == 0.5
    else {
      throw DynamicLibraryFault(
        library: path, symbol: "whisper_full_default_params",
        reason: "version \(version) has another layout than 1.8.5, the version this program is written for")
    }
  }

  /// The sampling strategy without search.
  static let greedy: CInt = 0
}
