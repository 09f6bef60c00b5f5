import NativeCode
import CSpeech

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// espeak-ng, which has one voice and one callback for the whole process: this actor is the only one to call it, one
/// call after another on its own executor. Piper's phonemes come from here too; every use sets its voice first.
///
/// An utterance is never stopped in the middle: in 1.51, ending it from within its callback leaves a character behind
/// with which the phonemes of the next text then begin. A whole clause takes some milliseconds; whoever lost interest
/// drops the samples.
actor EspeakLibrary {
  /// The process's one.
  static let shared = EspeakLibrary()

  /// What is known of the library once it is open.
  struct Capabilities: Sendable {
    var version: String
    /// Hertz.
    var rate: Int
    /// The name of the voice's file by that name, by its languages (`en-gb`) and by its own name (`Afrikaans`); all in
    /// lower case. The library finds a voice by its file or its own name, and not by its languages.
    fileprivate var voices: [String: String]
    /// What may follow a voice and a plus sign, such as `f3`, in lower case.
    fileprivate var variants: Set<String>

    /// Whether `voice` can be spoken with.
    func offers(_ voice: String) -> Bool {
      name(for: voice) != nil
    }

    /// What the library knows the voice by. The library itself takes any variant and speaks without it.
    fileprivate func name(for voice: String) -> String? {
      let parts = voice.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
      guard let base = parts.first, let file = voices[base.lowercased()] else { return nil }
      guard parts.count > 1 else { return file }
      return variants.contains(parts[1].lowercased()) ? "\(file)+\(parts[1])" : nil
    }
  }

  private let executor = NativeExecutor(label: "parley.espeak")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// The length of the chunks in which the library hands samples over.
  private static let bufferMilliseconds: Int32 = 100

  private var opened: (functions: Functions, capabilities: Capabilities)?

  private init() {}

  /// Opens the library at the first call; a failure is tried again at the next.
  @discardableResult
  func prepare() throws(StageFault) -> Capabilities {
    try open().capabilities
  }

  /// Speaks the text and hands the samples over as they are made; nothing if the task was cancelled before it began.
  ///
  /// - Parameters:
  ///   - voice: one that `Capabilities.offers`.
  ///   - wordsPerMinute: 80…450.
  func speak(
    _ text: String, voice: String, wordsPerMinute: Int, deliver: @escaping ([Int16]) -> Void
  ) throws(StageFault) {
    let functions = try open().functions
    guard !Task.isCancelled else { return }
    try select(voice)
    _ = functions.setParameter(Int32(PARLEY_ESPEAK_PARAMETER_RATE), Int32(wordsPerMinute), 0)
    let receiver = SampleReceiver(deliver)
    let bytes = Self.zeroTerminated(text)
    let status = withExtendedLifetime(receiver) {
      bytes.withUnsafeBytes { bytes in
        functions.synth(
          bytes.baseAddress, bytes.count, 0, Int32(PARLEY_ESPEAK_POSITION_CHARACTER), 0,
          UInt32(PARLEY_ESPEAK_UTF8 | PARLEY_ESPEAK_END_PAUSE), nil, Unmanaged.passUnretained(receiver).toOpaque())
      }
    }
    guard status == 0 else {
      throw StageFault(.tts, code: "tts_unavailable", message: "espeak-ng could not speak (error \(status))")
    }
  }

  /// The text in the International Phonetic Alphabet, without the marks between its clauses.
  func phonemes(of text: String, voice: String) throws(StageFault) -> String {
    let functions = try open().functions
    try select(voice)
    var clauses: [String] = []
    Self.zeroTerminated(text).withUnsafeBytes { bytes in
      var position = bytes.baseAddress
      while position != nil {
        let before = position
        let phonemes = functions.textToPhonemes(
          &position, Int32(PARLEY_ESPEAK_UTF8), Int32(PARLEY_ESPEAK_PHONEMES_IPA))
        if let phonemes { clauses.append(String(cString: phonemes)) }
        // A call that reads nothing would repeat itself for ever.
        if position == before { break }
      }
    }
    return clauses.filter { !$0.isEmpty }.joined(separator: " ")
  }

  private func select(_ voice: String) throws(StageFault) {
    let (functions, capabilities) = try open()
    guard let name = capabilities.name(for: voice), functions.setVoice(name) == 0 else {
      throw StageFault(.tts, code: "tts_unavailable", message: "espeak-ng has no voice '\(voice)'")
    }
  }

  /// UTF-8 for C: the text ends at its end and not at a zero inside it.
  private static func zeroTerminated(_ text: String) -> [UInt8] {
    text.utf8.map { $0 == 0 ? UInt8(ascii: " ") : $0 } + [0]
  }

  // MARK: Opening

  private struct Functions {
    var setVoice: parley_espeak_set_voice_by_name
    var setParameter: parley_espeak_set_parameter
    var synth: parley_espeak_synth
    var textToPhonemes: parley_espeak_text_to_phonemes
  }

  private func open() throws(StageFault) -> (functions: Functions, capabilities: Capabilities) {
    if let opened { return opened }
    do throws(DynamicLibraryFault) {
      let library = try DynamicLibrary.open(["libespeak-ng.so.1", "libespeak-ng.1.dylib"])
      let functions = Functions(
        setVoice: try library.symbol("espeak_SetVoiceByName", as: parley_espeak_set_voice_by_name.self),
        setParameter: try library.symbol("espeak_SetParameter", as: parley_espeak_set_parameter.self),
        synth: try library.symbol("espeak_Synth", as: parley_espeak_synth.self),
        textToPhonemes: try library.symbol("espeak_TextToPhonemes", as: parley_espeak_text_to_phonemes.self))
      if let capabilities = try Self.initialise(library) {
        let result = (functions, capabilities)
        opened = result
        return result
      }
    } catch {
      throw StageFault(.tts, code: "tts_unavailable", message: "espeak-ng is not installed: \(error)")
    }
    throw StageFault(
      .tts, code: "tts_unavailable", message: "espeak-ng has no voice data: install the package espeak-ng-data")
  }

  /// Nil if the library cannot find its data.
  private static func initialise(_ library: DynamicLibrary) throws(DynamicLibraryFault) -> Capabilities? {
    let initialize = try library.symbol("espeak_Initialize", as: parley_espeak_initialize.self)
    let info = try library.symbol("espeak_Info", as: parley_espeak_info.self)
    let setCallback = try library.symbol("espeak_SetSynthCallback", as: parley_espeak_set_synth_callback.self)
    let listVoices = try library.symbol("espeak_ListVoices", as: parley_espeak_list_voices.self)
    let rate = initialize(
      Int32(PARLEY_ESPEAK_OUTPUT_SYNCHRONOUS), bufferMilliseconds, nil, Int32(PARLEY_ESPEAK_DONT_EXIT))
    var folder: UnsafePointer<CChar>?
    let version = info(&folder).map { String(cString: $0) } ?? ""
    let dataFolder = folder.map { String(cString: $0) } ?? ""
    // Told not to end the process, the library may report success without its data.
    guard rate > 0, access(dataFolder + "/phontab", R_OK) == 0 else { return nil }
    setCallback(receiveSamples)
    return Capabilities(
      version: version, rate: Int(rate), voices: voiceFiles(listVoices), variants: variantNames(listVoices))
  }

  private static func voiceFiles(_ list: parley_espeak_list_voices) -> [String: String] {
    var files: [String: String] = [:]
    var languages: [String: (file: String, priority: UInt8)] = [:]
    forEachVoice(in: list(nil)) { voice in
      guard let file = fileName(of: voice) else { return }
      files[file.lowercased()] = file
      if let name = voice.name { files[String(cString: name).lowercased()] = file }
      guard var position = voice.languages else { return }
      while position.pointee != 0 {
        let language = String(cString: position + 1)
        // The lower the number, the more is the voice meant for the language.
        let priority = UInt8(bitPattern: position.pointee)
        if languages[language.lowercased()].map({ priority < $0.priority }) ?? true {
          languages[language.lowercased()] = (file, priority)
        }
        position += 1 + language.utf8.count + 1
      }
    }
    return languages.mapValues(\.file).merging(files) { _, file in file }
  }

  private static func variantNames(_ list: parley_espeak_list_voices) -> Set<String> {
    var names: Set<String> = []
    "variant".withCString { language in
      var specification = parley_espeak_voice()
      specification.languages = language
      forEachVoice(in: list(&specification)) { voice in
        if let name = fileName(of: voice) { names.insert(name.lowercased()) }
      }
    }
    return names
  }

  /// `en-US` of `gmw/en-US`.
  private static func fileName(of voice: parley_espeak_voice) -> String? {
    voice.identifier.flatMap { String(cString: $0).split(separator: "/").last.map(String.init) }
  }

  private static func forEachVoice(
    in list: UnsafePointer<UnsafePointer<parley_espeak_voice>?>?, _ body: (parley_espeak_voice) -> Void
  ) {
    guard var entry = list else { return }
    while let voice = entry.pointee {
      body(voice.pointee)
      entry += 1
    }
  }
}

/// Where the callback leaves the samples of the utterance that it is called for.
private final class SampleReceiver {
  private let deliver: ([Int16]) -> Void

  init(_ deliver: @escaping ([Int16]) -> Void) {
    self.deliver = deliver
  }

  func take(_ samples: UnsafeBufferPointer<Int16>) {
    deliver(Array(samples))
  }
}

/// A function of its own, because only those become C function pointers. Every list of events carries the receiver.
private func receiveSamples(
  _ samples: UnsafeMutablePointer<Int16>?, _ count: Int32, _ events: UnsafeMutablePointer<parley_espeak_event>?
) -> Int32 {
  guard let samples, count > 0, let receiver = events?.pointee.user_data else { return 0 }
  Unmanaged<SampleReceiver>.fromOpaque(receiver).takeUnretainedValue()
    .take(UnsafeBufferPointer(start: samples, count: Int(count)))
  return 0
}
