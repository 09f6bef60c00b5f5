import NIOCore
import Testing

@testable import WebSocketWire

@Suite struct MaskingTests {
  private let key: UInt32 = 0x3D21_FA37  // wire bytes 37 FA 21 3D

  @Test("Masking equals the byte formula of RFC 6455 section 5.3 at every length, phase and alignment")
  func formula() {
    var generator = SplitMix64(seed: 1)
    let keyBytes: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    for length in Array(0...80) + [255, 256, 257, 4096, 4099] {
      let source = generator.bytes(length + 3)
      for phase in 0..<8 {
        for misalignment in 0..<3 {
          let plain = Array(source[misalignment..<misalignment + length])
          let expected = plain.enumerated().map { $1 ^ keyBytes[($0 + phase) % 4] }
          let masked = mask(source, from: misalignment, length: length, phase: phase)
          #expect(masked == expected)
          #expect(mask(masked, from: 0, length: length, phase: phase) == plain)
        }
      }
    }
  }

  @Test("Pieces of a payload, each at its phase, equal the payload in one piece")
  func pieces() {
    var generator = SplitMix64(seed: 2)
    let source = generator.bytes(1000)
    let whole = mask(source, from: 0, length: 1000, phase: 0)
    for _ in 0..<50 {
      var joined: [UInt8] = []
      for piece in randomPieces(1000, most: 40, using: &generator) {
        joined += mask(source, from: joined.count, length: piece, phase: joined.count)
      }
      #expect(joined == whole)
    }
  }

  @Test("Nothing beyond the source's length is written")
  func bounds() {
    var target = [UInt8](repeating: 0xEE, count: 40)
    let source = [UInt8](repeating: 0, count: 19)
    target.withUnsafeMutableBytes { free in
      source.withUnsafeBytes { Masking.copy($0, to: free, key: key, phase: 1) }
    }
    #expect(target[19...].allSatisfy { $0 == 0xEE })
  }

  @Test("Mask keys come from ChaCha20: the block of RFC 8439 section 2.3.2")
  func block() {
    let block = MaskPool.block(
      keyLow: SIMD4(0x0302_0100, 0x0706_0504, 0x0B0A_0908, 0x0F0E_0D0C),
      keyHigh: SIMD4(0x1312_1110, 0x1716_1514, 0x1B1A_1918, 0x1F1E_1D1C),
      position: SIMD4(1, 0x0900_0000, 0x4A00_0000, 0))
    let expected: [UInt32] = [
      0xE4E7_F110, 0x1559_3BD1, 0x1FDD_0F50, 0xC471_20A3, 0xC7F4_D1C7, 0x0368_C033, 0x9AAA_2204, 0x4E6C_D4C3,
      0x4664_82D2, 0x09AA_9F07, 0x05D7_C214, 0xA202_8BD9, 0xD19C_12B5, 0xB94E_16DE, 0xE883_D0CB, 0x4E3C_50A2,
    ]
    #expect((0..<16).map { block[$0] } == expected)
  }

  @Test("Mask keys do not repeat, within a block, across blocks or between connections")
  func freshKeys() {
    var generator = SplitMix64(seed: 3)
    var first = MaskPool(using: &generator)
    var second = MaskPool(using: &generator)
    let keys = (0..<200).map { _ in first.next() } + (0..<200).map { _ in second.next() }
    #expect(Set(keys).count == 400)
  }

  @Test("A client masks each frame with a key of its own")
  func keyPerFrame() {
    var connection = WebSocketConnection(role: .client)
    var keys: Set<[UInt8]> = []
    for _ in 0..<64 {
      connection.send(.text, ByteBuffer(string: "x").readableBytesView)
      keys.insert(Array(connection.takeOutbound()[2..<6]))
    }
    #expect(keys.count == 64)
  }

  private func mask(_ bytes: [UInt8], from start: Int, length: Int, phase: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: length) { free, count in
      bytes.withUnsafeBytes { source in
        let part = UnsafeRawBufferPointer(rebasing: source[start..<start + length])
        Masking.copy(part, to: UnsafeMutableRawBufferPointer(free), key: key, phase: phase)
      }
      count = length
    }
  }
}
