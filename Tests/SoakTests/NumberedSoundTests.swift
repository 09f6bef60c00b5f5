import Testing

@testable import soak

@Suite("Numbered sound")
struct NumberedSoundTests {
  @Test("Blocks are read from pieces of any size, and a gap, a repeat and a torn block show")
  func pieces() {
    func read(_ bytes: [UInt8], piece: Int) -> NumberedSoundReader {
      var reader = NumberedSoundReader()
      for start in stride(from: 0, to: bytes.count, by: piece) {
        reader.hear(Array(bytes[start..<min(start + piece, bytes.count)]))
      }
      return reader
    }
    let blocks = (0..<70_000).map { $0 }
    func sound(_ numbers: some Sequence<Int>) -> [UInt8] {
      numbers.flatMap { NumberedSound.block($0, isLoud: $0.isMultiple(of: 3)) }
    }
    for piece in [2, 958, 960, 4_800] {
      #expect(read(sound(blocks[65_500..<65_540]), piece: piece).runs == [65_500...65_539])
      #expect(read(sound([1, 2, 4, 5]), piece: piece).runs == [1...2, 4...5])
      #expect(read(sound([1, 2, 2]), piece: piece).runs == [1...2, 2...2])
      // A renewed connection begins in the middle of a block.
      let late = read(Array(sound([1, 2, 3]).dropFirst(500)), piece: piece)
      #expect(late.runs == [2...3])
      #expect(late.strayBytes == 0)
      var torn = sound([1, 2, 3])
      torn[1_500] ^= 4
      #expect(read(torn, piece: piece).strayBytes == NumberedSound.bytesInBlock)
      #expect(read(torn, piece: piece).runs == [1...1, 3...3])
    }
  }
}
