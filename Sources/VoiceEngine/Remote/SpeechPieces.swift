import Audio
import NIOCore

/// Makes samples of the bytes of a speech reply as they come: plain PCM16, or a WAV if they begin like one.
struct SpeechPieces: Sendable {
  enum Fault: Error {
    /// What it is instead of speech that can be played, to follow "sent".
    case unsupported(String)
  }

  private enum Kind {
    case unknown
    case pcm
    case wav(WAVReader)
  }

  /// Hertz of plain PCM.
  private let rate: Int
  private var kind = Kind.unknown
  /// The first bytes while it is not known what they are; later the first byte of a cut sample.
  private var held: [UInt8] = []

  init(rate: Int) {
    self.rate = rate
  }

  /// The samples that `bytes` complete; nil if there are none.
  mutating func take(_ bytes: ByteBuffer) throws(Fault) -> SpeechChunk? {
    held += bytes.readableBytesView
    if case .unknown = kind {
      guard held.count >= 4 else { return nil }
      try look()
    }
    return try drain()
  }

  /// The end: samples of a reply that was shorter than what is looked at first.
  mutating func finish() throws(Fault) -> SpeechChunk? {
    if case .unknown = kind { kind = .pcm }
    let chunk = try drain()
    if case .wav(let reader) = kind {
      do { try reader.finish() } catch { throw Self.unreadable(error) }
    }
    return chunk
  }

  private static func unreadable(_ fault: WAVFault) -> Fault {
    .unsupported("a WAV that cannot be read (\(fault.description))")
  }

  private mutating func look() throws(Fault) {
    switch Array(held.prefix(4)) {
    case Array("RIFF".utf8), Array("RF64".utf8): kind = .wav(WAVReader())
    case Array("OggS".utf8): throw .unsupported("Ogg")
    case Array("fLaC".utf8): throw .unsupported("FLAC")
    case let start where start.starts(with: Array("ID3".utf8)): throw .unsupported("MP3")
    default: kind = .pcm
    }
  }

  private mutating func drain() throws(Fault) -> SpeechChunk? {
    var samples: [Int16] = []
    switch kind {
    case .unknown:
      return nil
    case .pcm:
      samples = stride(from: 0, to: held.count - 1, by: 2).map { place in
        Int16(bitPattern: UInt16(held[place]) | UInt16(held[place + 1]) << 8)
      }
      held.removeFirst(samples.count * 2)
      return samples.isEmpty ? nil : SpeechChunk(samples: samples, rate: rate)
    case .wav(var reader):
      // The reader is not in two places while it grows.
      kind = .unknown
      do {
        try reader.read(held, into: &samples)
      } catch {
        throw Self.unreadable(error)
      }
      held = []
      kind = .wav(reader)
      guard let format = reader.format, !samples.isEmpty else { return nil }
      return SpeechChunk(samples: samples, rate: format.rate)
    }
  }
}

/// Cuts a text that is too long for one request.
enum TextPieces {
  /// Pieces of at most `limit` characters, cut at white space where there is any. No piece is blank.
  static func of(_ text: String, limit: Int) -> [String] {
    var pieces: [String] = []
    var rest = Substring(text.trimmed)
    while rest.count > limit {
      let head = rest.prefix(limit + 1)
      let cut = head.lastIndex { $0.isWhitespace } ?? rest.index(rest.startIndex, offsetBy: limit)
      pieces.append(rest[..<cut].trimmed)
      rest = rest[cut...].drop { $0.isWhitespace }
    }
    pieces.append(rest.trimmed)
    return pieces.filter { !$0.isEmpty }
  }
}
