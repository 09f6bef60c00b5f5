import Envelope
import NIOCore
import Testing
import Translation

/// Recordings that are files.
@Suite struct RecordingFiles {
  static let param = "item.content[0].audio"
  /// A head, tags and one packet of 20 ms.
  static let ogg =
    "T2dnUwACAAAAAAAAAAAHAAAAAAAAAMB9QfwBE09wdXNIZWFkAQE4AcBdAAAAAABPZ2dTAAAAAAAAAAAAAAcAAAABAAAAGMARqAEQT3B1c1RhZ3MAAAAA"
    + "AAAAAE9nZ1MABMADAAAAAAAABwAAAAIAAABRTzQMAQQIBwcH"

  static func samples(_ base64: String, rate: Int = 24_000, _ decode: RecordingDecoder?) throws -> String? {
    try RecordingFile.samples(of: base64, rate: rate, param: param, decodingBy: decode).map { String(buffer: $0) }
  }

  static func fault(_ base64: String, _ decode: RecordingDecoder? = { _ in [] }) -> EventFault? {
    do {
      _ = try samples(base64, decode)
      return nil
    } catch {
      return error as? EventFault
    }
  }

  @Test("R259: an Ogg Opus file becomes samples; the decoder gets the file as it is")
  func opus() throws {
    let samples = try Self.samples(Self.ogg) { file in
      #expect(file.readableBytes == 123 && file.getString(at: 0, length: 4) == "OggS")
      return [1, -1, 256]
    }
    #expect(samples == "AQD//wAB")
    #expect(try Self.samples(Self.ogg, rate: 8_000) { _ in [Int16](repeating: 0, count: 9) } == "AAAAAAAA")
  }

  @Test("R258: bare samples are no file", arguments: ["AAABAAIA", "T2dn", "", "!!"])
  func bare(_ base64: String) throws {
    #expect(try Self.samples(base64) { _ in [] } == nil)
  }

  @Test("R258: a WAV file becomes samples")
  func wave() throws {
    // PCM16 mono at 24 kHz, three samples.
    let file = "UklGRioAAABXQVZFZm10IBAAAAABAAEAwF0AAIC7AAACABAAZGF0YQYAAAABAP//AAE="
    #expect(try Self.samples(file, nil) == "AQD//wAB")
  }

  @Test("R259 Q13: a file that cannot be read is refused by the field's name, and says what would be taken")
  func refused() {
    let damaged = Self.fault(String(Self.ogg.dropLast(8)))
    #expect(damaged?.code == "invalid_value" && damaged?.param == Self.param)
    for (base64, kind) in [("GkXfowAC", "WebM"), ("ZkxhQwAC", "FLAC"), ("SUQzBAAC", "MP3")] {
      let fault = Self.fault(base64)
      #expect(fault?.code == "unsupported_value" && fault?.param == Self.param)
      #expect(fault?.message.contains(kind) ?? false)
      #expect(fault?.message.contains("PCM16") ?? false)
    }
    #expect(Self.fault("UklGRgAC")?.code == "invalid_value")
    #expect(Self.fault("T2dnUw!!")?.code == "invalid_value")
  }

  @Test("R259: without a decoder, or without its library, the fault says what to do")
  func noDecoder() {
    let none = Self.fault(Self.ogg, nil)
    #expect(none?.code == "unsupported_value" && none?.param == Self.param)
    let absent = Self.fault(Self.ogg) { _ throws(RecordingFault) in throw RecordingFault("Install libopus0.") }
    #expect(absent?.message == "Install libopus0." && absent?.param == Self.param)
  }
}
