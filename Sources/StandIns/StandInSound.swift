import Envelope
import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The sound of the stand-ins' answers: a 1 kHz tone, 400 ms in four parts of 100 ms, the same bytes every time.
public enum StandInSound {
  /// The whole answer: 16-bit little-endian mono PCM at 24 kHz, 19,200 bytes.
  public static let tone: [UInt8] = littleEndian(samples)

  /// The answer's parts, 4,800 bytes each.
  public static let parts: [[UInt8]] = stride(from: 0, to: tone.count, by: 4_800).map {
    Array(tone[$0..<min($0 + 4_800, tone.count)])
  }

  static let samples: [Int16] = (0..<9_600).map { index in
    Int16((sin(2 * Double.pi * 1_000 * Double(index) / 24_000) * 8_000).rounded())
  }

  /// Little-endian 16-bit samples; nil for an odd number of bytes.
  static func samples(littleEndian bytes: [UInt8]) -> [Int16]? {
    guard bytes.count.isMultiple(of: 2) else { return nil }
    let count = bytes.count / 2
    return [Int16](unsafeUninitializedCapacity: count) { samples, initialized in
      bytes.withUnsafeBufferPointer { bytes in
        var index = 0
        while index < count {
          let bits = UInt16(bytes[index &* 2]) | UInt16(bytes[index &* 2 &+ 1]) &<< 8
          samples.initializeElement(at: index, to: Int16(bitPattern: bits))
          index &+= 1
        }
      }
      initialized = count
    }
  }

  static func littleEndian(_ samples: [Int16]) -> [UInt8] {
    samples.flatMap { sample in
      let bits = UInt16(bitPattern: sample)
      return [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
    }
  }

  /// G.711 mu-law to PCM (ITU-T G.711).
  static func samples(muLaw bytes: [UInt8]) -> [Int16] {
    bytes.map { byte in
      let code = ~byte
      let exponent = Int(code >> 4 & 7)
      let magnitude = ((Int(code & 15) << 3 + 0x84) << exponent) - 0x84
      return Int16(clamping: code & 0x80 == 0 ? magnitude : -magnitude)
    }
  }

  /// G.711 A-law to PCM (ITU-T G.711).
  static func samples(aLaw bytes: [UInt8]) -> [Int16] {
    bytes.map { byte in
      let code = byte ^ 0x55
      let exponent = Int(code >> 4 & 7)
      let mantissa = Int(code & 15) << 4
      let magnitude = exponent == 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1)
      return Int16(clamping: code & 0x80 == 0 ? -magnitude : magnitude)
    }
  }

  /// PCM to G.711 mu-law: the code whose sample is nearest, so that the table cannot disagree with its inverse.
  static func muLaw(_ samples: [Int16]) -> [UInt8] { nearest(samples, self.samples(muLaw: Array(0...255))) }

  /// PCM to G.711 A-law.
  static func aLaw(_ samples: [Int16]) -> [UInt8] { nearest(samples, self.samples(aLaw: Array(0...255))) }

  private static func nearest(_ samples: [Int16], _ codes: [Int16]) -> [UInt8] {
    samples.map { sample in
      let distances = codes.map { abs(Int($0) - Int(sample)) }
      let best = distances.indices.min { distances[$0] < distances[$1] } ?? 0
      return UInt8(best)
    }
  }
}

extension StandInSound {
  /// The answer's parts of 100 ms in the format; the G.711 ones are every third sample, which a 1 kHz tone survives.
  static func parts(_ format: SoundFormat) -> [Sound] {
    switch (format.codec, format.rate) {
    case (.pcm, 24_000): parts.map { Sound(format: format, bytes: $0) }
    case (.pcm, let rate): tone(rate: rate).map { Sound(format: format, bytes: littleEndian($0)) }
    case (.muLaw, _): muLawParts
    case (.aLaw, _): aLawParts
    }
  }

  private static func tone(rate: Int) -> [[Int16]] {
    (0..<4).map { part in
      (part * rate / 10..<(part + 1) * rate / 10).map { index in
        Int16((sin(2 * Double.pi * 1_000 * Double(index) / Double(rate)) * 8_000).rounded())
      }
    }
  }

  private static let narrowParts: [[Int16]] = stride(from: 0, to: samples.count, by: 2_400).map { start in
    stride(from: start, to: start + 2_400, by: 3).map { samples[$0] }
  }
  private static let muLawParts = narrowParts.map {
    Sound(format: SoundFormat(["type": "audio/pcmu"]), bytes: muLaw($0))
  }
  private static let aLawParts = narrowParts.map {
    Sound(format: SoundFormat(["type": "audio/pcma"]), bytes: aLaw($0))
  }
}
