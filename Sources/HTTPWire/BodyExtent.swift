public import NIOCore

/// Follows a request body on the wire so that the next request head is found (RFC 9112 sections 6 and 7.1).
///
/// It looks only; whoever reads the body decodes it again. Chunk extensions and trailers are skipped within a limit.
public struct BodyExtent: Sendable {
  private enum Position {
    case length(remaining: Int)
    case chunkSize(value: Int, digits: Int)
    case chunkExtension
    case chunkSizeEnd
    case chunk(remaining: Int)
    case chunkEnd(expected: UInt8)
    case trailer(isEmptyLine: Bool)
    case trailerEnd(isEmptyLine: Bool)
    case done
  }

  /// Bytes of chunk extensions and trailers together that a body may have.
  private static let overheadBytes = 16 * 1024

  private var position: Position
  /// The size of the chunk whose size line is being read.
  private var chunkBytes = 0
  private var overhead = 0

  public init(_ body: RequestHead.Body) {
    position =
      switch body {
      case .none: .done
      case .length(let count): count > 0 ? .length(remaining: count) : .done
      case .chunked: .chunkSize(value: 0, digits: 0)
      }
  }

  public var isComplete: Bool {
    if case .done = position { true } else { false }
  }

  /// Takes the bytes of the body off `bytes` and returns them; what follows the body stays.
  public mutating func take(from bytes: inout ByteBuffer) throws(HeadFault) -> ByteBuffer {
    var count = 0
    var view = bytes.readableBytesView
    while let byte = view.first, !isComplete {
      let remaining = view.count
      switch position {
      case .length(let left):
        let step = min(left, remaining)
        position = left == step ? .done : .length(remaining: left - step)
        count += step
        view = view.dropFirst(step)
      case .chunk(let left):
        let step = min(left, remaining)
        position = left == step ? .chunkEnd(expected: .carriageReturn) : .chunk(remaining: left - step)
        count += step
        view = view.dropFirst(step)
      case .chunkSize, .chunkExtension, .chunkSizeEnd, .chunkEnd, .trailer, .trailerEnd, .done:
        try accept(byte)
        count += 1
        view = view.dropFirst()
      }
    }
    return bytes.readSlice(length: count) ?? ByteBuffer()
  }

  private mutating func accept(_ byte: UInt8) throws(HeadFault) {
    switch position {
    case .chunkSize(let value, let digits):
      if let digit = byte.hexValue, digits < 8 {
        position = .chunkSize(value: value * 16 + digit, digits: digits + 1)
      } else if digits > 0, byte == .carriageReturn {
        position = .chunkSizeEnd
        chunkBytes = value
      } else if digits > 0, byte == .semicolon {
        position = .chunkExtension
        chunkBytes = value
      } else {
        throw .malformedChunk
      }
    case .chunkExtension:
      try countOverhead(byte)
      if byte == .carriageReturn { position = .chunkSizeEnd }
    case .chunkSizeEnd:
      guard byte == .lineFeed else { throw .malformedChunk }
      position = chunkBytes == 0 ? .trailer(isEmptyLine: true) : .chunk(remaining: chunkBytes)
    case .chunkEnd(let expected):
      guard byte == expected else { throw .malformedChunk }
      position = byte == .carriageReturn ? .chunkEnd(expected: .lineFeed) : .chunkSize(value: 0, digits: 0)
    case .trailer(let isEmptyLine):
      try countOverhead(byte)
      position = byte == .carriageReturn ? .trailerEnd(isEmptyLine: isEmptyLine) : .trailer(isEmptyLine: false)
    case .trailerEnd(let isEmptyLine):
      guard byte == .lineFeed else { throw .malformedChunk }
      position = isEmptyLine ? .done : .trailer(isEmptyLine: true)
    case .length, .chunk, .done:
      break
    }
  }

  private mutating func countOverhead(_ byte: UInt8) throws(HeadFault) {
    overhead += 1
    guard overhead <= Self.overheadBytes, byte != .lineFeed, byte != 0 else { throw .malformedChunk }
  }
}
