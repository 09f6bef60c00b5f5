import Audio
import Foundation
import Testing

@testable import VoiceEngine

@Suite("Ogg Opus files")
struct OpusFileTests {
  static let haveOpus = (try? OpusFile.libraryVersion()) != nil

  private static let fixtures = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("Fixtures")

  /// espeak-ng speaking for 2.2 s: the file of an encoder, and the same sound at 8 kHz.
  private static func opus() throws -> [UInt8] {
    [UInt8](try Data(contentsOf: fixtures.appendingPathComponent("speech.opus")))
  }

  private static func original() throws -> [Int16] {
    let bytes = [UInt8](try Data(contentsOf: fixtures.appendingPathComponent("speech-mulaw.wav")))
    let (samples, rate) = try WAV.samples(of: bytes)
    #expect(rate == 8_000)
    return samples
  }

  private func fault(_ bytes: [UInt8], rate: Int = 24_000) -> StageFault? {
    do throws(StageFault) {
      _ = try OpusFile.samples(of: bytes, rate: rate)
      return nil
    } catch {
      return error
    }
  }

  private func product(_ left: [Int16], _ right: [Int16]) -> Double {
    zip(left, right).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// With the gain of the header changed.
  private func withGain(_ gain: Int16, _ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    withUnsafeBytes(of: gain.littleEndian) { bytes.replaceSubrange(44..<46, with: $0) }
    return withSum(ofPage: 0..<47, bytes)
  }

  /// With the sum of a page made right.
  private func withSum(ofPage page: Range<Int>, _ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    let field = page.lowerBound + 22..<page.lowerBound + 26
    bytes.replaceSubrange(field, with: [0, 0, 0, 0])
    var sum: UInt32 = 0
    for byte in bytes[page] {
      sum ^= UInt32(byte) << 24
      for _ in 0..<8 { sum = sum << 1 ^ (sum >> 31 == 1 ? 0x04C1_1DB7 : 0) }
    }
    withUnsafeBytes(of: sum.littleEndian) { bytes.replaceSubrange(field, with: $0) }
    return bytes
  }

  @Test(
    "R259: a file of an encoder gives the sound that went in, at its place and at its length",
    .enabled(if: haveOpus, "libopus is not installed: run make setup"), arguments: [24_000, 48_000, 16_000, 22_050])
  func decodes(rate: Int) throws {
    let original = try Self.original()
    let samples = try OpusFile.samples(of: Self.opus(), rate: rate)
    #expect(abs(samples.count * 8_000 / rate - original.count) <= 2)
    let decoded = Resampler.convert(samples, from: rate, to: 8_000)
    let likeness = product(decoded, original) / (product(decoded, decoded) * product(original, original)).squareRoot()
    #expect(likeness > 0.9)
    let loudness = product(decoded, decoded) / product(original, original)
    #expect((0.7...1.4).contains(loudness))
    // The delay of the encoder is taken off: half a millisecond off is less like the original.
    for shift in [4, 8, 40] {
      #expect(product(Array(decoded.dropFirst(shift)), original) < product(decoded, original))
      #expect(product(decoded, Array(original.dropFirst(shift))) < product(decoded, original))
    }
  }

  @Test(
    "The gain of the header is applied",
    .enabled(if: haveOpus, "libopus is not installed: run make setup"))
  func gain() throws {
    let plain = try OpusFile.samples(of: Self.opus(), rate: 24_000)
    let softer = try OpusFile.samples(of: withGain(-6 * 256, Self.opus()), rate: 24_000)
    let ratio = (product(softer, softer) / product(plain, plain)).squareRoot()
    #expect(abs(ratio - 0.501) < 0.01)
    let loudest = try OpusFile.samples(of: withGain(.max, Self.opus()), rate: 24_000)
    #expect(loudest.contains(.max))
    #expect(loudest.contains(.min))
  }

  @Test(
    "Packets with random contents are decoded or refused, never to more sound than the file says",
    .enabled(if: haveOpus, "libopus is not installed: run make setup"))
  func randomPackets() throws {
    let whole = try Self.opus()
    let length = try OpusFile.samples(of: whole, rate: 24_000).count
    let mark = Array("OggS".utf8)
    let last = try #require(whole.indices.last { whole[$0...].starts(with: mark) })
    let body = last + 27 + Int(whole[last + 26])
    var state: UInt64 = 1
    for round in 0..<40 {
      var bytes = whole
      for index in body..<bytes.count {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        // Every byte in half of the rounds; else one in sixteen.
        if round % 2 == 0 || state >> 60 == 0 { bytes[index] = UInt8(truncatingIfNeeded: state >> 40) }
      }
      bytes = withSum(ofPage: last..<bytes.count, bytes)
      do throws(StageFault) {
        #expect(try OpusFile.samples(of: bytes, rate: 24_000).count <= length)
      } catch {
        #expect(error.code == "audio_format_unsupported")
      }
    }
  }

  @Test("R259: a file that was cut off or damaged is refused")
  func damage() throws {
    let whole = try Self.opus()
    for count in stride(from: 0, to: whole.count, by: 61) {
      #expect(fault(Array(whole[..<count]))?.code == "audio_format_unsupported")
    }
    for index in stride(from: 0, to: whole.count, by: 97) {
      var bytes = whole
      bytes[index] ^= 0xFF
      #expect(fault(bytes)?.code == "audio_format_unsupported")
    }
  }

  @Test("R259: what is no Ogg Opus is refused in a sentence, whether there is a library or not")
  func refusals() throws {
    let wav = fault(WAV.file([1, 2, 3], rate: 24_000))
    #expect(wav?.stage == .stt)
    #expect(wav?.code == "audio_format_unsupported")
    #expect(wav?.message == OggOpusFault.notOgg.description)
    #expect(fault([])?.message == OggOpusFault.notOgg.description)
  }

  @Test("Without libopus a whole file is refused, and the package that is missing is named")
  func noLibrary() throws {
    let file = try Self.opus()
    let fault = #expect(throws: StageFault.self) {
      _ = try OpusFile.samples(of: file, rate: 24_000, libraries: ["libopus-that-nobody-has.so.0"])
    }
    #expect(fault?.code == "audio_format_unsupported")
    #expect(fault?.message.contains("libopus0") == true)
  }
}
