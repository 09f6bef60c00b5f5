import HTTPWire
import NIOCore
import Testing

@Suite("Extents of request bodies")
struct BodyExtentTests {
  private static func split(
    _ text: String, _ body: RequestHead.Body, step: Int
  ) throws(HeadFault) -> (body: String, rest: String, isComplete: Bool) {
    var extent = BodyExtent(body)
    var bytes = ByteBuffer(string: text)
    var taken = ""
    while bytes.readableBytes > 0, !extent.isComplete {
      var piece = bytes.readSlice(length: min(step, bytes.readableBytes)) ?? ByteBuffer()
      taken += String(buffer: try extent.take(from: &piece))
      if piece.readableBytes > 0 {
        return (taken, String(buffer: piece) + String(buffer: bytes), extent.isComplete)
      }
    }
    return (taken, String(buffer: bytes), extent.isComplete)
  }

  @Test("the next request begins where the body ends", arguments: [1, 2, 5, Int.max])
  func ends(step: Int) throws {
    let length = try Self.split("abcGET", .length(3), step: step)
    #expect(length == ("abc", "GET", true))
    let chunked = "3;x=y\r\nabc\r\n0010\r\n0123456789abcdef\r\n0\r\nT: u\r\n\r\n"
    let chunks = try Self.split(chunked + "GET", .chunked, step: step)
    #expect(chunks == (chunked, "GET", true))
    let cut = try Self.split("3\r\nab", .chunked, step: step)
    #expect(cut == ("3\r\nab", "", false))
  }

  @Test(
    "fault row 9: malformed chunks are faults",
    arguments: [
      "x\r\n", "\r\n", "3 \r\nabc", "3\nabc", "3\r\nabcd\r\n", "3\r\nabc\n", "0\r\n\n", "FFFFFFFFF\r\n", "-1\r\n",
      ";\r\n",
    ])
  func malformed(text: String) {
    #expect(throws: HeadFault.malformedChunk) { try Self.split(text, .chunked, step: 1) }
    #expect(throws: HeadFault.malformedChunk) { try Self.split(text, .chunked, step: .max) }
  }

  @Test("extensions and trailers are bounded")
  func overhead() {
    #expect(throws: HeadFault.malformedChunk) {
      try Self.split("1;" + String(repeating: "a", count: 20_000), .chunked, step: .max)
    }
  }
}
