import Envelope

/// How sound is written on the wire.
struct SoundFormat: Sendable, Hashable {
  enum Codec: String, Sendable, Hashable {
    case pcm = "audio/pcm"
    case muLaw = "audio/pcmu"
    case aLaw = "audio/pcma"
  }

  var codec = Codec.pcm
  var rate = 24_000

  init() {}

  /// A format object of the GA shape; 24 kHz PCM for anything else.
  init(_ object: JSONValue?) {
    codec = Codec(rawValue: object?["type"]?.string ?? "") ?? .pcm
    rate = codec == .pcm ? object?["rate"]?.int ?? 24_000 : 8_000
  }

  var bytesPerSecond: Int { codec == .pcm ? rate * 2 : rate }

  /// Nil for an odd number of bytes of PCM.
  func samples(_ bytes: [UInt8]) -> [Int16]? {
    switch codec {
    case .pcm: StandInSound.samples(littleEndian: bytes)
    case .muLaw: StandInSound.samples(muLaw: bytes)
    case .aLaw: StandInSound.samples(aLaw: bytes)
    }
  }
}

/// Sound as bytes on the wire and what they last.
struct Sound: Sendable, Hashable {
  var format = SoundFormat()
  var bytes: [UInt8] = []

  var milliseconds: Double { Double(bytes.count) * 1_000 / Double(format.bytesPerSecond) }

  /// The first milliseconds of it.
  func prefix(milliseconds: Int) -> Sound {
    Sound(format: format, bytes: Array(bytes.prefix(milliseconds * format.bytesPerSecond / 1_000)))
  }
}
