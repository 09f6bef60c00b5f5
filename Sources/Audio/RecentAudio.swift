public import NIOCore

/// The last seconds of audio that went up, as the pieces of base64 text they were, so that a connection that takes the place
/// of another one can hear again what the other one may have lost.
///
/// Takes memory with the first piece, at once all that it needs: about 210 KiB for three seconds at 24 kHz. After that
/// appending allocates nothing and costs the copy of the piece.
public struct RecentAudio: Sendable {
  /// One piece in `storage`.
  private struct Piece {
    var start: Int
    var length: Int
    var sampleCount: Int
  }

  /// At least this much is kept where there is that much, and less than one piece more.
  private let limit: Int
  /// Of all pieces that are kept; 0 before the first one.
  private var rate = 0
  private var bytesPerSample = PCM16.bytesPerSample
  /// Samples of all pieces.
  private var sampleCount = 0

  /// The pieces, one behind the other; one that does not fit in before the end stands at the beginning.
  private var storage = ByteBuffer()
  private var capacity = 0
  /// Behind the newest piece.
  private var end = 0

  /// Short pieces, as flushes leave them, that may be kept beside those of 20 ms and more.
  private static let shortPieces = 100

  /// A ring: `pieceCount` pieces from `oldest` on.
  private var pieces: [Piece] = []
  private var oldest = 0
  private var pieceCount = 0

  /// - Parameter milliseconds: how much is kept, at least; 0...60,000.
  public init(milliseconds: Int = 3_000) {
    limit = min(max(milliseconds, 0), 60_000)
  }

  /// How much there is, rounded down.
  public var milliseconds: Int { rate == 0 ? 0 : sampleCount * 1000 / rate }

  /// Takes a copy of one piece, and forgets the oldest ones that are not needed any more.
  ///
  /// - Parameters:
  ///   - piece: base64 text, whole samples, at most 200 ms.
  ///   - rate: samples per second, 8,000 to 192,000. Another one than before forgets what was there: a replay has one rate.
  ///   - bytesPerSample: 2, or 1 for G.711; another one than before forgets what was there too.
  public mutating func append(_ piece: ByteBuffer, rate: Int, bytesPerSample: Int = PCM16.bytesPerSample) {
    let length = piece.readableBytes
    let rate = min(max(rate, Resampler.rates.lowerBound), Resampler.rates.upperBound)
    guard length > 0 else { return }
    if rate != self.rate || bytesPerSample != self.bytesPerSample { begin(rate, bytesPerSample) }
    // What does not fit leaves a gap, and nothing is replayed across one.
    guard length <= capacity else { return removeAll() }
    let count = sampleCount(piece)
    while pieceCount > 0, (sampleCount + count - pieces[oldest].sampleCount) * 1000 >= limit * rate { forgetOldest() }
    if pieceCount == pieces.count { forgetOldest() }
    let start = makeRoom(length)
    storage.setBuffer(piece, at: start)
    pieces[(oldest + pieceCount) % pieces.count] = Piece(start: start, length: length, sampleCount: count)
    pieceCount += 1
    sampleCount += count
    end = start + length
  }

  /// Hands out whole pieces, the oldest first: the newest ones that last `lastMs` together, or all if they do not. They
  /// share this one's memory: what is kept of them makes the next append copy all of it.
  public func replay(lastMs: Int, _ emit: (ByteBuffer) -> Void) {
    var first = pieceCount
    var count = 0
    while first > 0, count * 1000 < lastMs * rate {
      first -= 1
      count += self[first].sampleCount
    }
    for index in first..<pieceCount {
      if let piece = storage.getSlice(at: self[index].start, length: self[index].length) { emit(piece) }
    }
  }

  /// Forgets all pieces and keeps the memory.
  public mutating func removeAll() {
    sampleCount = 0
    pieceCount = 0
    oldest = 0
    end = 0
  }
}

extension RecentAudio {
  /// Counted from the oldest piece.
  private subscript(_ index: Int) -> Piece { pieces[(oldest + index) % pieces.count] }

  /// Empties the ring and makes it large enough for `rate`.
  private mutating func begin(_ rate: Int, _ bytesPerSample: Int) {
    removeAll()
    self.rate = rate
    self.bytesPerSample = bytesPerSample
    // One piece more than the limit, as much again for the gap before the end, and the padding of each piece.
    let milliseconds = limit + 2 * 200
    let pieceLimit = limit / PieceLengths.leastMilliseconds + 2 + Self.shortPieces
    capacity = Base64.encodedCount(ofBytes: milliseconds * rate / 1000 * bytesPerSample) + 4 * pieceLimit
    storage.clear(minimumCapacity: capacity)
    // The whole of it counts as written, so that its places can be read.
    storage.moveWriterIndex(to: capacity)
    if pieces.count != pieceLimit {
      pieces = [Piece](repeating: Piece(start: 0, length: 0, sampleCount: 0), count: pieceLimit)
    }
  }

  /// The place of the next piece; what stood there is forgotten.
  private mutating func makeRoom(_ length: Int) -> Int {
    var start = end
    if start + length > capacity {
      // The oldest pieces may stand between here and the end: they come before those at the beginning.
      while pieceCount > 0, pieces[oldest].start >= start { forgetOldest() }
      start = 0
    }
    while pieceCount > 0, pieces[oldest].start < start + length, start < pieces[oldest].start + pieces[oldest].length {
      forgetOldest()
    }
    return start
  }

  private mutating func forgetOldest() {
    guard pieceCount > 0 else { return }
    sampleCount -= pieces[oldest].sampleCount
    oldest = (oldest + 1) % pieces.count
    pieceCount -= 1
  }

  /// The whole samples that base64 text in standard form stands for.
  private func sampleCount(_ text: ByteBuffer) -> Int {
    let padding = text.readableBytesView.suffix(2).count { $0 == UInt8(ascii: "=") }
    return (text.readableBytes / 4 * 3 - padding) / bytesPerSample
  }
}
