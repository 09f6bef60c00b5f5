import NativeCode
import Foundation

/// The file beside a Piper model that tells how to feed it.
struct PiperVoiceCard: Sendable {
  /// Hertz.
  var rate: Int
  /// The voice that espeak-ng makes the phonemes with.
  var phonemeVoice: String
  var noiseScale: Float
  /// The model's own tempo; smaller is faster.
  var lengthScale: Float
  var noiseWidth: Float
  var speakerCount: Int
  private var identifiers: [Unicode.Scalar: [Int64]]
  private var begin: [Int64]
  private var pad: [Int64]
  private var end: [Int64]

  private struct Fields: Decodable {
    struct Audio: Decodable {
      var sample_rate: Int
    }
    struct Espeak: Decodable {
      var voice: String
    }
    struct Inference: Decodable {
      var noise_scale: Float?
      var length_scale: Float?
      var noise_w: Float?
    }
    var audio: Audio
    var espeak: Espeak
    var inference: Inference?
    var num_speakers: Int?
    var phoneme_id_map: [String: [Int64]]
  }

  /// - Parameter name: of the file, for the fault.
  /// - Throws: `model_file_invalid` if this is not such a file or not a whole one.
  init(json: Data, name: String) throws(StageFault) {
    let fields: Fields
    do {
      fields = try JSONDecoder().decode(Fields.self, from: json)
    } catch {
      throw Self.invalid(name, Self.reason(of: error))
    }
    guard (8_000...192_000).contains(fields.audio.sample_rate) else {
      throw Self.invalid(name, "a sample rate of \(fields.audio.sample_rate) Hz is not possible")
    }
    guard
      let begin = fields.phoneme_id_map["^"], let pad = fields.phoneme_id_map["_"],
      let end = fields.phoneme_id_map["$"]
    else { throw Self.invalid(name, "phoneme_id_map lacks '^', '_' or '$'") }
    rate = fields.audio.sample_rate
    phonemeVoice = fields.espeak.voice
    noiseScale = fields.inference?.noise_scale ?? 0.667
    lengthScale = fields.inference?.length_scale ?? 1
    noiseWidth = fields.inference?.noise_w ?? 0.8
    speakerCount = fields.num_speakers ?? 1
    self.begin = begin
    self.pad = pad
    self.end = end
    identifiers = [:]
    for (phoneme, values) in fields.phoneme_id_map {
      let scalars = phoneme.unicodeScalars
      if let scalar = scalars.first, scalars.count == 1 { identifiers[scalar] = values }
    }
  }

  /// What the model takes for the phonemes: one number for each scalar of their decomposed form, a pad between all.
  /// Scalars without a number are left out.
  func identifiers(for phonemes: String) -> [Int64] {
    var result = begin + pad
    for scalar in phonemes.decomposedStringWithCanonicalMapping.unicodeScalars {
      guard let values = identifiers[scalar] else { continue }
      result += values + pad
    }
    return result + end
  }

  private static func invalid(_ name: String, _ reason: String) -> StageFault {
    StageFault(.tts, code: "model_file_invalid", message: "\(name) is not the description of a Piper voice: \(reason)")
  }

  private static func reason(of error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, let context): "\(path(context, key)) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context): "\(path(context)) is of the wrong kind"
    default: "it is not JSON, or not all of it is there"
    }
  }

  private static func path(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
    let keys = context.codingPath + (key.map { [$0] } ?? [])
    return keys.map(\.stringValue).joined(separator: ".")
  }
}

/// A Piper voice: espeak-ng's phonemes, and a model that makes sound of them. One clause at a time, on its own
/// executor.
actor PiperVoice {
  /// Longer texts are computed in pieces: the model's memory grows with the length.
  static let longestText = 300

  nonisolated let card: PiperVoiceCard
  private let executor: NativeExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let modelPath: String
  private let runtimePath: String
  private var session: OnnxSession?
  private var version = ""

  /// Reads the description; the model is loaded by `load`.
  ///
  /// - Parameters:
  ///   - model: the path of the `.onnx` file; its description is the file of that name with `.json` behind it.
  ///   - runtime: the path of ONNX Runtime's library.
  init(model: String, runtime: String) throws(StageFault) {
    let name = (model as NSString).lastPathComponent
    guard FileManager.default.fileExists(atPath: model) else {
      throw StageFault(.tts, code: "tts_unavailable", message: "the Piper voice \(name) is not installed")
    }
    guard let json = FileManager.default.contents(atPath: model + ".json") else {
      throw StageFault(.tts, code: "tts_unavailable", message: "\(name).json is not there or cannot be read")
    }
    card = try PiperVoiceCard(json: json, name: name + ".json")
    executor = NativeExecutor(label: "parley.piper")
    modelPath = model
    runtimePath = runtime
  }

  /// Loads the model (one to two seconds) and speaks a first clause, which is slower than the later ones.
  ///
  /// - Returns: the version of ONNX Runtime.
  func load() async throws(StageFault) -> String {
    if session == nil {
      let runtime = try OnnxRuntime(path: runtimePath, stage: .tts)
      version = runtime.version
      session = try runtime.session(model: modelPath, name: (modelPath as NSString).lastPathComponent)
      _ = try await speak("Hello, I am ready.", speed: 1)
    }
    return version
  }

  /// The samples of one clause; empty if there is nothing to be heard or the task was cancelled before the model began.
  ///
  /// - Parameter speed: 1 is the voice's own.
  func speak(_ text: String, speed: Double) async throws(StageFault) -> [Int16] {
    guard !Task.isCancelled else { return [] }
    let phonemes = try await phonemes(of: text)
    guard !Task.isCancelled, phonemes.contains(where: \.isLetter) else { return [] }
    let identifiers = card.identifiers(for: phonemes)
    let tempo = Float(speed.isFinite ? min(max(speed, 0.25), 4) : 1)
    var inputs = [
      OnnxTensor(name: "input", shape: [1, Int64(identifiers.count)], elements: .int64(identifiers)),
      OnnxTensor(name: "input_lengths", shape: [1], elements: .int64([Int64(identifiers.count)])),
      OnnxTensor(
        name: "scales", shape: [3], elements: .float([card.noiseScale, card.lengthScale / tempo, card.noiseWidth])),
    ]
    if card.speakerCount > 1 { inputs.append(OnnxTensor(name: "sid", shape: [1], elements: .int64([0]))) }
    guard let session else { return [] }
    return try session.run(inputs, output: "output").map(Self.sample)
  }

  /// The phonemes with the marks between them, on which the intonation depends and which espeak-ng swallows.
  nonisolated func phonemes(of text: String) async throws(StageFault) -> String {
    var result = ""
    for phrase in PiperPhrase.phrases(of: text) {
      let phonemes = try await EspeakLibrary.shared.phonemes(of: phrase.text, voice: card.phonemeVoice)
      let clean = Self.withoutLanguageMarks(phonemes)
      guard !clean.isEmpty else { continue }
      result += (result.isEmpty ? "" : " ") + clean
      if let mark = phrase.mark { result.unicodeScalars.append(mark) }
    }
    return result
  }

  /// espeak-ng marks words of another language with `(fr)…(en)`.
  static func withoutLanguageMarks(_ phonemes: String) -> String {
    var result = ""
    var isMark = false
    for character in phonemes {
      if character == "(" { isMark = true }
      if !isMark { result.append(character) }
      if character == ")" { isMark = false }
    }
    return result.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func sample(_ value: Float) -> Int16 {
    guard value.isFinite else { return 0 }
    return Int16((min(max(value, -1), 1) * 32_767).rounded())
  }
}

/// A part of a clause that is spoken in one breath, and the mark behind it.
struct PiperPhrase: Equatable {
  var text: String
  var mark: Unicode.Scalar?

  /// Cut at every mark at which a clause may end.
  static func phrases(of text: String) -> [PiperPhrase] {
    var splitter = ClauseSplitter(limits: .phrases)
    let parts = splitter.add(text) + [splitter.finish()].compactMap { $0 }
    return parts.map { part in
      var scalars = part.unicodeScalars[...]
      while let last = scalars.last, last.properties.isWhitespace || SpeechMark.closes(last) { scalars.removeLast() }
      let mark = scalars.last.flatMap { SpeechMark($0) }
      return PiperPhrase(text: part, mark: mark?.latin)
    }
  }
}
