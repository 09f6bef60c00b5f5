import NIOCore
import Testing

@testable import WebSocketWire

@Suite struct FrameHeaderTests {
  @Test("A header survives writing and reading at every length form", arguments: bothRoles)
  func roundTrip(role: Role) throws {
    let key: UInt32? = role == .server ? 0x1234_5678 : nil
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 25_165_824] {
      for opcode in [Opcode.continuation, .text, .binary] {
        for isFinal in [true, false] {
          let header = FrameHeader(isFinal: isFinal, opcode: opcode, maskingKey: key, payloadBytes: length)
          var buffer = ByteBuffer()
          header.write(into: &buffer)
          #expect(buffer.readableBytes == header.byteCount)
          #expect(try parse(Array(buffer.readableBytesView), role) == header)
        }
      }
    }
  }

  @Test("Every proper prefix of a valid header asks for more", arguments: bothRoles)
  func prefixes(role: Role) throws {
    for length in [5, 126, 70_000] {
      let header = FrameHeader(opcode: .binary, maskingKey: role == .server ? 1 : nil, payloadBytes: length)
      var buffer = ByteBuffer()
      header.write(into: &buffer)
      let bytes = Array(buffer.readableBytesView)
      for count in 0..<bytes.count {
        #expect(try parse(Array(bytes.prefix(count)), role) == nil)
      }
    }
  }

  struct Refusal: CustomTestStringConvertible, Sendable {
    var bytes: [UInt8]
    var fault: WireFault
    var testDescription: String { "\(bytes) \(fault)" }
    init(_ bytes: [UInt8], _ fault: WireFault) {
      self.bytes = bytes
      self.fault = fault
    }
  }

  static let refusals: [Refusal] =
    [0x40, 0x20, 0x10, 0x70].map { Refusal([0x80 | $0 | 1], .reservedBits) }
    + [3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF].map { Refusal([0x80 | $0], .reservedOpcode($0)) }
    + [8, 9, 10].map { Refusal([$0], .fragmentedControl) }
    + [8, 9, 10].map { Refusal([0x80 | $0, 0x80 | 126], .oversizedControl) }
    + [8, 9, 10].map { Refusal([0x80 | $0, 0x80 | 127], .oversizedControl) }
    + [
      Refusal([0x81, 0x05], .unmaskedFrame),
      Refusal([0x82, 0xFE, 0, 125], .overlongLength),
      Refusal([0x82, 0xFF] + bigEndian(65_535, 8), .overlongLength),
      Refusal([0x82, 0xFF, 0x80], .negativeLength),
      Refusal([0x82, 0xFF, 0xFF], .negativeLength),
      Refusal([0x82, 0xFF] + bigEndian(1 << 62, 8), .oversizedFrame),
      Refusal([0x82, 0xFF] + bigEndian(1 << 32, 8), .oversizedFrame),
      Refusal([0x82, 0xFF] + bigEndian(25_165_825, 8), .oversizedFrame),
    ]

  @Test("Fault rows 21–25: a header alone is refused, on the byte that decides it", arguments: refusals)
  func refused(_ refusal: Refusal) throws {
    #expect(throws: refusal.fault) { _ = try parse(refusal.bytes, .server) }
    // One byte less must not decide; what follows must not change the outcome.
    #expect(try parse(Array(refusal.bytes.dropLast()), .server) == nil)
    #expect(throws: refusal.fault) { _ = try parse(refusal.bytes + Array(repeating: 0, count: 20), .server) }
  }

  @Test("Fault row 21: a client refuses a masked frame")
  func maskedFromServer() {
    #expect(throws: WireFault.maskedFrame) { _ = try parse([0x81, 0x80], .client) }
  }

  private func parse(_ bytes: [UInt8], _ role: Role) throws(WireFault) -> FrameHeader? {
    let outcome = bytes.withUnsafeBytes { pointer -> Result<FrameHeader?, WireFault> in
      do throws(WireFault) {
        return .success(try FrameHeader.parse(pointer, receiver: role, maxFrameBytes: 25_165_824))
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }
}
