import Audio
import Envelope
import NIOCore
import Testing

@testable import OpenAIWire

@Suite struct UploadPieces {
  static func base64(_ bytes: [UInt8]) -> ByteBuffer {
    var text = ByteBuffer()
    bytes.withUnsafeBytes { Base64.encode($0, into: &text) }
    return text
  }

  static func decoded(_ text: ByteBuffer) -> [UInt8] {
    var bytes = ByteBuffer()
    _ = text.withUnsafeReadableBytes { Base64.decode($0, into: &bytes) }
    return Array(bytes.readableBytesView)
  }

  static func sound(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 7) } }

  @Test(
    "the same audio goes up however it came, in pieces of the lengths asked for",
    arguments: [WireTraits.Pieces.milliseconds(least: 40, most: 100), .bytes(8_192)], [2, 960, 1_918, 4_800, 30_000])
  func pieces(_ pieces: WireTraits.Pieces, _ chunk: Int) {
    let bytes = Self.sound(48_000)
    var upload = WireUpload(pieces, format: .standard, takesG711: true)
    var sent: [[UInt8]] = []
    for start in stride(from: 0, to: bytes.count, by: chunk) {
      let part = Array(bytes[start..<min(start + chunk, bytes.count)])
      upload.append(Self.base64(part), decodedByteCount: part.count) { sent.append(Self.decoded($0)) }
    }
    let whole = sent
    upload.flush { sent.append(Self.decoded($0)) }
    #expect(!upload.holdsRest)
    switch pieces {
    case .milliseconds(let least, let most):
      #expect(whole.allSatisfy { (least * 48...most * 48).contains($0.count) })
      #expect(sent.flatMap(\.self) == bytes)
    case .bytes(let length):
      #expect(sent.allSatisfy { $0.count == length })
      let all = sent.flatMap(\.self)
      #expect(Array(all.prefix(bytes.count)) == bytes)
      #expect(all.dropFirst(bytes.count).allSatisfy { $0 == 0 }, "the tail is filled up with silence")
    case .asTheyCome: break
    }
  }

  @Test("R198: G.711 is converted where the service has none: as long, at 24 kHz")
  func g711() {
    var upload = WireUpload(.bytes(960), format: .pcmu, takesG711: false)
    var sent = 0
    for _ in 0..<50 {
      let codes = [UInt8](repeating: 0xFF, count: 160)
      upload.append(Self.base64(codes), decodedByteCount: codes.count) { sent += Self.decoded($0).count }
    }
    upload.flush { sent += Self.decoded($0).count }
    #expect(sent == 48_000)
  }

  @Test("a chunk that is a piece already crosses as it is")
  func asItIs() {
    var upload = WireUpload(.milliseconds(least: 40, most: 100), format: .standard, takesG711: true)
    let chunk = Self.base64(Self.sound(1_920))
    var sent: [ByteBuffer] = []
    upload.append(chunk, decodedByteCount: 1_920) { sent.append($0) }
    #expect(sent == [chunk] && !upload.isTransparent)
    #expect(WireUpload(.asTheyCome, format: .pcma, takesG711: true).isTransparent)
  }
}
