import Envelope
import Translation

/// The models of the service.
enum Models {
  /// The prefix that clients and tools put before a model's id.
  static func withoutPrefix(_ name: String) -> String {
    name.hasPrefix("xai/") ? String(name.dropFirst(4)) : name
  }

  static func isKnown(_ name: String) -> Bool {
    name.hasPrefix("grok-")
  }

  /// What the service transcribes with.
  static let transcription = "grok-transcribe"

  static func isTranscription(_ name: String) -> Bool {
    name == transcription || name.hasPrefix(transcription + "-")
  }
}

/// The voices of the service; it spells them in lower case.
enum Voices {
  /// The voice of a session whose client named none.
  static let standard = "eve"

  /// The service's voice for a name, or nil where it has none: an unknown name would end the session.
  static func name(for voice: String) -> String? {
    VoiceNames.name(for: voice, at: .xAI) ?? (isCustom(voice) ? voice : nil)
  }

  /// A voice that an account made itself has eight letters and digits for a name.
  private static func isCustom(_ name: String) -> Bool {
    name.utf8.count == 8
      && name.utf8.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
      }
  }
}

/// Languages as the service's `language_hint` takes them (BCP 47).
enum Languages {
  /// Spanish and Portuguese need a region; these are the likely ones of Unicode CLDR.
  private static let regions = ["es": "es-ES", "pt": "pt-BR"]

  static func hint(_ language: String) -> String {
    regions[language.lowercased()] ?? language
  }
}
