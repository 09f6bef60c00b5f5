public import NIOCore

extension PCM16 {
  /// Appends one sample for each two bytes, little-endian; an odd byte at the end is ignored.
  public static func decode(_ bytes: UnsafeRawBufferPointer, into samples: inout [Int16]) {
    let (start, count) = (samples.count, bytes.count / bytesPerSample)
    samples.append(contentsOf: repeatElement(0, count: count))
    samples.withUnsafeMutableBufferPointer { output in
      for index in 0..<count {
        output[start &+ index] = Int16(
          littleEndian: bytes.loadUnaligned(fromByteOffset: index &* bytesPerSample, as: Int16.self))
      }
    }
  }

  /// Appends two bytes for each sample, little-endian.
  public static func encode(_ samples: UnsafeBufferPointer<Int16>, into buffer: inout ByteBuffer) {
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: samples.count * bytesPerSample) { output in
      for index in 0..<samples.count {
        output.storeBytes(
          of: samples[index].littleEndian, toByteOffset: index &* bytesPerSample, as: Int16.self)
      }
      return samples.count * bytesPerSample
    }
  }
}
