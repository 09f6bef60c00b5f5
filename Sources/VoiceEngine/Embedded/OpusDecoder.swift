import NativeCode
import Audio

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Sound of Ogg Opus files, decoded by the system's libopus if it is there.
enum OpusFile {
  /// Decodes a whole file to one channel, at the level and the length that its header asks for. Takes about a hundredth
  /// of the time that the sound lasts, so it belongs on a thread that may be held up.
  ///
  /// - Parameters:
  ///   - bytes: at most `OggOpus.maxByteCount`, and at most ten minutes of sound.
  ///   - rate: hertz; 8, 12, 16, 24 and 48 kHz come from the decoder itself.
  ///   - libraries: the names of libopus, of which the first that is there is used.
  /// - Throws: `audio_format_unsupported`: the file cannot be read, or there is no libopus.
  static func samples(
    of bytes: [UInt8], rate: Int, libraries: [String] = OpusLibrary.names
  ) throws(StageFault) -> [Int16] {
    let file: OggOpus
    do {
      file = try OggOpus(parsing: bytes)
    } catch {
      throw unsupported(error.description)
    }
    let decoderRate = decoderRates.contains(rate) ? rate : OggOpus.rate
    let decoder = try OpusDecoder(library: OpusLibrary.open(libraries), rate: decoderRate)
    var samples = try decoder.samples(of: file)
    amplify(&samples, decibels: Double(file.outputGain) / 256)
    return Resampler.convert(samples, from: decoderRate, to: rate)
  }

  /// What libopus calls itself, such as `libopus 1.3.1`.
  static func libraryVersion() throws(StageFault) -> String {
    try OpusLibrary.open(OpusLibrary.names).version
  }

  /// The rates that libopus decodes to.
  private static let decoderRates = [8_000, 12_000, 16_000, 24_000, 48_000]

  /// The gain of the header is no taste but a part of the sound (RFC 7845 section 5.1).
  private static func amplify(_ samples: inout [Int16], decibels: Double) {
    guard decibels != 0 else { return }
    let factor = pow(10, decibels / 20)
    samples.withUnsafeMutableBufferPointer { samples in
      for index in samples.indices {
        samples[index] = Int16(clamping: Int((Double(samples[index]) * factor).rounded()))
      }
    }
  }

  fileprivate static func unsupported(_ message: String) -> StageFault {
    StageFault(.stt, code: "audio_format_unsupported", message: message)
  }
}

/// A decoder of one stream. Confined to the function that made it.
private final class OpusDecoder {
  private let library: OpusLibrary
  private let state: OpaquePointer
  private let rate: Int

  /// The longest packet lasts 120 ms.
  private static let longestPacket = 5760

  init(library: OpusLibrary, rate: Int) throws(StageFault) {
    var code: Int32 = 0
    // One channel: the library itself mixes two to one.
    guard let state = library.create(Int32(rate), 1, &code), code == 0 else {
      throw OpusFile.unsupported("libopus made no decoder: \(library.message(of: code))")
    }
    self.library = library
    self.rate = rate
    self.state = state
  }

  deinit {
    library.destroy(state)
  }

  func samples(of file: OggOpus) throws(StageFault) -> [Int16] {
    // 48 kHz is a whole multiple of every rate there is.
    let divisor = OggOpus.rate / rate
    let skipped = file.preSkip / divisor
    let wanted = file.playableSampleCount / divisor
    var samples: [Int16] = []
    samples.reserveCapacity(wanted)
    var decodedCount = 0
    var block = [Int16](repeating: 0, count: Self.longestPacket)
    for (index, packet) in file.packets.enumerated() where samples.count < wanted {
      let count = decode(file.payload[packet], into: &block)
      guard count >= 0 else {
        throw OpusFile.unsupported("Opus packet \(index) is damaged: \(library.message(of: Int32(count)))")
      }
      let start = min(max(0, skipped - decodedCount), count)
      samples += block[start..<count].prefix(wanted - samples.count)
      decodedCount += count
    }
    return samples
  }

  /// The samples that came of the packet; a code of the library below zero.
  private func decode(_ packet: ArraySlice<UInt8>, into block: inout [Int16]) -> Int {
    let count = packet.withUnsafeBufferPointer { packet in
      block.withUnsafeMutableBufferPointer { block in
        library.decode(state, packet.baseAddress, Int32(packet.count), block.baseAddress, Int32(block.count), 0)
      }
    }
    return min(Int(count), block.count)
  }
}

/// The functions of libopus that are used.
struct OpusLibrary {
  static let names = ["libopus.so.0", "libopus.0.dylib"]

  typealias Create = @convention(c) (Int32, Int32, UnsafeMutablePointer<Int32>?) -> OpaquePointer?
  typealias Decode =
    @convention(c) (
      OpaquePointer, UnsafePointer<UInt8>?, Int32, UnsafeMutablePointer<Int16>?, Int32, Int32
    ) -> Int32
  typealias Destroy = @convention(c) (OpaquePointer) -> Void
  typealias Version = @convention(c) () -> UnsafePointer<CChar>?
  typealias Message = @convention(c) (Int32) -> UnsafePointer<CChar>?

  let create: Create
  let decode: Decode
  let destroy: Destroy
  private let versionText: Version
  private let messageText: Message

  var version: String { versionText().map { String(cString: $0) } ?? "" }

  func message(of code: Int32) -> String { messageText(code).map { String(cString: $0) } ?? "error \(code)" }

  /// Opened at each use: it costs little, and a library that is installed later is found.
  static func open(_ names: [String]) throws(StageFault) -> OpusLibrary {
    do {
      let library = try DynamicLibrary.open(names)
      return OpusLibrary(
        create: try library.symbol("opus_decoder_create", as: Create.self),
        decode: try library.symbol("opus_decode", as: Decode.self),
        destroy: try library.symbol("opus_decoder_destroy", as: Destroy.self),
        versionText: try library.symbol("opus_get_version_string", as: Version.self),
        messageText: try library.symbol("opus_strerror", as: Message.self))
    } catch {
      throw OpusFile.unsupported("Opus cannot be decoded here: \(error). Debian's package libopus0 has the library.")
    }
  }
}
