import Audio
import NIOCore
import Testing

@Suite("G.711")
struct G711Tests {
  @Test("Every code survives decoding and encoding; the negative zero of mu-law becomes the positive one")
  func roundTrip() {
    for code in UInt8.min ... .max {
      let muLaw = G711.code(of: G711.sample(of: code, .muLaw), .muLaw)
      #expect(muLaw == (code == 0x7F ? 0xFF : code))
      #expect(G711.code(of: G711.sample(of: code, .aLaw), .aLaw) == code)
    }
  }

  @Test(
    "The values of the tables of ITU-T G.711",
    arguments: [
      (G711.Law.muLaw, UInt8(0x00), Int16(-32124)), (.muLaw, 0x80, 32124), (.muLaw, 0xFF, 0), (.muLaw, 0x7F, 0),
      (.muLaw, 0xFE, 8), (.muLaw, 0x7E, -8), (.muLaw, 0xEF, 132), (.muLaw, 0x8F, 16764), (.muLaw, 0x9F, 8316),
      (.aLaw, 0xD5, 8), (.aLaw, 0x55, -8), (.aLaw, 0x2A, -32256), (.aLaw, 0xAA, 32256), (.aLaw, 0xC5, 264),
      (.aLaw, 0x80, 5504),
    ])
  func knownValues(law: G711.Law, code: UInt8, sample: Int16) {
    #expect(G711.sample(of: code, law) == sample)
  }

  @Test("A louder sample never decodes to a softer one; the error is half a step", arguments: G711.Law.allCases)
  func monotonic(law: G711.Law) {
    var last = Int16.min
    for value in Int16.min ... .max {
      let decoded = G711.sample(of: G711.code(of: value, law), law)
      if decoded < last { Issue.record("\(value) decodes to \(decoded), the one before to \(last)") }
      last = decoded
      // 16 steps a segment, and the bias of mu-law: half a step is at most 1/32 of the value and its bias.
      let error = abs(Int(decoded) - Int(value))
      if error > max(16, (abs(Int(value)) + 132) / 32 + 3) { Issue.record("\(value) decodes to \(decoded)") }
    }
  }

  @Test("What is too loud is clipped")
  func clipping() {
    #expect(G711.encode([.max, .min], .muLaw) == [0x80, 0x00])
    #expect(G711.encode([.max, .min], .aLaw) == [0xAA, 0x2A])
    #expect(G711.encode([0], .muLaw) == [0xFF])
    #expect(G711.encode([0], .aLaw) == [0xD5])
  }

  @Test("Whole buffers say the same as single codes", arguments: G711.Law.allCases)
  func buffers(law: G711.Law) {
    var random = SeededGenerator(state: 3)
    let samples = random.samples(1_001)
    let codes = G711.encode(samples, law)
    #expect(codes == samples.map { G711.code(of: $0, law) })
    var buffer = ByteBuffer(string: "x")
    samples.withUnsafeBufferPointer { G711.encode($0, law, into: &buffer) }
    #expect(Array(buffer.readableBytesView) == [UInt8(ascii: "x")] + codes)
    #expect(G711.decode(codes, law) == codes.map { G711.sample(of: $0, law) })
    #expect(G711.decode([], law).isEmpty)
  }
}
