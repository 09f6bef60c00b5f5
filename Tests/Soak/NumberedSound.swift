/// Sound that says in every 20 ms of it which 20 ms it is: 24 kHz, 16 bit, little-endian, one channel.
///
/// A block is two samples that nothing else has, six of four bits each for its number, and then a loud tone or silence.
enum NumberedSound {
  static let samplesInBlock = 480
  static let bytesInBlock = samplesInBlock * 2
  fileprivate static let mark: Int16 = 321
  fileprivate static let headSamples = 8
  private static let loudness: Int16 = 6_000

  static func block(_ number: Int, isLoud: Bool) -> [UInt8] {
    var samples = [mark, -mark]
    for digit in 0..<6 { samples.append(Int16(number >> (20 - 4 * digit) & 15) * 16 + 8) }
    for index in headSamples..<samplesInBlock {
      samples.append(isLoud ? (index.isMultiple(of: 2) ? 1 : -1) * loudness : 0)
    }
    return samples.flatMap { sample in
      let bits = UInt16(bitPattern: sample)
      return [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
    }
  }
}

/// Reads the numbers of the blocks in a stream of sound that is cut anywhere.
struct NumberedSoundReader {
  /// The numbers that came, as ranges without a gap.
  private(set) var runs: [ClosedRange<Int>] = []
  /// Samples in the middle of the stream that belong to no block.
  private(set) var strayBytes = 0
  private var unread: [UInt8] = []

  mutating func hear(_ bytes: [UInt8]) {
    unread += bytes
    var start = 0
    while unread.count - start >= NumberedSound.bytesInBlock {
      if let number = number(at: start) {
        if let last = runs.last, last.upperBound + 1 == number {
          runs[runs.count - 1] = last.lowerBound...number
        } else {
          runs.append(number...number)
        }
        start += NumberedSound.bytesInBlock
      } else {
        // A renewed connection hears from the middle of a block on.
        if !runs.isEmpty { strayBytes += 2 }
        start += 2
      }
    }
    unread.removeFirst(start)
  }

  private func number(at start: Int) -> Int? {
    func sample(_ index: Int) -> Int16 {
      Int16(bitPattern: UInt16(unread[start + 2 * index]) | UInt16(unread[start + 2 * index + 1]) << 8)
    }
    guard sample(0) == NumberedSound.mark, sample(1) == -NumberedSound.mark else { return nil }
    var number = 0
    for index in 2..<NumberedSound.headSamples { number = number << 4 | Int(sample(index) - 8) / 16 }
    let last = NumberedSound.samplesInBlock - 1
    let isLoud = sample(last) != 0
    let block = NumberedSound.block(number, isLoud: isLoud)
    return unread[start..<start + NumberedSound.bytesInBlock].elementsEqual(block) ? number : nil
  }
}
