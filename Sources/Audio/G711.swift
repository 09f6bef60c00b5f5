public import NIOCore

extension G711 {
  /// The two codings of ITU-T G.711.
  public enum Law: Sendable, Hashable, CaseIterable {
    /// Called PCMU in RTP and `audio/pcmu` in the OpenAI envelope. North America and Japan.
    case muLaw
    /// PCMA, `audio/pcma`. The rest of the world.
    case aLaw
  }

  /// One code, ITU-T G.711 with the inversions of its tables. What is louder than the law can say is clipped.
  public static func code(of sample: Int16, _ law: Law) -> UInt8 {
    switch law {
    case .muLaw: muLawCode(sample)
    case .aLaw: aLawCode(sample)
    }
  }

  /// The sample that a code stands for, the middle of its interval, at 16 bits.
  public static func sample(of code: UInt8, _ law: Law) -> Int16 {
    table(law)[Int(code)]
  }

  /// One code for each sample.
  public static func encode(_ samples: [Int16], _ law: Law) -> [UInt8] {
    samples.map { code(of: $0, law) }
  }

  /// Appends one code for each sample.
  public static func encode(_ samples: UnsafeBufferPointer<Int16>, _ law: Law, into buffer: inout ByteBuffer) {
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: samples.count) { output in
      for index in 0..<samples.count { output[index] = code(of: samples[index], law) }
      return samples.count
    }
  }

  /// One sample for each code.
  public static func decode(_ codes: [UInt8], _ law: Law) -> [Int16] {
    var samples: [Int16] = []
    codes.withUnsafeBytes { decode($0, law, into: &samples) }
    return samples
  }

  /// Appends one sample for each code.
  public static func decode(_ codes: UnsafeRawBufferPointer, _ law: Law, into samples: inout [Int16]) {
    let start = samples.count
    samples.append(contentsOf: repeatElement(0, count: codes.count))
    samples.withUnsafeMutableBufferPointer { output in
      table(law).withUnsafeBufferPointer { table in
        for index in 0..<codes.count { output[start &+ index] = table[Int(codes[index])] }
      }
    }
  }
}

extension G711 {
  private static func table(_ law: Law) -> [Int16] {
    switch law {
    case .muLaw: muLawTable
    case .aLaw: aLawTable
    }
  }

  private static let muLawTable = (0...255).map { muLawSample(UInt8($0)) }
  private static let aLawTable = (0...255).map { aLawSample(UInt8($0)) }

  /// The magnitude of a sample. The ones' complement, so that both signs have as many values.
  @inline(__always)
  private static func magnitude(_ sample: Int16) -> Int {
    Int(sample < 0 ? ~sample : sample)
  }

  /// 14 bits and a bias of 33: the segment is then where the highest bit stands, the interval the four bits behind it.
  @inline(__always)
  private static func muLawCode(_ sample: Int16) -> UInt8 {
    let biased = min(magnitude(sample) &>> 2 &+ 33, 0x1FFF)
    let segment = Int.bitWidth &- 6 &- biased.leadingZeroBitCount
    let interval = biased &>> (segment &+ 1) & 0xF
    let bits = UInt8(truncatingIfNeeded: segment &<< 4 | interval)
    // Every bit is inverted on the line; the sign bit is set for positive samples.
    return ~bits & 0x7F | (sample < 0 ? 0 : 0x80)
  }

  private static func muLawSample(_ code: UInt8) -> Int16 {
    let bits = Int(~code & 0x7F)
    let (segment, interval) = (bits >> 4, bits & 0xF)
    let magnitude = ((2 * interval + 33) << segment - 33) << 2
    return Int16(code < 0x80 ? -magnitude : magnitude)
  }

  /// 12 bits of magnitude; the first two segments have the same step.
  @inline(__always)
  private static func aLawCode(_ sample: Int16) -> UInt8 {
    let level = magnitude(sample) &>> 4
    var bits = UInt8(truncatingIfNeeded: level)
    if level > 31 {
      let segment = Int.bitWidth &- 4 &- level.leadingZeroBitCount
      bits = UInt8(truncatingIfNeeded: segment &<< 4 | (level &>> (segment &- 1) & 0xF))
    }
    // Every second bit is inverted on the line; the sign bit is set for positive samples.
    return (bits | (sample < 0 ? 0 : 0x80)) ^ 0x55
  }

  private static func aLawSample(_ code: UInt8) -> Int16 {
    let bits = code ^ 0x55
    let (segment, interval) = (Int(bits >> 4 & 7), Int(bits & 0xF))
    let magnitude = segment == 0 ? interval << 4 + 8 : (interval << 4 + 264) << (segment - 1)
    return Int16(bits & 0x80 == 0 ? -magnitude : magnitude)
  }
}
