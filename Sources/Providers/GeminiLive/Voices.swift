/// The voices of Gemini Live.
enum Voices {
  /// The voice of a session whose client named none.
  static let standard = "marin"

  static let names = [
    "Achernar", "Achird", "Algenib", "Algieba", "Alnilam", "Aoede", "Autonoe", "Callirrhoe", "Charon", "Despina",
    "Enceladus", "Erinome", "Fenrir", "Gacrux", "Iapetus", "Kore", "Laomedeia", "Leda", "Orus", "Puck", "Pulcherrima",
    "Rasalgethi", "Sadachbia", "Sadaltager", "Schedar", "Sulafat", "Umbriel", "Vindemiatrix", "Zephyr",
    "Zubenelgenubi",
  ]

  /// By their sound (Google's list of voices).
  static let female: Set<String> = [
    "Achernar", "Aoede", "Autonoe", "Callirrhoe", "Despina", "Erinome", "Gacrux", "Kore", "Laomedeia", "Leda",
    "Pulcherrima", "Sulafat", "Vindemiatrix", "Zephyr",
  ]

  private static let canonical = Dictionary(names.map { ($0.lowercased(), $0) }) { first, _ in first }

  /// The service's name for a voice, or nil where it has no such voice: an unknown name would end the connection.
  ///
  /// - Parameter name: in any case: one of the service's own, or one that clients of other services use (R101, R197).
  static func name(for voice: String) -> String? {
    let voice = voice.lowercased()
    return canonical[voice] ?? ForeignVoices.names[voice] ?? ForeignVoices.deepgram(voice)
  }
}

/// What the voices of other services become, by pitch first and character second. The names are in lower case.
enum ForeignVoices {
  static let names = openAI.merging(inworld) { first, _ in first }.merging(xAI) { first, _ in first }

  static let openAI = [
    "alloy": "Kore", "ash": "Iapetus", "ballad": "Algieba", "cedar": "Achird", "coral": "Sulafat", "echo": "Charon",
    "fable": "Umbriel", "marin": "Despina", "nova": "Aoede", "onyx": "Orus", "sage": "Vindemiatrix",
    "shimmer": "Achernar", "verse": "Puck",
  ]

  static let inworld = [
    "alex": "Puck", "ashley": "Sulafat", "blake": "Algieba", "carter": "Rasalgethi", "clive": "Charon",
    "craig": "Schedar", "deborah": "Vindemiatrix", "dennis": "Achird", "dominus": "Algenib", "edward": "Fenrir",
    "elizabeth": "Erinome", "hades": "Algenib", "hana": "Leda", "julia": "Laomedeia", "liam": "Iapetus",
    "luna": "Achernar", "mark": "Sadachbia", "olivia": "Aoede", "pixie": "Zephyr", "priya": "Kore",
    "ronald": "Alnilam", "sarah": "Autonoe", "shaun": "Zubenelgenubi", "theodore": "Sadaltager",
    "timothy": "Umbriel", "wendy": "Pulcherrima",
  ]

  /// A vowel session can be served by these as well.
  static let xAI = ["ara": "Sulafat", "eve": "Zephyr", "leo": "Orus", "rex": "Alnilam", "sal": "Schedar"]

  /// A voice of Deepgram's Aura, as vowel names them: `aura-2-thalia-en`, `aura-asteria-en`.
  static func deepgram(_ voice: String) -> String? {
    var parts = voice.split(separator: "-", omittingEmptySubsequences: false)[...]
    guard parts.popFirst() == "aura" else { return nil }
    if parts.first == "2" { parts.removeFirst() }
    guard parts.count == 2, let name = parts.first, parts.last?.count == 2 else { return nil }
    return aura[String(name)]
  }

  static let aura = [
    "amalthea": "Leda", "andromeda": "Callirrhoe", "angus": "Umbriel", "apollo": "Zubenelgenubi", "arcas": "Achird",
    "aries": "Puck", "asteria": "Autonoe", "athena": "Gacrux", "atlas": "Fenrir", "aurora": "Laomedeia",
    "callista": "Erinome", "cora": "Sulafat", "cordelia": "Despina", "delia": "Aoede", "draco": "Algieba",
    "electra": "Pulcherrima", "harmonia": "Vindemiatrix", "helena": "Sulafat", "helios": "Charon", "hera": "Kore",
    "hermes": "Sadachbia", "hyperion": "Iapetus", "iris": "Zephyr", "janus": "Despina", "juno": "Aoede",
    "jupiter": "Rasalgethi", "luna": "Achernar", "mars": "Algenib", "minerva": "Erinome", "neptune": "Schedar",
    "odysseus": "Sadaltager", "ophelia": "Leda", "orion": "Achird", "orpheus": "Orus", "pandora": "Achernar",
    "perseus": "Alnilam", "phoebe": "Zephyr", "pluto": "Umbriel", "saturn": "Orus", "selene": "Laomedeia",
    "stella": "Pulcherrima", "thalia": "Kore", "theia": "Callirrhoe", "vesta": "Vindemiatrix", "zeus": "Alnilam",
  ]
}
