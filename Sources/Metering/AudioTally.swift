public import Envelope

/// How many bytes of audio there were, by format: exact, and cheap to count.
///
/// Two tallies are equal when each format has as many bytes in both, in whatever order they came.
public struct AudioTally: Sendable, Hashable {
  /// The bytes of one format.
  public struct Part: Sendable, Hashable {
    public let format: AudioFormat
    public let bytes: Int

    public init(format: AudioFormat, bytes: Int) {
      self.format = format
      self.bytes = bytes
    }
  }

  /// The format that was counted last; its bytes are settled when another one comes.
  public private(set) var latestFormat = AudioFormat.standard
  private var latestBytes = 0
  private var settled: [Part] = []

  public init() {}

  public init(_ parts: [Part]) {
    for part in parts { add(bytes: part.bytes, part.format) }
  }

  /// Counts the bytes of one more piece. Allocates only where the format changes.
  @inline(__always)
  public mutating func add(bytes: Int, _ format: AudioFormat) {
    if format != latestFormat { change(to: format) }
    // A piece is at most a message long, so that the sum of all stays below 2^63.
    latestBytes &+= bytes
  }

  @inline(never)
  private mutating func change(to format: AudioFormat) {
    if latestBytes != 0 { settled = parts }
    latestBytes = 0
    latestFormat = format
  }

  /// What was counted, one entry for each format, in a fixed order.
  public var parts: [Part] {
    var parts = settled
    if latestBytes != 0 {
      if let index = parts.firstIndex(where: { $0.format == latestFormat }) {
        parts[index] = Part(format: latestFormat, bytes: parts[index].bytes &+ latestBytes)
      } else {
        parts.append(Part(format: latestFormat, bytes: latestBytes))
      }
    }
    return parts.sorted { ($0.format.type, $0.format.rate) < ($1.format.type, $1.format.rate) }
  }

  public var bytes: Int { settled.reduce(latestBytes) { $0 &+ $1.bytes } }

  /// How long it all lasts, unrounded.
  public var seconds: Double {
    parts.reduce(0) { $0 + Double($1.bytes) / Double($1.format.bytesPerSecond) }
  }

  public var isEmpty: Bool { latestBytes == 0 && settled.isEmpty }

  public static func == (left: Self, right: Self) -> Bool { left.parts == right.parts }

  public func hash(into hasher: inout Hasher) { hasher.combine(parts) }
}

extension AudioFormat {
  /// Of one channel: 16-bit samples, or the 8-bit ones of G.711.
  public var bytesPerSecond: Int {
    switch self {
    case .pcm(let rate): rate * 2
    case .pcmu, .pcma: rate
    }
  }
}
