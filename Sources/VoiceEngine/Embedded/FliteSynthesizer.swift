import NativeCode
import CSpeech

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Speaks with flite: American English, permissively licensed, a whole clause at a time (some 20 ms of work).
public struct FliteSynthesizer: Synthesizer {
  public let description: StageDescription
  public let voices: [String]
  private let library: FliteLibrary

  /// Opens the library and its voices.
  ///
  /// - Parameter voice: `slt`, `rms`, `awb` or `kal16`; nil for the first of them that is installed.
  /// - Throws: `tts_unavailable` if the library or the voice is not installed.
  public static func start(voice: String? = nil) async throws(StageFault) -> FliteSynthesizer {
    let library = FliteLibrary.shared
    let installed = try await library.prepare()
    let wanted = voice.flatMap { $0.isEmpty ? nil : $0 } ?? installed.first ?? FliteLibrary.voiceNames[0]
    guard installed.contains(wanted) else {
      throw StageFault(.tts, code: "tts_unavailable", message: "flite has no voice '\(wanted)'")
    }
    return FliteSynthesizer(
      description: StageDescription(.tts, "flite", model: wanted),
      voices: [wanted] + installed.filter { $0 != wanted }, library: library)
  }

  /// A voice that is not one of `voices` is spoken with the default one.
  public func speak(_ text: String, voice: String, speed: Double) -> AsyncThrowingStream<SpeechChunk, any Error> {
    let chosen = voices.contains(voice) ? voice : description.model
    let library = library
    return producedStream { continuation throws(StageFault) in
      if let chunk = try await library.speak(text, voice: chosen, speed: speed) { continuation.yield(chunk) }
    }
  }
}

/// flite's own state is global to the process too: one actor makes all calls, one after another.
actor FliteLibrary {
  /// The process's one.
  static let shared = FliteLibrary()
  static let voiceNames = ["slt", "rms", "awb", "kal16"]

  private let executor = NativeExecutor(label: "parley.flite")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private struct Functions {
    var textToWave: parley_flite_text_to_wave
    var deleteWave: parley_flite_delete_wave
    var setFloat: parley_flite_set_float
  }

  private var opened: Functions?
  private var voices: [String: UnsafeMutablePointer<parley_flite_voice>] = [:]

  private init() {}

  /// Opens the library at the first call; the voices that are installed, best first.
  func prepare() throws(StageFault) -> [String] {
    _ = try open()
    return Self.voiceNames.filter { voices[$0] != nil }
  }

  /// The whole text; nil if there is nothing to be heard or the task was cancelled before it began.
  func speak(_ text: String, voice: String, speed: Double) throws(StageFault) -> SpeechChunk? {
    let functions = try open()
    guard let voice = voices[voice] else {
      throw StageFault(.tts, code: "tts_unavailable", message: "flite has no voice '\(voice)'")
    }
    guard !Task.isCancelled, text.contains(where: { !$0.isWhitespace }) else { return nil }
    let stretch = speed.isFinite ? 1 / min(max(speed, 0.25), 4) : 1
    functions.setFloat(voice.pointee.features, "duration_stretch", Float(stretch))
    let bytes = text.utf8.map { $0 == 0 ? CChar(32) : CChar(bitPattern: $0) } + [0]
    guard let wave = functions.textToWave(bytes, voice) else {
      throw StageFault(.tts, code: "tts_unavailable", message: "flite could not speak")
    }
    defer { functions.deleteWave(wave) }
    let sound = wave.pointee
    guard let samples = sound.samples, sound.num_samples > 0, sound.num_channels == 1, sound.sample_rate > 0 else {
      return nil
    }
    return SpeechChunk(
      samples: Array(UnsafeBufferPointer(start: samples, count: Int(sound.num_samples))),
      rate: Int(sound.sample_rate))
  }

  private func open() throws(StageFault) -> Functions {
    if let opened { return opened }
    do throws(DynamicLibraryFault) {
      // Each library needs the functions of the ones before it and does not say so: they must be visible to all.
      let library = try DynamicLibrary.open(["libflite.so.1"], flags: RTLD_NOW | RTLD_GLOBAL)
      for name in ["libflite_cmulex.so.1", "libflite_usenglish.so.1"] {
        _ = try DynamicLibrary.open([name], flags: RTLD_NOW | RTLD_GLOBAL)
      }
      let functions = Functions(
        textToWave: try library.symbol("flite_text_to_wave", as: parley_flite_text_to_wave.self),
        deleteWave: try library.symbol("delete_wave", as: parley_flite_delete_wave.self),
        setFloat: try library.symbol("feat_set_float", as: parley_flite_set_float.self))
      _ = try library.symbol("flite_init", as: parley_flite_init.self)()
      for name in Self.voiceNames { voices[name] = Self.voice(name) }
      if !voices.isEmpty {
        opened = functions
        return functions
      }
    } catch {
      throw StageFault(.tts, code: "tts_unavailable", message: "flite is not installed: \(error)")
    }
    throw StageFault(
      .tts, code: "tts_unavailable", message: "flite has no voice: none of its voice libraries is installed")
  }

  /// Nil if the voice is not installed; it is one of several.
  private static func voice(_ name: String) -> UnsafeMutablePointer<parley_flite_voice>? {
    guard
      let library = try? DynamicLibrary.open(["libflite_cmu_us_\(name).so.1"]),
      let register = try? library.symbol("register_cmu_us_\(name)", as: parley_flite_register_voice.self)
    else { return nil }
    return register(nil)
  }
}
