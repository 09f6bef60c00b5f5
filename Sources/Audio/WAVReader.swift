public import NIOCore

/// Reads a WAV as it comes, cut anywhere, and mixes its channels to one.
///
/// Chunks that are not needed are passed over. A data size of 0 or 0xFFFFFFFF, as streams have it, stands for all that
/// follows; with another size what follows the samples is ignored. Fewer samples than the size says are no fault.
public struct WAVReader: Sendable {
  /// Nil until the header was read up to the samples.
  public private(set) var format: WAVFormat?

  private enum Step: Hashable {
    /// `RIFF`, size, `WAVE`.
    case riff
    /// Name and size.
    case chunk
    /// The bytes of a `fmt ` chunk that count, and how many follow them.
    case format(rest: Int)
    case skip(byteCount: Int)
    case samples(byteCount: Int)
    case end
  }

  private var step = Step.riff
  /// What has come of the piece that `step` needs whole: less than 64 bytes.
  private var piece: [UInt8] = []
  private var pieceByteCount = 12
  private var headerByteCount = 0
  private var found: WAVFormat?

  public init() {}

  /// Takes the next bytes and appends the samples that they complete.
  public mutating func read(_ bytes: [UInt8], into samples: inout [Int16]) throws(WAVFault) {
    var index = 0
    while index < bytes.count {
      switch step {
      case .riff, .chunk, .format:
        let count = min(pieceByteCount - piece.count, bytes.count - index)
        piece += bytes[index..<index + count]
        index += count
        try countHeader(count)
        if piece.count == pieceByteCount { try finishPiece() }
      case .skip(let byteCount):
        let count = min(byteCount, bytes.count - index)
        index += count
        try countHeader(count)
        step = .skip(byteCount: byteCount - count)
        if count == byteCount { begin(.chunk, byteCount: 8) }
      case .samples(let byteCount):
        let count = min(byteCount, bytes.count - index)
        take(bytes[index..<index + count], into: &samples)
        index += count
        step = count == byteCount ? .end : .samples(byteCount: byteCount - count)
      case .end:
        return
      }
    }
  }

  /// Takes the next bytes and appends the samples that they complete.
  public mutating func read(_ bytes: ByteBuffer, into samples: inout [Int16]) throws(WAVFault) {
    try read(Array(bytes.readableBytesView), into: &samples)
  }

  /// The bytes are over. The format; throws if they ended before the samples began.
  @discardableResult
  public func finish() throws(WAVFault) -> WAVFormat {
    guard let format else { throw headerByteCount < 12 ? .notWAV : .headerIncomplete }
    return format
  }
}

extension WAVReader {
  private mutating func countHeader(_ byteCount: Int) throws(WAVFault) {
    headerByteCount += byteCount
    guard headerByteCount <= WAV.maxHeaderByteCount else { throw .headerTooLong }
  }

  private mutating func begin(_ step: Step, byteCount: Int) {
    self.step = step
    pieceByteCount = byteCount
    piece.removeAll(keepingCapacity: true)
  }

  private mutating func finishPiece() throws(WAVFault) {
    switch step {
    case .riff:
      let name = piece.prefix(4)
      // RF64 is the same with sizes elsewhere that are not needed.
      guard name.elementsEqual("RIFF".utf8) || name.elementsEqual("RF64".utf8),
        piece.suffix(4).elementsEqual("WAVE".utf8)
      else { throw .notWAV }
      begin(.chunk, byteCount: 8)
    case .chunk:
      try beginChunk(named: piece.prefix(4), size: piece.littleEndian32(at: 4))
    case .format(let rest):
      found = try WAVFormat(chunk: piece)
      skip(rest)
    case .skip, .samples, .end:
      break
    }
  }

  private mutating func beginChunk(named name: ArraySlice<UInt8>, size: UInt32) throws(WAVFault) {
    // Chunks begin at even places.
    let padded = Int(size) + Int(size & 1)
    if name.elementsEqual("fmt ".utf8) {
      let needed = min(Int(size), WAVFormat.chunkByteCount)
      guard needed >= 16 else { throw .formatTooShort(byteCount: needed) }
      begin(.format(rest: padded - needed), byteCount: needed)
    } else if name.elementsEqual("data".utf8) {
      guard let found else { throw .formatMissing }
      format = found
      let isUnknown = size == 0 || size == .max
      begin(.samples(byteCount: isUnknown ? .max : Int(size)), byteCount: found.frameByteCount)
    } else {
      skip(padded)
    }
  }

  private mutating func skip(_ byteCount: Int) {
    if byteCount == 0 {
      begin(.chunk, byteCount: 8)
    } else {
      begin(.skip(byteCount: byteCount), byteCount: 0)
    }
  }

  /// Takes sample bytes; the beginning of a frame stays in `piece` until its rest comes.
  private mutating func take(_ bytes: ArraySlice<UInt8>, into samples: inout [Int16]) {
    guard let format else { return }
    let frame = format.frameByteCount
    var rest = bytes
    if !piece.isEmpty {
      let missing = rest.prefix(frame - piece.count)
      piece += missing
      rest = rest.dropFirst(missing.count)
      guard piece.count == frame else { return }
      piece.withUnsafeBytes { format.mix($0, into: &samples) }
      piece.removeAll(keepingCapacity: true)
    }
    let whole = rest.prefix(rest.count / frame * frame)
    whole.withUnsafeBytes { format.mix($0, into: &samples) }
    piece += rest.dropFirst(whole.count)
  }
}

extension WAVFormat {
  /// Appends one sample for each whole frame of `bytes`: the mean of its channels.
  func mix(_ bytes: UnsafeRawBufferPointer, into samples: inout [Int16]) {
    if channelCount == 1, case .g711(let law) = encoding {
      G711.decode(bytes, law, into: &samples)
      return
    }
    let start = samples.count
    let frameByteCount = frameByteCount
    let frameCount = bytes.count / frameByteCount
    samples.append(contentsOf: repeatElement(0, count: frameCount))
    samples.withUnsafeMutableBufferPointer { output in
      if channelCount == 1, encoding == .signed16 {
        for frame in 0..<frameCount { output[start &+ frame] = Encoding.signed16(bytes, at: frame &* 2) }
        return
      }
      for frame in 0..<frameCount {
        var sum = 0
        for channel in 0..<channelCount {
          sum += Int(encoding.value(bytes, at: frame * frameByteCount + channel * encoding.byteCount))
        }
        output[start + frame] = Int16(clamping: sum / channelCount)
      }
    }
  }
}

extension WAVFormat.Encoding {
  @inline(__always)
  fileprivate static func signed16(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int16 {
    Int16(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: Int16.self))
  }

  /// The value that begins at `index`, at 16 bits. `bytes` holds all of it.
  fileprivate func value(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int16 {
    switch self {
    case .unsigned8: return (Int16(bytes[index]) - 128) * 256
    case .signed16: return Self.signed16(bytes, at: index)
    case .signed24: return Self.signed16(bytes, at: index + 1)
    case .signed32: return Self.signed16(bytes, at: index + 2)
    case .float32:
      let bits = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self))
      return PCM16.sample(of: Float(bitPattern: bits) * 32768)
    case .g711(let law): return G711.sample(of: bytes[index], law)
    }
  }
}
