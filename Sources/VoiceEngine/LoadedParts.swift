import Foundation

/// The parts of an engine that take time and memory to load, each with what it was made of: the next engine takes what it
/// needs just so, and the rest goes when the last session that has it ends.
struct LoadedParts: Sendable {
  /// What a part is made of. Two equal ones make parts that do the same.
  enum Recipe: Sendable, Hashable {
    case whisper(model: ModelStamp, settings: WhisperSettings)
    case piper(model: ModelStamp)
    case silero(model: ModelStamp)
  }

  struct Part<Value: Sendable>: Sendable {
    var recipe: Recipe
    var value: Value
  }

  var whisper: Part<WhisperTranscriber>?
  var piper: Part<PiperSynthesizer>?
  var silero: Part<SileroFactory>?
}

/// A model's file, and which of its contents.
struct ModelStamp: Sendable, Hashable {
  var path: String
  private var size: UInt64
  private var changed: Date?
  private var file: UInt64

  init(_ path: String) {
    // What loads a model follows links.
    let resolved = (path as NSString).resolvingSymlinksInPath
    let attributes = (try? FileManager.default.attributesOfItem(atPath: resolved)) ?? [:]
    self.path = path
    size = (attributes[.size] as? NSNumber)?.uint64Value ?? 0
    changed = attributes[.modificationDate] as? Date
    file = (attributes[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0
  }
}
