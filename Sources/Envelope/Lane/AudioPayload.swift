public import Audio
public import NIOCore

/// Why the `audio` of an append cannot be taken (fault row 40). On the wire each is `invalid_value` with param `audio`.
public enum AudioFault: Error, Sendable, Hashable {
  case notBase64
  /// PCM16 that ends in the middle of a sample.
  case oddByteCount
  case empty
  /// More than 15 MiB, or than the limit given.
  case tooLarge

  public static let code = "invalid_value"
  public static let param = "audio"

  public var message: String {
    switch self {
    case .notBase64: "Invalid value for 'audio': expected base64-encoded audio."
    case .oddByteCount: "Invalid value for 'audio': 16-bit audio must have an even number of bytes."
    case .empty: "Invalid value for 'audio': the audio is empty."
    case .tooLarge: "Invalid value for 'audio': the audio of one event is too large."
    }
  }
}

/// The audio of an append that did not come in standard form, brought into it.
public struct AudioPayload: Sendable, Hashable {
  /// Standard alphabet, padded.
  public let base64: ByteBuffer
  /// The bytes that it stands for, at least 1.
  public let decodedBytes: Int

  /// Takes the URL-safe alphabet and missing padding as well as standard base64 (RFC 4648 sections 4 and 5).
  ///
  /// - Parameters:
  ///   - bytesPerSample: 2 for PCM16, 1 for G.711, where any byte count is whole.
  ///   - limit: in decoded bytes.
  public static func standard(
    from text: String, bytesPerSample: Int = PCM16.bytesPerSample, limit: Int = PCM16.maxAppendBytes
  ) throws(AudioFault) -> Self {
    guard !text.isEmpty else { throw .empty }
    // Before anything of that size is allocated.
    guard text.utf8.count <= Base64.encodedCount(ofBytes: limit) else { throw .tooLarge }
    var base64 = ByteBuffer()
    var copy = text
    let decoded = copy.withUTF8 { Base64.normalise(UnsafeRawBufferPointer($0), into: &base64) }
    guard let decodedBytes = decoded else { throw .notBase64 }
    guard decodedBytes <= limit else { throw .tooLarge }
    guard bytesPerSample < 2 || decodedBytes.isMultiple(of: bytesPerSample) else { throw .oddByteCount }
    return Self(base64: base64, decodedBytes: decodedBytes)
  }
}
